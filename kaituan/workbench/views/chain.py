"""From the chat to orders and back: paste, look, decide, book; the chain as text; the three-way match."""

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kaituan.money.fen import line_amount_fen
from kaituan.money.quantities import format_units
from kaituan.ordering.access import listing_for_leader, paste_for_leader
from kaituan.ordering.chain import Product, answers_to
from kaituan.ordering.models import ChainPaste
from kaituan.ordering.pasting import Change, Proposal, chain_products, decide, paste_chain, propose
from kaituan.ordering.queries import unpaid_orders
from kaituan.ordering.services import OrderRefused
from kaituan.payments.chain_booking import book_paste
from kaituan.payments.chain_match import last_paste, match_listing, unpaid_reminder
from kaituan.people.models import Member
from kaituan.web import clock
from kaituan.web.changes import number
from kaituan.web.requests import SignedInRequest
from kaituan.workbench.questions import question_text


@require_http_methods(["GET", "POST"])
@login_required
def paste(request: SignedInRequest, listing: str) -> HttpResponse:
    """One big field: the chain as it was copied from the chat."""
    row = listing_for_leader(request.user, listing, now=clock.now())
    refusal, text = "", ""
    if request.method == "POST":
        text = request.POST.get("text", "")
        try:
            made = paste_chain(listing=row, text=text, acting_person=request.user.person, now=clock.now())
        except OrderRefused as refused:
            refusal = str(refused)
        else:
            return redirect("workbench:paste-diff", listing=row.public_id, paste=made.public_id)
    context = {"now": clock.now(), "listing": row, "campaign": row.campaign, "text": text, "refusal": refusal}
    return render(request, "workbench/paste.html", context, status=422 if refusal else 200)


@require_GET
@login_required
def diff(request: HttpRequest, listing: str, paste: str) -> HttpResponse:
    """What booking would do: questions first, each answered by one tap; then what is new and what changed."""
    row = paste_for_leader(request.user, paste, now=clock.now())
    return render(request, "workbench/paste_diff.html", _diff_context(row))


def _diff_context(paste: ChainPaste) -> dict[str, Any]:
    offers = {offer.pk: offer for offer in paste.listing.campaign.offers.select_related("variant__product")}
    products = chain_products(list(offers.values()))
    rows = [_diff_row(proposal, offers, products, paste.text) for proposal in propose(paste=paste)]
    kinds = [row["change"] for row in rows]
    return {
        "now": clock.now(),
        "paste": paste,
        "listing": paste.listing,
        "campaign": paste.listing.campaign,
        "asks": [row for row in rows if row["change"] in (Change.ASK, Change.GONE)],
        "changes": [row for row in rows if row["change"] in (Change.NEW, Change.CHANGED, Change.WITHDRAWN)],
        "same": [row for row in rows if row["change"] == Change.SAME],
        "to_book": sum(kind in (Change.NEW, Change.CHANGED, Change.WITHDRAWN) for kind in kinds)
        + sum(bool(row["decision"].get("cancel")) for row in rows),
        "total_fen": sum(row["amount_fen"] for row in rows if row["change"] == Change.NEW),
    }


def _diff_row(
    proposal: Proposal, offers: dict[int, Any], products: Sequence[Product], text: str
) -> dict[str, Any]:
    items = [
        {
            "offer": offers[offer_id],
            "quantity": format_units(steps, steps_per_unit=offers[offer_id].price_quantity),
            "amount_fen": line_amount_fen(
                price_fen=offers[offer_id].price_fen,
                price_quantity=offers[offer_id].price_quantity,
                quantity=steps,
            ),
        }
        for offer_id, steps in proposal.quantities.items()
    ]
    answers = _answers(proposal, offers, products, text)
    return {
        "key": proposal.key,
        "change": proposal.change,
        "name": proposal.name,
        "entry": proposal.entry,
        "order": proposal.order,
        "items": items,
        "amount_fen": sum(item["amount_fen"] for item in items),
        "decision": proposal.decision,
        "evidence": [evidence.text for evidence in proposal.entry.evidence] if proposal.entry else [],
        "questions": [_question(question) for question in proposal.questions],
        "asks_who": any(question.reason == "which_member" for question in proposal.questions),
        "answers": answers,
        "unanswered": not answers,
        "fields": _fields(proposal, offers, {item["offer"].code: item["quantity"] for item in items}),
    }


def _answers(
    proposal: Proposal, offers: dict[int, Any], products: Sequence[Product], text: str
) -> list[dict[str, str]]:
    """The buttons that answer the entry's one question; none where several things are open at once."""
    if proposal.entry is None or len(proposal.questions) != 1:
        return []
    titles = {offer.code: offer.title for offer in offers.values()}
    found = answers_to(proposal.questions[0], proposal.entry, products, text)
    return [
        {"lines": json.dumps(dict(answer.lines)), "goods": titles.get(answer.code, ""),
         "quantity": answer.quantity, "all": " · ".join(f"{titles[c]} ×{q}" for c, q in answer.lines.items())}
        for answer in found
    ]  # fmt: skip


