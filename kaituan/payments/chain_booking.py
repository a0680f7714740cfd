"""Booking a pasted chain: what is new is placed, what changed is amended, what was withdrawn is cancelled.

Here and not in `ordering/`, because an amendment and a withdrawal move money.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from kaituan.campaigns.models import Listing
from kaituan.ordering.core import LineRequest, OrderRequest, StockRefused, place_orders
from kaituan.ordering.models import ChainLink, ChainPaste, Order
from kaituan.ordering.pasting import Change, Proposal, propose
from kaituan.ordering.refusals import refusal_text, stock_refusal_text
from kaituan.ordering.services import OrderRefused
from kaituan.payments.order_changes import amend_order, cancel_order
from kaituan.people.models import Member, Person
from kaituan.people.services import add_member


@dataclass(frozen=True, slots=True)
class Booked:
    """What became of one proposal. refusal: why it was not booked, in the reader's language; empty if it was."""

    proposal: Proposal
    order: Order | None
    refusal: str = ""


@transaction.atomic
def book_paste(*, paste: ChainPaste, acting_person: Person, now: datetime) -> list[Booked]:
    """Book everything in a paste that is certain or decided; open questions stay open.

    Booking the same paste again, or the grown chain, books only the difference. An entry that the order core
    refuses (sold out, closed ...) is answered with its refusal; the others are booked all the same.
    """
    _one_booking_at_a_time(listing=paste.listing)
    paste = ChainPaste.objects.select_related("listing__campaign", "listing__group").get(pk=paste.pk)
    proposals = propose(paste=paste)
    results = _place_new([p for p in proposals if p.change == Change.NEW], paste, acting_person, now)
    for proposal in proposals:
        if proposal.change == Change.CHANGED:
            results.append(_amend(proposal, acting_person, now))
        elif proposal.change == Change.WITHDRAWN or proposal.decision.get("cancel"):
            results.append(_cancel(proposal, acting_person, now))
    for proposal in proposals:
        if proposal.order is not None and proposal.entry is not None:
            _link(paste, proposal, proposal.order)
    paste.booked_at = now
    paste.save(update_fields=["booked_at"])
    return results


def _one_booking_at_a_time(*, listing: Listing) -> None:
    # A lock of its own: the listing's row is locked by the order core after pools and offers, so holding it
    # from here on could deadlock with somebody who places an order at this moment.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"booking:{listing.pk}"])


def _place_new(
    proposals: Sequence[Proposal], paste: ChainPaste, acting_person: Person, now: datetime
) -> list[Booked]:
    listing = paste.listing
    settles = "prepaid" if listing.campaign.prepaid_only else "leader"
    requests: list[OrderRequest] = []
    for proposal in proposals:
        assert proposal.entry is not None
        member = proposal.member or _new_member(proposal, listing, acting_person, now)
        requests.append(
            OrderRequest(
                listing_id=listing.pk,
                member_id=member.pk,
                actor_id=acting_person.pk,
                key=f"paste:{paste.public_id}:{proposal.fingerprint[:8]}:{len(requests)}",
                source=Order.Source.CHAIN,
                settles=settles,
                note=proposal.entry.note[:500],
                chat_number=proposal.entry.seq,
                claims_paid=proposal.entry.paid,
                lines=[LineRequest(offer_id=o, quantity=q) for o, q in sorted(proposal.quantities.items())],
            )
        )
    answers = place_orders(now=now, campaign_id=listing.campaign_id, version=None, requests=requests)
    results = []
    for proposal, answer in zip(proposals, answers, strict=True):
        order = Order.objects.get(pk=answer.order_id) if answer.order_id else None
        if order is not None:
            _link(paste, proposal, order)
        results.append(Booked(proposal, order, "" if order else refusal_text(answer=answer)))
    return results


def _new_member(proposal: Proposal, listing: Listing, acting_person: Person, now: datetime) -> Member:
    assert proposal.entry is not None
    return add_member(
        group=listing.group,
        name=proposal.name[:60],
        room=proposal.entry.contact.room[:60],
        phone=proposal.entry.contact.phone,
        now=now,
        acting_person=acting_person,
    )


def _amend(proposal: Proposal, acting_person: Person, now: datetime) -> Booked:
    assert proposal.order is not None
    gone = dict.fromkeys(proposal.order.lines.values_list("offer_id", flat=True), 0)
    try:
        with transaction.atomic():
            order = amend_order(
                order=proposal.order,
                quantities={**gone, **proposal.quantities},
                acting_person=acting_person,
                now=now,
            )
    except (OrderRefused, StockRefused) as refusal:
        return Booked(proposal, None, _refusal_of(refusal))
    return Booked(proposal, order)


def _cancel(proposal: Proposal, acting_person: Person, now: datetime) -> Booked:
    assert proposal.order is not None
    try:
        with transaction.atomic():
            order = cancel_order(
                order=proposal.order, acting_person=acting_person, now=now, reason=_("Withdrawn in the chat.")
            )
    except OrderRefused as refusal:
        return Booked(proposal, None, str(refusal))
    return Booked(proposal, order)


def _link(paste: ChainPaste, proposal: Proposal, order: Order) -> None:
    ChainLink.objects.update_or_create(
        listing=paste.listing,
        entry_key=proposal.key,
        defaults={"order": order, "fingerprint": proposal.fingerprint, "paste": paste},
    )


def _refusal_of(refusal: OrderRefused | StockRefused) -> str:
    return stock_refusal_text(refusal=refusal) if isinstance(refusal, StockRefused) else str(refusal)
