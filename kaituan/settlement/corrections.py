"""A dispute that is found right: who found so says how much more is paid, somebody else confirms it, and the run of
the period that is open then writes it as a row of the disputed line.

What was settled stands. A correction of pay for selling goes when its line is given back in full later, as that pay
does; what was confirmed although the line was given back already stays, and so does pay for work done.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from kaituan.commission.explanations import RULE_NAMES
from kaituan.commission.facts import sold_lines
from kaituan.ledger.models import Period
from kaituan.ledger.periods import stamp
from kaituan.money.fen import format_yuan
from kaituan.notices.services import announce
from kaituan.ordering.models import OrderAdjustment
from kaituan.people.models import Person
from kaituan.settlement.disputes import DisputeRefused, close_dispute
from kaituan.settlement.models import CommissionRow, Correction, Dispute, Statement


@transaction.atomic
def propose_correction(
    *, dispute: Dispute, amount_fen: int, answer: str, acting_person: Person, now: datetime
) -> Correction:
    """Say that a dispute is right and what is paid more; nothing is paid before somebody else has confirmed it.

    The same again answers with the one that waits. Raises DisputeRefused.
    """
    row = _locked(dispute)
    words = answer.strip()[:500]
    _require_another_person(row, acting_person)
    standing = row.standing_correction
    if standing is not None and (standing.amount_fen, standing.words) == (amount_fen, words):
        return standing
    if row.answered_at is not None:
        raise DisputeRefused(_("This case is answered already."))
    if standing is not None:
        raise DisputeRefused(_("A correction of this case waits already: confirm or decline it first."))
    if amount_fen <= 0:
        raise DisputeRefused(_("Say how much more is paid: at least 0.01 yuan."))
    if not words:
        raise DisputeRefused(_("Write an answer: the leader will read it."))
    correction = Correction.objects.create(
        dispute=row, amount_fen=amount_fen, words=words, proposed_by=acting_person, proposed_at=now
    )
    _announce("correction_proposed", correction, now)
    return correction


@transaction.atomic
def confirm_correction(*, correction: Correction, acting_person: Person, now: datetime) -> Correction:
    """Somebody else agrees: the dispute is answered, and the run of the period that is open now pays it.

    Confirming twice is once. Raises DisputeRefused.
    """
    dispute = _locked(correction.dispute)
    row = Correction.objects.get(pk=correction.pk)
    if row.confirmed_at is not None:
        return row
    _require_waiting(row)
    _require_another_person(dispute, acting_person)
    if acting_person.pk == row.proposed_by_id:
        raise DisputeRefused(_("Somebody else must confirm what you have proposed."))
    leader = dispute.statement.leader.person
    if leader.deleted_at:
        raise DisputeRefused(_("The leader's person record is closed: there is nobody to pay to."))
    row.confirmed_by, row.confirmed_at = acting_person, stamp(now=now)
    row.save(update_fields=["confirmed_by", "confirmed_at"])
    close_dispute(dispute, answer=row.words, answered_by=row.proposed_by, now=now)
    return row


@transaction.atomic
def decline_correction(
    *, correction: Correction, reason: str, acting_person: Person, now: datetime
) -> Correction:
    """Not so: the dispute waits for another answer. Also for who has proposed it, to take it back.

    Declining twice is once. Raises DisputeRefused.
    """
    _locked(correction.dispute)
    row = Correction.objects.get(pk=correction.pk)
    if row.declined_at is not None:
        return row
    _require_waiting(row)
    if not reason.strip():
        raise DisputeRefused(_("Say why: who has proposed it will read it."))
    row.declined_by, row.declined_at, row.declined_because = acting_person, now, reason.strip()[:200]
    row.save(update_fields=["declined_by", "declined_at", "declined_because"])
    _announce("correction_declined", row, now)
    return row


def _locked(dispute: Dispute) -> Dispute:
    """The dispute, its row locked: all that becomes of it and of its corrections comes one after the other."""
    rows = Dispute.objects.select_for_update(of=("self",)).select_related("statement__leader__person")
    return rows.get(pk=dispute.pk)


def _require_waiting(row: Correction) -> None:
    if row.confirmed_at is not None:
        raise DisputeRefused(_("This correction is confirmed already: it is paid."))
    if row.declined_at is not None:
        raise DisputeRefused(_("This correction was declined already: propose another one."))


def _require_another_person(dispute: Dispute, acting_person: Person) -> None:
    if dispute.statement.leader.person_id == acting_person.pk:
        raise DisputeRefused(_("Somebody else must decide on your own question."))


def _announce(topic: str, row: Correction, now: datetime) -> None:
    announce(
        topic=topic,
        subject=f"correction:{row.pk}",
        payload={"dispute_id": row.dispute_id, "amount_fen": row.amount_fen},
        now=now,
    )


KINDS = ", ".join(f"'{kind}'" for kind in OrderAdjustment.REMEDIES)
LEFT = f"""
    SELECT l.amount_fen + coalesce(sum(a.amount_fen) FILTER (
        WHERE NOT (a.kind IN ({KINDS}) AND a.amount_fen < 0 AND a.created_at >= %(at)s)), 0)
    FROM ordering_orderline l LEFT JOIN ordering_orderadjustment a ON a.line_id = l.id
    WHERE l.id = r.line_id GROUP BY l.id
