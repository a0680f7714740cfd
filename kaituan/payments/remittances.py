"""Leaders hand over members' money that they took."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.ledger.models import AccountKind
from kaituan.ledger.queries import balance_fen
from kaituan.ledger.services import AccountRef, Move, lock_balance_fen, post_entry
from kaituan.money.fen import format_yuan
from kaituan.notices.services import announce
from kaituan.payments.models import Channel, Remittance
from kaituan.payments.postings import money_account
from kaituan.payments.refusals import AlreadyDone, PaymentRefused
from kaituan.people.models import Leader, Person


def leader_held_fen(*, leader: Leader) -> int:
    """Members' money the leader holds and owes."""
    return balance_fen(AccountRef(AccountKind.LEADER_HELD, f"leader:{leader.pk}"))


@transaction.atomic
def announce_remittance(*, leader: Leader, amount_fen: int, reference: str, now: datetime) -> Remittance:
    """The leader says that money was transferred; nothing is posted until the cashier has seen it.

    Announcing the same reference again returns the first. Raises PaymentRefused for more than is held.
    """
    known = Remittance.objects.filter(leader=leader, reference=reference).first()
    if known is not None:
        return known
    held_fen = lock_balance_fen(AccountRef(AccountKind.LEADER_HELD, f"leader:{leader.pk}"))
    waiting = leader.remittances.filter(status=Remittance.Status.ANNOUNCED)
    free_fen = held_fen - sum(waiting.values_list("amount_fen", flat=True))
    if not 0 < amount_fen <= free_fen:
        raise PaymentRefused(
            _("You hold %(held)s yuan that is not on its way yet: enter at most that.")
            % {"held": format_yuan(max(0, free_fen))}
        )
    row = Remittance.objects.create(
        leader=leader, amount_fen=amount_fen, reference=reference, announced_at=now
    )
    announce(topic="remittance_announced", subject=f"remittance:{row.pk}", payload={}, now=now)
    return row


@transaction.atomic
def confirm_remittance(*, remittance: Remittance, acting_person: Person, now: datetime) -> Remittance:
    """The cashier sees the money in the bank. Raises AlreadyDone."""
    row = _undecided(remittance)
    _decide(row, status=Remittance.Status.CONFIRMED, acting_person=acting_person, now=now)
    held = AccountRef(AccountKind.LEADER_HELD, f"leader:{row.leader_id}")
    post_entry(
        key=f"remittance:{row.pk}", kind="remittance_confirmed", reference=f"remittance:{row.pk}", occurred_at=now,
        moves=[Move(money_account(channel=Channel.BANK), held, row.amount_fen)],
    )  # fmt: skip
    return row


@transaction.atomic
def refuse_remittance(
    *, remittance: Remittance, acting_person: Person, reason: str, now: datetime
) -> Remittance:
    """The money did not arrive. Raises AlreadyDone."""
    row = _undecided(remittance)
    row.reason = reason
    _decide(row, status=Remittance.Status.REFUSED, acting_person=acting_person, now=now)
    return row


def _undecided(remittance: Remittance) -> Remittance:
    row = Remittance.objects.select_for_update().get(pk=remittance.pk)
    if row.status != Remittance.Status.ANNOUNCED:
        raise AlreadyDone(_("This remittance is already decided."))
    return row


def _decide(row: Remittance, *, status: str, acting_person: Person, now: datetime) -> None:
    row.status, row.decided_at, row.decided_by = status, now, acting_person
    row.save(update_fields=["status", "decided_at", "decided_by", "reason"])
    announce(topic="remittance_decided", subject=f"remittance:{row.pk}", payload={}, now=now)
