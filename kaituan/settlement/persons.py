"""Merging two persons, and forgetting one: what people/ begins, with the parts of every folder put together.

Here, because nothing that holds something of a person stands below.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import DatabaseError
from django.utils.translation import gettext as _
from psycopg import errors

from kaituan.aftersales.models import Claim
from kaituan.fulfilment.models import PickupCode
from kaituan.notices.models import OutboxMessage
from kaituan.payments import merging
from kaituan.people import services as people
from kaituan.people.models import Person, PersonMerge
from kaituan.settlement.corrections import waiting_correction
from kaituan.settlement.models import Correction, Dispute, Withdrawal
from kaituan.settlement.queries import WAITING

ERASED = "–"
TRIES = 4
IN_EACH_OTHERS_WAY = (errors.DeadlockDetected, errors.UniqueViolation)
"""A deadlock, or a membership of the one that was made while the other's was moved to the same group."""


def merge_persons(
    *, kept: Person, merged: Person, acting_person: Person | None, now: datetime
) -> PersonMerge:
    """Two persons are one: orders, limits, balance, roles and inbox of `merged` become `kept`'s.

    Raises people.refusals.MergeRefused.
    """

    def merge() -> PersonMerge:
        return people.merge_persons(
            kept=kept, merged=merged, acting_person=acting_person, now=now, movers=MOVERS
        )

    for _try in range(TRIES - 1):
        try:
            return merge()
        except DatabaseError as error:
            # Nothing was moved: somebody used the rows of both at the same moment, in another order.
            if not isinstance(error.__cause__, IN_EACH_OTHERS_WAY):
                raise
    return merge()


def delete_person(*, person: Person, acting_person: Person | None, reason: str, now: datetime) -> Person:
    """Forget a person on request; the books stay. Raises people.refusals.DeletionRefused."""
    return people.delete_person(
        person=person,
        acting_person=acting_person,
        reason=reason,
        now=now,
        blockers=BLOCKERS,
        erasers=ERASERS,
    )


def persons_were_merged(message: OutboxMessage) -> None:
    """After the merge: an order that was being placed for the merged person meanwhile is moved too."""
    merge = PersonMerge.objects.select_related("kept", "merged").get(
        pk=int(message.subject.partition(":")[2])
    )
    people.move_stragglers(merge=merge, movers=MOVERS, now=message.created_at)


def move_pickup_codes(move: people.Move) -> Mapping[str, int]:
    """A code stays good, unless the member who stands for both has one of their own for that listing."""
    moved = 0
    for code in PickupCode.objects.select_for_update().filter(member_id__in=move.members).order_by("pk"):
        member_id = move.members[code.member_id]
        if PickupCode.objects.filter(listing_id=code.listing_id, member_id=member_id).exists():
            code.delete()
        else:
            code.member_id = member_id
            code.save(update_fields=["member_id"])
        moved += 1
    return {"pickup_codes": moved}


def move_claims(move: people.Move) -> Mapping[str, int]:
    """Claims and disputes go on under the kept person's name."""
    return {
        "claims": Claim.objects.filter(opened_by=move.merged).update(opened_by=move.kept),
        "disputes": Dispute.objects.filter(opened_by=move.merged).update(opened_by=move.kept),
    }


def open_withdrawal(person: Person) -> str | None:
    """A withdrawal of a leader that is neither paid nor refused yet."""
    waiting = Withdrawal.objects.filter(leader__person=person, status__in=WAITING)
    return (
        _("A withdrawal of this leader is still open: pay or refuse it first.") if waiting.exists() else None
    )


def erase_claim_texts(person: Person) -> int:
    """What a person wrote in claims and disputes, and what was answered, goes; what was granted stays."""
    disputes = Dispute.objects.filter(opened_by=person)
    corrections = Correction.objects.filter(dispute__in=disputes)
    return (
        Claim.objects.filter(opened_by=person).exclude(words="", answer="").update(words="", answer="")
        + corrections.exclude(words="", declined_because="").update(words="", declined_because="")
        # That it was answered stays to be seen.
        + disputes.filter(answered_at__isnull=False).exclude(answer=ERASED).update(words="", answer=ERASED)
        + disputes.filter(answered_at__isnull=True).exclude(words="").update(words="")
    )


MOVERS: tuple[people.Mover, ...] = (
    merging.move_orders,
    merging.move_limits,
    merging.move_payments,
    merging.move_balance,
    merging.move_supplier_roles,
    move_pickup_codes,
    move_claims,
)
BLOCKERS = (merging.unfinished_order, merging.money_left, open_withdrawal, waiting_correction)
ERASERS = (merging.erase_order_texts, merging.erase_payment_texts, erase_claim_texts)
