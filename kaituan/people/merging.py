"""Two persons found to be one. What other folders hold is moved by functions of theirs, passed in.

Whoever writes something meanwhile that refers to a person or a member asks for their rows at the end, holding the
goods, orders or money that are to be moved here. So both are held without their keys until everything else is moved;
only the last step changes a member's person, which is part of a key.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.notices.services import announce, move_notices
from kaituan.people.groups import holds_at
from kaituan.people.models import Account, GroupHelper, Leader, Member, Person, PersonMerge, StaffRole
from kaituan.people.persons import revoke_passes
from kaituan.people.refusals import MergeRefused


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be moved. members: member id of the merged person -> the member that stands for it now,
    for groups in which both were."""

    kept: Person
    merged: Person
    members: Mapping[int, int]
    now: datetime


Mover = Callable[[Move], Mapping[str, int]]
"""Moves what one folder holds and says how many rows of each table. Runs inside the merging transaction
and once more after it, for an order that was being placed meanwhile: it must be harmless when repeated."""


@transaction.atomic
def merge_persons(
    *,
    kept: Person,
    merged: Person,
    acting_person: Person | None,
    now: datetime,
    movers: Sequence[Mover],
) -> PersonMerge:
    """Everything of `merged` becomes `kept`'s: memberships, account, roles, and what the movers move.

    Faces call `settlement.persons.merge_persons`, which knows all movers. The same merge again answers with
    its log row. Raises MergeRefused.
    """
    locked = _hold_persons([kept.pk, merged.pk])
    kept, merged = locked[kept.pk], locked[merged.pk]
    if merged.merged_into_id == kept.pk and kept.pk != merged.pk:
        return PersonMerge.objects.get(kept=kept, merged=merged)
    _refuse_what_cannot_be_one(kept, merged, now=now)
    moved = {
        "accounts": _move_account(kept, merged),
        "leaders": Leader.objects.filter(person=merged).update(person=kept),
        "staff_roles": StaffRole.objects.filter(person=merged).update(person=kept),
        "helpers": _move_helpers(kept, merged),
        "notices": move_notices(from_person_id=merged.pk, to_person_id=kept.pk),
    }
    members = _replaced_members(kept, merged)
    for mover in movers:
        moved.update(mover(Move(kept=kept, merged=merged, members=members, now=now)))
    moved["members"] = _move_memberships(kept, merged, members, now=now)
    if not kept.phone:
        kept.phone = merged.phone
        kept.save(update_fields=["phone"])
    merged.phone = ""
    merged.merged_into = kept
    merged.save(update_fields=["phone", "merged_into"])
    Person.objects.filter(merged_into=merged).update(merged_into=kept)
    row = PersonMerge.objects.create(
        kept=kept, merged=merged, merged_at=now, merged_by=acting_person, moved=moved
    )
    announce(topic="persons_merged", subject=f"person_merge:{row.pk}", now=now)
    return row


@transaction.atomic
def move_stragglers(*, merge: PersonMerge, movers: Sequence[Mover], now: datetime) -> None:
    """Move what arrived for the merged person while they were being merged. Harmless when repeated."""
    _hold_persons([merge.kept_id, merge.merged_id])
    move_notices(from_person_id=merge.merged_id, to_person_id=merge.kept_id)
    members = _replaced_members(merge.kept, merge.merged)
    for mover in movers:
        mover(Move(kept=merge.kept, merged=merge.merged, members=members, now=now))
    _move_memberships(merge.kept, merge.merged, members, now=now)


def _hold_persons(ids: Sequence[int]) -> dict[int, Person]:
    persons = Person.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    return {person.pk: person for person in persons}


def _refuse_what_cannot_be_one(kept: Person, merged: Person, *, now: datetime) -> None:
    if kept.pk == merged.pk:
        raise MergeRefused(_("That is one and the same person."))
    if kept.merged_into_id or merged.merged_into_id:
        raise MergeRefused(_("One of the two was merged before: choose the person that was kept."))
    if kept.deleted_at or merged.deleted_at:
        raise MergeRefused(_("One of the two was deleted on request and cannot be merged."))
    if Leader.objects.filter(person__in=[kept, merged]).count() == 2:
        raise MergeRefused(_("Both are leaders with books of their own: two leaders cannot be merged."))
    if merged.staff_roles.filter(holds_at(now)).exists():
        raise MergeRefused(_("The second person works here: end their staff roles first."))


def _move_account(kept: Person, merged: Person) -> int:
    account = Account.objects.select_for_update().filter(person=merged).first()
    if account is None:
        return 0
    account.session_version += 1
    revoke_passes(account=account)
    if Account.objects.filter(person=kept).exists():
        # One person, one account. The other phone signs in no more: it is free to be used again.
        account.phone, account.phone_verified, account.username = None, False, None
        account.is_active = False
    else:
        account.person = kept
    account.save(
        update_fields=["session_version", "phone", "phone_verified", "username", "is_active", "person"]
    )
    return 1


def _move_helpers(kept: Person, merged: Person) -> int:
    owned = Leader.objects.filter(person=kept).values("groups")
    return GroupHelper.objects.filter(person=merged).exclude(group__in=owned).update(person=kept)


def _replaced_members(kept: Person, merged: Person) -> dict[int, int]:
    """Member id of `merged` -> that of `kept`, where both are in a group. Holds the members of both."""
    held = Member.objects.select_for_update(no_key=True).filter(person__in=[kept, merged]).order_by("pk")
    rows = list(held.values_list("pk", "person_id", "group_id"))
    standing = {group_id: pk for pk, person_id, group_id in rows if person_id == kept.pk}
    return {
        pk: standing[group_id]
        for pk, person_id, group_id in rows
        if person_id == merged.pk and group_id in standing
    }


def _move_memberships(kept: Person, merged: Person, replaced: Mapping[int, int], *, now: datetime) -> int:
    """How many rows changed: a member that is replaced has left, the others are the kept person's."""
    members = Member.objects.filter(person=merged)
    left = members.filter(pk__in=replaced, left_at__isnull=True).update(left_at=now)
    return left + members.exclude(pk__in=replaced).update(person=kept)
