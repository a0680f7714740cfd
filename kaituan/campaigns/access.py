"""Who may see and change a campaign. Each function returns the row or refuses with `people.access.NotYours`.

The link of a listing is its invitation: whoever holds it may look at the terms and the masked chain, as anybody
in the chat can. What can be done there, and what is anybody's own, asks for membership.
"""

from datetime import datetime

from django.db.models import Q, QuerySet

from kaituan.campaigns.models import Campaign, Listing
from kaituan.campaigns.states import PUBLISHED, TAKING_ORDERS
from kaituan.catalogue.queries import PoolItem, selection_pool
from kaituan.people.access import NotYours, Visitor, has_role, leader_of, own_membership, person_of
from kaituan.people.groups import holds_at
from kaituan.people.models import Member, Person, StaffRole

CAMPAIGN_ROLES = (StaffRole.Role.OPERATOR,)


def listing_by_link(public_id: str) -> Listing:
    """A published listing, for whoever holds its link. A draft's link leads nowhere."""
    return _one(_listings().filter(public_id=public_id, campaign__status__in=PUBLISHED))


def listing_for_member(account: Visitor, public_id: str) -> tuple[Listing, Member]:
    """A published listing and the visitor's place in its group; refused to who is not in the group."""
    listing = listing_by_link(public_id)
    return listing, own_membership(account, group_id=listing.group_id)


def listing_for_leader(account: Visitor, public_id: str, *, now: datetime) -> Listing:
    """A listing to work with: for its leader, and for who helps in its group."""
    return _one(_worked_by(person_of(account), now=now).filter(public_id=public_id))


def listings_for_leader(account: Visitor, *, now: datetime) -> QuerySet[Listing]:
    """Every listing that the visitor works with."""
    return _worked_by(person_of(account), now=now).order_by("-campaign__closes_at", "-pk")


def listing_for_staff(account: Visitor, public_id: str, *, now: datetime) -> Listing:
    """Any listing, for the operator."""
    require_campaign_staff(account, now=now)
    return _one(_listings().filter(public_id=public_id))


def campaign_to_change(account: Visitor, public_id: str, *, now: datetime) -> Campaign:
    """A campaign to edit, publish or change: for who opened it, and for the operator."""
    campaigns = Campaign.objects.filter(public_id=public_id)
    if not has_role(account, CAMPAIGN_ROLES, now=now):
        campaigns = campaigns.filter(created_by=person_of(account))
    return _one(campaigns)


def campaign_to_see(account: Visitor, public_id: str, *, now: datetime) -> Campaign:
    """A campaign to look at: one's own; any for the operator; a published one for its sellers, for the members of
    a group that lists it, and for leaders as long as it is open to helpers."""
    person = person_of(account)
    campaigns = Campaign.objects.filter(public_id=public_id)
    if has_role(account, CAMPAIGN_ROLES, now=now):
        return _one(campaigns)
    sold_by = _worked_by(person, now=now).values("campaign_id")
    seen_by = Listing.objects.filter(
        group__members__person=person, group__members__left_at__isnull=True
    ).values("campaign_id")
    published = Q(pk__in=sold_by) | Q(pk__in=seen_by)
    if _is_leader(account):
        published |= Q(open_to_helpers=True, status__in=TAKING_ORDERS)
    return _one(campaigns.filter(Q(created_by=person) | (published & Q(status__in=PUBLISHED))))


def selection_pool_for_leader(
    account: Visitor,
    *,
    now: datetime,
    search: str = "",
    category_code: str = "",
    limit: int = 50,
    offset: int = 0,
) -> list[PoolItem]:
    """What a leader (or the operator) may put into a campaign; nobody else sees it."""
    if not has_role(account, CAMPAIGN_ROLES, now=now):
        leader_of(account)
    return selection_pool(now=now, search=search, category_code=category_code, limit=limit, offset=offset)


def require_opener(account: Visitor, *, now: datetime) -> Person:
    """The person of a visitor who may open campaigns: a leader, or the operator."""
    if has_role(account, CAMPAIGN_ROLES, now=now):
        return person_of(account)
    return leader_of(account).person


def require_campaign_staff(account: Visitor, *, now: datetime) -> Person:
    """The person of a visitor who may change every campaign and promise rates."""
    if not has_role(account, CAMPAIGN_ROLES, now=now):
        raise NotYours
    return person_of(account)


def _is_leader(account: Visitor) -> bool:
    try:
        return bool(leader_of(account))
    except NotYours:
        return False


def _worked_by(person: Person, *, now: datetime) -> QuerySet[Listing]:
    helped = person.helped_groups.filter(holds_at(now)).values("group_id")
    return _listings().filter(Q(leader__person=person) | Q(group_id__in=helped))


def _listings() -> QuerySet[Listing]:
    return Listing.objects.select_related("campaign", "group", "pickup_point", "leader__person")


def _one[Row: (Campaign, Listing)](rows: QuerySet[Row]) -> Row:
    row = rows.first()
    if row is None:
        raise NotYours
    return row
