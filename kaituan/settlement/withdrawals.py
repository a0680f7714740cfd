"""Withdrawals: asked for, approved, paid; or taken back, refused, bounced and given back. And freezing them.

An amount leaves the payable balance when it is asked for, so that nothing is promised twice; whatever does
not end in a payout puts it back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kaituan.ledger.models import Entry
from kaituan.ledger.services import lock_balances_fen, post_entry, reverse_entry
from kaituan.money.fen import format_yuan
from kaituan.notices.services import announce
from kaituan.people.models import Leader, PayeeAccount, Person
from kaituan.people.payees import current_payee
from kaituan.settlement.minimum import minimum_in_force
from kaituan.settlement.models import Withdrawal, WithdrawalEvent, WithdrawalFreeze
from kaituan.settlement.postings import held_account, paid_moves, payable_account, requested_moves
from kaituan.settlement.queries import WAITING, LeaderBalance, guaranteed_fen, remitting_fen, withdrawable_fen
from kaituan.settlement.withholding import tax_on

Status = Withdrawal.Status

MOVES: dict[str, frozenset[str]] = {
    Status.REQUESTED: frozenset({Status.APPROVED, Status.REFUSED, Status.TAKEN_BACK}),
    Status.APPROVED: frozenset({Status.PAID, Status.REFUSED, Status.FAILED}),
    # A bank may send a payout back days later.
    Status.PAID: frozenset({Status.FAILED}),
    Status.REFUSED: frozenset(),
    Status.FAILED: frozenset(),
    Status.TAKEN_BACK: frozenset(),
}
"""What a withdrawal may become next."""

STATUS_NAMES = {
    Status.REQUESTED: gettext_lazy("requested"),
    Status.APPROVED: gettext_lazy("approved"),
    Status.PAID: gettext_lazy("paid out"),
    Status.REFUSED: gettext_lazy("refused"),
    Status.FAILED: gettext_lazy("sent back by the bank"),
    Status.TAKEN_BACK: gettext_lazy("taken back by the leader"),
}


class WithdrawalRefused(Exception):
    """It cannot be done; the message says why and what to do, in the reader's language."""


class TooLittle(WithdrawalRefused):
    """Less than the station pays out at once."""


class NotEnough(WithdrawalRefused):
    """More than is payable."""


class Frozen(WithdrawalRefused):
    """Payouts to this leader are stopped for now."""


class PayeeNotGood(WithdrawalRefused):
    """There is nobody any more to pay to."""


class PayeeMissing(PayeeNotGood):
    """The leader has not said where to pay to."""


class PayeeUnchecked(PayeeNotGood):
    """Nobody else has looked at the account yet."""


class OwnWithdrawal(WithdrawalRefused):
    """Nobody decides on money for themselves."""


class MoveRefused(WithdrawalRefused):
    """The withdrawal is not in a state from which this can be done."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What becomes of an amount that is asked for. netted_fen: kept back for members' money that the leader holds."""

    amount_fen: int
    netted_fen: int
    tax_fen: int
    tax_rule: str

    @property
    def payout_fen(self) -> int:
        return self.amount_fen - self.netted_fen - self.tax_fen


def expected_parts(*, leader: Leader, amount_fen: int, balance: LeaderBalance, now: datetime) -> Parts:
    """What asking for this amount at `now` would bring, by a balance that was just read. Reads only."""
    return _parts(leader, amount_fen, owed_fen=balance.held_fen - balance.remitting_fen, now=now)


