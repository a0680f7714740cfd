"""What suppliers are owed: goods received at the purchase price, less the claims they bear; and paying them.

Nothing here knows a retail price: a claim counts at the purchase cost of the part of the line it was for.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from kaituan.catalogue.models import Supplier
from kaituan.ledger.bulk import NewEntry, post_entries
from kaituan.ledger.models import AccountKind
from kaituan.ledger.services import AccountRef, Move, post_entry
from kaituan.money.fen import line_amount_fen
from kaituan.money.quantities import format_units
from kaituan.notices.services import announce
from kaituan.people.models import Person
from kaituan.settlement.models import SupplierPayable, SupplierPayment, SupplierPaymentItem
from kaituan.settlement.postings import BANK, supplier_account

COST_OF_GOODS = AccountRef(AccountKind.COST_OF_GOODS)


class SupplierPaymentRefused(Exception):
    """The payment cannot be made so; the message says why and what to do."""


# The cost share of a claim: of the line's purchase cost, the part that was given back of what was paid for it
# (remedies that take something off are no part of what was paid), fraction dropped.
CLAIMS_SQL = """
    SELECT claim.id, product.supplier_id,
        least(line.cost_fen::numeric, floor(
            line.cost_fen::numeric * claim.granted_fen / nullif(line.amount_fen + coalesce((
                SELECT sum(a.amount_fen) FROM ordering_orderadjustment a WHERE a.line_id = line.id
                AND NOT (a.kind IN ('weight', 'shortage', 'claim', 'price_cut') AND a.amount_fen < 0)
            ), 0), 0)
        ))::bigint AS share_fen
    FROM aftersales_claim claim
    JOIN ordering_orderline line ON line.id = claim.line_id
    JOIN campaigns_offer offer ON offer.id = line.offer_id
    JOIN catalogue_variant variant ON variant.id = offer.variant_id
    JOIN catalogue_product product ON product.id = variant.product_id
    WHERE claim.status = 'granted' AND claim.liability = 'supplier'
        AND NOT EXISTS (SELECT 1 FROM settlement_supplierpayable p WHERE p.claim_id = claim.id)
    ORDER BY claim.id
"""
PAYABLES_SQL = """
    INSERT INTO settlement_supplierpayable
        (supplier_id, kind, entry_id, purchase_order_id, claim_id, amount_fen, arose_at)
    SELECT split_part(account.owner, ':', 2)::bigint, %(kind)s, e.id,
        CASE WHEN %(kind)s = 'received' THEN split_part(e.reference, ':', 2)::bigint END,
        CASE WHEN %(kind)s = 'claim' THEN split_part(e.reference, ':', 2)::bigint END,
        sum(CASE WHEN t.credit_id = account.id THEN t.amount_fen ELSE -t.amount_fen END), e.occurred_at
    FROM ledger_account account
    JOIN ledger_transfer t ON account.id IN (t.credit_id, t.debit_id)
    JOIN ledger_entry e ON e.id = t.entry_id AND e.kind = %(entry_kind)s
    WHERE account.kind = 'supplier_payable'
        AND NOT EXISTS (SELECT 1 FROM settlement_supplierpayable p WHERE p.entry_id = e.id)
    GROUP BY account.id, e.id
    ON CONFLICT (entry_id) DO NOTHING
"""


@transaction.atomic
def record_supplier_payables(*, now: datetime) -> int:
    """Post the claims that suppliers bear, and write a payable for every entry of goods and claims that has none.

    Says how many are new. Safe to run twice and in two workers.
    """
    with connection.cursor() as cursor:
        cursor.execute(CLAIMS_SQL)
        claims = [row for row in cursor.fetchall() if row[2]]
    post_entries(
        entries=[
            NewEntry(
                key=f"claim:{claim_id}/supplier",
                kind="supplier_claim",
                reference=f"claim:{claim_id}",
                moves=(Move(supplier_account(supplier_id=supplier_id), COST_OF_GOODS, share_fen),),
            )
            for claim_id, supplier_id, share_fen in claims
        ],
        occurred_at=now,
    )
    written = 0
    with connection.cursor() as cursor:
        for kind, entry_kind in (("received", "goods_received"), ("claim", "supplier_claim")):
            cursor.execute(PAYABLES_SQL, {"kind": kind, "entry_kind": entry_kind})
            written += cursor.rowcount
    return written


@transaction.atomic
def pay_supplier(
    *,
    supplier: Supplier,
    payable_ids: Collection[int],
    reference: str,
    acting_person: Person,
    now: datetime,
) -> SupplierPayment:
    """The bank has paid a supplier for these payables, less what was taken back. The same reference with the same
    payables again answers the first payment. Raises SupplierPaymentRefused.
    """
    reference = reference.strip()
    if not reference:
        raise SupplierPaymentRefused(_("Enter the number of the payment, so that it can be found again."))
    # The supplier's row is the queue: two clicks come one after the other.
    Supplier.objects.select_for_update(no_key=True).get(pk=supplier.pk)
    known = SupplierPayment.objects.filter(supplier=supplier, reference=reference).first()
    if known is not None:
        if set(known.items.values_list("payable_id", flat=True)) == set(payable_ids):
            return known
        raise SupplierPaymentRefused(_("A payment with this number was entered already."))
    payables = list(SupplierPayable.objects.filter(supplier=supplier, pk__in=payable_ids).order_by("pk"))
    if len(payables) != len(set(payable_ids)):
        raise SupplierPaymentRefused(_("Some of these amounts are not this supplier's."))
    if SupplierPaymentItem.objects.filter(payable__in=payables).exists():
        raise SupplierPaymentRefused(_("Some of these amounts are paid already: look at the list again."))
    amount_fen = sum(payable.amount_fen for payable in payables)
    if amount_fen <= 0:
        raise SupplierPaymentRefused(_("There is nothing to pay: what was taken back is netted later."))
    payment = SupplierPayment.objects.create(
        supplier=supplier, amount_fen=amount_fen, reference=reference, paid_at=now, paid_by=acting_person
    )
    SupplierPaymentItem.objects.bulk_create(
        SupplierPaymentItem(payment=payment, payable=payable) for payable in payables
    )
    post_entry(
        key=f"supplier_payment:{payment.pk}",
        kind="supplier_paid",
        reference=f"supplier_payment:{payment.pk}",
        occurred_at=now,
        moves=[Move(supplier_account(supplier_id=supplier.pk), BANK, amount_fen)],
    )
    announce(
        topic="supplier_paid",
        subject=f"supplier_payment:{payment.pk}",
        payload={"supplier_id": supplier.pk, "amount_fen": amount_fen},
        now=now,
    )
    return payment


@dataclass(frozen=True, slots=True)
class PayableDetail:
    """One thing an amount stands on. price_fen: purchase price per purchase unit; None for a claim."""

    goods: str
    quantity: str
    unit: str
    price_fen: int | None
    amount_fen: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StatementItem:
    """One payable as its supplier reads it; `document` is the purchase order's number."""

    payable: SupplierPayable
    document: str
    details: tuple[PayableDetail, ...]
    paid_at: datetime | None
    paid_reference: str


