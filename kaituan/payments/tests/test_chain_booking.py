"""From pasted chat text to orders: a diff first, then only what is certain or decided, and never twice."""

from datetime import timedelta

import pytest

from kaituan.ordering.models import ChainPaste, Order
from kaituan.ordering.pasting import Change, decide, expire_pastes, paste_chain, propose
from kaituan.ordering.services import OrderRefused
from kaituan.payments.chain_booking import book_paste
from kaituan.people.models import Member
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
HEAD = "#接龙\n周五水果团 橙子 39.9/5斤 草莓 25/盒\n\n"


@pytest.fixture
def town():
    make.station()
    make.open_books()

    class Town:
        campaign = make.campaign()
        listing = make.listing(campaign)
        oranges = make.offer(campaign, title="橙子", sale_unit="5斤")
        berries = make.offer(campaign, title="草莓", sale_unit="盒", price_fen=2500)
        leader = listing.leader

    return Town


def paste(town, lines):
    return paste_chain(listing=town.listing, text=HEAD + lines, acting_person=town.leader.person, now=NOON)


def book(town, pasted):
    return book_paste(paste=pasted, acting_person=town.leader.person, now=NOON)


def changes(pasted):
    return {p.name: p.change for p in propose(paste=pasted)}


def items(order):
    return {line.offer.title: line.quantity for line in order.lines.filter(quantity__gt=0)}


def test_a_pasted_chain_shows_a_diff_before_anything_is_booked(town):
    pasted = paste(town, "1. 张敏 橙子2 草莓1\n2. 何姐 +1\n3. 李阿姨 3-502 草莓两盒 已付")
    assert changes(pasted) == {"张敏": Change.NEW, "何姐": Change.ASK, "李阿姨": Change.NEW}
    assert not Order.objects.exists()


def test_certain_lines_are_booked_and_doubtful_ones_left_for_a_decision(town):
    pasted = paste(town, "1. 张敏 橙子2 草莓1\n2. 何姐 +1\n3. 李阿姨 3-502 草莓两盒 已付")
    book(town, pasted)
    zhang, li = Order.objects.order_by("follow_number")
    assert (items(zhang), items(li)) == ({"橙子": 2, "草莓": 1}, {"草莓": 2})
    assert (li.member.room, li.claims_paid, li.chat_number, li.source) == ("3-502", True, 3, "chain")
    assert {o.status for o in (zhang, li)} == {"confirmed"}
    [question] = [p for p in propose(paste=pasted) if p.change == Change.ASK]
    decide(paste=pasted, key=question.key, decision={"lines": {"A": 1}})
    pasted.refresh_from_db()
    book(town, pasted)
    assert items(Order.objects.get(member__display_name="何姐")) == {"橙子": 1}
    assert Order.objects.count() == 3


def test_pasting_the_grown_chain_books_only_what_is_new(town):
    book(town, paste(town, "1. 张敏 橙子2\n2. 赵六 草莓1"))
    grown = paste(town, "1. 张敏 橙子3\n2. 赵六 草莓1\n3. 王芳 草莓2")
    assert changes(grown) == {"张敏": Change.CHANGED, "赵六": Change.SAME, "王芳": Change.NEW}
    for _ in range(2):
        book(town, grown)
    orders = {o.member.display_name: items(o) for o in Order.objects.all()}
    assert orders == {"张敏": {"橙子": 3}, "赵六": {"草莓": 1}, "王芳": {"草莓": 2}}
    assert Member.objects.filter(display_name="张敏").count() == 1


def test_who_vanished_from_the_chain_is_asked_about_and_never_cancelled_silently(town):
    book(town, paste(town, "1. 张敏 橙子2\n2. 赵六 草莓1"))
    shorter = paste(town, "1. 张敏 橙子2")
    [gone] = [p for p in propose(paste=shorter) if p.change == Change.GONE]
    book(town, shorter)
    assert Order.objects.filter(status="confirmed").count() == 2
    decide(paste=shorter, key=gone.key, decision={"cancel": True})
    shorter.refresh_from_db()
    book(town, shorter)
    assert Order.objects.get(member__display_name="赵六").status == "cancelled"


def test_who_takes_it_back_in_the_chat_is_cancelled(town):
    book(town, paste(town, "1. 张敏 橙子2\n2. 赵六 草莓1"))
    book(town, paste(town, "1. 张敏 橙子2\n2. 赵六 草莓1\n赵六 取消"))
    assert Order.objects.get(member__display_name="赵六").status == "cancelled"


def test_an_order_placed_by_tap_and_written_in_the_chain_is_one_order(town):
    zhang = make.member(town.listing.group, "张敏")
    make.place(town.listing, zhang, (town.oranges, 2))
    pasted = paste(town, "1. 张敏 橙子2\n2. 赵六 草莓1")
    assert changes(pasted) == {"张敏": Change.SAME, "赵六": Change.NEW}


def test_two_members_of_one_name_are_told_apart_by_their_room_or_asked_about(town):
    make.member(town.listing.group, "张敏", room="3-502")
    make.member(town.listing.group, "张敏", room="5-101")
    assert changes(paste(town, "1. 张敏 3栋502 橙子1")) == {"张敏": Change.NEW}
    unsure = paste(town, "1. 张敏 橙子1")
    [question] = propose(paste=unsure)
    assert (question.change, question.questions[-1].reason) == (Change.ASK, "which_member")
    decide(paste=unsure, key=question.key, decision={"member": int(question.questions[-1].choices[1])})
    unsure.refresh_from_db()
    book(town, unsure)
    assert Order.objects.get().member.room == "5-101"


def test_what_is_sold_out_is_answered_and_the_rest_is_booked(town):
    town.berries.pool_links.get().pool.__class__.objects.filter(
        pk=town.berries.pool_links.get().pool_id
    ).update(available_quantity=1)
    results = book(town, paste(town, "1. 张敏 橙子2\n2. 赵六 草莓5\n3. 王芳 草莓1"))
    refused = {r.proposal.name: r.refusal for r in results if r.refusal}
    assert list(refused) == ["赵六"]
    assert Order.objects.count() == 2


def test_an_unknown_code_an_empty_text_and_a_book_are_refused(town):
    pasted = paste(town, "1. 张敏 橙子2")
    with pytest.raises(OrderRefused):
        decide(paste=pasted, key="x", decision={"lines": {"Z": 1}})
    with pytest.raises(OrderRefused):
        decide(paste=pasted, key="x", decision={"lines": {"A": "many"}})
    for text in ("", "  \n", "接" * 200_001):
        with pytest.raises(OrderRefused):
            paste_chain(listing=town.listing, text=text, acting_person=town.leader.person, now=NOON)


def test_pasted_text_is_deleted_after_its_days_and_the_orders_stay(town):
    pasted = paste(town, "1. 张敏 橙子2")
    book(town, pasted)
    assert expire_pastes(now=NOON + timedelta(days=29)) == 0
    assert expire_pastes(now=NOON + timedelta(days=30)) == 1
    assert ChainPaste.objects.get().text == ""
    assert Order.objects.count() == 1