@transaction.atomic
def request_withdrawal(
    *, leader: Leader, amount_fen: int, idempotency_key: str, acting_person: Person, now: datetime
) -> Withdrawal:
    """Take an amount out of what is payable, net of tax and of members' money that the leader holds, less what is
    on its way by a remittance.

    It is paid to the account that the leader has entered last, whatever is entered later. The same key again answers
    the first request. Raises TooLittle, NotEnough, Frozen, PayeeMissing or PayeeNotGood, or
    WithdrawalRefused for the key of one that was taken back.
    """
    known = _known(leader, idempotency_key)
    if known is not None:
        return known
    # The balance rows are the queue: two requests of one leader come one after the other.
    payable, held = payable_account(leader_id=leader.pk), held_account(leader_id=leader.pk)
    balances = lock_balances_fen(payable, held)
    known = _known(leader, idempotency_key)
    if known is not None:
        return known
    _require_minimum(amount_fen, now)
    # A remittance is announced under the row of what is held: what waits stays as it is read here.
    waiting_fen = remitting_fen(leader=leader)
    free_fen = withdrawable_fen(
        payable_fen=balances[payable], remitting_fen=waiting_fen, guaranteed_fen=guaranteed_fen(leader=leader)
    )
    if amount_fen > free_fen:
        raise NotEnough(_("You can withdraw at most %(yuan)s yuan.") % {"yuan": format_yuan(free_fen)})
    _require_good_payee(leader)
    payee = _require_payee(leader)
    parts = _parts(leader, amount_fen, owed_fen=balances[held] - waiting_fen, now=now)
    withdrawal = Withdrawal.objects.create(
        leader=leader,
        payee=payee,
        amount_fen=amount_fen,
        netted_fen=parts.netted_fen,
        tax_fen=parts.tax_fen,
        tax_rule=parts.tax_rule,
        idempotency_key=idempotency_key,
        requested_at=now,
    )
    post_entry(
        key=f"withdrawal:{withdrawal.pk}/requested",
        kind="withdrawal_requested",
        reference=f"withdrawal:{withdrawal.pk}",
        occurred_at=now,
        moves=requested_moves(
            withdrawal_id=withdrawal.pk,
            leader_id=leader.pk,
            amount_fen=amount_fen,
            netted_fen=parts.netted_fen,
        ),
        no_overdraft=[payable],
    )
    _record(withdrawal, from_status="", acting_person=acting_person, now=now)
    return withdrawal


@transaction.atomic
def take_back_withdrawal(*, withdrawal: Withdrawal, acting_person: Person, now: datetime) -> Withdrawal:
    """The leader wants it back before anybody has approved it; taking back twice is once. Raises MoveRefused."""
    [row] = _locked([withdrawal.pk])
    if row.status == Status.TAKEN_BACK:
        return row
    if row.status in (Status.APPROVED, Status.PAID):
        raise MoveRefused(_("The platform has approved it already: it goes to your account."))
    if row.status != Status.REQUESTED:
        raise MoveRefused(_("It was not paid: the amount is in what you can withdraw already."))
    _move(row, Status.TAKEN_BACK, acting_person=acting_person, now=now, fields=[])
    _give_back(row, now=now)
    return row


@transaction.atomic
def approve_withdrawals(
    *, withdrawal_ids: Iterable[int], acting_person: Person, now: datetime
) -> list[Withdrawal]:
    """Approve a batch, all or none; those approved already stay so.

    Raises Frozen, PayeeNotGood, OwnWithdrawal or MoveRefused, naming the withdrawal.
    """
    rows = _locked(withdrawal_ids)
    for row in rows:
        if row.status == Status.APPROVED:
            continue
        _require_good_payee(row.leader)
        _require_another_person(row, acting_person)
        _decide(row, Status.APPROVED, acting_person=acting_person, now=now)
    return rows


@transaction.atomic
def refuse_withdrawal(
    *, withdrawal: Withdrawal, reason: str, acting_person: Person, now: datetime
) -> Withdrawal:
    """Say no, and put the amount back. Raises MoveRefused, or WithdrawalRefused without a reason."""
    [row] = _locked([withdrawal.pk])
    if row.status == Status.REFUSED:
        return row
    _require_reason(reason)
    row.reason = reason.strip()
    _decide(row, Status.REFUSED, acting_person=acting_person, now=now)
    _give_back(row, now=now)
    return row


