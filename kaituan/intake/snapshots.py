"""What the intake must know of a campaign before it asks the database: kept in memory, told of changes.

Nothing here decides: the order core checks version, window, prices and stock under its locks. The snapshot
turns codes into ids, refuses what is malformed, and answers for goods that are sold out. It believes in
"sold out" only while it is listening for the message that some came back, and looks again every few seconds.
"""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q

from kaituan.campaigns.models import Campaign, Listing, Offer, OfferPool
from kaituan.intake.reading import Reader
from kaituan.ordering.models import Order

CAMPAIGNS_KEPT = 500
FRESH_S = 0.5
REPLAYS_FOR = timedelta(minutes=15)
"""A buyer whose answer was lost may ask again for so long and still hears of the order, sold out or not."""


@dataclass(slots=True)
class OfferTerms:
    """One offer. buyers: actors who ordered it lately, set when it is sold out: theirs may be a replay."""

    id: int
    code: str
    title: str
    sale_unit: str
    price_quantity: int
    is_stopped: bool
    is_sold_out: bool = False
    buyers: frozenset[int] = frozenset()


@dataclass(slots=True)
class CampaignTerms:
    id: int
    public_id: str
    title: str
    version: int
    opens_at: datetime
    offers: dict[str, OfferTerms]
    """By code."""
    listings: dict[str, int]
    """Public id -> id, of all listings."""
    loaded_at: float = field(default_factory=time.monotonic)

    def offer_by_id(self, offer_id: int | None) -> OfferTerms | None:
        return next((offer for offer in self.offers.values() if offer.id == offer_id), None)


