"""What a cashier should know of a leader and an account before money goes out: nothing here refuses, it is looked at
and decided."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from kaituan.commission.explanations import percent
from kaituan.people.masking import mask_name
from kaituan.people.models import PayeeAccount
from kaituan.people.payees import check_digit_is_wrong, shared_with
from kaituan.settlement.models import SettlementRun, Withdrawal
from kaituan.settlement.queries import returns_after_period

NEW_FOR = timedelta(days=7)
"""A payee account younger than this may be somebody else's doing."""


def withdrawal_notes(*, withdrawals: Collection[Withdrawal], now: datetime) -> dict[int, list[str]]:
    """Withdrawal id -> what to look at, in the account it names and in its leader; every withdrawal has its list.

    Takes withdrawals with their leader, person and payee at hand.
    """
    of_account = payee_notes(withdrawals=withdrawals, now=now)
    of_leader = payout_notes(leader_ids={row.leader_id for row in withdrawals})
    return {row.pk: [*of_account.get(row.pk, []), *of_leader.get(row.leader_id, [])] for row in withdrawals}


def payout_notes(*, leader_ids: Collection[int]) -> dict[int, list[str]]:
    """Leader id -> one sentence for each thing to look at; leaders of whom there is nothing to say are left out.

    A payout that came back before: its reason. No payout ever: the payee is new. Sales of the last settled period that
    came back after its end.
    """
    notes: dict[int, list[str]] = defaultdict(list)
    history = Withdrawal.objects.filter(leader_id__in=leader_ids).order_by("pk")
    paid = set(history.filter(status=Withdrawal.Status.PAID).values_list("leader_id", flat=True))
    failed = dict(history.filter(status=Withdrawal.Status.FAILED).values_list("leader_id", "reason"))
    for leader_id in sorted(set(leader_ids)):
        if leader_id in failed:
            notes[leader_id].append(
                _("A payout came back before: %(reason)s") % {"reason": failed[leader_id]}
            )
        elif leader_id not in paid:
            notes[leader_id].append(_("First payout: check name and account"))
    latest = SettlementRun.objects.select_related("period").order_by("-period__starts_at").first()
    for pattern in returns_after_period(period=latest.period) if latest else []:
        if pattern.leader_id in leader_ids:
            said = {"share": percent(pattern.share_bp), "buyers": pattern.person_count}
            notes[pattern.leader_id].append(
                _("%(share)s of the last period's sales came back after its end (%(buyers)s buyers)") % said
            )
    return dict(notes)


def payee_notes(*, withdrawals: Collection[Withdrawal], now: datetime) -> dict[int, list[str]]:
    """Withdrawal id -> one sentence for each thing to look at in the account it names, without its number.

    Takes withdrawals with their leader, person and payee at hand.
    """
    entered: dict[int, list[int]] = defaultdict(list)
    own = PayeeAccount.objects.filter(leader_id__in={row.leader_id for row in withdrawals}).order_by("pk")
    for pk, leader_id in own.values_list("pk", "leader_id"):
        entered[leader_id].append(pk)
    shared = shared_with([row.payee for row in withdrawals if row.payee is not None])
    notes = {}
    for row in withdrawals:
        if row.payee is None:
            notes[row.pk] = [_("No account named: let it go to the one that the leader has entered")]
            continue
        said = _account_notes(
            row.payee,
            holder=row.leader.person.name,
            is_first=row.payee_id == entered[row.leader_id][0],
            now=now,
        )
        if row.payee_id != entered[row.leader_id][-1]:
            said.append(_("The leader has entered another account since; this one is still the one to pay"))
        if others := shared.get(row.payee.pk):
            said.append(_("Also the account of %(names)s") % {"names": "、".join(others)})
        if said:
            notes[row.pk] = said
    return notes


def _account_notes(payee: PayeeAccount, *, holder: str, is_first: bool, now: datetime) -> list[str]:
    said = []
    if payee.refused_at is not None:
        said.append(_("Account not accepted: %(reason)s") % {"reason": payee.refusal})
    elif payee.checked_at is None:
        said.append(_("Account not checked yet"))
    if now - payee.set_at < NEW_FOR:
        said.append(
            _("Account entered in the last 7 days") if is_first else _("Account changed in the last 7 days")
        )
    if payee.holder_name != holder:
        said.append(
            _("Holder %(holder)s is not the leader's name on record")
            % {"holder": mask_name(payee.holder_name)}
        )
    if payee.kind == PayeeAccount.Kind.CARD and check_digit_is_wrong(payee.account_number):
        said.append(_("The digits of the card do not add up"))
    return said
