"""Writing a campaign: from the selection pool, or from the last one with its dates shifted."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kaituan.campaigns.events import move_campaign, record_event
from kaituan.campaigns.locks import lock_campaign
from kaituan.campaigns.models import Campaign, Offer, OfferPool
from kaituan.campaigns.refusals import BadTerms, MoveNotAllowed, Problem, RateRefused
from kaituan.campaigns.terms import OfferTerms, Terms, next_code, storing_problems, terms_of
from kaituan.catalogue.models import StockPool, Variant
from kaituan.catalogue.queries import PoolItem, selection_pool, shared_pools
from kaituan.people.groups import holds_at
from kaituan.people.models import Person, StaffRole

WEEK = timedelta(days=7)
RATE_ROLES = (StaffRole.Role.OPERATOR, StaffRole.Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Clone:
    """left_out: titles of offers whose goods are no longer in the selection pool."""

    campaign: Campaign
    left_out: tuple[str, ...]


@transaction.atomic
def open_draft(
    *,
    terms: Terms,
    offers: Sequence[OfferTerms],
    acting_person: Person,
    now: datetime,
    cloned_from: Campaign | None = None,
) -> Campaign:
    """Begin a campaign. Nobody else sees it, no stock is held. Raises BadTerms, RateRefused."""
    require_rate_right(rate_bp=terms.help_sell_rate_bp, person=acting_person, now=now)
    _refuse(storing_problems(terms=terms, offers=offers))
    campaign = Campaign.objects.create(
        **_stored(terms), created_by=acting_person, created_at=now, cloned_from=cloned_from, plan_version=""
    )
    _write_offers(campaign=campaign, offers=offers, now=now)
    record_event(
        campaign=campaign, kind="campaign_drafted", acting_person=acting_person, now=now, is_announced=False
    )
    return campaign


@transaction.atomic
def edit_draft(
    *,
    campaign: Campaign,
    terms: Terms,
    offers: Sequence[OfferTerms],
    expected_version: int,
    acting_person: Person,
    now: datetime,
) -> Campaign:
    """Put new terms and offers in place of a draft's. Raises BadTerms, VersionChanged, MoveNotAllowed."""
    campaign = lock_campaign(campaign_id=campaign.pk, expected_version=expected_version)
    if campaign.status != Campaign.Status.DRAFT:
        raise MoveNotAllowed(
            _("The group buy is published: its terms are changed one by one, with a preview.")
        )
    if terms.help_sell_rate_bp != campaign.help_sell_rate_bp:
        require_rate_right(rate_bp=terms.help_sell_rate_bp, person=acting_person, now=now)
    _refuse(storing_problems(terms=terms, offers=offers))
    for name, value in _stored(terms).items():
        setattr(campaign, name, value)
    campaign.version += 1
    campaign.save()
    # A draft has no orders: its offers may go, and with them what they drew on.
    OfferPool.objects.filter(offer__campaign=campaign).delete()
    campaign.offers.all().delete()
    _write_offers(campaign=campaign, offers=offers, now=now)
    return campaign


@transaction.atomic
def discard_draft(*, campaign: Campaign, acting_person: Person, now: datetime) -> Campaign:
    """Throw a draft away; kept as called off. Raises MoveNotAllowed once it is published."""
    campaign = lock_campaign(campaign_id=campaign.pk)
    if campaign.status == Campaign.Status.CANCELLED:
        return campaign
    if campaign.status != Campaign.Status.DRAFT:
        raise MoveNotAllowed(_("The group buy is published: cancel it instead."))
    return move_campaign(
        campaign=campaign,
        to_status=Campaign.Status.CANCELLED,
        kind="draft_discarded",
        acting_person=acting_person,
        now=now,
        is_announced=False,
    )


@transaction.atomic
def clone_campaign(
    *, source: Campaign, acting_person: Person, now: datetime, shift_days: int | None = None
) -> Clone:
    """A draft like `source`, its dates later by `shift_days`, or by as many whole weeks as bring the cut-off at
    least an hour beyond `now`. Titles, prices and limits are kept; the rate for helpers only for who may promise
    one. Goods no longer in the selection pool are left out."""
    terms = shifted_terms(terms=terms_of(source), now=now, shift_days=shift_days)
    if not may_promise_rates(person=acting_person, now=now):
        terms = replace(terms, help_sell_rate_bp=None)
    kept = list(source.offers.filter(stopped_at__isnull=True).prefetch_related("pool_links__pool"))
    offered = {
        item.variant_id
        for item in selection_pool(now=now, variant_ids=[offer.variant_id for offer in kept], limit=len(kept))
    }
    offers = [offer_terms_of(offer) for offer in kept if offer.variant_id in offered]
    campaign = open_draft(
        terms=terms, offers=offers, acting_person=acting_person, now=now, cloned_from=source
    )
    return Clone(campaign, tuple(offer.title for offer in kept if offer.variant_id not in offered))


