"""The least that leaders may withdraw at once: dated, with a reason and a name, and never in the past."""

from datetime import timedelta

import pytest

from kaituan.settlement.minimum import MinimumRefused, minimum_in_force, next_minimum, set_minimum
from kaituan.settlement.models import Withdrawal, WithdrawalMinimum
from kaituan.settlement.queries import leader_balance
from kaituan.settlement.tests.test_withdrawals import YUAN, ask, earn
from kaituan.settlement.withdrawals import TooLittle
from tests import factories as make

pytestmark = pytest.mark.django_db
NOON = make.NOON
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def station():
    return make.station(withdrawal_minimum_fen=1_000)


@pytest.fixture
def chief():
    return make.person("陈总")


def set_to(chief, yuan, *, at=NOON, now=NOON, reason="银行每笔收两元"):
    return set_minimum(
        minimum_fen=yuan * YUAN, effective_from=at, reason=reason, acting_person=chief, now=now
    )


def test_the_stations_own_holds_until_the_first_one_and_each_from_its_date_on(chief):
    assert minimum_in_force(at=NOON) == 10 * YUAN
    set_to(chief, 50, at=NOON + DAY)
    set_to(chief, 20, at=NOON + 3 * DAY)
    held = [minimum_in_force(at=NOON + days * DAY) // YUAN for days in range(5)]
    assert held == [10, 50, 50, 20, 20]
    assert next_minimum(after=NOON).minimum_fen == 50 * YUAN
    assert next_minimum(after=NOON + 3 * DAY) is None


def test_who_set_it_when_and_why_stays(chief):
    set_to(chief, 50, at=NOON + DAY)
    row = WithdrawalMinimum.objects.get()
    assert (row.set_by, row.set_at, row.reason) == (chief, NOON, "银行每笔收两元")


def test_two_presses_set_it_once(chief):
    first = set_to(chief, 50)
    assert set_to(chief, 50, at=NOON + timedelta(seconds=2), now=NOON + timedelta(seconds=2)) == first
    assert WithdrawalMinimum.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [{"reason": " "}, {"yuan": -1}, {"yuan": 1_001}, {"at": NOON - timedelta(seconds=1)}],
    ids=["no reason", "below nothing", "out of everybody's reach", "in the past"],
)
def test_what_is_refused_changes_nothing(chief, wrong):
    with pytest.raises(MinimumRefused):
        set_to(chief, **{"yuan": 50, **wrong})
    assert not WithdrawalMinimum.objects.exists()


def test_two_do_not_take_effect_at_one_time(chief):
    set_to(chief, 50, at=NOON + DAY)
    with pytest.raises(MinimumRefused, match=r"another|另一个|另选"):
        set_to(chief, 20, at=NOON + DAY)
    assert minimum_in_force(at=NOON + DAY) == 50 * YUAN


def test_a_withdrawal_below_it_is_refused_with_both_amounts_and_one_asked_for_before_stands(chief):
    leader = make.leader("王姐")
    earn(leader, 100 * YUAN)
    asked = ask(leader, 15 * YUAN)
    set_to(chief, 50, at=NOON + DAY)
    with pytest.raises(TooLittle, match=r"50\.00.*49\.99|49\.99.*50\.00"):
        ask(leader, 50 * YUAN - 1, key="k2", now=NOON + DAY)
    assert ask(leader, 50 * YUAN, key="k3", now=NOON + DAY).amount_fen == 50 * YUAN
    asked.refresh_from_db()
    assert asked.status == Withdrawal.Status.REQUESTED


def test_the_leader_sees_how_far_it_is(chief):
    leader = make.leader("王姐")
    earn(leader, 12 * YUAN + 34)
    set_to(chief, 50, at=NOON + DAY)
    today, tomorrow = (leader_balance(leader=leader, now=NOON + days * DAY) for days in (0, 1))
    assert (today.minimum_fen, today.short_of_minimum_fen, today.may_withdraw) == (10 * YUAN, 0, True)
    assert (tomorrow.minimum_fen, tomorrow.short_of_minimum_fen) == (50 * YUAN, 37 * YUAN + 66)
    assert not tomorrow.may_withdraw


def test_without_a_minimum_any_amount_goes_but_nothing_is_not_an_amount(chief):
    set_to(chief, 0)
    leader = make.leader("王姐")
    assert not leader_balance(leader=leader, now=NOON).may_withdraw
    earn(leader, 1)
    with pytest.raises(TooLittle):
        ask(leader, 0)
    assert ask(leader, 1).amount_fen == 1
