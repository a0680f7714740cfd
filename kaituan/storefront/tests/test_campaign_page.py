"""The page behind the link in the chat: public, and the way into the chain."""

import re

import pytest
from django.test import Client

from kaituan.campaigns.models import Campaign
from kaituan.ordering.models import Order
from kaituan.payments.campaign_changes import do_price_change
from kaituan.people.models import Member
from tests import factories as make
from tests.factories import NOON


def basket(town, units="2"):
    return {f"offer_{town.oranges.pk}": units}


def url(town, rest=""):
    return f"/g/{town.listing.public_id}/{rest}"


def test_anybody_may_look_and_sees_masked_names_and_no_rooms(client, town):
    make.place(town.listing, town.zhang, (town.oranges, 1))
    page = client.get(url(town)).content.decode()
    assert "周五水果团" in page
    assert "张*" in page
    assert "张敏" not in page
    assert "3-502" not in page


def test_a_draft_and_a_made_up_address_are_not_found(client, town):
    Campaign.objects.update(status="draft")
    assert client.get(url(town)).status_code == 404
    assert client.get("/g/nosuchthing/").status_code == 404


def test_who_is_not_signed_in_keeps_the_basket_through_signing_in(client, town):
    answer = client.post(url(town, "join/"), basket(town))
    assert (answer.status_code, answer["Location"]) == (303, url(town, "join/"))
    assert client.get(url(town, "join/"))["Location"].startswith("/sign-in/")
    client.force_login(town.account)
    assert "7,980" not in client.get(url(town, "join/")).content.decode()
    assert "79.<small>80</small>" in client.get(url(town, "join/")).content.decode()


@pytest.mark.parametrize("units", ["0", "", "-1", "1.5", "abc", "99999"])
def test_what_cannot_be_ordered_is_said_and_nothing_is_placed(zhang_client, town, units):
    answer = zhang_client.post(url(town, "join/"), basket(town, units))
    assert answer.status_code == 422
    assert not Order.objects.exists()


def confirm(client, town, **fields):
    client.post(url(town, "join/"), basket(town))
    return client.post(url(town, "join/"), {"confirm": "1", "key": "k1", "settles": "prepaid", **fields})


def test_confirming_places_the_order_and_goes_on_to_pay(zhang_client, town):
    answer = confirm(zhang_client, town, note="放门口")
    order = Order.objects.get()
    assert answer["Location"] == f"/o/{order.public_id}/pay/"
    assert (order.member, order.source, order.note, order.due_fen) == (town.zhang, "tap", "放门口", 7980)


def test_a_double_click_places_one_order(zhang_client, town):
    confirm(zhang_client, town)
    confirm(zhang_client, town)
    assert Order.objects.count() == 1


def test_a_newcomer_gives_a_name_and_becomes_a_member(stranger_client, town):
    assert confirm(stranger_client, town).status_code == 422
    confirm(stranger_client, town, display_name="小陈", room="2-101")
    member = Member.objects.get(person=town.stranger.person)
    assert (member.display_name, member.room, member.group) == ("小陈", "2-101", town.listing.group)


def test_a_price_that_rose_since_it_was_shown_is_looked_at_again_first(zhang_client, town):
    zhang_client.post(url(town, "join/"), basket(town))
    shown = zhang_client.get(url(town, "join/")).content.decode()
    version = re.search(r'name="version" value="(\d+)"', shown)[1]
    do_price_change(
        offer=town.oranges, price_fen=5990, expected_version=town.campaign.version,
        acting_person=town.campaign.created_by, now=NOON,
    )  # fmt: skip
    again = confirm(zhang_client, town, version=version, note="放门口")
    assert (again.status_code, Order.objects.count()) == (422, 0)
    page = again.content.decode()
    assert "119.<small>80</small>" in page
    assert "放门口" in page
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    confirm(zhang_client, town, version=version)
    assert Order.objects.get().due_fen == 11_980


@pytest.mark.parametrize("settles", ["later", "leader", "settles for nothing"])
def test_where_all_is_prepaid_nothing_else_can_be_posted(zhang_client, town, settles):
    Campaign.objects.update(prepaid_only=True)
    assert confirm(zhang_client, town, settles=settles).status_code == 422
    assert not Order.objects.exists()


def test_another_site_may_fill_a_basket_that_is_looked_at_but_order_nothing(town):
    client = Client(enforce_csrf_checks=True)
    client.force_login(town.account)
    assert client.post(url(town, "join/"), basket(town)).status_code == 303
    answer = client.post(url(town, "join/"), {"confirm": "1", "key": "k1", "settles": "leader"})
    assert (answer.status_code, Order.objects.count()) == (403, 0)


def test_paying_the_leader_confirms_at_once(zhang_client, town):
    answer = confirm(zhang_client, town, settles="leader")
    order = Order.objects.get()
    assert (answer["Location"], order.status) == (f"/o/{order.public_id}/", "confirmed")


def test_more_than_there_is_says_how_much_is_left(zhang_client, town):
    make.place(town.listing, make.member(town.listing.group, "李阿姨"), (town.oranges, 9))
    answer = confirm(zhang_client, town)
    assert answer.status_code == 422
    assert "1" in answer.content.decode()
    assert Order.objects.count() == 1


def test_after_the_cut_off_nothing_is_placed_and_the_page_says_so(zhang_client, town):
    Campaign.objects.update(closes_at=make.NOON)
    assert confirm(zhang_client, town).status_code == 422
    assert 'form="basket"' not in zhang_client.get(url(town)).content.decode()
    assert not Order.objects.exists()