def shifted_terms(*, terms: Terms, now: datetime, shift_days: int | None) -> Terms:
    """The terms so many days later, at the same time of the local day."""
    if shift_days is None:
        behind = now + timedelta(hours=1) - terms.closes_at
        shift_days = max(1, -(-behind // WEEK)) * 7
    shift = timedelta(days=shift_days)
    opens_at, closes_at = (_later(time, shift) for time in (terms.opens_at, terms.closes_at))
    return replace(
        terms,
        # Its window may have begun already: then it opens when it is published.
        opens_at=min(max(opens_at, now), closes_at - timedelta(minutes=1)),
        closes_at=closes_at,
        pickup_on=terms.pickup_on + shift,
    )


def _later(time: datetime, shift: timedelta) -> datetime:
    """Local arithmetic, so that 20:00 stays 20:00 where the clocks change."""
    local = timezone.localtime(time)
    return timezone.make_aware(local.replace(tzinfo=None) + shift)


def offer_terms_of(offer: Offer) -> OfferTerms:
    """The terms of an offer, to be shown in a form or cloned. A pool of its own is asked for anew."""
    links = list(offer.pool_links.all())
    shared = tuple((link.pool_id, link.steps_per_step) for link in links if link.pool.is_shared)
    return OfferTerms(
        variant_id=offer.variant_id,
        price_fen=offer.price_fen,
        code=offer.code,
        title=offer.title,
        quota_quantity=offer.quota_quantity,
        per_person_quantity=offer.per_person_quantity,
        minimum_quantity=offer.minimum_quantity,
        draws=() if offer.private_quantity is not None else shared,
        private_quantity=offer.private_quantity,
    )


def may_promise_rates(*, person: Person | None, now: datetime) -> bool:
    """Rates are paid by the platform: only its operators promise them. None, the clock, repeats what they said."""
    return person is None or person.staff_roles.filter(holds_at(now), role__in=RATE_ROLES).exists()


def require_rate_right(*, rate_bp: int | None, person: Person | None, now: datetime) -> None:
    if rate_bp is not None and not may_promise_rates(person=person, now=now):
        raise RateRefused(_("Only the operator may promise a rate for help-selling."))


def _stored(terms: Terms) -> dict[str, object]:
    return {**asdict(terms), "title": terms.title.strip()}


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise BadTerms(problems)


def _write_offers(*, campaign: Campaign, offers: Sequence[OfferTerms], now: datetime) -> None:
    items = {
        item.variant_id: item
        for item in selection_pool(now=now, variant_ids=[o.variant_id for o in offers], limit=len(offers) + 1)
    }
    _refuse(
        [
            Problem(f"offers.{index}.variant_id", _("These goods are not in the selection pool."))
            for index, offer in enumerate(offers)
            if offer.variant_id not in items
        ]
    )
    pools = shared_pools(variant_ids=items)
    taken = [offer.code for offer in offers if offer.code]
    for position, offer in enumerate(offers):
        code = offer.code or next_code(taken)
        taken.append(code)
        row = _offer_row(campaign, offer, items[offer.variant_id], code=code, position=position)
        row.save()
        draws = offer.draws
        if not draws and offer.private_quantity is None:
            draws = tuple((pool.pk, 1) for pool in pools.get(offer.variant_id, [])[:1])
        _link_pools(row, draws, at=f"offers.{position}.draws")


def _offer_row(campaign: Campaign, terms: OfferTerms, item: PoolItem, *, code: str, position: int) -> Offer:
    return Offer(
        campaign=campaign,
        variant_id=terms.variant_id,
        code=code,
        title=(terms.title.strip() or item.title)[:100],
        position=position,
        sale_unit=item.sale_unit,
        price_fen=item.sale_price_fen if terms.price_fen is None else terms.price_fen,
        price_quantity=item.steps_per_sale_unit,
        quota_quantity=terms.quota_quantity,
        per_person_quantity=terms.per_person_quantity,
        minimum_quantity=terms.minimum_quantity,
        private_quantity=terms.private_quantity,
    )


def _link_pools(offer: Offer, draws: Sequence[tuple[int, int]], *, at: str) -> None:
    """Let an offer draw on shared pools. Another offer's private pool is refused like one that does not exist."""
    wanted = dict(draws)
    found = StockPool.objects.filter(pk__in=wanted, is_shared=True)
    if found.count() != len(draws):
        raise BadTerms([Problem(at, _("There is no such shared stock."))])
    OfferPool.objects.bulk_create(
        OfferPool(offer=offer, pool=pool, steps_per_step=wanted[pool.pk]) for pool in found.order_by("pk")
    )


def variants_of(offers: Sequence[Offer]) -> dict[int, Variant]:
    """Variant id -> variant with its product and supplier, for checking and freezing a draft."""
    rows = Variant.objects.filter(pk__in=[offer.variant_id for offer in offers])
    return {row.pk: row for row in rows.select_related("product__supplier")}
