"""The leader orders for somebody, mostly an elder who pays cash: one line of text, read like a chain line."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.campaigns.models import Listing, Offer
from kaituan.money.quantities import QuantityError, to_base_steps
from kaituan.ordering.chain import read_chain
from kaituan.ordering.core import LineRequest, OrderRequest, place_orders
from kaituan.ordering.models import Order
from kaituan.ordering.pasting import chain_products
from kaituan.ordering.refusals import refusal_text
from kaituan.payments.models import LEADER_CHANNELS
from kaituan.payments.receipts import leader_receives
from kaituan.people.models import Member, Person
from kaituan.people.refusals import PeopleRefused
from kaituan.people.services import add_member


class KeyInRefused(Exception):
    """The line cannot be booked as it stands; the message says what to change."""


@transaction.atomic
def key_in(
    *, listing: Listing, acting_person: Person, now: datetime, who: str, what: str, paid_by: str, note: str,
    key: str,
) -> Order:  # fmt: skip
    """Order for a member by name (`李阿姨`, `李阿姨 3-502`) what a chain line says (`A2 B`, `橙子2 草莓1`).

    paid_by: a leader's channel when the money was taken on the spot, else empty. A new name becomes a member.
    The same key again answers the first order. Raises KeyInRefused, PaymentRefused.
    """
    if len(what) > MAX_WHAT:
        raise KeyInRefused(_("Write the goods by code or name with how many, such as A*2 B*1."))
    if not key or len(key) > 64:
        raise KeyInRefused(_("This row cannot be booked: load the page again."))
    twin = Order.objects.filter(actor_id=acting_person.pk, idempotency_key=key).first()
    if twin is not None:
        return twin
    lines = _read(listing, what)
    member = _member(listing=listing, who=who, acting_person=acting_person, now=now)
    request = OrderRequest(
        listing_id=listing.pk,
        member_id=member.pk,
        actor_id=acting_person.pk,
        key=key,
        source=Order.Source.KEY_IN,
        settles="prepaid" if listing.campaign.prepaid_only else "leader",
        note=note[:500],
        lines=lines,
    )
    [answer] = place_orders(now=now, campaign_id=listing.campaign_id, version=None, requests=[request])
    if answer.order_id is None:
        raise KeyInRefused(refusal_text(answer=answer))
    order = Order.objects.select_related("member").get(pk=answer.order_id)
    if paid_by in LEADER_CHANNELS and order.unpaid_fen:
        leader_receives(
            order=order, leader=listing.leader, channel=paid_by, amount_fen=order.unpaid_fen,
            key=f"key-in:{order.public_id}", acting_person=acting_person, now=now,
        )  # fmt: skip
    return order


MOST_STEPS = 10**7
"""Base steps of one of the goods in one order: ten tonnes in grams. More is a slip of the finger, and past 64 bits."""
MAX_WHAT = 500
"""Characters: one line for one person."""
CODE_AND_COUNT = re.compile(r"(?P<code>[^*×xX]+)(?:[*×xX](?P<count>\d+(?:\.\d+)?))?")
"""The quickest way to type one of the goods: `3*2`, `A×2`, or a code alone for one."""


def _read(listing: Listing, what: str) -> list[LineRequest]:
    """Codes with counts (`3*2 9`); failing that the chain reader, so that a leader types as members write."""
    offers = list(listing.campaign.offers.select_related("variant__product"))
    by_code = {offer.code: offer for offer in offers}
    asked = _codes_and_counts(what, by_code)
    if asked is None:
        reading = read_chain(f"1. 团员 {what}", chain_products(offers))
        if reading.questions or len(reading.orders) != 1:
            asked = None
        else:
            asked = {line.code: line.qty for line in reading.orders[0].lines}
    if not asked:
        raise KeyInRefused(_("Write the goods by code or name with how many, such as A*2 B*1."))
    requests = []
    for code, quantity in asked.items():
        offer = by_code[code]
        try:
            steps = to_base_steps(quantity, steps_per_unit=offer.price_quantity)
            if steps > MOST_STEPS:
                raise QuantityError
        except QuantityError as error:
            raise KeyInRefused(
                _("%(quantity)s is no quantity of %(title)s.") % {"quantity": quantity, "title": offer.title}
            ) from error
        requests.append(LineRequest(offer_id=offer.pk, quantity=steps))
    return requests


def _codes_and_counts(what: str, by_code: Mapping[str, Offer]) -> dict[str, int | Decimal] | None:
    """Code -> quantity if every word is a code, perhaps with a count; None if any word is something else."""
    asked: dict[str, int | Decimal] = {}
    for word in what.replace("，", " ").replace(",", " ").split():
        found = CODE_AND_COUNT.fullmatch(word)
        if found is None:
            return None
        code = found["code"].upper() if found["code"].upper() in by_code else found["code"]
        if code not in by_code or code in asked:
            return None
        asked[code] = Decimal(found["count"] or 1)
    return asked


def _member(*, listing: Listing, who: str, acting_person: Person, now: datetime) -> Member:
    """The member of that name (and room, if two share it); a new one if nobody is called so."""
    who = " ".join(who.split())
    if not who:
        raise KeyInRefused(_("For whom? Write a name."))
    name, _space, room = who.partition(" ")
    members = listing.group.members.filter(left_at__isnull=True)
    whole = list(members.filter(display_name=who))
    named = whole or list(members.filter(display_name=name))
    if room and not whole:
        named = [member for member in named if member.room == room]
    if len(named) > 1:
        raise KeyInRefused(_("Two members are called %(name)s: add the room.") % {"name": name})
    if named:
        return named[0]
    try:
        return add_member(group=listing.group, name=name, room=room, now=now, acting_person=acting_person)
    except PeopleRefused as refusal:
        raise KeyInRefused(str(refusal)) from refusal
