"""One order as its leader sees it: taking the money, undoing that, cancelling."""

from datetime import timedelta

import pytest

from kaituan.ordering.models import Order
from kaituan.payments.models import Payment
from kaituan.payments.services import cancel_order
from kaituan.settlement import runs
from kaituan.settlement.models import Statement
from kaituan.settlement.tests.story import Shop
from kaituan.web import clock
from kaituan.workbench.tests.conftest import signed_in, text_of
from tests import factories as make
from tests.factories import NOON


@pytest.fixture
def order(town):
    return town.order(town.zhang, (town.oranges, 2))


def url(order):
    return f"/work/o/{order.public_id}/"


def money(**fields):
    return {"receive": "", "channel": "cash", "amount": "79.80", "key": "k1", **fields}


def fresh(order):
    return Order.objects.get(pk=order.pk)


def test_who_may_look(order, owner, helper, stranger, buyer, nobody):
    for client in (owner, helper):
        page = text_of(client.get(url(order)))
        assert "张敏" in page
        assert "3-502" in page
    for client in (stranger, buyer):
        assert client.get(url(order)).status_code == 404
        assert client.post(url(order), money()).status_code == 404
    assert nobody.get(url(order))["Location"].startswith("/sign-in/")
    assert fresh(order).paid_fen == 0


def test_taking_the_money_twice_with_one_key_takes_it_once(order, owner):
    for _ in range(2):
        owner.post(url(order), money())
    assert fresh(order).paid_fen == 7980
    assert Payment.objects.get().held_by_id == order.listing.leader_id


@pytest.mark.parametrize(
    "wrong", [{"amount": "lots"}, {"amount": "0"}, {"amount": "80"}, {"channel": "gold"}]
)
def test_an_amount_that_cannot_be_is_told_and_kept(order, owner, wrong):
    answer = owner.post(url(order), money(**wrong))
    assert answer.status_code == 422
    assert f'value="{wrong.get("amount", "79.80")}"' in text_of(answer)
    assert fresh(order).paid_fen == 0


def test_a_receipt_is_undone_while_it_is_fresh_and_only_on_its_own_order(town, order, owner):
    owner.post(url(order), money())
    payment = Payment.objects.get()
    other = town.order(town.wang, (town.eggs, 1))
    assert owner.post(url(other), {"undo": payment.public_id}).status_code == 422
    assert 'name="undo"' in text_of(owner.get(url(order)))
    owner.post(url(order), {"undo": payment.public_id})
    assert fresh(order).unpaid_fen == 7980


def test_an_old_receipt_is_not_undone(order, owner):
    owner.post(url(order), money())
    with clock.standing_at(NOON + timedelta(hours=1)):
        assert 'name="undo"' not in text_of(owner.get(url(order)))
        assert owner.post(url(order), {"undo": Payment.objects.get().public_id}).status_code == 422
    assert fresh(order).paid_fen == 7980


def test_cancelling_gives_the_goods_back_and_twice_is_once(town, order, owner):
    for _ in range(2):
        owner.post(url(order), {"cancel": "", "reason": "不要了"})
    assert fresh(order).status == "cancelled"
    assert town.oranges.pool_links.get().pool.available_quantity == 100


def test_after_the_cut_off_cancelling_is_refused(arrived, owner):
    page = owner.get(url(arrived.owing))
    assert 'name="cancel"' not in text_of(page)
    assert owner.post(url(arrived.owing), {"cancel": ""}).status_code == 422
    assert fresh(arrived.owing).status == "confirmed"


def test_a_post_that_says_nothing_changes_nothing(order, owner):
    assert owner.post(url(order)).status_code == 422


def test_the_seller_sees_what_the_order_will_pay_and_nobody_else(town, owner, helper):
    order = town.paid_order(town.zhang, (town.oranges, 2))
    page = text_of(owner.get(f"/work/o/{order.public_id}/"))
    assert "实付 79.80 元，按 10% 得 7.98 元" in page
    assert "8.<small>97" in page, "7.98 for selling, 0.99 for handing over"
    assert "得 7.98 元" not in text_of(helper.get(f"/work/o/{order.public_id}/"))
    cancel_order(order=order, acting_person=town.zhang.person, now=NOON)
    assert "得 7.98 元" not in text_of(owner.get(f"/work/o/{order.public_id}/"))


def test_once_it_is_settled_the_statement_says_it(db, noon):
    make.station()
    make.open_books(starts_at=NOON)
    make.plan()
    shop = Shop(make.leader("王姐"))
    line = shop.sell(100)
    ends_at = NOON + timedelta(days=30)
    later = ends_at + timedelta(hours=1)
    runs.close_and_settle(ends_at=ends_at, now=later, acting_person=None, engine="python")
    page = text_of(signed_in(shop.leader.person).get(f"/work/o/{line.order.public_id}/"))
    assert f"/work/money/{Statement.objects.get().public_id}/" in page
    assert "11.<small>20" in page, "10.00 for selling, 1.20 for handing over"
