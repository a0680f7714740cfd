"""From draft to cut-off: publishing, opening, extending once, closing, calling off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kaituan.campaigns.drafts import may_promise_rates, offer_terms_of, variants_of
from kaituan.campaigns.events import change_terms, move_campaign
from kaituan.campaigns.locks import lock_campaign
from kaituan.campaigns.models import Campaign, Offer, OfferPool
from kaituan.campaigns.promises import require_promises_bearable
from kaituan.campaigns.refusals import BadTerms, MoveNotAllowed, Problem
from kaituan.campaigns.states import TAKING_ORDERS
from kaituan.campaigns.terms import cost_fen_of, storing_problems, terms_of, window_problems
from kaituan.catalogue.models import Variant, VariantPrice
from kaituan.catalogue.queries import current_prices
from kaituan.catalogue.services import create_pool
from kaituan.money.fen import format_yuan
from kaituan.people.models import Person


@dataclass(frozen=True, slots=True)
class DraftCheck:
    """problems keep a draft from being published; warnings are worth a second look."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def check_draft(*, campaign: Campaign, now: datetime) -> DraftCheck:
    """What publishing at `now` would say. Reads only."""
    offers = list(campaign.offers.prefetch_related("pool_links__pool"))
    variants = variants_of(offers)
    prices = current_prices(variant_ids=variants, now=now)
    terms = terms_of(campaign)
    problems = storing_problems(terms=terms, offers=[offer_terms_of(offer) for offer in offers])
    problems += window_problems(terms=terms, now=now)
    if not offers:
        problems.append(
            Problem("offers", _("The group buy offers nothing yet: choose from the selection pool."))
        )
    warnings: list[Problem] = []
    may_lose = may_promise_rates(person=campaign.created_by, now=now)
    for index, offer in enumerate(offers):
        variant = variants[offer.variant_id]
        problems += _offer_problems(offer, variant, prices.get(variant.pk), at=f"offers.{index}")
        if variant.pk in prices:
            # A leader may not give away goods that we pay for; an operator knows what a loss is good for.
            losses = _losses(offer, variant, prices[variant.pk], at=f"offers.{index}")
            if may_lose:
                warnings += losses
            else:
                problems += losses
            warnings += _offer_warnings(campaign, offer, variant)
    return DraftCheck(tuple(problems), tuple(warnings))


def _offer_problems(offer: Offer, variant: Variant, price: VariantPrice | None, *, at: str) -> list[Problem]:
    problems = []
    names = {"title": offer.title}
    product = variant.product
    if variant.archived_at or product.archived_at or product.supplier.archived_at:
        problems.append(Problem(f"{at}.variant_id", _("%(title)s is no longer sold by us.") % names))
    if price is None:
        problems.append(Problem(f"{at}.variant_id", _("%(title)s has no purchase price in force.") % names))
    links = list(offer.pool_links.all())
    if not links and offer.private_quantity is None:
        problems.append(
            Problem(
                f"{at}.private_quantity", _("Say how much of %(title)s there is: it has no stock.") % names
            )
        )
    if links and not any(link.pool.available_quantity for link in links):
        problems.append(Problem(f"{at}.draws", _("%(title)s is sold out in its stock.") % names))
    return problems


def _losses(offer: Offer, variant: Variant, price: VariantPrice, *, at: str) -> list[Problem]:
    cost_fen = _cost_fen(offer, variant, price)
    if offer.price_fen >= cost_fen:
        return []
    words = _("%(title)s costs us ¥%(cost)s and is sold for ¥%(price)s.") % {
        "title": offer.title,
        "cost": format_yuan(cost_fen),
        "price": format_yuan(offer.price_fen),
    }
    return [Problem(f"{at}.price_fen", words)]


def _offer_warnings(campaign: Campaign, offer: Offer, variant: Variant) -> list[Problem]:
    arrives_on = timezone.localdate(campaign.closes_at) + timedelta(days=variant.product.supplier.lead_days)
    if campaign.pickup_on >= arrives_on:
        return []
    words = _("%(title)s arrives %(days)d days after the cut-off: pick a later pickup date.") % {
        "title": offer.title,
        "days": variant.product.supplier.lead_days,
    }
    return [Problem("pickup_on", words)]


def _cost_fen(offer: Offer, variant: Variant, price: VariantPrice) -> int:
    return cost_fen_of(
        purchase_price_fen=price.purchase_price_fen,
        steps_per_purchase_unit=variant.steps_per_purchase_unit,
        price_quantity=offer.price_quantity,
    )


