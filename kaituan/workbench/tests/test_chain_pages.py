"""From the chat to orders and back: paste, answer, book, match, chase, write it out again."""

import pytest

from kaituan.ordering.models import ChainPaste, Order
from kaituan.ordering.pasting import Change, paste_chain, propose
from kaituan.people.models import Member
from kaituan.web import clock
from kaituan.workbench.tests.conftest import text_of

CHAIN = "#接龙 周五水果团\n1. 张敏 A2 B1\n2. 王阿姨 3份\n3. 新来的小李 B2"


@pytest.fixture
def url(town):
    return f"/work/l/{town.listing.public_id}/paste/"


@pytest.fixture
def pasted(town, owner, url):
    owner.post(url, {"text": CHAIN})
    return ChainPaste.objects.get()


def act(client, url, paste, what, **data):
    return client.post(f"{url}{paste.public_id}/{what}/", data)


@pytest.mark.parametrize("text", ["", "1. 张敏 A2\n" + "一" * 1_001, "1. 张敏 A2\n" * 30_000])
def test_a_text_that_is_no_chain_is_refused_at_once(owner, url, text):
    assert owner.post(url, {"text": text}).status_code == 422
    assert not ChainPaste.objects.exists()


@pytest.mark.parametrize("member", ["²", "9" * 40, "-1", ""])
def test_a_member_who_is_none_is_no_decision(town, owner, url, pasted, member):
    assert act(owner, url, pasted, "answer", key="x", member=member).status_code in (302, 400)
    assert "member" not in ChainPaste.objects.get().decisions.get("x", {})


def changes(paste):
    return {row.name: row.change for row in propose(paste=ChainPaste.objects.get(pk=paste.pk))}


def test_an_empty_text_is_refused(owner, url):
    assert owner.post(url, {"text": "  "}).status_code == 422
    assert not ChainPaste.objects.exists()


def test_a_text_far_too_long_keeps_what_was_typed(owner, url):
    answer = owner.post(url, {"text": "接" * 200_001})
    assert answer.status_code == 422
    assert "接接接" in text_of(answer)


def test_pasting_leads_to_a_look_and_books_nothing(owner, url, pasted):
    page = text_of(owner.get(f"{url}{pasted.public_id}/"))
    assert "新来的小李" in page
    assert "王阿姨 3份" in page
    assert "¥" in page
    assert not Order.objects.exists()


def test_an_answer_by_htmx_swaps_the_part_and_by_hand_the_page(town, owner, url, pasted):
    key = next(row.key for row in propose(paste=pasted) if row.change == Change.ASK)
    part = owner.post(
        f"{url}{pasted.public_id}/answer/", {"key": key, "qty_A": "3"}, headers={"hx-request": "true"}
    )
    assert part.status_code == 200
    assert text_of(part).lstrip().startswith('<div id="diff"')
    whole = act(owner, url, pasted, "answer", key=key, qty_B="3")
    assert whole.status_code == 302
    assert changes(pasted)["王阿姨"] == Change.NEW


def test_a_question_is_answered_by_one_tap_on_one_reading(owner, url, pasted):
    page = text_of(owner.get(f"{url}{pasted.public_id}/"))
    [key] = [row.key for row in propose(paste=pasted) if row.change == Change.ASK]
    button = '{"B": "3"}'
    assert button.replace('"', "&quot;") in page
    act(owner, url, pasted, "answer", key=key, take=button)
    assert changes(pasted)["王阿姨"] == Change.NEW
    act(owner, url, pasted, "book")
    assert Order.objects.get(member__display_name="王阿姨").due_fen == 3 * 1200


@pytest.mark.parametrize(
    "data",
    [
        {}, {"qty_A": "half"}, {"qty_Z": "1"}, {"qty_A": "-1"}, {"qty_A": "0.5"}, {"qty_A": "NaN"},
        {"take": ""}, {"take": "[]"}, {"take": "{}"}, {"take": '{"A": 3}'}, {"take": '{"Z": "3"}'},
        {"take": '{"A": "-1"}'},
    ],
)  # fmt: skip
def test_an_answer_that_says_nothing_is_told_and_leaves_the_question(owner, url, pasted, data):
    key = next(row.key for row in propose(paste=pasted) if row.change == Change.ASK)
    act(owner, url, pasted, "answer", key=key, **data)
    assert changes(pasted)["王阿姨"] == Change.ASK


