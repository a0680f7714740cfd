"""What the cashier is told of a leader before money goes out."""

from datetime import timedelta

import pytest
from django.utils import translation

from kaituan.settlement import runs, withdrawals
from kaituan.settlement.models import SettlementRun
from kaituan.settlement.payout_checks import payout_notes
from kaituan.settlement.tests.story import MONTH_ENDS, NOON, Shop, books_and_plan, give_back
from kaituan.settlement.tests.test_withdrawals import YUAN, approve, ask, earn, pay
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def leader():
    make.station()
    row = make.leader("王姐")
    earn(row, 500 * YUAN)
    return row


def test_a_payee_to_whom_nothing_was_ever_paid_is_new(leader):
    cashier = make.person("出纳")
    row = ask(leader, 100 * YUAN)
    assert payout_notes(leader_ids=[leader.pk]) == {leader.pk: ["First payout: check name and account"]}
    pay(approve(row, cashier), cashier)
    assert payout_notes(leader_ids=[leader.pk]) == {}


def test_a_payout_that_came_back_is_told_with_its_last_reason(leader):
    cashier = make.person("出纳")
    for number, reason in enumerate(["户名不符", "卡号少一位"]):
        row = approve(ask(leader, 100 * YUAN, key=f"k{number}"), cashier)
        withdrawals.payout_failed(withdrawal=row, reason=reason, acting_person=cashier, now=NOON)
    assert payout_notes(leader_ids=[leader.pk]) == {leader.pk: ["A payout came back before: 卡号少一位"]}


def test_sales_that_came_back_right_after_the_period_are_told():
    books_and_plan()
    shop = Shop(make.leader("王姐"))
    lines = [shop.sell(100) for _ in range(4)]
    runs.close_and_settle(
        ends_at=MONTH_ENDS, now=MONTH_ENDS + timedelta(hours=1), acting_person=None, engine="python"
    )
    assert SettlementRun.objects.exists()
    for line in lines[:3]:
        give_back(line, 5_000, MONTH_ENDS + timedelta(days=2))
    assert payout_notes(leader_ids=[shop.leader.pk])[shop.leader.pk][1:] == [
        "37.5% of the last period's sales came back after its end (1 buyers)"
    ]
    assert payout_notes(leader_ids=[make.leader("李姐").pk]).keys().isdisjoint({shop.leader.pk})