@transaction.atomic
def mark_paid(
    *, withdrawal: Withdrawal, payout_reference: str, acting_person: Person, now: datetime
) -> Withdrawal:
    """The money has been sent. payout_reference: the bank's number. The same number again changes nothing.

    Raises Frozen, OwnWithdrawal, PayeeMissing, PayeeUnchecked or MoveRefused.
    """
    [row] = _locked([withdrawal.pk])
    payout_reference = payout_reference.strip()
    if row.status == Status.PAID and row.payout_reference == payout_reference:
        return row
    if row.payout_fen and not payout_reference:
        raise WithdrawalRefused(_("Enter the number of the payout, so that it can be found again."))
    _require_not_frozen(row.leader)
    _require_another_person(row, acting_person)
    if row.payout_fen:
        _require_checked(row.payee)
    row.payout_reference, row.paid_at = payout_reference, now
    _move(row, Status.PAID, acting_person=acting_person, now=now, fields=["payout_reference", "paid_at"])
    if row.payout_fen + row.tax_fen:
        post_entry(
            key=f"withdrawal:{row.pk}/paid",
            kind="withdrawal_paid",
            reference=f"withdrawal:{row.pk}",
            occurred_at=now,
            moves=paid_moves(withdrawal_id=row.pk, payout_fen=row.payout_fen, tax_fen=row.tax_fen),
        )
    return row


@transaction.atomic
def pay_to_current(*, withdrawal: Withdrawal, acting_person: Person, now: datetime) -> Withdrawal:
    """Let a withdrawal that waits go to the account that the leader has entered since; written down beside it.

    Raises OwnWithdrawal, PayeeMissing or MoveRefused.
    """
    [row] = _locked([withdrawal.pk])
    payee = _require_payee(row.leader)
    if row.payee_id == payee.pk:
        return row
    _require_another_person(row, acting_person)
    if row.status not in WAITING:
        raise _too_late(row)
    before, row.payee = row.payee_id, payee
    row.save(update_fields=["payee"])
    WithdrawalEvent.objects.create(
        withdrawal=row,
        from_status=row.status,
        to_status=row.status,
        actor=acting_person,
        reason=f"payee_account:{before or '-'} > payee_account:{payee.pk}",
        happened_at=now,
    )
    return row


@transaction.atomic
def payout_failed(
    *, withdrawal: Withdrawal, reason: str, acting_person: Person | None, now: datetime
) -> Withdrawal:
    """The payout bounced: all of the amount is in the leader's balance again. Raises MoveRefused."""
    [row] = _locked([withdrawal.pk])
    if row.status == Status.FAILED:
        return row
    _require_reason(reason)
    row.reason, row.paid_at = reason.strip(), None
    _move(row, Status.FAILED, acting_person=acting_person, now=now, fields=["reason", "paid_at"])
    _give_back(row, now=now)
    return row


@transaction.atomic
def freeze_withdrawals(
    *, leader: Leader, reason: str, acting_person: Person, now: datetime
) -> WithdrawalFreeze:
    """Stop payouts to a leader; what was asked for waits. Freezing twice is once."""
    _require_reason(reason)
    _lock_leader(leader)
    standing = leader.withdrawal_freezes.filter(lifted_at__isnull=True).first()
    if standing is not None:
        return standing
    return WithdrawalFreeze.objects.create(
        leader=leader, reason=reason.strip(), frozen_by=acting_person, frozen_at=now
    )


@transaction.atomic
def lift_freeze(
    *, leader: Leader, reason: str, acting_person: Person, now: datetime
) -> WithdrawalFreeze | None:
    """Let payouts go on; None where none were stopped."""
    _require_reason(reason)
    _lock_leader(leader)
    standing = leader.withdrawal_freezes.filter(lifted_at__isnull=True).first()
    if standing is None:
        return None
    standing.lifted_by, standing.lifted_at, standing.lift_reason = acting_person, now, reason.strip()
    standing.save(update_fields=["lifted_by", "lifted_at", "lift_reason"])
    return standing


def _parts(leader: Leader, amount_fen: int, *, owed_fen: int, now: datetime) -> Parts:
    """Tax first, for it is due on the whole amount; then what the leader still owes of members' money."""
    tax = tax_on(leader=leader, amount_fen=amount_fen, now=now)
    netted_fen = min(max(0, owed_fen), amount_fen - tax.fen)
    return Parts(amount_fen=amount_fen, netted_fen=netted_fen, tax_fen=tax.fen, tax_rule=tax.rule)


def _require_minimum(amount_fen: int, now: datetime) -> None:
    minimum_fen = max(1, minimum_in_force(at=now))
    if amount_fen < minimum_fen:
        raise TooLittle(
            _("Withdraw at least ¥%(minimum)s at once: ¥%(asked)s is less.")
            % {"minimum": format_yuan(minimum_fen), "asked": format_yuan(amount_fen)}
        )