def test_leaving_a_line_out_and_taking_that_back(owner, url, pasted):
    key = next(row.key for row in propose(paste=pasted) if row.change == Change.ASK)
    act(owner, url, pasted, "answer", key=key, skip="")
    assert changes(pasted)["王阿姨"] == Change.SAME
    act(owner, url, pasted, "answer", key=key, undo="")
    assert changes(pasted)["王阿姨"] == Change.ASK


def test_booking_twice_books_the_certain_once_and_leaves_the_question(town, owner, url, pasted):
    for _ in range(2):
        act(owner, url, pasted, "book")
    booked = Order.objects.order_by("follow_number")
    assert [(order.member.display_name, order.due_fen, order.source) for order in booked] == [
        ("张敏", 2 * 3990 + 1200, "chain"),
        ("新来的小李", 2400, "chain"),
    ]
    assert Member.objects.filter(group=town.listing.group, display_name="新来的小李").exists()
    assert changes(pasted)["王阿姨"] == Change.ASK


def test_what_cannot_be_had_is_named_and_the_rest_is_booked(town, owner, url):
    pool = town.oranges.pool_links.get().pool
    pool.supplied_quantity = pool.available_quantity = 1
    pool.save(update_fields=["supplied_quantity", "available_quantity"])
    owner.post(url, {"text": CHAIN})
    page = text_of(owner.post(f"{url}{ChainPaste.objects.get().public_id}/book/", follow=True))
    assert "张敏：" in page or "张敏:" in page
    assert [order.member.display_name for order in Order.objects.all()] == ["新来的小李"]


def test_an_order_gone_from_the_chain_is_asked_about_and_cancelled_only_on_a_tap(owner, url, pasted):
    act(owner, url, pasted, "book")
    owner.post(url, {"text": "#接龙 周五水果团\n1. 张敏 A2 B1"})
    newer = ChainPaste.objects.latest("pk")
    act(owner, url, newer, "book")
    gone = Order.objects.get(member__display_name="新来的小李")
    assert gone.status == "confirmed"
    act(owner, url, newer, "answer", key=f"gone:{gone.pk}", cancel="")
    act(owner, url, newer, "book")
    gone.refresh_from_db()
    assert gone.status == "cancelled"


@pytest.mark.parametrize("what", ["", "answer/", "book/"])
def test_a_paste_belongs_to_its_group(owner, stranger, nobody, url, pasted, what):
    address = f"{url}{pasted.public_id}/{what}"
    method = "post" if what else "get"
    assert getattr(stranger, method)(address).status_code == 404
    assert getattr(nobody, method)(address)["Location"].startswith("/sign-in/")


def test_the_helper_books_too(helper, url, pasted):
    act(helper, url, pasted, "book")
    assert Order.objects.count() == 2


def test_the_chain_as_text_reads_back_to_the_same_orders_and_shows_no_room(town, owner):
    town.order(town.zhang, (town.oranges, 2), (town.eggs, 1), note="放门口")
    town.order(town.wang, (town.eggs, 3))
    page = owner.get(f"/work/l/{town.listing.public_id}/text/")
    text = page.context["text"]
    assert "3-502" not in text
    again = paste_chain(listing=town.listing, text=text, acting_person=town.leader.person, now=clock.now())
    assert changes(again) == {"张敏": Change.SAME, "王阿姨": Change.SAME}


def test_the_match_puts_what_does_not_fit_on_top_with_words_to_copy(town, owner, url):
    town.order(town.wang, (town.eggs, 3))
    owner.post(url, {"text": "1. 张敏 A2 已付"})
    page = text_of(owner.get(f"/work/l/{town.listing.public_id}/match/"))
    assert page.index("张敏") < page.index("王阿姨")
    assert "付了款，没下单" in page
    assert 'id="remind-1"' in page
    assert 'data-copy="#remind-1"' in page


def test_the_unpaid_page_sums_up_and_offers_a_text(town, owner):
    town.order(town.wang, (town.eggs, 3))
    town.paid_order(town.zhang, (town.eggs, 1))
    page = text_of(owner.get(f"/work/l/{town.listing.public_id}/unpaid/"))
    assert "1单，共¥36.00" in page
    assert "#1" in page
    assert "张敏" not in page
