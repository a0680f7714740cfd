"""A leader who does not agree with an amount says so; the operator answers."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.notices.services import announce
from kaituan.people.models import Leader, Person
from kaituan.settlement.models import CommissionRow, Dispute, Statement


class DisputeRefused(Exception):
    """It cannot be said or answered so; the message says why."""


@transaction.atomic
def open_dispute(
    *, statement: Statement, row: CommissionRow | None, words: str, acting_person: Person, now: datetime
) -> Dispute:
    """Open a case about one amount, or about the statement as a whole (row None). An open one is answered first:
    the same amount again answers with it. Raises DisputeRefused.
    """
    if not words.strip():
        raise DisputeRefused(_("Say what is wrong with the amount."))
    if row is not None and (row.period_id, row.leader_id) != (statement.period_id, statement.leader_id):
        raise DisputeRefused(_("This amount is not on the statement."))
    # Two clicks, one case. The leader's row, for nobody may lock a statement: that is a right to change it.
    Leader.objects.select_for_update(no_key=True).get(pk=statement.leader_id)
    standing = Dispute.objects.filter(statement=statement, row=row, answered_at__isnull=True).first()
    if standing is not None:
        return standing
    dispute = Dispute.objects.create(
        statement=statement, row=row, words=words.strip()[:500], opened_at=now, opened_by=acting_person
    )
    announce(
        topic="dispute_opened",
        subject=f"dispute:{dispute.pk}",
        payload={"leader_id": statement.leader_id, "statement_id": statement.pk},
        now=now,
    )
    return dispute


@transaction.atomic
def answer_dispute(*, dispute: Dispute, answer: str, acting_person: Person, now: datetime) -> Dispute:
    """Answer a case in words. What was settled stands: a mistake is mended by a later row (`corrections`), never by an
    edit.

    The same answer again changes nothing. Raises DisputeRefused.
    """
    row = Dispute.objects.select_for_update(of=("self",)).select_related("statement").get(pk=dispute.pk)
    if row.answered_at is not None:
        if row.answer == answer.strip()[:500]:
            return row
        raise DisputeRefused(_("This case is answered already."))
    if not answer.strip():
        raise DisputeRefused(_("Write an answer: the leader will read it."))
    if row.standing_correction is not None:
        raise DisputeRefused(_("A correction of this case waits already: confirm or decline it first."))
    close_dispute(row, answer=answer.strip()[:500], answered_by=acting_person, now=now)
    return row


def close_dispute(row: Dispute, *, answer: str, answered_by: Person, now: datetime) -> None:
    """Write the answer of a case that is locked and open, and tell the leader."""
    row.answer, row.answered_at, row.answered_by = answer, now, answered_by
    row.save(update_fields=["answer", "answered_at", "answered_by"])
    announce(
        topic="dispute_answered",
        subject=f"dispute:{row.pk}",
        payload={"leader_id": row.statement.leader_id, "statement_id": row.statement_id},
        now=now,
    )
