"""Reading campaigns: what a page shows, what is left, how far the minimums are, which listings a leader has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.db.models import QuerySet

from kaituan.campaigns.minimums import OfferStanding, Verdict, decide
from kaituan.campaigns.models import Campaign, Listing, Offer
from kaituan.campaigns.states import PUBLISHED, TAKING_ORDERS
from kaituan.campaigns.terms import next_code
from kaituan.catalogue.queries import lowest_prices_fen
from kaituan.people.models import Group, Leader, Person

PAGE_SECONDS = 300
"""A picture or story changed in the catalogue shows on campaign pages after so long at the latest."""


@dataclass(frozen=True, slots=True)
class OfferStock:
    """Base steps. left_quantity: what could be ordered now, over quota and pools, None where neither limits it; ignores
    the person's own limit."""

    sold_quantity: int
    left_quantity: int | None
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class MinimumProgress:
    """How far a minimum is. offer_id None: the campaign's own, in fen; else base steps of the offer."""

    offer_id: int | None
    reached: int
    wanted: int

    @property
    def missing(self) -> int:
        return max(0, self.wanted - self.reached)


def campaign_page(*, campaign: Campaign) -> dict[str, Any]:
    """What every visitor of this version of the campaign is shown, as plain values; cached by version.

    Holds no counters and no state: those are `offer_stocks` and `is_taking_orders`. `was_fen` of an offer is the
    price to strike through, per sale unit: the lowest suggested price of the 30 days before the opening, only
    where the offer is cheaper than that; else None. Times are ISO 8601 in UTC.
    """
    # In the process's own memory: a look into a shared cache costs as much as making the page.
    cache = caches["process"]
    key = f"campaign-page:{settings.STATION_SCHEMA}:{campaign.public_id}:{campaign.version}"
    page: dict[str, Any] | None = cache.get(key)
    if page is None:
        page = _campaign_page(campaign)
        cache.set(key, page, PAGE_SECONDS)
    return page


def _campaign_page(campaign: Campaign) -> dict[str, Any]:
    offers = list(campaign.offers.select_related("variant__product"))
    lowest = lowest_prices_fen(variant_ids=[o.variant_id for o in offers], now=campaign.opens_at)
    return {
        "id": campaign.pk,
        "public_id": campaign.public_id,
        "version": campaign.version,
        "title": campaign.title,
        "story": campaign.story,
        "opens_at": campaign.opens_at.isoformat(),
        "closes_at": campaign.closes_at.isoformat(),
        "pickup_on": campaign.pickup_on.isoformat(),
        "pickup_hours": campaign.pickup_hours,
        "payment_minutes": campaign.payment_minutes,
        "prepaid_only": campaign.prepaid_only,
        "minimum_fen": campaign.minimum_fen,
        "minimum_policy": campaign.minimum_policy,
        "claim_window_hours": campaign.claim_window_hours,
        "offers": [_offer_part(offer, lowest.get(offer.variant_id)) for offer in offers],
    }


def _offer_part(offer: Offer, lowest_fen: int | None) -> dict[str, Any]:
    product = offer.variant.product
    # Compared only when both prices are for the same quantity.
    comparable = offer.price_quantity == offer.variant.steps_per_sale_unit
    is_cheaper = comparable and lowest_fen is not None and offer.price_fen < lowest_fen
    return {
        "id": offer.pk,
        "code": offer.code,
        "title": offer.title,
        "sale_unit": offer.sale_unit,
        "base_step": offer.variant.base_step,
        "price_fen": offer.price_fen,
        "price_quantity": offer.price_quantity,
        "was_fen": lowest_fen if is_cheaper else None,
        "per_person_quantity": offer.per_person_quantity,
        "minimum_quantity": offer.minimum_quantity,
        "is_stopped": offer.stopped_at is not None,
        "description": product.description,
        "origin": product.origin,
        "storage": product.storage,
        "aliases": list(product.aliases),
        "emoji": product.emoji,
        "tile_hue": product.tile_hue,
        "picture_url": product.picture.url if product.picture else "",
    }


def is_taking_orders(campaign: Campaign, *, now: datetime) -> bool:
    """Whether an order placed at `now` would be looked at: the window decides, not the job that opens."""
    return campaign.status in TAKING_ORDERS and campaign.opens_at <= now < campaign.closes_at


