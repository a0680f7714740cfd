"""Persons, members and accounts: registering, joining, linking, signing out."""

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from kaituan.people.identity import ROOM_LENGTH, clean_name, clean_phone
from kaituan.people.models import Account, Group, Member, Person, PersonEvent, Station
from kaituan.people.refusals import AlreadyLinked, GroupArchived, PeopleRefused, PhoneTaken

REVOKED_CHANNEL = "kaituan_pass_revoked"
"""NOTIFY channel: `station:account:session_version`, sent when earlier passes of an account end."""


def ensure_station(*, name: str) -> Station:
    """The station of this schema, made if it is new."""
    return Station.objects.order_by("pk").first() or Station.objects.create(name=name)


def record_event(
    *,
    person: Person,
    kind: str,
    acting_person: Person | None,
    now: datetime,
    reason: str = "",
    details: dict[str, object] | None = None,
) -> None:
    """Log what was done to what we know of a person."""
    PersonEvent.objects.create(
        person=person,
        kind=kind,
        actor=acting_person,
        reason=reason,
        details=details or {},
        happened_at=now,
    )


@transaction.atomic
def register_person(*, name: str, phone: str = "", now: datetime) -> Person:
    """Somebody new. phone: as said, not proven; may be empty. Raises InvalidName, InvalidPhone."""
    return Person.objects.create(
        name=clean_name(name), phone=clean_phone(phone) if phone else "", created_at=now
    )


@transaction.atomic
def join_group(
    *, group: Group, person: Person, now: datetime, display_name: str = "", room: str = ""
) -> Member:
    """Make a person a member of a group; one who left comes back, one who is in it stays as they are.

    Raises GroupArchived, InvalidName.
    """
    group = Group.objects.select_for_update().get(pk=group.pk)
    if group.archived_at:
        raise GroupArchived(_("This group is archived and takes no new members."))
    name = clean_name(display_name or person.name)
    member, created = Member.objects.get_or_create(
        group=group,
        person=person,
        defaults={"display_name": name, "room": _clean_room(room), "joined_at": now},
    )
    if not created and member.left_at:
        member.left_at = None
        member.save(update_fields=["left_at"])
    return member


@transaction.atomic
def add_member(
    *,
    group: Group,
    name: str,
    now: datetime,
    acting_person: Person | None,
    room: str = "",
    phone: str = "",
) -> Member:
    """A member whom the leader (or a pasted chain) brings: a name, perhaps a room, mostly no phone.

    A phone that one member of this group has already is that member's. Nobody is looked up in other groups
    by a phone that is only said: that would tell a leader who is there. Raises GroupArchived, InvalidName,
    InvalidPhone.
    """
    if phone:
        known = (
            Member.objects.filter(group=group, person__phone=clean_phone(phone), left_at__isnull=True)
            .select_related("person")
            .first()
        )
        if known is not None:
            return known
    person = register_person(name=name, phone=phone, now=now)
    record_event(
        person=person,
        kind="added_by_leader",
        acting_person=acting_person,
        now=now,
        details={"group": group.pk},
    )
    return join_group(group=group, person=person, now=now, room=room)


@transaction.atomic
def rename_member(*, member: Member, display_name: str, room: str, acting_person: Person | None) -> Member:
    """Change the name and room that a group knows a member by. Raises InvalidName."""
    member = Member.objects.select_for_update().get(pk=member.pk)
    member.display_name = clean_name(display_name)
    member.room = _clean_room(room)
    member.save(update_fields=["display_name", "room"])
    return member


@transaction.atomic
def leave_group(*, member: Member, now: datetime) -> None:
    """The member leaves; orders stay with them. Leaving twice changes nothing."""
    Member.objects.filter(pk=member.pk, left_at__isnull=True).update(left_at=now)


@transaction.atomic
def account_for_phone(*, phone: str, now: datetime, name: str = "") -> Account:
    """The account that signs in with a phone just proven by its code; made at the first time.

    Exactly one person without an account who is known by this phone becomes its owner: a leader has keyed
    in their orders before. With several (a family behind one number) nobody is guessed: a new person is
    made, and merging is a decision for somebody who knows them. Raises InvalidPhone.
    """
    phone = clean_phone(phone)
    account = Account.objects.filter(phone=phone).select_related("person").first()
    if account is None:
        account = _new_account(phone=phone, name=name, now=now)
    if not account.phone_verified:
        account.phone_verified = True
        account.save(update_fields=["phone_verified"])
    return account


def _new_account(*, phone: str, name: str, now: datetime) -> Account:
    known = Person.objects.select_for_update(of=("self",)).filter(
        phone=phone, account__isnull=True, merged_into__isnull=True, deleted_at__isnull=True
    )[:2]
    try:
        with transaction.atomic():
            if len(known) == 1:
                person, kind = known[0], "account_linked"
            else:
                shown = name or _("Member %(digits)s") % {"digits": phone[-4:]}
                person, kind = register_person(name=shown, phone=phone, now=now), "account_opened"
            account = Account.objects.create_user(person=person, phone=phone)
            record_event(
                person=person, kind=kind, acting_person=person, now=now, details={"account": account.pk}
            )
    except IntegrityError:
        # Two tabs with the same code: the other one was first, and its account is the one.
        return Account.objects.select_related("person").get(phone=phone)
    return account


@transaction.atomic
def link_account(
    *, person: Person, phone: str, acting_person: Person | None, reason: str, now: datetime
) -> Account:
    """Give a person without an account the phone they sign in with; still to be proven by a code.

    Raises AlreadyLinked, PhoneTaken, InvalidPhone.
    """
    phone = clean_phone(phone)
    person = Person.objects.select_for_update().get(pk=person.pk)
    if person.merged_into_id or person.deleted_at:
        raise PeopleRefused(_("This person is no longer there."))
    if Account.objects.filter(person=person).exists():
        raise AlreadyLinked(_("This person already signs in."))
    if Account.objects.filter(phone=phone).exists():
        raise PhoneTaken(_("Somebody signs in with this phone already: merge the two persons instead."))
    account = Account.objects.create_user(person=person, phone=phone)
    person.phone = phone
    person.save(update_fields=["phone"])
    record_event(
        person=person,
        kind="account_linked",
        acting_person=acting_person,
        now=now,
        reason=reason,
        details={"account": account.pk},
    )
    return account


@transaction.atomic
def sign_out_everywhere(*, account: Account, acting_person: Person | None, now: datetime) -> Account:
    """End every session and every pass of an account, this one included."""
    account = Account.objects.select_for_update().get(pk=account.pk)
    account.session_version += 1
    account.save(update_fields=["session_version"])
    revoke_passes(account=account)
    record_event(person=account.person, kind="signed_out_everywhere", acting_person=acting_person, now=now)
    return account


def revoke_passes(*, account: Account) -> None:
    """Tell whoever checks passes, at commit, that those of earlier session versions are void."""
    message = f"{settings.STATION_SCHEMA}:{account.pk}:{account.session_version}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [REVOKED_CHANNEL, message])


def _clean_room(room: str) -> str:
    return clean_name(room, length=ROOM_LENGTH) if room.strip() else ""
