"""One order as its leader sees it: taking the money, undoing that, cancelling."""

from datetime import timedelta

import pytest

from kaituan.ordering.models import Order
from kaituan.payments.models import Payment
from kaituan.web import clock
from kaituan.workbench.tests.conftest import text_of
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
