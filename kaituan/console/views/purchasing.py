"""From purchase orders to goods at the pickup points: send, count, share out, arrive."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kaituan.catalogue.models import Variant
from kaituan.console.doors import EXCEL, acting, operator
from kaituan.fulfilment.access import campaign_for_operator, purchase_order_for_operator
from kaituan.fulfilment.arrivals import confirm_arrival
from kaituan.fulfilment.documents import amount_text, goods_name, purchase_order_sheet
from kaituan.fulfilment.excel import workbook_bytes
from kaituan.fulfilment.models import PurchaseOrder, PurchaseOrderLine, SharingOut
from kaituan.fulfilment.purchasing import asked_quantity, send
from kaituan.fulfilment.queries import owed_fen, purchase_orders
from kaituan.fulfilment.receiving import Counted, outcome, receive
from kaituan.fulfilment.refusals import ArrivalRefused, PurchasingRefused, ReceivingRefused, SharingRefused
from kaituan.fulfilment.sharing import preview_sharing, share_out
from kaituan.fulfilment.sharing import share_out_complete as share_out_all
from kaituan.money.quantities import QuantityError, format_units
from kaituan.people.models import PickupPoint
from kaituan.web import clock
from kaituan.web.counts import read_count

COMING = (PurchaseOrder.Status.SENT, PurchaseOrder.Status.SEEN, PurchaseOrder.Status.CONFIRMED)
"""On the way: to be counted when the lorry is here."""


@require_GET
@operator
def orders(request: HttpRequest) -> HttpResponse:
    status = request.GET.get("status", "")
    statuses = COMING if status == "coming" else (status,) if status in PurchaseOrder.Status.values else ()
    if statuses:
        rows = list(purchase_orders(*statuses)[:300])
    else:
        # What waits for somebody stands first; below it what is done, the latest first.
        done = purchase_orders(PurchaseOrder.Status.RECEIVED).order_by("-arrives_on", "-pk")
        rows = [*purchase_orders(PurchaseOrder.Status.DRAFT, *COMING), *done[:200]]
    context = {"now": clock.now(), "place": "purchasing", "rows": rows, "status": status}
    return render(request, "console/purchasing.html", context)


@require_http_methods(["GET", "POST"])
@operator
def order(request: HttpRequest, order: str) -> HttpResponse:
    """One purchase order: send it; when the lorry is here, count."""
    now = clock.now()
    row = purchase_order_for_operator(request.user, order, now=now)
    typed: dict[int, str] = {}
    refusal = ""
    if request.method == "POST":
        try:
            if "send" in request.POST:
                send(purchase_order=row, acting_person=acting(request), now=now)
                messages.success(request, _("Sent: the supplier is told."))
            else:
                lines = list(row.lines.select_related("variant"))
                typed = {line.pk: request.POST.get(f"line_{line.pk}", "").strip() for line in lines}
                receive(
                    purchase_order=row, counts=_counts(lines, typed, request.POST),
                    acting_person=acting(request), now=now,
                )  # fmt: skip
                messages.success(request, _("Counted: what is owed to the supplier follows the count."))
        except (PurchasingRefused, ReceivingRefused) as refused:
            refusal = str(refused)
        else:
            return redirect("console:purchase-order", order=row.public_id)
    context = {
        "now": now,
        "place": "purchasing",
        "row": row,
        "campaign": row.snapshot.campaign,
        "lines": [_line(line, typed) for line in _lines(row)],
        "owed_fen": owed_fen(purchase_order=row),
        "may_count": row.status != PurchaseOrder.Status.DRAFT,
        "refusal": refusal,
    }
    return render(request, "console/purchase_order.html", context, status=422 if refusal else 200)


def _lines(row: PurchaseOrder) -> Any:
    return row.lines.select_related("variant__product").order_by("variant__product__name", "variant_id")


def _line(line: PurchaseOrderLine, typed: dict[int, str]) -> dict[str, Any]:
    per_unit = line.steps_per_purchase_unit
    expected = asked_quantity(line) if line.confirmed_quantity is None else line.confirmed_quantity
    counted = expected if line.received_quantity is None else line.received_quantity
    return {
        "line": line,
        "goods": goods_name(line.variant),
        "ordered": amount_text(quantity=line.ordered_quantity, variant=line.variant),
        "confirmed": None
        if line.confirmed_quantity is None
        else amount_text(quantity=line.confirmed_quantity, variant=line.variant),
        "value": typed.get(line.pk) or format_units(counted, steps_per_unit=per_unit),
        "outcome": outcome(line).value,
    }


def _counts(lines: list[PurchaseOrderLine], typed: dict[int, str], data: Any) -> list[Counted]:
    counts = []
    for line in lines:
        try:
            steps = read_count(typed[line.pk], steps_per_unit=line.steps_per_purchase_unit)
        except QuantityError as error:
            raise ReceivingRefused(_("Count each of the goods once, 0 or more.")) from error
        counts.append(Counted(line.variant_id, steps, note=data.get(f"note_{line.pk}", "")[:200]))
    sku = data.get("extra_sku", "").strip()
    if sku:
        variant = Variant.objects.filter(sku=sku).first()
        if variant is None:
            raise ReceivingRefused(_("There are no goods with the number %(sku)s.") % {"sku": sku})
        extra = data.get("extra_quantity", "").strip()
        try:
            steps = read_count(extra, steps_per_unit=variant.steps_per_purchase_unit)
        except QuantityError as error:
            raise ReceivingRefused(_("Count each of the goods once, 0 or more.")) from error
        counts.append(Counted(variant.pk, steps, keep="extra_keep" in data))
    return counts


@require_GET
@operator
def order_excel(request: HttpRequest, order: str) -> HttpResponse:
    row = purchase_order_for_operator(request.user, order, now=clock.now())
    answer = HttpResponse(workbook_bytes(purchase_order_sheet(purchase_order=row)), content_type=EXCEL)
    answer["Content-Disposition"] = f'attachment; filename="{row.number}.xlsx"'
    return answer


@require_GET
@operator
def order_print(request: HttpRequest, order: str) -> HttpResponse:
    row = purchase_order_for_operator(request.user, order, now=clock.now())
    return render(
        request, "web/sheet.html", {"now": clock.now(), "sheets": [purchase_order_sheet(purchase_order=row)]}
    )


@require_http_methods(["GET", "POST"])
@operator
def share(request: HttpRequest, campaign: str, variant: int) -> HttpResponse:
    """Who goes short of one of the goods: a look at either way first, then for good."""
    now = clock.now()
    row = campaign_for_operator(request.user, campaign, now=now)
    goods = get_object_or_404(Variant.objects.select_related("product"), pk=variant)
    policy = request.POST.get("policy") or request.GET.get("policy", "")
    if policy not in SharingOut.Policy.values:
        policy = SharingOut.Policy.FIRST_COME
    try:
        if request.method == "POST":
            share_out(campaign=row, variant=goods, policy=policy, acting_person=acting(request), now=now)
            messages.success(request, _("Shared out: what is missing is refunded, who goes short is told."))
            return redirect("console:campaign", campaign=row.public_id)
        plan = preview_sharing(campaign=row, variant=goods, policy=policy)
    except SharingRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:campaign", campaign=row.public_id)
    context = {
        "now": now,
        "place": "campaigns",
        "campaign": row,
        "goods": goods,
        "policy": policy,
        "plan": plan,
        "available": amount_text(quantity=plan.available_quantity, variant=goods),
        "needed": amount_text(quantity=plan.needed_quantity, variant=goods),
        "refund_fen": sum(share.refund_fen for share in plan.shares),
    }
    return render(request, "console/share.html", context)


@require_POST
@operator
def share_complete(request: HttpRequest, campaign: str) -> HttpResponse:
    """Everything that came in full, in one press."""
    now = clock.now()
    row = campaign_for_operator(request.user, campaign, now=now)
    try:
        shared = share_out_all(campaign=row, acting_person=acting(request), now=now)
    except SharingRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(count)s goods are shared out.") % {"count": len(shared)})
    return redirect("console:campaign", campaign=row.public_id)


@require_POST
@operator
def arrived(request: HttpRequest, campaign: str, point: str) -> HttpResponse:
    now = clock.now()
    row = campaign_for_operator(request.user, campaign, now=now)
    place = get_object_or_404(PickupPoint.objects.filter(listings__campaign=row).distinct(), public_id=point)
    try:
        confirm_arrival(campaign=row, pickup_point=place, acting_person=acting(request), now=now)
    except ArrivalRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Arrived: members are told, with their pickup codes."))
    return redirect("console:campaign", campaign=row.public_id)
