"""What the order core promises: stock, limits, windows, versions, replays."""

from datetime import timedelta

import pytest

from kaituan.ordering.core import LineRequest, Outcome, StockChange, StockRefused, move_stock, place_orders
from kaituan.ordering.models import Order, OrderLine
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def town():
    class Town:
        campaign = make.campaign()
        listing = make.listing(campaign)
        oranges = make.offer(campaign, make.pool(quantity=10))
        zhang = make.member(listing.group, "张敏")
        li = make.member(listing.group, "李阿姨")

    return Town


def outcomes(answers):
    return [answer.outcome for answer in answers]


def place(town, *requests, now=NOON, version=None):
    return place_orders(now=now, campaign_id=town.campaign.pk, version=version, requests=requests)


def test_an_order_gets_the_next_follow_number_and_takes_its_stock(town):
    answers = place(
        town,
        make.request(town.listing, town.zhang, (town.oranges, 2)),
        make.request(town.listing, town.li, (town.oranges, 1)),
    )
    assert outcomes(answers) == ["placed", "placed"]
    assert [answer.follow_number for answer in answers] == [1, 2]
    assert [answer.due_fen for answer in answers] == [7980, 3990]
    town.oranges.refresh_from_db()
    assert town.oranges.sold_quantity == 3
    assert town.oranges.pool_links.get().pool.available_quantity == 7


def test_lines_keep_price_cost_and_promised_rate_as_they_were(town):
    town.listing.sale_rate_bp = 1200
    town.listing.save()
    order = make.place(town.listing, town.zhang, (town.oranges, 2))
    line = order.lines.get()
    assert (line.amount_fen, line.cost_fen, line.sale_rate_bp) == (7980, 5600, 1200)
    assert (order.status, order.pay_by) == ("pending", NOON + timedelta(minutes=30))


def test_the_same_key_places_one_order_however_often_it_is_sent(town):
    request = make.request(town.listing, town.zhang, (town.oranges, 2))
    first, twin = place(town, request, request)
    [replay] = place(town, request)
    assert outcomes([first, twin, replay]) == ["placed", "already_placed", "already_placed"]
    assert first.order_id == twin.order_id == replay.order_id
    assert Order.objects.count() == 1


def test_stock_goes_out_in_order_and_each_order_is_all_or_nothing(town):
    answers = place(
        town,
        make.request(town.listing, town.zhang, (town.oranges, 6)),
        make.request(town.listing, town.li, (town.oranges, 5)),
        make.request(town.listing, town.zhang, (town.oranges, 4)),
    )
    assert outcomes(answers) == ["placed", "sold_out", "placed"]
    assert (answers[1].offer_id, answers[1].left_quantity) == (town.oranges.pk, 4)


def test_two_offers_on_one_pool_share_its_stock(town):
    pool = town.oranges.pool_links.get().pool
    triple = make.offer(town.campaign, pool, price_fen=9990)
    triple.pool_links.update(steps_per_step=3)
    answers = place(
        town,
        make.request(town.listing, town.zhang, (town.oranges, 5), (triple, 1)),
        make.request(town.listing, town.li, (triple, 1)),
    )
    assert outcomes(answers) == ["placed", "sold_out"]
    pool.refresh_from_db()
    assert pool.available_quantity == 2


def test_a_limit_holds_for_a_person_over_all_groups(town):
    town.oranges.per_person_quantity = 3
    town.oranges.save()
    elsewhere = make.listing(town.campaign, make.group(name="二群"))
    twin = make.member(elsewhere.group, "小张", of=town.zhang.person)
    answers = place(
        town,
        make.request(town.listing, town.zhang, (town.oranges, 2)),
        make.request(elsewhere, twin, (town.oranges, 2)),
        make.request(elsewhere, twin, (town.oranges, 1)),
        make.request(town.listing, town.li, (town.oranges, 3)),
    )
    assert outcomes(answers) == ["placed", "limit_reached", "placed", "placed"]
    assert answers[1].left_quantity == 1


def test_a_quota_is_kept_even_when_the_pool_has_more(town):
    town.oranges.quota_quantity = 2
    town.oranges.save()
    answers = place(
        town,
        make.request(town.listing, town.zhang, (town.oranges, 2)),
        make.request(town.listing, town.li, (town.oranges, 1)),
    )
    assert outcomes(answers) == ["placed", "sold_out"]


@pytest.mark.parametrize(
    ("hours", "outcome"), [(-1.001, "not_open_yet"), (-1, "placed"), (9.999, "placed"), (10, "closed")]
)
def test_the_window_ends_ordering_not_a_job(town, hours, outcome):
    request = make.request(town.listing, town.zhang, (town.oranges, 1))
    assert outcomes(place(town, request, now=NOON + timedelta(hours=hours))) == [outcome]


def test_who_saw_another_version_is_told_to_look_again(town):
    request = make.request(town.listing, town.zhang, (town.oranges, 1))
    assert outcomes(place(town, request, version=7)) == ["changed"]


def test_a_stranger_to_the_group_a_stopped_offer_and_nonsense_are_refused(town):
    stranger = make.member(make.group(name="别的群"), "陌生人")
    stopped = make.offer(town.campaign, stopped_at=NOON)
    elsewhere = make.offer(make.campaign())
    answers = place(
        town,
        make.request(town.listing, stranger, (town.oranges, 1)),
        make.request(town.listing, town.zhang, (stopped, 1)),
        make.request(town.listing, town.zhang, (elsewhere, 1)),
        make.request(town.listing, town.zhang, (town.oranges, 0)),
        make.request(town.listing, town.zhang),
        make.request(town.listing, town.zhang, (town.oranges, 1), (town.oranges, 1)),
    )
    assert outcomes(answers) == ["not_listed", "stopped", "invalid", "invalid", "invalid", "invalid"]
    assert not OrderLine.objects.exists()


def test_a_leader_may_stand_in_for_the_money_unless_the_campaign_is_prepaid(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 1), settles="leader")
    assert (order.status, order.pay_by) == ("confirmed", None)
    town.campaign.prepaid_only = True
    town.campaign.save()
    request = make.request(town.listing, town.li, (town.oranges, 1), settles="leader")
    assert outcomes(place(town, request)) == [Outcome.PREPAID_ONLY]


def test_stock_given_back_can_be_sold_again_and_no_more_than_there_is_can_be_taken(town):
    order = make.place(town.listing, town.zhang, (town.oranges, 10))
    back = StockChange(person_id=order.person_id, offer_id=town.oranges.pk, change=-4)
    move_stock(changes=[back])
    with pytest.raises(StockRefused) as refused:
        move_stock(changes=[StockChange(person_id=order.person_id, offer_id=town.oranges.pk, change=5)])
    assert (refused.value.outcome, refused.value.left_quantity) == ("sold_out", 4)
    assert outcomes(place(town, make.request(town.listing, town.li, (town.oranges, 4)))) == ["placed"]


def test_every_line_of_a_refused_order_leaves_the_stock_of_the_others_alone(town):
    scarce = make.offer(town.campaign, make.pool(quantity=1))
    answers = place(
        town,
        make.request(town.listing, town.zhang, (town.oranges, 9), (scarce, 2)),
        make.request(town.listing, town.li, (town.oranges, 10)),
    )
    assert outcomes(answers) == ["sold_out", "placed"]
    assert LineRequest(offer_id=scarce.pk, quantity=1).note == ""