def offer_stocks(*, campaign_id: int) -> dict[int, OfferStock]:
    """Offer id -> what is sold and left, live. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT offer.id, offer.sold_quantity, least(
                offer.quota_quantity - offer.sold_quantity,
                (SELECT min(pool.available_quantity / link.steps_per_step)
                 FROM campaigns_offerpool link JOIN catalogue_stockpool pool ON pool.id = link.pool_id
                 WHERE link.offer_id = offer.id)
            ), offer.stopped_at IS NOT NULL
            FROM campaigns_offer offer WHERE offer.campaign_id = %s
            """,
            [campaign_id],
        )
        return {offer_id: OfferStock(*stock) for offer_id, *stock in cursor.fetchall()}


def next_free_code(campaign: Campaign) -> str:
    """The code for one more offer of the campaign."""
    return next_code(campaign.offers.values_list("code", flat=True))


def progress(*, campaign: Campaign, turnover_fen: int) -> list[MinimumProgress]:
    """How far the campaign's minimum and those of its offers are; empty when there are none.

    turnover_fen: net due of the campaign's live orders, which the caller knows.
    """
    found = [MinimumProgress(None, turnover_fen, campaign.minimum_fen)] if campaign.minimum_fen else []
    with_minimum = campaign.offers.filter(minimum_quantity__gt=0, stopped_at__isnull=True)
    return found + [MinimumProgress(o.pk, o.sold_quantity, o.minimum_quantity) for o in with_minimum]


def unmet_minimums(*, campaign: Campaign, turnover_by_offer: Mapping[int, int]) -> Verdict:
    """What the cut-off must do about minimums: extend, refund all, refund some offers, or nothing.

    campaign: locked, its unpaid orders already released. turnover_by_offer: offer id -> net due of its standing
    lines in fen; offers that are not named sold nothing.
    """
    standings = [
        OfferStanding(
            offer_id=offer.pk,
            sold_quantity=offer.sold_quantity,
            minimum_quantity=offer.minimum_quantity,
            turnover_fen=turnover_by_offer.get(offer.pk, 0),
            is_stopped=offer.stopped_at is not None,
        )
        for offer in campaign.offers.all()
    ]
    extends_once = campaign.minimum_policy == Campaign.MinimumPolicy.EXTEND_ONCE
    return decide(
        minimum_fen=campaign.minimum_fen,
        may_extend=extends_once and campaign.extended_at is None,
        offers=standings,
    )


def listings_of_leader(*, leader: Leader) -> QuerySet[Listing]:
    """A leader's listings, the latest campaign first, with what a row shows."""
    return (
        Listing.objects.filter(leader=leader)
        .select_related("campaign", "group", "pickup_point")
        .order_by("-campaign__closes_at", "-pk")
    )


def campaigns_to_help_sell(*, leader: Leader, now: datetime) -> QuerySet[Campaign]:
    """Campaigns of others that take orders (or will) and that some group of the leader does not list yet."""
    groups = Group.objects.filter(owner=leader, archived_at__isnull=True)
    listed = Listing.objects.filter(leader=leader, withdrawn_at__isnull=True, group__in=groups)
    everywhere = [
        campaign_id
        for campaign_id in listed.values_list("campaign_id", flat=True).distinct()
        if listed.filter(campaign_id=campaign_id).count() >= groups.count()
    ]
    return (
        Campaign.objects.filter(status__in=TAKING_ORDERS, closes_at__gt=now, open_to_helpers=True)
        .exclude(created_by=leader.person_id)
        .exclude(pk__in=everywhere)
        .order_by("closes_at", "pk")
    )


def groups_without_listing(*, campaign: Campaign, leader: Leader) -> QuerySet[Group]:
    """The leader's groups in which the campaign is not sold."""
    listed = campaign.listings.filter(withdrawn_at__isnull=True).values("group_id")
    return (
        Group.objects.filter(owner=leader, archived_at__isnull=True).exclude(pk__in=listed).order_by("name")
    )


def last_campaign(*, person: Person) -> Campaign | None:
    """What “the same again” clones: the latest campaign that a person published."""
    return (
        Campaign.objects.filter(created_by=person, status__in=PUBLISHED).order_by("-opens_at", "-pk").first()
    )


def due_for_cut_off(*, now: datetime) -> list[int]:
    """Ids of campaigns whose window has ended and that are not cut off yet, the earliest first."""
    due = Campaign.objects.filter(status__in=TAKING_ORDERS, closes_at__lte=now)
    return list(due.order_by("closes_at", "pk").values_list("pk", flat=True))
