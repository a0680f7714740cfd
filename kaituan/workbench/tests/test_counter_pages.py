"""The hand-over: found by code, number, door or name; all, or a part; undone when it was the wrong member."""

from datetime import timedelta

import pytest

from kaituan.fulfilment.arrivals import pickup_code
from kaituan.fulfilment.models import HandOver
from kaituan.fulfilment.tests.conftest import EVENING
from kaituan.web import clock
from kaituan.workbench.tests.conftest import text_of


def url(order):
    return f"/work/counter/{order.public_id}/"


def all_of(order, **fields):
    lines = {f"line_{line.pk}": str(line.allocated_quantity) for line in order.lines.all()}
    return {"key": "k1", "method": "follow_number", **lines, **fields}


def handed(order):
    return sum(order.lines.values_list("handed_quantity", flat=True))


def test_a_number_a_door_a_name_and_a_code_find_the_same_order(arrived, owner):
    code = pickup_code(order=arrived.paid, now=EVENING)
    for text in ("1", "#1", "3-502", "张敏", code):
        page = owner.get("/work/counter/", {"q": text})
        assert [order.pk for order in page.context["found"]] == [arrived.paid.pk], text
    assert owner.get("/work/counter/", {"q": "没有的人"}).context["found"] == []


def test_who_waits_stands_there_before_anything_is_typed(arrived, owner, stranger):
    assert [order.pk for order in owner.get("/work/counter/").context["waiting"]] == [
        arrived.paid.pk, arrived.owing.pk,
    ]  # fmt: skip
    assert stranger.get("/work/counter/").context["waiting"] == []


def test_handing_over_twice_with_one_key_hands_over_once(arrived, owner):
    for _ in range(2):
        assert owner.post(url(arrived.paid), all_of(arrived.paid)).status_code == 302
    assert handed(arrived.paid) == 5
    assert HandOver.objects.count() == 2
    assert "下一位" in text_of(owner.get(url(arrived.paid)))


def test_a_part_now_and_the_rest_later(arrived, owner):
    oranges, _eggs = arrived.paid.lines.order_by("pk")
    owner.post(url(arrived.paid), {"key": "k1", "method": "name", f"line_{oranges.pk}": "1"})
    assert handed(arrived.paid) == 1
    assert 'value="2"' in text_of(owner.get(url(arrived.paid)))


@pytest.mark.parametrize("typed", ["4", "-1", "0.5", "viele"])
def test_an_amount_that_cannot_be_is_told_and_kept(arrived, owner, typed):
    oranges = arrived.paid.lines.order_by("pk")[0]
    answer = owner.post(url(arrived.paid), {"key": "k1", f"line_{oranges.pk}": typed})
    assert answer.status_code == 422
    assert f'value="{typed}"' in text_of(answer)
    assert handed(arrived.paid) == 0


def test_nothing_chosen_is_told(arrived, owner):
    assert owner.post(url(arrived.paid), {"key": "k1"}).status_code == 422


def test_unpaid_goods_stay_until_the_leader_says_so(arrived, owner):
    answer = owner.post(url(arrived.owing), all_of(arrived.owing))
    assert answer.status_code == 422
    assert 'name="despite_unpaid"' in text_of(answer)
    assert handed(arrived.owing) == 0
    owner.post(url(arrived.owing), all_of(arrived.owing, despite_unpaid="on"))
    assert handed(arrived.owing) == 1


def test_a_mistake_is_undone_within_minutes_only(arrived, owner):
    owner.post(url(arrived.paid), all_of(arrived.paid))
    undo = {"undo": [str(row.pk) for row in HandOver.objects.all()]}
    with clock.standing_at(EVENING + timedelta(minutes=16)):
        assert 'name="undo"' not in text_of(owner.get(url(arrived.paid)))
        assert owner.post(url(arrived.paid), undo).status_code == 422
    assert handed(arrived.paid) == 5
    owner.post(url(arrived.paid), undo)
    assert handed(arrived.paid) == 0


def test_undoing_another_orders_hand_over_through_this_page_changes_nothing(arrived, owner):
    owner.post(url(arrived.paid), all_of(arrived.paid))
    owner.post(url(arrived.owing), {"undo": [str(row.pk) for row in HandOver.objects.all()]})
    assert handed(arrived.paid) == 5


@pytest.mark.parametrize("bad", ["x", "9" * 30])
def test_a_made_up_undo_is_refused(arrived, owner, bad):
    assert owner.post(url(arrived.paid), {"undo": bad}).status_code in (302, 422)


def test_who_may_hand_over(arrived, helper, stranger, buyer, nobody):
    for client in (stranger, buyer):
        assert client.post(url(arrived.paid), all_of(arrived.paid)).status_code == 404
    assert nobody.post(url(arrived.paid), all_of(arrived.paid))["Location"].startswith("/sign-in/")
    assert handed(arrived.paid) == 0
    helper.post(url(arrived.paid), all_of(arrived.paid))
    assert handed(arrived.paid) == 5
    assert set(HandOver.objects.values_list("pickup_leader", flat=True)) == {arrived.leader.pk}
