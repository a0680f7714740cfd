"""What a cashier should know of a leader before money goes out: nothing here refuses, it is looked at and decided."""

from collections import defaultdict
from collections.abc import Collection

from django.utils.translation import gettext as _

from kaituan.commission.explanations import percent
from kaituan.settlement.models import SettlementRun, Withdrawal
from kaituan.settlement.queries import returns_after_period


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
