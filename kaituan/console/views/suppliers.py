"""What suppliers are owed, and paying them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.catalogue.models import Supplier
from kaituan.console.doors import acting, cashier
from kaituan.settlement.access import supplier_for_staff
from kaituan.settlement.suppliers import (
    SupplierPaymentRefused,
    owed_by_supplier,
    pay_supplier,
    record_supplier_payables,
    supplier_statement,
)
from kaituan.web import clock


@require_GET
@cashier
def owed(request: HttpRequest) -> HttpResponse:
    record_supplier_payables(now=clock.now())
    fen = owed_by_supplier()
    rows = [(supplier, fen.get(supplier.pk, 0)) for supplier in Supplier.objects.order_by("name")]
    context = {"now": clock.now(), "place": "suppliers", "rows": rows, "total_fen": sum(fen.values())}
    return render(request, "console/suppliers.html", context)


@require_http_methods(["GET", "POST"])
@cashier
def statement(request: HttpRequest, supplier: str) -> HttpResponse:
    now = clock.now()
    row = supplier_for_staff(request.user, supplier, now=now)
    refusal = ""
    ticked = {
        int(value)
        for value in request.POST.getlist("payable")
        if value.isascii() and value.isdecimal() and len(value) < 16
    }
    if request.method == "POST":
        try:
            pay_supplier(
                supplier=row, payable_ids=ticked, reference=request.POST.get("reference", "")[:80],
                acting_person=acting(request), now=now,
            )  # fmt: skip
        except SupplierPaymentRefused as refused:
            refusal = str(refused)
        else:
            messages.success(request, _("Marked as paid: the supplier is told."))
            return redirect("console:supplier", supplier=row.public_id)
    record_supplier_payables(now=now)
    context = {
        "now": now,
        "place": "suppliers",
        "supplier": row,
        "statement": supplier_statement(supplier=row),
        "refusal": refusal,
        "ticked": ticked if request.method == "POST" else None,
        "reference": request.POST.get("reference", "")[:80],
    }
    return render(request, "console/supplier.html", context, status=422 if refusal else 200)
