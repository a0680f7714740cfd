"""One's own order: paid, changed, cancelled; and nobody else's."""

import pytest

from kaituan.ordering.models import Order
from kaituan.payments.gateways.registry import GATEWAYS
from tests import factories as make


@pytest.fixture
def order(town):
    return make.place(town.listing, town.zhang, (town.oranges, 2))


def fresh(order):
    return Order.objects.get(pk=order.pk)


def pay(client, order):
    to_gateway = client.post(f"/o/{order.public_id}/pay/", {"channel": "sandbox"})
    return client.post(to_gateway["Location"])


PAGES = ["", "edit/", "pay/"]


@pytest.mark.parametrize("page", PAGES)
def test_the_owner_sees_it(zhang_client, order, page):
    assert zhang_client.get(f"/o/{order.public_id}/{page}").status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_and_the_leader_do_not(town, stranger_client, client, order, page):
    assert stranger_client.get(f"/o/{order.public_id}/{page}").status_code == 404
    client.force_login(town.leader_account)
    assert client.get(f"/o/{order.public_id}/{page}").status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_nobody_is_asked_to_sign_in(client, order, page):
    assert client.get(f"/o/{order.public_id}/{page}")["Location"].startswith("/sign-in/")


def test_a_stranger_cannot_cancel_change_or_pay(stranger_client, order):
    for page in ("cancel/", "edit/", "pay/"):
        assert stranger_client.post(f"/o/{order.public_id}/{page}").status_code == 404
    assert fresh(order).status == "pending"


def test_paying_by_the_sandbox_confirms_and_paying_twice_takes_nothing_more(zhang_client, order):
    pay(zhang_client, order)
    assert (fresh(order).status, fresh(order).paid_fen) == ("confirmed", 7980)
    assert zhang_client.post(f"/o/{order.public_id}/pay/", {"channel": "sandbox"})["Location"] == (
        f"/o/{order.public_id}/"
    )


def test_where_real_money_is_taken_the_sandbox_pays_nothing(zhang_client, order, monkeypatch):
    begun = zhang_client.post(f"/o/{order.public_id}/pay/", {"channel": "sandbox"})["Location"]
    monkeypatch.delitem(GATEWAYS, "sandbox")
    assert "sandbox" not in zhang_client.get(f"/o/{order.public_id}/pay/").content.decode()
    assert zhang_client.post(f"/o/{order.public_id}/pay/", {"channel": "sandbox"}).status_code == 422
    assert zhang_client.post(begun).status_code == 404, "not even by an address of an earlier day"
    assert fresh(order).status == "pending"


def test_an_unknown_way_to_pay_is_refused(zhang_client, order):
    assert zhang_client.post(f"/o/{order.public_id}/pay/", {"channel": "gold"}).status_code == 422
    assert zhang_client.post(f"/o/{order.public_id}/pay/", {"channel": "balance"}).status_code == 422


def test_asking_for_more_leads_to_paying_the_rest(zhang_client, town, order):
    pay(zhang_client, order)
    answer = zhang_client.post(f"/o/{order.public_id}/edit/", {f"offer_{town.oranges.pk}": "3"})
    assert answer["Location"] == f"/o/{order.public_id}/pay/"
    assert fresh(order).unpaid_fen == 3990


def test_more_than_there_is_keeps_what_was_typed_and_changes_nothing(zhang_client, town, order):
    answer = zhang_client.post(f"/o/{order.public_id}/edit/", {f"offer_{town.oranges.pk}": "11"})
    assert answer.status_code == 422
    assert 'value="11"' in answer.content.decode()
    assert fresh(order).due_fen == 7980


def test_taking_everything_back_is_told_to_be_cancelling(zhang_client, town, order):
    answer = zhang_client.post(f"/o/{order.public_id}/edit/", {f"offer_{town.oranges.pk}": "0"})
    assert answer.status_code == 422
    assert fresh(order).status == "pending"


def test_cancelling_gives_the_stock_back_and_twice_is_once(zhang_client, town, order):
    pay(zhang_client, order)
    for _ in range(2):
        zhang_client.post(f"/o/{order.public_id}/cancel/")
    town.pool.refresh_from_db()
    assert (fresh(order).status, town.pool.available_quantity) == ("cancelled", 10)
    assert fresh(order).refunds.get().amount_fen == 7980


def test_cancelling_is_a_post(zhang_client, order):
    assert zhang_client.get(f"/o/{order.public_id}/cancel/").status_code == 405


def test_my_orders_shows_mine_only(zhang_client, stranger_client, order):
    assert "周五水果团" in zhang_client.get("/me/").content.decode()
    assert "周五水果团" not in stranger_client.get("/me/").content.decode()
