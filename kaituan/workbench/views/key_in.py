"""Ordering for somebody else, by keyboard: a name, codes and quantities, cash, next."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kaituan.commission.explanations import preview_order
from kaituan.money.fen import format_yuan
from kaituan.ordering.access import listing_for_leader
from kaituan.ordering.models import Order
from kaituan.payments import services as payments
from kaituan.payments.key_in import KeyInRefused, key_in
from kaituan.payments.models import LEADER_CHANNELS
from kaituan.people.models import new_public_id
from kaituan.people.queries import group_members
from kaituan.web import clock
from kaituan.web.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
@login_required
def page(request: SignedInRequest, listing: str) -> HttpResponse:
    """One row: who, what (`A2 B` or `橙子2`), how paid. Enter books it and clears the row for the next."""
    row = listing_for_leader(request.user, listing, now=clock.now())
    typed: dict[str, Any] = {"who": "", "what": "", "paid_by": "cash", "note": "", "key": new_public_id()}
    refusal = ""
    if request.method == "POST":
        typed = {name: request.POST.get(name, "") for name in typed}
        try:
            if typed["paid_by"] not in ("", *LEADER_CHANNELS):
                raise KeyInRefused(_("A leader takes cash, a transfer or a payment code."))
            order = key_in(
                listing=row, acting_person=request.user.person, now=clock.now(), who=typed["who"],
                what=typed["what"], paid_by=typed["paid_by"], note=typed["note"], key=typed["key"],
            )  # fmt: skip
        except (KeyInRefused, payments.PaymentRefused) as refused:
            refusal = str(refused)
        else:
            messages.success(request, _booked(request, order))
            return redirect("workbench:key-in", listing=row.public_id)
    context = {
        "now": clock.now(),
        "listing": row,
        "campaign": row.campaign,
        "typed": typed,
        "refusal": refusal,
        "members": group_members(group_id=row.group_id)[:500],
        "offers": row.campaign.offers.filter(stopped_at__isnull=True),
        "recent": row.orders.filter(source="key_in").select_related("member").order_by("-pk")[:10],
    }
    return render(request, "workbench/key_in.html", context, status=422 if refusal else 200)


def _booked(request: SignedInRequest, order: Order) -> str:
    """That it is done; to the seller also what it will pay, which is not a helper's business."""
    said = {"number": order.follow_number, "name": order.member.display_name}
    if order.listing.leader.person_id == request.user.person.pk:
        earned_fen = preview_order(order=order, now=clock.now()).total_fen
        if earned_fen:
            return _("#%(number)s %(name)s is booked: you will earn ¥%(earned)s by it.") % {
                **said, "earned": format_yuan(earned_fen),
            }  # fmt: skip
    return _("#%(number)s %(name)s is booked.") % said
