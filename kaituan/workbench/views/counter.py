"""The hand-over, standing up, with one hand: a code, a number, a door or a name; all of it, or a part."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.fulfilment.access import counter_of, handing_leader, order_at_counter
from kaituan.fulfilment.handover import UNDO_MINUTES, hand_over, undo_hand_over
from kaituan.fulfilment.models import HandOver
from kaituan.fulfilment.queries import find_orders, undoable_hand_overs, waiting_at_counter, with_goods
from kaituan.fulfilment.refusals import HandOverRefused, StillUnpaid
from kaituan.money.quantities import QuantityError, format_units, to_base_steps
from kaituan.ordering.models import Order
from kaituan.people.models import new_public_id
from kaituan.web import clock
from kaituan.web.formats import quantity_text

METHODS = ("code", "follow_number", "door", "name")


@require_GET
@login_required
def find(request: HttpRequest) -> HttpResponse:
    """Who is at the door? Digits of six are a code, fewer a number; anything else a name or a room."""
    now = clock.now()
    counter = counter_of(request.user, now=now)
    text = request.GET.get("q", "").strip()
    found: list[Order] = []
    if text:
        for method in _methods(text):
            found = find_orders(orders=counter.orders, method=method, text=text)
            if found:
                break
    waiting = list(with_goods(waiting_at_counter(counter.orders))[:300]) if not text else []
    context = {"now": now, "place": "counter", "text": text, "found": found, "waiting": waiting}
    return render(request, "workbench/counter.html", context)


def _methods(text: str) -> tuple[str, ...]:
    bare = text.lstrip("#＃")
    if bare.isdecimal():
        return ("code", "follow_number", "door") if len(bare) >= 5 else ("follow_number", "door", "code")
    return ("name", "door")


@require_http_methods(["GET", "POST"])
@login_required
def hand(request: HttpRequest, order: str) -> HttpResponse:
    """One order at the counter: tick off, take money first if some is missing, undo if it was a mistake."""
    now = clock.now()
    counter = counter_of(request.user, now=now)
    row = order_at_counter(counter, order)
    refusal, unpaid = "", 0
    if request.method == "POST":
        try:
            _act(request, row, counter, now)
        except StillUnpaid as refused:
            refusal, unpaid = str(refused), sum(refused.unpaid_fen.values())
        except HandOverRefused as refused:
            refusal = str(refused)
        else:
            return redirect("workbench:hand-over", order=row.public_id)
    lines = row.lines.filter(quantity__gt=0).select_related("offer__variant__product")
    rows = [
        {
            "line": line,
            "left": format_units(
                max(0, (line.allocated_quantity or 0) - line.handed_quantity),
                steps_per_unit=line.offer.price_quantity,
            ),
            "ordered": quantity_text(
                line.quantity, steps_per_unit=line.offer.price_quantity, unit=line.offer.sale_unit
            ),
            "typed": request.POST.get(f"line_{line.pk}", "") if refusal else "",
            "handed": format_units(line.handed_quantity, steps_per_unit=line.offer.price_quantity),
            "short": line.allocated_quantity is not None and line.allocated_quantity < line.quantity,
        }
        for line in lines.order_by("offer__position", "pk")
    ]
    context = {
        "now": now,
        "order": row,
        "rows": rows,
        "waits": any(line["left"] != "0" for line in rows),
        "undoable": undoable_hand_overs(order=row, since=now - timedelta(minutes=UNDO_MINUTES)),
        "key": new_public_id(),
        "method": request.GET.get("by", "follow_number"),
        "refusal": refusal,
        "unpaid_fen": unpaid,
    }
    return render(request, "workbench/hand_over.html", context, status=422 if refusal else 200)


def _act(request: HttpRequest, order: Order, counter: Any, now: Any) -> None:
    if "undo" in request.POST:
        ids = [int(text) for text in request.POST.getlist("undo") if text.isdecimal() and len(text) < 19]
        rows = list(HandOver.objects.filter(order_line__order=order, pk__in=ids))
        undo_hand_over(hand_overs=rows, acting_person=counter.person, now=now)
        messages.success(request, _("Undone."))
        return
    quantities = {}
    for line in order.lines.select_related("offer"):
        typed = request.POST.get(f"line_{line.pk}", "").strip() or "0"
        try:
            steps = to_base_steps(typed, steps_per_unit=line.offer.price_quantity)
        except (QuantityError, ArithmeticError, ValueError) as error:
            raise HandOverRefused(_("Enter how much of each is handed over.")) from error
        if steps:
            quantities[line.pk] = steps
    method = request.POST.get("method", "")
    hand_over(
        lines_quantities=quantities,
        method=method if method in METHODS else HandOver.Method.FOLLOW_NUMBER,
        leader=handing_leader(counter, order.listing),
        acting_person=counter.person,
        now=now,
        key=f"{order.public_id}:{request.POST.get('key', '')[:40]}",
        despite_unpaid="despite_unpaid" in request.POST,
    )
    messages.success(request, _("Handed over."))
