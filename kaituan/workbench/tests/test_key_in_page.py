"""Ordering for somebody who pays cash: one row, Enter, the next."""

import pytest

from kaituan.ordering.models import Order
from kaituan.payments.models import Payment
from kaituan.workbench.tests.conftest import text_of


@pytest.fixture
def url(town):
    return f"/work/l/{town.listing.public_id}/key-in/"


def row(**fields):
    return {"who": "王阿姨", "what": "A2 B1", "paid_by": "cash", "note": "", "key": "k1", **fields}


def test_enter_books_the_order_with_the_cash_and_clears_the_row(town, owner, url):
    answer = owner.post(url, row(), follow=True)
    order = Order.objects.get()
    assert (order.member, order.source, order.due_fen, order.unpaid_fen) == (town.wang, "key_in", 9180, 0)
    assert Payment.objects.get().channel == "cash"
    page = text_of(answer)
    assert "1号 王阿姨 已记下" in page
    assert 'name="who" value=""' in page


def test_the_same_row_twice_is_one_order(owner, url):
    owner.post(url, row())
    owner.post(url, row())
    assert (Order.objects.count(), Payment.objects.count()) == (1, 1)


def test_not_paid_yet_takes_no_money(owner, url):
    owner.post(url, row(paid_by=""))
    assert Order.objects.get().unpaid_fen == 9180
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"who": " "},
        {"what": ""},
        {"what": "西瓜2"},
        {"what": "A0"},
        {"what": "A999"},
        {"paid_by": "gold"},
        {"what": "A*99999999999999999999"},
        {"what": "一" * 501},
        {"what": f"A*{'9' * 5000}"},
        {"key": ""},
        {"key": "k" * 65},
    ],
)
def test_what_cannot_be_booked_keeps_what_was_typed(owner, url, wrong):
    answer = owner.post(url, row(note="放门口", **wrong))
    assert answer.status_code == 422
    page = text_of(answer)
    assert "放门口" in page
    for typed in wrong.values():
        assert f'value="{typed}"' in page or typed == "gold"
    assert not Order.objects.exists()
    assert not Payment.objects.exists()


def test_after_the_cut_off_nothing_is_keyed_in(arrived, owner, url):
    before = Order.objects.count()
    assert owner.post(url, row()).status_code == 422
    assert Order.objects.count() == before


def test_only_who_runs_the_listing_keys_in(helper, stranger, buyer, nobody, url):
    for client in (stranger, buyer):
        assert client.post(url, row()).status_code == 404
    assert nobody.post(url, row())["Location"].startswith("/sign-in/")
    assert not Order.objects.exists()
    helper.post(url, row())
    assert Order.objects.count() == 1


def test_the_seller_hears_what_it_will_pay_and_a_helper_does_not(town, owner, helper, url):
    for number, (client, heard) in enumerate([(owner, True), (helper, False)]):
        page = text_of(client.post(url, row(what="A2", key=f"k{number}"), follow=True))
        assert ("可得 ¥8.97" in page) == heard
        assert "已记下" in page