class Snapshots:
    """The campaigns this process has been asked about lately, by their listings' public ids."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._campaigns: dict[int, CampaignTerms] = {}
        self._of_listing: dict[str, CampaignTerms] = {}
        self._loading: dict[str, asyncio.Future[CampaignTerms | None]] = {}
        self.may_refuse = False
        """True while changes are heard of: only then is anything refused without asking the database."""

    def known(self, public_id: str, *, version: int | None) -> CampaignTerms | None:
        """The campaign of a listing if it is kept and may be relied on.

        version: what the asker has seen; a later one than is kept is fetched (not more often than once in
        FRESH_S: anybody can ask for any version).
        """
        terms = self._of_listing.get(public_id)
        if terms is None or (self.may_refuse and (version or 0) <= terms.version):
            return terms
        return terms if time.monotonic() - terms.loaded_at < FRESH_S else None

    async def of_listing(self, public_id: str, *, now: datetime) -> CampaignTerms | None:
        """The campaign of a listing, read anew; None if there is no such listing."""
        return await self._load(public_id, now)

    async def _load(self, public_id: str, now: datetime) -> CampaignTerms | None:
        """Read a campaign, once however many ask for it at the same moment."""
        loading = self._loading.get(public_id)
        if loading is None:
            loading = asyncio.ensure_future(self._reader.read(lambda: load_terms(public_id, now=now)))
            self._loading[public_id] = loading
            loading.add_done_callback(lambda done: self._loaded(public_id, done))
        return await asyncio.shield(loading)

    def _loaded(self, public_id: str, done: asyncio.Future[CampaignTerms | None]) -> None:
        # One that was forgotten while it was read is for those who asked before, and is not kept.
        if self._loading.pop(public_id, None) is done and not done.cancelled() and not done.exception():
            terms = done.result()
            if terms is not None:
                self._keep(terms)

    def _keep(self, terms: CampaignTerms) -> None:
        while len(self._campaigns) >= CAMPAIGNS_KEPT:
            self.forget(next(iter(self._campaigns)))
        self._campaigns[terms.id] = terms
        for public_id in terms.listings:
            self._of_listing[public_id] = terms

    def forget(self, campaign_id: int) -> None:
        """Its terms changed: the next request reads them anew."""
        # What is being read at this moment may be what it was before.
        self._loading.clear()
        terms = self._campaigns.pop(campaign_id, None)
        for public_id in terms.listings if terms else ():
            self._of_listing.pop(public_id, None)

    def forget_all(self) -> None:
        self._loading.clear()
        self._campaigns.clear()
        self._of_listing.clear()

    async def sold_out(self, campaign_id: int, offer_ids: Collection[int], *, now: datetime) -> None:
        """Nothing is left of these offers (or so it is said): look, and answer for them from now on."""
        if campaign_id not in self._campaigns:
            return
        found = await self._reader.read(lambda: load_buyers(offer_ids, now=now))
        terms = self._campaigns.get(campaign_id)
        for offer in terms.offers.values() if terms else ():
            if offer.id in offer_ids:
                offer.buyers = found.get(offer.id, frozenset())
                offer.is_sold_out = offer.id in found

    def came_back(self, campaign_id: int, offer_id: int) -> None:
        terms = self._campaigns.get(campaign_id)
        offer = terms.offer_by_id(offer_id) if terms else None
        if offer:
            offer.is_sold_out, offer.buyers = False, frozenset()

    async def look_again(self) -> None:
        """Check every offer that is answered for: stock may have come back without a word."""
        claimed = [
            offer
            for terms in self._campaigns.values()
            for offer in terms.offers.values()
            if offer.is_sold_out
        ]
        if not claimed:
            return
        ids = [offer.id for offer in claimed]
        still = await self._reader.read(lambda: set(_sold_out(ids)))
        for offer in claimed:
            if offer.id not in still:
                offer.is_sold_out, offer.buyers = False, frozenset()


def _sold_out(offer_ids: Collection[int]) -> list[int]:
    """Those of the offers of which not one base step could be sold."""
    short = OfferPool.objects.filter(offer=OuterRef("pk"), pool__available_quantity__lt=F("steps_per_step"))
    offers = Offer.objects.filter(pk__in=offer_ids).filter(
        Q(sold_quantity__gte=F("quota_quantity")) | Exists(short)
    )
    return list(offers.values_list("pk", flat=True))


def load_buyers(offer_ids: Collection[int], *, now: datetime) -> dict[int, frozenset[int]]:
    """Offer id -> actors who ordered it lately, for those that are sold out.

    First what is sold out, then who bought: an order that takes the last unit is committed before it is out.
    """
    ids = _sold_out(offer_ids)
    buyers: dict[int, set[int]] = {offer_id: set() for offer_id in ids}
    orders = Order.objects.filter(lines__offer_id__in=ids, placed_at__gte=now - REPLAYS_FOR)
    for offer_id, actor_id in orders.values_list("lines__offer_id", "actor_id").distinct():
        if offer_id in buyers:
            buyers[offer_id].add(actor_id)
    return {offer_id: frozenset(actors) for offer_id, actors in buyers.items()}


def load_terms(listing_public_id: str, *, now: datetime) -> CampaignTerms | None:
    listing = Listing.objects.select_related("campaign").filter(public_id=listing_public_id).first()
    if listing is None or listing.campaign.status == Campaign.Status.DRAFT:
        return None
    campaign = listing.campaign
    offers = {
        offer.code: OfferTerms(
            id=offer.pk,
            code=offer.code,
            title=offer.title,
            sale_unit=offer.sale_unit,
            price_quantity=offer.price_quantity,
            is_stopped=offer.stopped_at is not None,
        )
        for offer in campaign.offers.all()
    }
    by_id = {offer.id: offer for offer in offers.values()}
    for offer_id, buyers in load_buyers(list(by_id), now=now).items():
        by_id[offer_id].is_sold_out, by_id[offer_id].buyers = True, buyers
    return CampaignTerms(
        id=campaign.pk,
        public_id=campaign.public_id,
        title=campaign.title,
        version=campaign.version,
        opens_at=campaign.opens_at,
        offers=offers,
        listings=dict(campaign.listings.values_list("public_id", "pk")),
    )
