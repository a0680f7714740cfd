"""A pasted chain against what is booked: new, changed, withdrawn, gone, and what has to be asked.

Reading is `chain/`; booking moves stock and money and is `payments/chain_booking.py`. Here a text becomes
proposals that a leader looks at before anything happens.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.campaigns.models import Listing, Offer
from kaituan.money.quantities import QuantityError, to_base_steps
from kaituan.ordering.chain import OrderRead, Product, Question, Reading, read_chain
from kaituan.ordering.models import ChainLink, ChainPaste, Order
from kaituan.ordering.services import OrderRefused
from kaituan.ordering.states import LIVE
from kaituan.people.models import Member, Person, Station

MAX_TEXT = 200_000
"""Characters: some 5,000 chain lines, far more than a chat holds."""
MAX_LINE = 1_000
"""Characters of one line. The reader looks back along a line: one of the whole length would take it hours."""


class Change(StrEnum):
    """What booking would do with one entry of the chain."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    WITHDRAWN = "withdrawn"
    """The member took it back in the chat."""
    GONE = "gone"
    """Booked before, not in this text any more: asked about, never cancelled silently."""
    ASK = "ask"
    """Cannot be booked before somebody decides."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One entry of the chain (or, when gone, one order), and what would become of it.

    quantities: offer id -> base steps, all that would be booked. questions: what is open about it.
    """

    key: str
    change: Change
    name: str
    entry: OrderRead | None
    order: Order | None
    member: Member | None
    quantities: Mapping[int, int]
    questions: tuple[Question, ...] = ()
    decision: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """What the entry asks for: changes when the member edits it."""
        text = json.dumps(sorted(self.quantities.items()))
        return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def paste_chain(*, listing: Listing, text: str, acting_person: Person, now: datetime) -> ChainPaste:
    """Keep a pasted text for reading and deciding. Raises OrderRefused when it is empty or far too long."""
    if not text.strip():
        raise OrderRefused(_("Paste the chain from the chat first."))
    if len(text) > MAX_TEXT or max(map(len, text.splitlines())) > MAX_LINE:
        raise OrderRefused(_("This text is too long: paste only the chain."))
    station = Station.objects.first()
    days = station.chain_text_days if station else 30
    return ChainPaste.objects.create(
        # PostgreSQL text holds anything but the null character.
        listing=listing, text=text.replace("\x00", ""), pasted_by=acting_person, pasted_at=now,
        expires_at=now + timedelta(days=days),
    )  # fmt: skip


@transaction.atomic
def decide(*, paste: ChainPaste, key: str, decision: Mapping[str, Any]) -> ChainPaste:
    """Note what the leader chose for one entry.

    decision: `{"lines": {code: quantity}}` to book exactly that, `{"skip": true}` to leave the entry out,
    `{"cancel": true}` or `{"keep": true}` for an order that is gone from the chain, `{"member": id}` to say who
    it is, `{}` to take the decision back. Raises OrderRefused for an unknown code or quantity.
    """
    paste = ChainPaste.objects.select_for_update().get(pk=paste.pk)
    offers = {offer.code: offer for offer in paste.listing.campaign.offers.all()}
    for code, quantity in dict(decision.get("lines", {})).items():
        if code not in offers:
            raise OrderRefused(_("There is no product %(code)s in this group buy.") % {"code": code})
        _steps(offers[code], quantity)
    if decision:
        paste.decisions[key] = dict(decision)
    else:
        paste.decisions.pop(key, None)
    paste.save(update_fields=["decisions"])
    return paste


def expire_pastes(*, now: datetime) -> int:
    """Delete the text of old pastes; which orders they booked stays."""
    return ChainPaste.objects.filter(expires_at__lte=now).exclude(text="").update(text="", decisions={})


def chain_products(offers: Sequence[Offer]) -> list[Product]:
    """The campaign's offers as the chain reader wants them."""
    return [
        Product(
            code=offer.code,
            name=offer.title,
            aliases=tuple(offer.variant.product.aliases),
            unit=offer.sale_unit,
            price_fen=offer.price_fen,
        )
        for offer in offers
    ]


def read_paste(*, paste: ChainPaste) -> Reading:
    """The reading of a pasted text; the same text reads the same every time."""
    offers = list(paste.listing.campaign.offers.select_related("variant__product"))
    return read_chain(paste.text, chain_products(offers))


def propose(*, paste: ChainPaste) -> list[Proposal]:
    """What booking this paste would do, questions first, in the chain's own order."""
    reading = read_paste(paste=paste)
    listing = paste.listing
    offers = {offer.code: offer for offer in listing.campaign.offers.all()}
    questions: dict[str, list[Question]] = defaultdict(list)
    for question in reading.questions:
        questions[question.key].append(question)
    booked = _Booked(listing)
    proposals = [
        _propose_entry(
            entry=entry,
            questions=tuple(questions.get(entry.key, ())),
            decision=paste.decisions.get(entry.key, {}),
            offers=offers,
            booked=booked,
        )
        for entry in reading.orders
    ]
    seen = {proposal.order.pk for proposal in proposals if proposal.order}
    proposals += [
        Proposal(
            key=f"gone:{order.pk}", change=Change.GONE, name=order.member.display_name, entry=None, order=order,
            member=order.member, quantities={}, decision=paste.decisions.get(f"gone:{order.pk}", {}),
        )
        for order in booked.linked_orders()
        if order.pk not in seen and order.status in LIVE
    ]  # fmt: skip
    return sorted(proposals, key=lambda p: p.change not in (Change.ASK, Change.GONE))


