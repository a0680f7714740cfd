"""Publishing plans, and switching pay on other people's sales on or off. Nothing here is ever edited."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from kaituan.campaigns.models import Campaign
from kaituan.commission import guard
from kaituan.commission.explanations import percent
from kaituan.commission.finding_words import finding_words
from kaituan.commission.models import PaySwitch, PlanVersion
from kaituan.commission.plan import PlanRefused, read_plan
from kaituan.commission.promises import promises_broken_by
from kaituan.commission.queries import judge_plan, plans_from, read_version
from kaituan.people.models import Person

PUBLISHING_LOCK = 0x706C616E  # "plan"


class CommissionRefused(Exception):
    """A plan or switch that cannot be; the message says why and what to do, in the reader's language."""


class PlanNotAccepted(CommissionRefused):
    """A document that is no plan. `problems` holds one sentence for each thing to mend."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(_("The plan cannot be read: %(problems)s") % {"problems": "; ".join(problems)})


class PlanUnlawful(CommissionRefused):
    """The guard refuses the plan. `report` holds every finding and the worst case."""

    def __init__(self, report: guard.GuardReport) -> None:
        self.report = report
        refused = [finding_words(each) for each in report.findings if each.severity == "refused"]
        super().__init__(_("The plan may not be published: %(findings)s") % {"findings": "; ".join(refused)})


class PromiseBroken(CommissionRefused):
    """With this plan's team ladder or dividend, a campaign that runs could not pay what it promised its sellers."""

    def __init__(self, campaign: Campaign, sale_rate_bp: int, report: guard.GuardReport) -> None:
        self.report = report
        refused = [finding_words(each) for each in report.findings if each.severity == "refused"]
        super().__init__(
            _(
                "%(campaign)s promised its sellers %(rate)s, which would no longer pay for itself: %(findings)s"
            )
            % {"campaign": campaign.title, "rate": percent(sale_rate_bp), "findings": "; ".join(refused)}
        )


class VersionTaken(CommissionRefused):
    """Another plan stands under this version; what is published is never changed."""


class TooLate(CommissionRefused):
    """A plan takes effect from now on, never in the past."""


class ReasonMissing(CommissionRefused):
    """Every decision about pay says why it was taken."""


class SwitchInUse(CommissionRefused):
    """A plan in force, or one to come, pays by this rule."""


@transaction.atomic
def publish_plan(
    *,
    document: Mapping[str, Any],
    effective_from: datetime,
    reason: str,
    acting_person: Person | None,
    now: datetime,
) -> PlanVersion:
    """Publish a plan that takes effect at `effective_from` (>= now). The same plan again is the first one.

    Raises PlanNotAccepted for a document that is no plan, PlanUnlawful when the guard refuses it, PromiseBroken when
    a campaign that runs could not pay its promise, VersionTaken, TooLate or ReasonMissing.
    """
    try:
        plan = read_plan(document)
    except PlanRefused as refusal:
        raise PlanNotAccepted(refusal.problems) from None
    _lock_publishing()
    known = PlanVersion.objects.filter(version=plan.version).first()
    if known is not None:
        if read_version(known.version) == plan and known.effective_from == effective_from:
            return known
        raise VersionTaken(
            _("Version %(version)s is published already: give the changed plan a new version.")
            % {"version": plan.version}
        )
    _require_reason(reason)
    if effective_from < now:
        raise TooLate(_("A plan takes effect now or later: nobody's pay is changed backwards."))
    if PlanVersion.objects.filter(effective_from=effective_from).exists():
        raise TooLate(_("Another plan takes effect at that very time: choose a later one."))
    report = judge_plan(plan=plan, at=now)
    if not report.allowed:
        raise PlanUnlawful(report)
    for campaign, sale_rate_bp, broken in promises_broken_by(plan):
        raise PromiseBroken(campaign, sale_rate_bp, broken)
    return PlanVersion.objects.create(
        version=plan.version,
        document=plan.model_dump(mode="json", exclude_none=True),
        effective_from=effective_from,
        published_at=now,
        published_by=acting_person,
        reason=reason.strip(),
    )


@transaction.atomic
def switch_pay(*, rule: str, is_on: bool, reason: str, acting_person: Person, now: datetime) -> PaySwitch:
    """Allow (or no longer allow) new plans to pay by `rule` on other people's sales; kept with reason, name, date.

    Turning a switch to where it stands changes nothing. Raises SwitchInUse when a plan in force or to come
    pays by the rule that is switched off.
    """
    if rule not in guard.PAY_ON_OTHERS_SALES:
        raise CommissionRefused(_("There is no switch called %(rule)s.") % {"rule": rule})
    _require_reason(reason)
    _lock_publishing()
    latest = PaySwitch.objects.filter(rule=rule).order_by("-switched_at", "-pk").first()
    if latest is not None and latest.is_on == is_on:
        return latest
    if not is_on:
        _require_unused(rule, now)
    return PaySwitch.objects.create(
        rule=rule, is_on=is_on, reason=reason.strip(), switched_by=acting_person, switched_at=now
    )


def _require_unused(rule: str, now: datetime) -> None:
    for plan in plans_from(at=now):
        if getattr(plan, rule) is not None:
            raise SwitchInUse(
                _("Plan %(version)s pays by %(rule)s: publish one without it first, then switch it off.")
                % {"version": plan.version, "rule": rule}
            )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing(_("Say why: the reason stays beside the decision."))


def _lock_publishing() -> None:
    """One decision at a time: a switch cannot go off while a plan that needs it is being published."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PUBLISHING_LOCK])