@transaction.atomic
def publish(
    *,
    campaign: Campaign,
    plan_version: str,
    expected_version: int,
    acting_person: Person | None,
    now: datetime,
) -> Campaign:
    """Make a draft public: freeze purchase costs and the commission plan, make private pools, schedule or open.

    plan_version: the plan in force at `now`, as `commission` says. Publishing twice is publishing once.
    Raises BadTerms with every problem there is, VersionChanged, MoveNotAllowed, RateRefused.
    """
    campaign = lock_campaign(campaign_id=campaign.pk)
    if campaign.status in TAKING_ORDERS and campaign.version == expected_version + 1:
        return campaign
    lock_campaign(campaign_id=campaign.pk, expected_version=expected_version)
    if campaign.status != Campaign.Status.DRAFT:
        raise MoveNotAllowed(_("The group buy is published already."))
    if not plan_version:
        raise BadTerms(
            [Problem("plan_version", _("There is no commission plan in force: publish one first."))]
        )
    check = check_draft(campaign=campaign, now=now)
    if check.problems:
        raise BadTerms(check.problems)
    _freeze(offers=list(campaign.offers.all()), acting_person=acting_person, now=now)
    campaign.plan_version = plan_version
    campaign.save(update_fields=["plan_version"])
    # Only now is known what the promised rates are held against: the costs are frozen, and the plan.
    require_promises_bearable(campaign=campaign)
    is_open = campaign.opens_at <= now
    return move_campaign(
        campaign=campaign,
        to_status=Campaign.Status.OPEN if is_open else Campaign.Status.SCHEDULED,
        kind="campaign_opened" if is_open else "campaign_published",
        acting_person=acting_person,
        now=now,
    )


def _freeze(*, offers: Sequence[Offer], acting_person: Person | None, now: datetime) -> None:
    """Costs of today, and for each private offer the pool that it asked for."""
    variants = variants_of(offers)
    prices = current_prices(variant_ids=variants, now=now)
    for offer in offers:
        variant = variants[offer.variant_id]
        offer.cost_fen = _cost_fen(offer, variant, prices[variant.pk])
        offer.save(update_fields=["cost_fen"])
        if offer.private_quantity is not None:
            pool = create_pool(
                variant=variant,
                quantity=offer.private_quantity,
                label=f"{offer.code} {offer.title}"[:80],
                is_shared=False,
                reason=f"campaign:{offer.campaign_id}",
                acting_person=acting_person,
                now=now,
            )
            OfferPool.objects.create(offer=offer, pool=pool)


def open_due(*, now: datetime) -> int:
    """Mark scheduled campaigns as open whose time has come, and announce each; says how many.

    Orders do not wait for it: the window decides. Hence the version stays.
    """
    due = Campaign.objects.filter(status=Campaign.Status.SCHEDULED, opens_at__lte=now, closes_at__gt=now)
    return sum(
        _open_one(campaign_id, now=now) for campaign_id in due.order_by("pk").values_list("pk", flat=True)
    )


@transaction.atomic
def _open_one(campaign_id: int, *, now: datetime) -> bool:
    campaign = lock_campaign(campaign_id=campaign_id)
    if campaign.status != Campaign.Status.SCHEDULED:
        return False
    move_campaign(
        campaign=campaign,
        to_status=Campaign.Status.OPEN,
        kind="campaign_opened",
        acting_person=None,
        now=now,
        changes_terms=False,
    )
    return True


@transaction.atomic
def close_campaign(*, campaign: Campaign, acting_person: Person | None, now: datetime) -> Campaign:
    """End ordering for good, for the cut-off, which calls it within its own transaction and writes the snapshot.

    Raises the version; announces nothing (the cut-off does, with its figures). Raises MoveNotAllowed.
    """
    return move_campaign(
        campaign=lock_campaign(campaign_id=campaign.pk),
        to_status=Campaign.Status.CLOSED,
        kind="campaign_closed",
        acting_person=acting_person,
        now=now,
        is_announced=False,
    )


@transaction.atomic
def extend_once(*, campaign: Campaign, now: datetime) -> Campaign:
    """Give a campaign that has not reached its minimum `extend_hours` more, once; the pickup date moves along.

    Called by the cut-off. Raises MoveNotAllowed when it was extended before or takes no orders any more.
    """
    campaign = lock_campaign(campaign_id=campaign.pk)
    if campaign.extended_at is not None or campaign.status not in TAKING_ORDERS:
        raise MoveNotAllowed(_("The group buy cannot be extended again."))
    closes_at = max(now, campaign.closes_at) + timedelta(hours=campaign.extend_hours)
    late_by = timezone.localdate(closes_at) - timezone.localdate(campaign.closes_at)
    return change_terms(
        campaign=campaign,
        values={"closes_at": closes_at, "extended_at": now, "pickup_on": campaign.pickup_on + late_by},
        kind="campaign_extended",
        acting_person=None,
        now=now,
        details={"closes_at": closes_at.isoformat(), "pickup_on": (campaign.pickup_on + late_by).isoformat()},
    )