class _Booked:
    """What a listing has already: its links, live orders and members, looked up by name."""

    def __init__(self, listing: Listing) -> None:
        orders = listing.orders.select_related("member").prefetch_related("lines").order_by("follow_number")
        self._orders = {order.pk: order for order in orders}
        self._by_key = dict(ChainLink.objects.filter(listing=listing).values_list("entry_key", "order_id"))
        self._live_by_name: dict[str, list[Order]] = defaultdict(list)
        for order in self._orders.values():
            if order.status in LIVE:
                self._live_by_name[order.member.display_name].append(order)
        self._members: dict[str, list[Member]] = defaultdict(list)
        for member in listing.group.members.filter(left_at__isnull=True).order_by("pk"):
            self._members[member.display_name].append(member)
            if member.room:
                self._members[f"room:{_room(member.room)}"].append(member)

    def order_of(self, entry: OrderRead) -> Order | None:
        """The order that stands for this entry: linked before, or placed by tap under the same number and name."""
        linked = self._by_key.get(entry.key)
        if linked is not None:
            order = self._orders[linked]
            return order if order.status in LIVE else None
        candidates = [
            order
            for order in self._live_by_name.get(entry.name, ())
            if order.pk not in self._by_key.values() and _room_fits(order.member, entry)
        ]
        numbered = [order for order in candidates if entry.seq in (order.follow_number, order.chat_number)]
        chosen = numbered or (candidates if len(candidates) == 1 else [])
        return chosen[0] if chosen else None

    def members_named(self, entry: OrderRead) -> list[Member]:
        """Members this entry may mean: of that name and no other room; by the room alone if it has no name."""
        if not entry.name:
            return self._members.get(f"room:{_room(entry.contact.room)}", []) if entry.contact.room else []
        named = self._members.get(entry.name, [])
        fitting = [member for member in named if _room_fits(member, entry)]
        exact = [m for m in fitting if entry.contact.room and _room(m.room) == _room(entry.contact.room)]
        return exact or fitting

    def linked_orders(self) -> list[Order]:
        return [self._orders[order_id] for order_id in self._by_key.values()]


def _propose_entry(
    *, entry: OrderRead, questions: tuple[Question, ...], decision: Mapping[str, Any],
    offers: Mapping[str, Offer], booked: _Booked,
) -> Proposal:  # fmt: skip
    order = booked.order_of(entry)
    member = order.member if order else None
    quantities = _quantities(entry=entry, decision=decision, offers=offers)
    if member is None:
        candidates = booked.members_named(entry)
        chosen = [m for m in candidates if m.pk == decision.get("member")]
        if len(candidates) == 1 or chosen:
            member = (chosen or candidates)[0]
        elif candidates and not decision.get("new_member"):
            questions = (*questions, _which_member(entry, candidates))
    answered = "lines" in decision or "skip" in decision
    name = entry.name or entry.contact.room or f"#{entry.seq}"
    if decision.get("skip"):
        change = Change.SAME
    elif any(q.reason == "which_member" for q in questions) or (questions and not answered):
        change = Change.ASK
    elif entry.cancelled:
        change = Change.WITHDRAWN if order else Change.SAME
    elif order is None:
        change = Change.NEW if quantities else Change.SAME
    else:
        booked_now = {line.offer_id: line.quantity for line in order.lines.all() if line.quantity}
        change = Change.SAME if booked_now == quantities else Change.CHANGED
    return Proposal(
        key=entry.key, change=change, name=name, entry=entry, order=order, member=member,
        quantities=quantities, questions=questions, decision=decision,
    )  # fmt: skip


def _quantities(
    *, entry: OrderRead, decision: Mapping[str, Any], offers: Mapping[str, Offer]
) -> dict[int, int]:
    """Base steps per offer: what the leader decided, else what was read."""
    if decision.get("skip"):
        return {}
    asked = decision.get("lines") or {line.code: line.qty for line in entry.lines}
    steps = {offers[code].pk: _steps(offers[code], quantity) for code, quantity in asked.items()}
    return {offer_id: quantity for offer_id, quantity in steps.items() if quantity}


def _steps(offer: Offer, quantity: object) -> int:
    try:
        return to_base_steps(Decimal(str(quantity)), steps_per_unit=offer.price_quantity)
    except (QuantityError, InvalidOperation) as error:
        raise OrderRefused(
            _("%(quantity)s is no quantity of %(title)s.") % {"quantity": quantity, "title": offer.title}
        ) from error


def _which_member(entry: OrderRead, candidates: Sequence[Member]) -> Question:
    return Question(
        seq=entry.seq, name=entry.name, reason="which_member",
        choices=tuple(str(member.pk) for member in candidates), evidence=entry.evidence, key=entry.key,
    )  # fmt: skip


def _room(text: str) -> str:
    """Only the numbers and letters of a room count: 3-502, 3#502 and 3栋502 are one door."""
    parts = "".join(c if c.isascii() and c.isalnum() else " " for c in text.lower()).split()
    return "-".join(parts)


def _room_fits(member: Member, entry: OrderRead) -> bool:
    return not (member.room and entry.contact.room) or _room(member.room) == _room(entry.contact.room)
