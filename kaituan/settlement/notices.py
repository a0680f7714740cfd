"""What people are told when this folder's events are handled: leaders, cashiers and suppliers' staff."""

from collections.abc import Iterable

from django.db.models import Q

from kaituan.catalogue.models import SupplierStaff
from kaituan.notices.models import OutboxMessage
from kaituan.notices.services import Telling, tell, tell_many
from kaituan.people.models import StaffRole
from kaituan.settlement.models import Correction, Dispute, Statement, SupplierPayment, Withdrawal
from kaituan.settlement.suppliers import record_supplier_payables

MONEY_PATH = "/work/money/"
STATEMENT_PATH = MONEY_PATH + "{public_id}/"
"""The leader's pages of all her money, and of one statement."""


def statement_is_ready(message: OutboxMessage) -> None:
    statement = Statement.objects.select_related("leader").get(pk=_row_id(message))
    tell(
        person_id=statement.leader.person_id,
        kind="statement_ready",
        data={"amount_fen": statement.total_fen, "statement_id": statement.pk},
        link=STATEMENT_PATH.format(public_id=statement.public_id),
        dedupe_key=f"statement_ready:{statement.pk}",
        now=message.created_at,
    )


def withdrawal_was_requested(message: OutboxMessage) -> None:
    """The cashiers have something to approve."""
    row = Withdrawal.objects.get(pk=_row_id(message))
    data = {"leader_id": row.leader_id, "amount_fen": row.amount_fen, "withdrawal_id": row.pk}
    _tell_staff(
        roles=(StaffRole.Role.CASHIER, StaffRole.Role.ADMIN),
        kind="withdrawal_requested",
        data=data,
        message=message,
    )


def withdrawal_was_decided(message: OutboxMessage) -> None:
    """Approved, refused, paid or bounced: the leader learns of it. `kind` is the event's own topic."""
    row = Withdrawal.objects.select_related("leader").get(pk=_row_id(message))
    data = {
        "amount_fen": row.amount_fen,
        "netted_fen": row.netted_fen,
        "paid_fen": row.payout_fen,
        "withdrawal_id": row.pk,
    }
    tell(
        person_id=row.leader.person_id,
        kind=message.topic,
        data=data,
        link=MONEY_PATH,
        dedupe_key=f"{message.topic}:{row.pk}",
        now=message.created_at,
    )


def dispute_was_opened(message: OutboxMessage) -> None:
    dispute = Dispute.objects.select_related("statement").get(pk=_row_id(message))
    _tell_staff(
        roles=(StaffRole.Role.CASHIER, StaffRole.Role.OPERATOR),
        kind="dispute_opened",
        data={"leader_id": dispute.statement.leader_id, "dispute_id": dispute.pk},
        message=message,
    )


def dispute_was_answered(message: OutboxMessage) -> None:
    """In words, or with more pay: the leader learns which."""
    dispute = Dispute.objects.select_related("statement__leader").get(pk=_row_id(message))
    data = {"statement_id": dispute.statement_id}
    granted = dispute.corrections.filter(confirmed_at__isnull=False).first()
    if granted is not None:
        data["amount_fen"] = granted.amount_fen
    tell(
        person_id=dispute.statement.leader.person_id,
        kind="dispute_answered" if granted is None else "dispute_granted",
        data=data,
        link=STATEMENT_PATH.format(public_id=dispute.statement.public_id),
        dedupe_key=f"dispute_answered:{dispute.pk}",
        now=message.created_at,
    )


def correction_was_proposed(message: OutboxMessage) -> None:
    """The cashiers have something to confirm, all but who has proposed it."""
    row = Correction.objects.select_related("dispute__statement").get(pk=_row_id(message))
    _tell_staff(
        roles=(StaffRole.Role.CASHIER, StaffRole.Role.ADMIN),
        kind="correction_proposed",
        data={"leader_id": row.dispute.statement.leader_id, "amount_fen": row.amount_fen},
        message=message,
        but=row.proposed_by_id,
    )


def correction_was_declined(message: OutboxMessage) -> None:
    """Who has proposed it learns of it, unless they took it back themselves."""
    row = Correction.objects.select_related("dispute__statement").get(pk=_row_id(message))
    if row.declined_by_id != row.proposed_by_id:
        data = {"leader_id": row.dispute.statement.leader_id, "amount_fen": row.amount_fen}
        _tell_all([row.proposed_by_id], kind="correction_declined", data=data, message=message)


def supplier_was_paid(message: OutboxMessage) -> None:
    payment = SupplierPayment.objects.get(pk=_row_id(message))
    now = message.created_at
    standing = Q(effective_until__isnull=True) | Q(effective_until__gt=now)
    staff = SupplierStaff.objects.filter(standing, supplier_id=payment.supplier_id, effective_from__lte=now)
    _tell_all(
        staff.values_list("person_id", flat=True),
        kind="supplier_paid",
        data={"amount_fen": payment.amount_fen},
        message=message,
    )


def payables_may_have_changed(message: OutboxMessage) -> None:
    """Goods were received or a claim was granted: write down what suppliers are owed now."""
    record_supplier_payables(now=message.created_at)


def _tell_staff(
    *, roles: Iterable[str], kind: str, data: dict[str, int], message: OutboxMessage, but: int | None = None
) -> None:
    """but: a person who need not be told."""
    now = message.created_at
    standing = Q(effective_until__isnull=True) | Q(effective_until__gt=now)
    staff = StaffRole.objects.filter(standing, role__in=list(roles), effective_from__lte=now)
    told = set(staff.values_list("person_id", flat=True)) - {but}
    _tell_all(told, kind=kind, data=data, message=message)


def _tell_all(person_ids: Iterable[int], *, kind: str, data: dict[str, int], message: OutboxMessage) -> None:
    tell_many(
        tellings=[
            Telling(
                person_id=person_id,
                kind=kind,
                data=data,
                dedupe_key=f"{kind}:{message.subject}:{person_id}",
            )
            for person_id in sorted(set(person_ids))
        ],
        now=message.created_at,
    )


def _row_id(message: OutboxMessage) -> int:
    """The id in a message's subject, `type:id`."""
    return int(message.subject.partition(":")[2])
