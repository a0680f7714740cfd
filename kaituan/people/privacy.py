"""Looking at personal data, taking it out, and forgetting it. Each of them is logged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.notices.services import announce
from kaituan.people.groups import holds_at
from kaituan.people.models import Account, Group, Member, PayeeAccount, Person, PersonalDataAccess
from kaituan.people.persons import record_event, revoke_passes
from kaituan.people.refusals import DeletionRefused, PeopleRefused

DELETED_NAME = "已注销"

Blocker = Callable[[Person], str | None]
"""Why a person cannot be deleted yet, as a sentence; None when nothing stands in the way. Given by folders
that stand below this one: open orders, money still owed."""
Eraser = Callable[[Person], int]
"""Removes what a folder below has written about a person in free text; says from how many rows."""


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Unmasked. rooms: group name -> room as the member wrote it."""

    person_id: int
    name: str
    phone: str
    rooms: dict[str, str]


@transaction.atomic
def view_personal_data(
    *,
    persons: Sequence[Person],
    acting_person: Person,
    action: str,
    subject: str,
    now: datetime,
    reason: str = "",
) -> list[PersonalData]:
    """Names, phones and rooms in full, in the order of `persons`, and a log row that says who saw them.

    action: `view_phone`, `view_pickup_list` ...; subject: `type:id` of the row or list looked at. The caller
    has checked that the viewer may. Raises PeopleRefused for an empty action.
    """
    ids = [person.pk for person in persons]
    rooms: dict[int, dict[str, str]] = {pk: {} for pk in ids}
    for member in Member.objects.filter(person_id__in=ids).select_related("group").order_by("pk"):
        if member.room:
            rooms[member.person_id][member.group.name] = member.room
    log_access(
        acting_person=acting_person,
        action=action,
        subject=subject,
        row_count=len(ids),
        reason=reason,
        now=now,
    )
    return [PersonalData(p.pk, p.name, p.phone, rooms[p.pk]) for p in persons]


def log_access(
    *,
    acting_person: Person | None,
    action: str,
    subject: str,
    row_count: int,
    now: datetime,
    reason: str = "",
) -> PersonalDataAccess:
    """Write down that unmasked personal data was seen."""
    if not action or len(action) > 30:
        raise PeopleRefused(_("Say in a few letters what was done with the personal data."))
    return PersonalDataAccess.objects.create(
        actor=acting_person,
        action=action,
        subject=subject,
        row_count=row_count,
        reason=reason[:200],
        accessed_at=now,
    )


def log_export(
    *,
    acting_person: Person | None,
    what: str,
    subject: str,
    row_count: int,
    now: datetime,
    reason: str = "",
) -> PersonalDataAccess:
    """Write down that a list with personal data left the house (print, Excel). what: `pickup_list` ..."""
    return log_access(
        acting_person=acting_person,
        action=f"export_{what}",
        subject=subject,
        row_count=row_count,
        reason=reason,
        now=now,
    )


@transaction.atomic
def delete_person(
    *,
    person: Person,
    acting_person: Person | None,
    reason: str,
    now: datetime,
    blockers: Sequence[Blocker],
    erasers: Sequence[Eraser],
) -> Person:
    """Forget a person on request: name, phone, rooms, account and where they are paid go, orders and books stay.

    Faces call `settlement.persons.delete_person`, which knows all blockers and erasers. Deleting twice
    changes nothing. Raises DeletionRefused with what has to be brought to an end first.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    if person.deleted_at:
        return person
    if person.staff_roles.filter(holds_at(now)).exists():
        raise DeletionRefused(_("This person works here: end their staff roles first."))
    if Group.objects.filter(owner__person=person, archived_at__isnull=True).exists():
        raise DeletionRefused(_("This leader still has groups: archive them first."))
    for blocker in blockers:
        if sentence := blocker(person):
            raise DeletionRefused(sentence)
    account = Account.objects.filter(person=person).first()
    if account is not None:
        account.session_version += 1
        revoke_passes(account=account)
        account.delete()
    Member.objects.filter(person=person).update(display_name=DELETED_NAME, room="")
    Member.objects.filter(person=person, left_at__isnull=True).update(left_at=now)
    PayeeAccount.objects.filter(leader__person=person).update(
        holder_name="", account_number="", bank_name="", refusal=""
    )
    for names in (Person.objects.filter(pk=person.pk), Person.objects.filter(merged_into=person)):
        names.update(name=DELETED_NAME, phone="", deleted_at=now)
    record_event(
        person=person,
        kind="deleted",
        acting_person=acting_person,
        now=now,
        reason=reason,
        details={"texts_erased": sum(eraser(person) for eraser in erasers)},
    )
    announce(topic="person_deleted", subject=f"person:{person.pk}", now=now)
    person.refresh_from_db()
    return person
