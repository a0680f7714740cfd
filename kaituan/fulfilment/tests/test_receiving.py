"""Counting what arrived: less, more, none, unordered; and what the supplier is owed for it."""

import pytest

from kaituan.fulfilment.models import PurchaseOrderLine
from kaituan.fulfilment.queries import final_purchase_orders, owed_fen, to_receive
from kaituan.fulfilment.receiving import Counted, Outcome, outcome, receive
from kaituan.fulfilment.refusals import ReceivingRefused
from kaituan.fulfilment.tests.conftest import MORNING
from kaituan.ledger.models import Entry
from kaituan.ledger.queries import balance_fen
from kaituan.ledger.services import AccountRef
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def bought(town):
    """5 oranges ordered, so 2 boxes of 4 are asked for; 3 boxes of eggs."""
    town.order(town.zhang, (town.oranges, 5), (town.eggs, 3))
    town.cut_off()
    town.send_all()
    return town


def owed(supplier):
    return balance_fen(AccountRef("supplier_payable", f"supplier:{supplier.pk}"))


@pytest.mark.parametrize(
    ("received", "expected", "fen"),
    [
        (8, Outcome.AS_ASKED, 20_000),
        (5, Outcome.LESS, 12_500),
        (12, Outcome.MORE, 30_000),
        (0, Outcome.NONE, 0),
    ],
)
def test_what_came_is_owed_for_at_the_purchase_price(bought, received, expected, fen):
    order = bought.receive(bought.oranges, received)
    line = order.lines.get()
    assert (outcome(line), order.status, order.received_at) == (expected, "received", MORNING)
    assert (owed(bought.orchard), owed_fen(purchase_order=order)) == (fen, fen)
    assert balance_fen(AccountRef("cost_of_goods")) == fen


def test_half_a_fen_is_rounded_up(bought):
    PurchaseOrderLine.objects.filter(variant=bought.oranges.variant).update(purchase_price_fen=10_002)
    bought.receive(bought.oranges, 1)
    assert owed(bought.orchard) == 2501


def test_a_count_is_corrected_by_posting_the_difference(bought):
    bought.receive(bought.oranges, 8)
    bought.receive(bought.oranges, 6)
    assert owed(bought.orchard) == 15_000
    bought.receive(bought.oranges, 7)
    assert owed(bought.orchard) == 17_500
    kinds = list(Entry.objects.values_list("kind", flat=True))
    assert kinds == ["goods_received"] * 3


def test_the_same_count_again_posts_nothing(bought):
    bought.receive(bought.oranges, 8)
    bought.receive(bought.oranges, 8)
    assert Entry.objects.count() == 1


def test_goods_that_were_shared_out_are_counted_for_good(bought):
    bought.receive(bought.oranges, 8)
    assert list(final_purchase_orders()) == []
    bought.share_out(bought.oranges)
    with pytest.raises(ReceivingRefused, match="already shared out"):
        bought.receive(bought.oranges, 7)
    bought.receive(bought.oranges, 8, note="两箱压坏")
    assert [row.supplier for row in final_purchase_orders()] == [bought.orchard]


def test_an_order_is_received_when_every_line_is_counted(town):
    apples = make.offer(town.campaign, make.pool(make.variant(make.product("苹果", supplier=town.orchard))))
    town.order(town.zhang, (town.oranges, 4), (apples, 1))
    town.cut_off()
    town.send_all()
    half = town.receive(town.oranges, 4)
    assert (half.status, owed(town.orchard)) == ("sent", 0)
    whole = town.receive(apples, 1)
    assert (whole.status, owed(town.orchard)) == ("received", 10_000 + 2800)


def test_what_nobody_ordered_stays_the_suppliers_unless_it_is_kept(bought):
    lemons = make.variant(make.product("柠檬", supplier=bought.orchard), purchase_price_fen=900)
    order = bought.purchase_order(bought.oranges)

    def count(*, keep):
        counts = [
            Counted(bought.oranges.variant_id, 0, note="送成柠檬"),
            Counted(lemons.pk, 3, keep=keep),
        ]
        receive(purchase_order=order, counts=counts, acting_person=bought.operator, now=MORNING)

    count(keep=False)
    line = order.lines.get(variant=lemons)
    assert (outcome(line), line.ordered_quantity, owed(bought.orchard)) == (Outcome.UNORDERED, 0, 0)
    count(keep=True)
    assert owed(bought.orchard) == 2700
    count(keep=False)
    assert owed(bought.orchard) == 0


def test_what_cannot_be_counted(bought):
    order = bought.purchase_order(bought.oranges)
    stranger = Counted(bought.eggs.variant_id, 1)
    twice = Counted(bought.oranges.variant_id, 1)
    for counts in ([Counted(bought.oranges.variant_id, -1)], [twice, twice], [stranger]):
        with pytest.raises(ReceivingRefused):
            receive(purchase_order=order, counts=counts, acting_person=None, now=MORNING)
    assert not order.lines.filter(received_quantity__isnull=False).exists()


def test_a_draft_is_not_received(town):
    town.order(town.zhang, (town.oranges, 5))
    town.cut_off()
    with pytest.raises(ReceivingRefused, match="Send purchase order"):
        town.receive(town.oranges, 8)


def test_the_work_list_shows_what_should_be_here(bought):
    pickup_on = bought.campaign.pickup_on
    assert [row.supplier for row in to_receive(until=pickup_on)] == [bought.farm, bought.orchard]
    bought.receive(bought.oranges, 8)
    assert [row.supplier for row in to_receive(until=pickup_on)] == [bought.farm]
    assert not to_receive(until=pickup_on.replace(day=1)).exists()
