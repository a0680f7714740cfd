"""What a supplier sees: its purchase orders, what it is owed, its goods. No retail price, nobody's name."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.catalogue.access import supplier_items, suppliers_of
from kaituan.catalogue.models import Supplier
from kaituan.fulfilment.access import purchase_order_for_supplier, purchase_orders_for_supplier
from kaituan.fulfilment.documents import amount_text, goods_name, purchase_order_sheet
from kaituan.fulfilment.excel import workbook_bytes
from kaituan.fulfilment.models import PurchaseOrder, PurchaseOrderLine
from kaituan.fulfilment.purchasing import asked_quantity, confirm, mark_seen
from kaituan.fulfilment.refusals import PurchasingRefused
from kaituan.money.quantities import QuantityError, format_units
from kaituan.people.access import NotYours, person_of
from kaituan.settlement.suppliers import supplier_statement
from kaituan.web import clock
from kaituan.web.counts import read_count

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _suppliers(request: HttpRequest) -> list[Supplier]:
    """The suppliers the visitor acts for; nobody else has business here."""
    found = list(suppliers_of(request.user, now=clock.now()))
    if not found:
        raise NotYours
    return found


def _page(
    request: HttpRequest, template: str, place: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    suppliers = _suppliers(request)
    return render(
        request,
        f"portal/{template}.html",
        {"now": clock.now(), "place": place, "suppliers": suppliers, **context},
        status=status,
    )


@require_GET
@login_required
def purchase_orders(request: HttpRequest) -> HttpResponse:
    rows = purchase_orders_for_supplier(request.user, now=clock.now())
    return _page(request, "orders", "orders", {"rows": rows[:200]})


@require_http_methods(["GET", "POST"])
@login_required
def purchase_order(request: HttpRequest, order: str) -> HttpResponse:
    """One purchase order: opening it says that it is seen; then how much will come, line by line."""
    now = clock.now()
    row = purchase_order_for_supplier(request.user, order, now=now)
    typed: dict[int, str] = {}
    refusal = ""
    if request.method == "POST":
        lines = list(row.lines.filter(ordered_quantity__gt=0))
        typed = {line.pk: request.POST.get(f"line_{line.pk}", "").strip() for line in lines}
        try:
            confirm(
                purchase_order=row,
                quantities=_quantities(lines, typed),
                acting_person=person_of(request.user),
                now=now,
            )
        except PurchasingRefused as refused:
            refusal = str(refused)
        else:
            messages.success(request, _("Thank you: the quantities are confirmed."))
            return redirect("portal:order", order=row.public_id)
    else:
        row = mark_seen(purchase_order=row, acting_person=person_of(request.user), now=now)
    context = {
        "row": row,
        "lines": [_line(line, typed) for line in _lines(row)],
        "may_confirm": row.status != PurchaseOrder.Status.RECEIVED,
        "refusal": refusal,
    }
    return _page(request, "order", "orders", context, status=422 if refusal else 200)


def _lines(row: PurchaseOrder) -> Any:
    return row.lines.select_related("variant__product").order_by("variant__product__name", "variant_id")


def _line(line: PurchaseOrderLine, typed: dict[int, str]) -> dict[str, Any]:
    expected = asked_quantity(line) if line.confirmed_quantity is None else line.confirmed_quantity
    return {
        "line": line,
        "goods": goods_name(line.variant),
        "ordered": amount_text(quantity=line.ordered_quantity, variant=line.variant),
        "received": None
        if line.received_quantity is None
        else amount_text(quantity=line.received_quantity, variant=line.variant),
        "value": typed.get(line.pk) or format_units(expected, steps_per_unit=line.steps_per_purchase_unit),
        "short": line.received_quantity is not None and line.received_quantity < line.ordered_quantity,
    }


def _quantities(lines: list[PurchaseOrderLine], typed: dict[int, str]) -> dict[int, int]:
    """Base steps from purchase units as typed; loose steps are rounded to whole ones by nobody."""
    quantities = {}
    for line in lines:
        try:
            quantities[line.pk] = read_count(typed[line.pk], steps_per_unit=line.steps_per_purchase_unit)
        except QuantityError as error:
            raise PurchasingRefused(_("Say how much will come of each line: 0 or more.")) from error
    return quantities


@require_GET
@login_required
def purchase_order_excel(request: HttpRequest, order: str) -> HttpResponse:
    row = purchase_order_for_supplier(request.user, order, now=clock.now())
    answer = HttpResponse(workbook_bytes(purchase_order_sheet(purchase_order=row)), content_type=EXCEL)
    answer["Content-Disposition"] = f'attachment; filename="{row.number}.xlsx"'
    return answer


@require_GET
@login_required
def purchase_order_print(request: HttpRequest, order: str) -> HttpResponse:
    row = purchase_order_for_supplier(request.user, order, now=clock.now())
    return render(
        request, "web/sheet.html", {"now": clock.now(), "sheets": [purchase_order_sheet(purchase_order=row)]}
    )


@require_GET
@login_required
def payables(request: HttpRequest) -> HttpResponse:
    """What is owed and what was paid, each with the receipts and claims that it stands on."""
    statements = [(supplier, supplier_statement(supplier=supplier)) for supplier in _suppliers(request)]
    return _page(request, "payables", "payables", {"statements": statements})


@require_GET
@login_required
def goods(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    search = request.GET.get("q", "").strip()
    shelves = [
        (supplier, supplier_items(request.user, supplier, now=now, search=search))
        for supplier in _suppliers(request)
    ]
    return _page(request, "goods", "goods", {"shelves": shelves, "search": search})