@dataclass(frozen=True, slots=True)
class SupplierStatement:
    """What a supplier is owed and was paid, latest first. Has no field for a retail price."""

    items: tuple[StatementItem, ...]
    owed_fen: int
    paid_fen: int


def supplier_statement(*, supplier: Supplier) -> SupplierStatement:
    """Every payable of a supplier with what it stands on."""
    payables = list(
        supplier.payables.select_related("purchase_order", "payment_item__payment").order_by(
            "-arose_at", "-pk"
        )
    )
    lines = _purchase_lines(payables)
    claims = _claim_lines(payables)
    items = []
    for payable in payables:
        paid = getattr(payable, "payment_item", None)
        details = (
            lines.get(payable.purchase_order_id or 0, ())
            if payable.kind == SupplierPayable.Kind.RECEIVED
            else claims.get(payable.claim_id or 0, ())
        )
        items.append(
            StatementItem(
                payable=payable,
                document=payable.purchase_order.number if payable.purchase_order else "",
                details=details,
                paid_at=paid.payment.paid_at if paid else None,
                paid_reference=paid.payment.reference if paid else "",
            )
        )
    owed_fen = sum(item.payable.amount_fen for item in items if item.paid_at is None)
    paid_fen = sum(item.payable.amount_fen for item in items if item.paid_at is not None)
    return SupplierStatement(tuple(items), owed_fen, paid_fen)


def owed_by_supplier() -> dict[int, int]:
    """Supplier id -> fen owed and not paid yet, where it is not 0."""
    unpaid = SupplierPayable.objects.filter(payment_item__isnull=True)
    totals = unpaid.values_list("supplier_id").annotate(fen=Sum("amount_fen")).order_by("supplier_id")
    return {supplier_id: fen for supplier_id, fen in totals if fen}


def _purchase_lines(payables: Collection[SupplierPayable]) -> dict[int, tuple[PayableDetail, ...]]:
    ids = {payable.purchase_order_id for payable in payables if payable.purchase_order_id}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT line.purchase_order_id, product.name, variant.name, coalesce(line.received_quantity, 0),
                variant.steps_per_sale_unit, variant.sale_unit, line.purchase_price_fen,
                line.steps_per_purchase_unit
            FROM fulfilment_purchaseorderline line
            JOIN catalogue_variant variant ON variant.id = line.variant_id
            JOIN catalogue_product product ON product.id = variant.product_id
            WHERE line.purchase_order_id = ANY(%s) ORDER BY line.id
            """,
            [list(ids)],
        )
        found: dict[int, list[PayableDetail]] = {}
        for order_id, product, variant, quantity, steps, unit, price_fen, price_steps in cursor.fetchall():
            found.setdefault(order_id, []).append(
                PayableDetail(
                    goods=f"{product} {variant}".strip(),
                    quantity=format_units(quantity, steps_per_unit=steps),
                    unit=unit,
                    price_fen=price_fen,
                    amount_fen=line_amount_fen(
                        price_fen=price_fen, price_quantity=price_steps, quantity=quantity
                    ),
                )
            )
    return {order_id: tuple(details) for order_id, details in found.items()}


def _claim_lines(payables: Collection[SupplierPayable]) -> dict[int, tuple[PayableDetail, ...]]:
    ids = {payable.claim_id: payable.amount_fen for payable in payables if payable.claim_id}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT claim.id, offer.title, line.quantity, variant.steps_per_sale_unit, offer.sale_unit, claim.reason
            FROM aftersales_claim claim
            JOIN ordering_orderline line ON line.id = claim.line_id
            JOIN campaigns_offer offer ON offer.id = line.offer_id
            JOIN catalogue_variant variant ON variant.id = offer.variant_id
            WHERE claim.id = ANY(%s)
            """,
            [list(ids)],
        )
        return {
            claim_id: (
                PayableDetail(
                    goods=title,
                    quantity=format_units(quantity, steps_per_unit=steps),
                    unit=unit,
                    price_fen=None,
                    amount_fen=ids[claim_id],
                    reason=reason,
                ),
            )
            for claim_id, title, quantity, steps, unit, reason in cursor.fetchall()
        }