"""  # noqa: S608
"""What is left of a line at a time."""
CORRECTION_ROWS = f"""
    WITH found AS (
        SELECT s.leader_id, r.line_id, c.amount_fen, c.confirmed_at < %(start)s AS is_older,
            coalesce(r.plan_version, run.plan_version, '') AS plan_version,
            r.rule <> 'service' AND ({LEFT % {"at": "c.confirmed_at"}}) <> 0 AS hangs_on_the_sale,
            ({LEFT % {"at": "%(start)s"}}) = 0 AS undone_before, ({LEFT % {"at": "%(end)s"}}) = 0 AS undone
        FROM settlement_correction c
        JOIN settlement_dispute d ON d.id = c.dispute_id
        JOIN settlement_statement s ON s.id = d.statement_id
        LEFT JOIN settlement_commissionrow r ON r.id = d.row_id
        LEFT JOIN settlement_settlementrun run ON run.period_id = s.period_id
        WHERE c.confirmed_at < %(end)s
    ), change AS (
        SELECT leader_id, line_id, max(plan_version) AS plan_version,
            coalesce(sum(amount_fen) FILTER (WHERE (hangs_on_the_sale AND undone) IS NOT TRUE), 0)
            - coalesce(sum(amount_fen) FILTER (
                WHERE is_older AND (hangs_on_the_sale AND undone_before) IS NOT TRUE), 0) AS fen
        FROM found GROUP BY leader_id, line_id
    )
    INSERT INTO settlement_commissionrow (period_id, leader_id, rule, line_id, amount_fen, plan_version)
    SELECT %(period)s, leader_id, '{CommissionRow.CORRECTION}', line_id, fen, plan_version
    FROM change WHERE fen <> 0
"""  # noqa: S608
"""What stands at the end of the period less what stood at its start, by what is recorded: as the rules do it."""


def write_correction_rows(*, period: Period) -> None:
    """The rows of a closed period for what was confirmed in it, and for what fell with its line; in the run's
    transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            CORRECTION_ROWS, {"period": period.pk, "start": period.starts_at, "end": period.ends_at}
        )


@dataclass(frozen=True, slots=True)
class CorrectedAmount:
    """One part of a correcting row. rule: of the amount that was disputed, empty for the whole statement; settled_fen:
    what it was; statement: where it stood."""

    statement: Statement
    rule: str
    settled_fen: int
    amount_fen: int
    reason: str

    @property
    def what(self) -> str:
        return str(RULE_NAMES.get(self.rule, self.rule)) if self.rule else _("Statement")

    @property
    def span(self) -> str:
        """`2026-10-01 – 2026-10-31`: of the statement that it stands on."""
        return f"{_day(self.statement.period.starts_at)} – {_day(self.statement.period.ends_at)}"


