"""The operator's first page counts what is there, by the day of the station's zone."""

from datetime import date, timedelta

import pytest

from kaituan.payments import services as payments
from kaituan.reporting.queries import money_in, operator_home
from kaituan.reporting.tests.town import Town, plain_story
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def test_today_counts_orders_that_stand_and_leaves_cancelled_ones_out():
    town = Town()
    town.place(0, 0, (2, 0))
    town.place(1, 0, (0, 3))
    town.place(1, 1, (1, 0))
    town.cancel(2)
    figures = operator_home(now=NOON)
    assert (figures.today.order_count, figures.today.turnover_fen) == (2, 2 * 3990 + 3 * 1287)
    assert figures.yesterday.order_count == 0
    assert [day.on for day in figures.days] == [date(2026, 9, 18) + timedelta(days=n) for n in range(14)]


def test_a_day_ends_at_midnight_in_the_station_s_zone():
    town = Town()
    town.place(0, 0, (1, 0))
    evening = NOON + timedelta(hours=11, minutes=59)
    assert operator_home(now=evening).today.order_count == 1
    later = operator_home(now=evening + timedelta(minutes=2))
    assert (later.today.order_count, later.yesterday.order_count) == (0, 1)


def test_money_in_is_told_by_channel_and_money_from_a_balance_is_not_new():
    town = Town()
    town.place(0, 0, (2, 0))
    town.pay(0)
    town.place(0, 1, (1, 0), settles="leader")
    town.hand_cash(1, 100)
    town.stray_money(9_999)
    figures = operator_home(now=NOON)
    assert [(row.channel, row.count, row.fen) for row in figures.money_in] == [
        ("bank", 1, 9_999),
        ("sandbox", 1, 7_980),
        ("cash", 1, 3_990),
    ]
    assert (figures.money_in_fen, figures.money_in_count) == (9_999 + 7_980 + 3_990, 3)
    assert money_in(on=date(2026, 10, 2)) == []


def test_what_waits_is_counted_with_its_money():
    town = Town()
    town.place(0, 0, (2, 0))
    town.pay(0)
    town.place(0, 1, (1, 0), settles="leader")
    town.hand_cash(1, 100)
    payments.record_unmatched(channel="bank", external_reference="B1", amount_fen=777, now=town.now)
    payments.announce_remittance(leader=town.leaders[0], amount_fen=3_000, reference="R1", now=town.now)
    figures = operator_home(now=town.now)
    assert (figures.unmatched.count, figures.unmatched.fen) == (1, 777)
    assert (figures.remittances.count, figures.remittances.fen) == (1, 3_000)
    assert [(row.campaign, row.order_count, row.due_fen) for row in figures.cut_offs] == [
        (town.campaign, 2, 3 * 3990)
    ]
    town.close()
    figures = operator_home(now=town.now)
    assert (figures.to_send.count, figures.to_receive.count, figures.to_share.count) == (1, 0, 0)
    assert figures.cut_offs == []
    town.deliver(missing=0)
    assert operator_home(now=town.now).to_share.count == 0


def test_the_number_of_statements_does_not_grow_with_the_town(django_assert_num_queries):
    plain_story()
    with django_assert_num_queries(11):
        operator_home(now=NOON + timedelta(days=12))
