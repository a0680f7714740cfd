"""One small town for the tests of this folder: two groups at two places, oranges and eggs of two suppliers."""

from datetime import timedelta

import pytest
from django.utils import translation

from kaituan.fulfilment.cutoff import cut_off
from kaituan.fulfilment.purchasing import send_all
from kaituan.fulfilment.receiving import Counted, receive
from kaituan.fulfilment.sharing import Policy, share_out
from kaituan.ledger.queries import broken_invariants
from kaituan.payments.gateways.sandbox import SandboxGateway
from kaituan.payments.services import gateway_succeeded, open_intent
from tests import factories as make
from tests.factories import NOON

CUT_OFF = NOON + timedelta(hours=10)
MORNING = NOON + timedelta(hours=20)
EVENING = NOON + timedelta(hours=30)


class Town:
    """Oranges at 39.90 (bought by the box of 4 at 100.00), eggs at 12.00 (each bought at 8.00)."""

    def __init__(self, **campaign):
        make.open_books()
        make.station()
        self.campaign = make.campaign(**campaign)
        self.orchard = make.supplier("绿野果园")
        self.farm = make.supplier("柳河农场")
        oranges = make.variant(
            make.product("赣南脐橙", supplier=self.orchard),
            steps_per_purchase_unit=4,
            purchase_price_fen=10_000,
        )
        eggs = make.variant(
            make.product("土鸡蛋", supplier=self.farm),
            sale_unit="盒",
            purchase_price_fen=800,
            purchase_unit="盒",
        )
        self.oranges = make.offer(self.campaign, make.pool(oranges), price_fen=3990, cost_fen=2500)
        self.eggs = make.offer(self.campaign, make.pool(eggs), price_fen=1200, cost_fen=800)
        self.listing = make.listing(self.campaign)
        self.elsewhere = make.listing(
            self.campaign,
            make.group(make.leader("李姐"), "望湖公园二群", pickup_point=make.pickup_point("望湖公园")),
        )
        self.leader = self.listing.leader
        self.operator = make.person("站长")
        self.zhang = make.member(self.listing.group, "张敏", room="3-502")
        self.wang = make.member(self.listing.group, "王阿姨", room="1-101")
        self.zhao = make.member(self.elsewhere.group, "赵磊")

    def order(self, member, *lines, settles="leader", now=NOON, **fields):
        listing = self.listing if member.group_id == self.listing.group_id else self.elsewhere
        return make.place(listing, member, *lines, settles=settles, now=now, **fields)

    def paid_order(self, member, *lines, now=NOON):
        order = self.order(member, *lines, settles="prepaid", now=now)
        pay(order, now=now)
        order.refresh_from_db()
        return order

    def cut_off(self, now=CUT_OFF, **by):
        done = cut_off(campaign=self.campaign, now=now, **by)
        self.campaign.refresh_from_db()
        return done

    def purchase_order(self, offer):
        return offer.campaign.snapshots.get(number=1).purchase_orders.get(
            supplier=offer.variant.product.supplier
        )

    def send_all(self, now=CUT_OFF):
        rows = self.campaign.snapshots.get(number=1).purchase_orders.all()
        return send_all(purchase_orders=rows, acting_person=self.operator, now=now)

    def receive(self, offer, quantity, now=MORNING, **counted):
        return receive(
            purchase_order=self.purchase_order(offer),
            counts=[Counted(variant_id=offer.variant_id, quantity=quantity, **counted)],
            acting_person=self.operator,
            now=now,
        )

    def share_out(self, offer, policy=Policy.FIRST_COME, now=MORNING):
        return share_out(
            campaign=self.campaign, variant=offer.variant, policy=policy, acting_person=self.operator, now=now
        )


def pay(order, *, now=NOON):
    """The member pays all that is due through the sandbox gateway."""
    intent = open_intent(order=order, channel="sandbox", now=now)
    reference = SandboxGateway().pay(intent=intent, now=now)
    return gateway_succeeded(
        intent=intent, external_reference=reference, amount_fen=intent.amount_fen, now=now
    )


@pytest.fixture
def town(db):
    town = Town()
    yield town
    assert broken_invariants() == []


@pytest.fixture(autouse=True)
def in_english():
    """Refusals are compared in the words of the code, whatever the site's language."""
    with translation.override("en"):
        yield