def _known(leader: Leader, key: str) -> Withdrawal | None:
    row = Withdrawal.objects.filter(idempotency_key=key).first()
    if row is not None and (row.leader_id != leader.pk or row.status == Status.TAKEN_BACK):
        raise WithdrawalRefused(_("This request cannot be repeated: start again."))
    return row


def _locked(withdrawal_ids: Iterable[int]) -> list[Withdrawal]:
    rows = Withdrawal.objects.select_for_update(of=("self",)).select_related("leader__person", "payee")
    return list(rows.filter(pk__in=set(withdrawal_ids)).order_by("pk"))


def _lock_leader(leader: Leader) -> None:
    Leader.objects.select_for_update(no_key=True).get(pk=leader.pk)


def _decide(row: Withdrawal, to_status: str, *, acting_person: Person, now: datetime) -> None:
    row.decided_at, row.decided_by = now, acting_person
    _move(row, to_status, acting_person=acting_person, now=now, fields=["decided_at", "decided_by", "reason"])


def _move(
    row: Withdrawal, to_status: str, *, acting_person: Person | None, now: datetime, fields: list[str]
) -> None:
    from_status = row.status
    if to_status not in MOVES[from_status]:
        raise _too_late(row)
    row.status = to_status
    row.save(update_fields=["status", *fields])
    _record(row, from_status=from_status, acting_person=acting_person, now=now)


def _too_late(row: Withdrawal) -> MoveRefused:
    return MoveRefused(
        _("Withdrawal %(id)s is %(status)s: this cannot be done any more.")
        % {"id": row.public_id, "status": STATUS_NAMES[Status(row.status)]}
    )


def _record(row: Withdrawal, *, from_status: str, acting_person: Person | None, now: datetime) -> None:
    WithdrawalEvent.objects.create(
        withdrawal=row,
        from_status=from_status,
        to_status=row.status,
        actor=acting_person,
        reason=row.reason,
        happened_at=now,
    )
    announce(
        topic=f"withdrawal_{row.status}",
        subject=f"withdrawal:{row.pk}",
        payload={"leader_id": row.leader_id, "amount_fen": row.amount_fen},
        now=now,
    )


def _give_back(row: Withdrawal, *, now: datetime) -> None:
    """Mirror what was posted for the withdrawal, the latest first."""
    posted = Entry.objects.filter(reference=f"withdrawal:{row.pk}", reverses__isnull=True)
    for entry in posted.order_by("-pk"):
        reverse_entry(entry=entry, key=f"{entry.key}/back", occurred_at=now)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise WithdrawalRefused(_("Say why: the leader will read it."))


def _require_another_person(row: Withdrawal, acting_person: Person) -> None:
    if row.leader.person_id == acting_person.pk:
        raise OwnWithdrawal(_("Somebody else must decide on your own withdrawal."))


def _require_good_payee(leader: Leader) -> None:
    _require_not_frozen(leader)
    if leader.person.deleted_at or leader.person.merged_into_id:
        raise PayeeNotGood(_("The leader's person record is closed: there is nobody to pay to."))


def _require_payee(leader: Leader) -> PayeeAccount:
    payee = current_payee(leader=leader)
    if payee is None:
        raise PayeeMissing(_("Say first where the money is to be paid to."))
    if payee.refused_at is not None:
        raise PayeeMissing(_("The account to be paid to was not accepted: enter another one first."))
    return payee


def _require_checked(payee: PayeeAccount | None) -> None:
    if payee is None:
        raise PayeeMissing(
            _("This withdrawal names no account: let it go to the one that the leader has entered.")
        )
    if payee.refused_at is not None:
        raise PayeeUnchecked(_("This account was not accepted: the leader has to enter another one."))
    if payee.checked_at is None:
        raise PayeeUnchecked(_("Nobody has checked the account yet: check it first, then pay."))


def _require_not_frozen(leader: Leader) -> None:
    freeze = leader.withdrawal_freezes.filter(lifted_at__isnull=True).first()
    if freeze is not None:
        raise Frozen(_("Payouts are stopped for now: %(reason)s") % {"reason": freeze.reason})