def parts_of(
    *, statement: Statement, line_ids: Iterable[int | None]
) -> dict[int | None, list[CorrectedAmount]]:
    """Line id (None: no line) -> the corrections that the statement's period paid its leader, the earliest first."""
    wanted = set(line_ids)
    of_lines = Q(dispute__row__line_id__in=wanted - {None})
    if None in wanted:
        of_lines |= Q(dispute__row__isnull=True) | Q(dispute__row__line_id__isnull=True)
    period = statement.period
    rows = Correction.objects.filter(
        of_lines,
        dispute__statement__leader_id=statement.leader_id,
        confirmed_at__gte=period.starts_at,
        confirmed_at__lt=period.ends_at,
    ).select_related("dispute__statement__period", "dispute__row")
    found: dict[int | None, list[CorrectedAmount]] = defaultdict(list)
    for row in rows.order_by("confirmed_at", "pk") if wanted else ():
        disputed = row.dispute.row
        found[disputed.line_id if disputed else None].append(
            CorrectedAmount(
                statement=row.dispute.statement,
                rule=disputed.rule if disputed else "",
                settled_fen=disputed.amount_fen if disputed else row.dispute.statement.total_fen,
                amount_fen=row.amount_fen,
                reason=row.words,
            )
        )
    return found


def fen_fallen(row: CommissionRow, parts: Iterable[CorrectedAmount]) -> int:
    """What a correcting row lacks of what its parts say: it fell with its line, given back since."""
    return sum(part.amount_fen for part in parts) - row.amount_fen


def correction_words(*, statement: Statement, rows: Sequence[CommissionRow]) -> dict[int, str]:
    """Correcting rows of a statement in words, by row id: what was corrected, by how much, why."""
    rows = [row for row in rows if row.rule == CommissionRow.CORRECTION]
    parts = parts_of(statement=statement, line_ids=[row.line_id for row in rows])
    lines = sold_lines([row.line_id for row in rows if row.line_id is not None]) if rows else {}
    told = {}
    for row in rows:
        said = [
            _("%(what)s of %(span)s, ¥%(settled)s corrected by ¥%(amount)s. %(reason)s")
            % {
                "what": part.what,
                "span": part.span,
                "settled": format_yuan(part.settled_fen),
                "amount": format_yuan(part.amount_fen),
                "reason": part.reason,
            }
            for part in parts.get(row.line_id, ())
        ]
        if (fallen_fen := fen_fallen(row, parts.get(row.line_id, ()))) > 0:
            said.append(
                _("given back in full since: ¥%(amount)s of correction goes with it")
                % {"amount": format_yuan(fallen_fen)}
            )
        words = _("; ").join(said)
        if row.line_id in lines:
            words = _("%(goods)s: %(words)s") % {"goods": lines[row.line_id].goods, "words": words}
        told[row.pk] = words
    return told


@dataclass(frozen=True, slots=True)
class Asked:
    """A dispute as its leader sees it. granted_fen: what it brought, 0 without; paid_on: the statement it stands on,
    None before that period is settled."""

    dispute: Dispute
    granted_fen: int
    paid_on: Statement | None


def asked(disputes: Iterable[Dispute]) -> list[Asked]:
    """Disputes of one leader with what they brought."""
    rows = list(disputes)
    granted = {
        row.dispute_id: row for row in Correction.objects.filter(dispute__in=rows, confirmed_at__isnull=False)
    }
    leader_ids = {row.statement.leader_id for row in rows if row.pk in granted}
    statements = list(Statement.objects.filter(leader_id__in=leader_ids).select_related("period"))
    return [
        Asked(
            dispute=row,
            granted_fen=granted[row.pk].amount_fen if row.pk in granted else 0,
            paid_on=_statement_at(granted[row.pk].confirmed_at, statements) if row.pk in granted else None,
        )
        for row in rows
    ]


def _statement_at(time: datetime | None, statements: Sequence[Statement]) -> Statement | None:
    assert time is not None
    for row in statements:
        assert row.period.ends_at is not None
        if row.period.starts_at <= time < row.period.ends_at:
            return row
    return None


def waiting_correction(person: Person) -> str | None:
    """A correction of a leader's statement that is not on a statement yet, as a reason to wait."""
    rows = Correction.objects.filter(dispute__statement__leader__person=person, declined_at__isnull=True)
    settled = Period.objects.filter(settlement_run__isnull=False).order_by("-ends_at").first()
    if settled is not None:
        rows = rows.filter(Q(confirmed_at__isnull=True) | Q(confirmed_at__gte=settled.ends_at))
    return _("A correction of this leader's statement is still to be paid.") if rows.exists() else None


def _day(time: datetime | None) -> str:
    return f"{timezone.localtime(time):%Y-%m-%d}" if time else ""
