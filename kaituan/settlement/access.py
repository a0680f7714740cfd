"""Whose statements, withdrawals and supplier accounts one may see and act on. Each function returns the row or
refuses as `people.access` does: with a 404, whether it does not exist or is somebody else's."""

from datetime import datetime

from django.db.models import QuerySet

from kaituan.catalogue.access import suppliers_of
from kaituan.catalogue.models import Supplier
from kaituan.people.access import NotYours, Visitor, leader_of, require_staff
from kaituan.people.models import Person, StaffRole
from kaituan.settlement.models import CommissionRow, Dispute, Statement, Withdrawal

READERS = (StaffRole.Role.OPERATOR, StaffRole.Role.CASHIER)


def cashier(account: Visitor, *, now: datetime) -> Person:
    """Settles periods, approves and pays withdrawals, pays suppliers, freezes."""
    return require_staff(account, (StaffRole.Role.CASHIER,), now=now)


def reader(account: Visitor, *, now: datetime) -> Person:
    """Looks at every statement, withdrawal and supplier account."""
    return require_staff(account, READERS, now=now)


def own_statements(account: Visitor) -> QuerySet[Statement]:
    """The signed-in leader's statements, latest first."""
    own = Statement.objects.filter(leader=leader_of(account))
    return own.select_related("period").order_by("-period__starts_at")


def own_statement(account: Visitor, public_id: str) -> Statement:
    return _found(own_statements(account).filter(public_id=public_id).first())


def own_row(account: Visitor, statement: Statement, row_id: int) -> CommissionRow:
    """A row of one of the signed-in leader's statements."""
    own = own_statement(account, statement.public_id)
    rows = CommissionRow.objects.filter(period_id=own.period_id, leader_id=own.leader_id, pk=row_id)
    return _found(rows.first())


def statement_for_staff(account: Visitor, public_id: str, *, now: datetime) -> Statement:
    reader(account, now=now)
    rows = Statement.objects.select_related("period", "leader__person")
    return _found(rows.filter(public_id=public_id).first())


def own_withdrawals(account: Visitor) -> QuerySet[Withdrawal]:
    """The signed-in leader's withdrawals, latest first."""
    return Withdrawal.objects.filter(leader=leader_of(account)).order_by("-requested_at", "-pk")


def own_withdrawal(account: Visitor, public_id: str) -> Withdrawal:
    return _found(own_withdrawals(account).filter(public_id=public_id).first())


def withdrawal_for_cashier(account: Visitor, public_id: str, *, now: datetime) -> Withdrawal:
    cashier(account, now=now)
    rows = Withdrawal.objects.select_related("leader__person", "payee__checked_by", "payee__refused_by")
    return _found(rows.filter(public_id=public_id).first())


def dispute_for_staff(account: Visitor, public_id: str, *, now: datetime) -> Dispute:
    reader(account, now=now)
    rows = Dispute.objects.select_related("statement__leader__person", "statement__period", "row")
    return _found(rows.filter(public_id=public_id).first())


def supplier_for_statement(account: Visitor, public_id: str, *, now: datetime) -> Supplier:
    """A supplier whose account the visitor may see: one's own."""
    return _found(suppliers_of(account, now=now).filter(public_id=public_id).first())


def supplier_for_staff(account: Visitor, public_id: str, *, now: datetime) -> Supplier:
    reader(account, now=now)
    return _found(Supplier.objects.filter(public_id=public_id).first())


def _found[Row: (Statement, CommissionRow, Withdrawal, Dispute, Supplier)](row: Row | None) -> Row:
    if row is None:
        raise NotYours
    return row
