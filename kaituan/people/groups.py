"""Groups, their helpers, pickup points and keepers."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from kaituan.people.identity import clean_name
from kaituan.people.models import Group, GroupHelper, Leader, Person, PickupKeeper, PickupPoint
from kaituan.people.persons import record_event
from kaituan.people.refusals import GroupArchived, PeopleRefused

EARTH_E6 = 180_000_000


def holds_at(now: datetime) -> Q:
    """Rows of a dated role that hold at `now`."""
    return Q(effective_from__lte=now) & (Q(effective_until__isnull=True) | Q(effective_until__gt=now))


@transaction.atomic
def create_group(
    *, owner: Leader, name: str, pickup_point: PickupPoint, now: datetime, rules: str = ""
) -> Group:
    """A chat group of a leader. Raises InvalidName, and PeopleRefused for a pickup point that has closed."""
    if pickup_point.closed_at:
        raise PeopleRefused(_("This pickup point has closed: choose another."))
    return Group.objects.create(
        owner=owner,
        name=clean_name(name, length=80),
        pickup_point=pickup_point,
        rules=rules.strip(),
        created_at=now,
    )


@transaction.atomic
def update_group(*, group: Group, name: str, pickup_point: PickupPoint, rules: str) -> Group:
    """Change a group's name, place and rules. Listings made before keep the place they promised."""
    group = _live_group(group)
    if pickup_point.closed_at and pickup_point.pk != group.pickup_point_id:
        raise PeopleRefused(_("This pickup point has closed: choose another."))
    group.name = clean_name(name, length=80)
    group.pickup_point = pickup_point
    group.rules = rules.strip()
    group.save(update_fields=["name", "pickup_point", "rules"])
    return group


@transaction.atomic
def archive_group(*, group: Group, acting_person: Person | None, now: datetime) -> Group:
    """No new listings and members; what was ordered goes on. Archiving twice changes nothing."""
    group = Group.objects.select_for_update().get(pk=group.pk)
    if group.archived_at is None:
        group.archived_at = now
        group.save(update_fields=["archived_at"])
        record_event(
            person=group.owner.person,
            kind="group_archived",
            acting_person=acting_person,
            now=now,
            details={"group": group.pk},
        )
    return group


@transaction.atomic
def add_helper(*, group: Group, person: Person, acting_person: Person | None, now: datetime) -> GroupHelper:
    """Let a person act for the owner in this group, from now on; one who helps already goes on helping."""
    group = _live_group(group)
    if group.owner.person_id == person.pk:
        raise PeopleRefused(_("The owner needs no helper's role in their own group."))
    standing = group.helpers.filter(holds_at(now), person=person).first()
    if standing is not None:
        return standing
    record_event(
        person=person, kind="helper_added", acting_person=acting_person, now=now, details={"group": group.pk}
    )
    return GroupHelper.objects.create(group=group, person=person, effective_from=now)


@transaction.atomic
def end_helper(*, group: Group, person: Person, acting_person: Person | None, now: datetime) -> None:
    """The person helps no longer in this group. Ending twice changes nothing."""
    Group.objects.select_for_update().get(pk=group.pk)
    if group.helpers.filter(holds_at(now), person=person).update(effective_until=now):
        record_event(
            person=person,
            kind="helper_ended",
            acting_person=acting_person,
            now=now,
            details={"group": group.pk},
        )


@transaction.atomic
def create_pickup_point(
    *,
    name: str,
    district: str = "",
    address: str = "",
    opening_hours: str = "",
    longitude_e6: int | None = None,
    latitude_e6: int | None = None,
) -> PickupPoint:
    """A place to hand goods over. Coordinates: GCJ-02 in millionths of a degree, both or none."""
    _check_coordinates(longitude_e6, latitude_e6)
    return PickupPoint.objects.create(
        name=clean_name(name, length=80),
        district=district.strip(),
        address=address.strip(),
        opening_hours=opening_hours.strip(),
        longitude_e6=longitude_e6,
        latitude_e6=latitude_e6,
    )


@transaction.atomic
def close_pickup_point(*, point: PickupPoint, now: datetime) -> PickupPoint:
    """No new groups go there. Raises PeopleRefused while a live group still does."""
    point = PickupPoint.objects.select_for_update().get(pk=point.pk)
    used_by = point.groups.filter(archived_at__isnull=True).first()
    if used_by is not None:
        raise PeopleRefused(
            _("The group %(group)s still picks up here: give it another place first.")
            % {"group": used_by.name}
        )
    if point.closed_at is None:
        point.closed_at = now
        point.save(update_fields=["closed_at"])
    return point


@transaction.atomic
def assign_keeper(
    *, point: PickupPoint, leader: Leader, acting_person: Person | None, now: datetime
) -> PickupKeeper:
    """Let a leader hand over at a pickup point from now on; one who does already goes on doing so."""
    point = PickupPoint.objects.select_for_update().get(pk=point.pk)
    if point.closed_at:
        raise PeopleRefused(_("This pickup point has closed: choose another."))
    standing = point.keepers.filter(holds_at(now), leader=leader).first()
    if standing is not None:
        return standing
    record_event(
        person=leader.person,
        kind="keeper_assigned",
        acting_person=acting_person,
        now=now,
        details={"pickup_point": point.pk},
    )
    return PickupKeeper.objects.create(pickup_point=point, leader=leader, effective_from=now)


@transaction.atomic
def end_keeper(*, point: PickupPoint, leader: Leader, acting_person: Person | None, now: datetime) -> None:
    """The leader hands over there no longer. Ending twice changes nothing."""
    PickupPoint.objects.select_for_update().get(pk=point.pk)
    if point.keepers.filter(holds_at(now), leader=leader).update(effective_until=now):
        record_event(
            person=leader.person,
            kind="keeper_ended",
            acting_person=acting_person,
            now=now,
            details={"pickup_point": point.pk},
        )


def _live_group(group: Group) -> Group:
    group = Group.objects.select_for_update().get(pk=group.pk)
    if group.archived_at:
        raise GroupArchived(_("This group is archived and cannot be changed."))
    return group


def _check_coordinates(longitude_e6: int | None, latitude_e6: int | None) -> None:
    if (longitude_e6 is None) != (latitude_e6 is None):
        raise PeopleRefused(_("A place on the map needs both longitude and latitude."))
    if abs(longitude_e6 or 0) > EARTH_E6 or abs(latitude_e6 or 0) > EARTH_E6 // 2:
        raise PeopleRefused(_("These coordinates are not on the map."))