def _fields(proposal: Proposal, offers: dict[int, Any], certain: dict[str, str]) -> list[dict[str, str]]:
    """A number for every offer, what is certain filled in, what the question is about first."""
    likely = {code for question in proposal.questions for code in question.choices}
    rows = [
        {"code": offer.code, "label": offer.title, "value": certain.get(offer.code, "")}
        for offer in offers.values()
    ]
    return sorted(rows, key=lambda row: not (row["value"] or row["code"] in likely))


def _question(question: Any) -> dict[str, Any]:
    """A question in words; if it asks who somebody is, with the members that it may be."""
    choices = []
    if question.reason == "which_member":
        for member in Member.objects.filter(pk__in=[int(choice) for choice in question.choices]):
            choices.append({"member": member.pk, "label": f"{member.display_name} {member.room}".strip()})
    return {
        "text": question_text(question.reason),
        "reason": question.reason,
        "choices": choices,
        "evidence": " ".join(evidence.text for evidence in question.evidence),
    }


@require_POST
@login_required
def answer(request: HttpRequest, listing: str, paste: str) -> HttpResponse:
    """One tap on one answer; for HTMX the changed part of the page, else the page again."""
    row = paste_for_leader(request.user, paste, now=clock.now())
    try:
        row = decide(paste=row, key=request.POST.get("key", ""), decision=_decision(request, row))
    except OrderRefused as refusal:
        messages.error(request, str(refusal))
    if getattr(request, "htmx", False):
        row = paste_for_leader(request.user, paste, now=clock.now())
        return render(request, "workbench/paste_diff.html#diff", _diff_context(row))
    return redirect("workbench:paste-diff", listing=row.listing.public_id, paste=row.public_id)


def _decision(request: HttpRequest, paste: ChainPaste) -> dict[str, Any]:
    data = request.POST.dict()
    for word in ("skip", "cancel", "keep", "new_member"):
        if word in data:
            return {word: True}
    if member := number(data.get("member", "")):
        return {"member": member}
    if "undo" in data:
        return {}
    if "take" in data:
        return {"lines": _taken(data["take"])}
    lines = {
        name.removeprefix("qty_"): value.strip()
        for name, value in data.items()
        if name.startswith("qty_") and value.strip() not in ("", "0")
    }
    if not lines:
        raise OrderRefused(_("Enter how many of which goods, or leave the line out."))
    return {"lines": lines}


def _taken(words: str) -> dict[str, str]:
    """What an answer's button says would be booked: code -> quantity."""
    try:
        lines = json.loads(words)
    except ValueError:
        lines = None
    if not isinstance(lines, dict) or not lines or not all(isinstance(q, str) for q in lines.values()):
        raise OrderRefused(_("Enter how many of which goods, or leave the line out."))
    return lines


@require_POST
@login_required
def book(request: SignedInRequest, listing: str, paste: str) -> HttpResponse:
    row = paste_for_leader(request.user, paste, now=clock.now())
    results = book_paste(paste=row, acting_person=request.user.person, now=clock.now())
    done = sum(not result.refusal for result in results)
    if done:
        messages.success(request, _("%(count)s entries of the chain are booked.") % {"count": done})
    for result in results:
        if result.refusal:
            messages.error(request, f"{result.proposal.name}: {result.refusal}")
    if not results:
        messages.info(request, _("Nothing new: everything in this chain is booked already."))
    return redirect("workbench:paste-diff", listing=row.listing.public_id, paste=row.public_id)


@require_GET
@login_required
def match(request: HttpRequest, listing: str) -> HttpResponse:
    """Chain line, order, payment: what does not match stands on top."""
    row = listing_for_leader(request.user, listing, now=clock.now())
    rows = match_listing(listing=row, paste=last_paste(row))
    context = {
        "now": clock.now(),
        "listing": row,
        "campaign": row.campaign,
        "troubled": [r for r in rows if r.troubles],
        "fine": [r for r in rows if not r.troubles],
    }
    return render(request, "workbench/match.html", context)


@require_GET
@login_required
def unpaid(request: HttpRequest, listing: str) -> HttpResponse:
    """Who still has to pay, and a polite text for the group."""
    row = listing_for_leader(request.user, listing, now=clock.now())
    orders = unpaid_orders(listing=row)
    context = {
        "now": clock.now(),
        "listing": row,
        "campaign": row.campaign,
        "orders": orders,
        "total_fen": sum(order.unpaid_fen for order in orders),
        "text": unpaid_reminder(listing=row, orders=orders) if orders else "",
    }
    return render(request, "workbench/unpaid.html", context)
