"""Who may see or change which order. Pages fetch orders in no other way; a refusal is a 404 for everybody."""

from datetime import datetime

from django.db.models import Q, QuerySet

from kaituan.campaigns.models import Listing
from kaituan.ordering.models import ChainPaste, Order
from kaituan.people.access import NotYours, Visitor, groups_of, person_of


def order_of_member(account: Visitor, public_id: str) -> Order:
    """The visitor's own order."""
    orders = Order.objects.filter(person=person_of(account), public_id=public_id)
    return _one(
        orders.select_related("campaign", "listing__leader__person", "listing__pickup_point", "member__group")
    )


def listings_run_by(account: Visitor, *, now: datetime) -> QuerySet[Listing]:
    """Listings that the visitor runs: as their leader, or as a helper in their group."""
    rows = Listing.objects.filter(
        Q(leader__person=person_of(account)) | Q(group__in=groups_of(account, now=now))
    )
    return rows.select_related("campaign", "group", "pickup_point", "leader__person")


def listing_for_leader(account: Visitor, public_id: str, *, now: datetime) -> Listing:
    """A listing that the visitor runs."""
    return _one(listings_run_by(account, now=now).filter(public_id=public_id))


def order_for_leader(account: Visitor, public_id: str, *, now: datetime) -> Order:
    """An order in a listing that the visitor runs."""
    orders = Order.objects.filter(listing__in=listings_run_by(account, now=now), public_id=public_id)
    return _one(orders.select_related("campaign", "listing__leader__person", "member__person"))


def paste_for_leader(account: Visitor, public_id: str, *, now: datetime) -> ChainPaste:
    """A pasted chain of a listing that the visitor runs."""
    pastes = ChainPaste.objects.filter(listing__in=listings_run_by(account, now=now), public_id=public_id)
    return _one(pastes.select_related("listing__campaign", "listing__group", "listing__leader"))


def _one[Row: (Listing, Order, ChainPaste)](rows: QuerySet[Row]) -> Row:
    row = rows.first()
    if row is None:
        raise NotYours
    return row
