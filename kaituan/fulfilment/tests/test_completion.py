"""When the claim window has closed: the sale is final and stands in the books."""

from datetime import timedelta

import pytest

from kaituan.fulfilment.arrivals import confirm_arrival
from kaituan.fulfilment.completion import complete_due, hold_completion, release_completion
from kaituan.fulfilment.tests.conftest import EVENING, MORNING
from kaituan.fulfilment.tests.test_handover import give
from kaituan.fulfilment.tests.test_handover import ready as ready_town
from kaituan.ledger.models import Period
from kaituan.ledger.periods import close_period
from kaituan.ledger.queries import trial_balance_fen

pytestmark = pytest.mark.django_db
ready = ready_town
WINDOW = timedelta(hours=48)


@pytest.fixture
def handed(ready):
    confirm_arrival(campaign=ready.campaign, pickup_point=ready.point, acting_person=None, now=MORNING)
    give(ready, ready.paid)
    return ready


def completed(order):
    return sorted(order.lines.values_list("completed_at", flat=True), key=str)


def test_not_before_the_window_has_closed(handed):
    assert complete_due(now=EVENING + WINDOW - timedelta(seconds=1)) == 0
    assert complete_due(now=EVENING + WINDOW) == 2
    assert completed(handed.paid) == [EVENING + WINDOW] * 2
    assert complete_due(now=EVENING + WINDOW) == 0


def test_the_sale_is_recognised_when_it_is_final(handed):
    prepaid = 3 * 3990 + 2 * 1200
    assert trial_balance_fen()["prepayment"] == prepaid
    complete_due(now=EVENING + WINDOW)
    balances = trial_balance_fen()
    assert (balances["sales"], balances.get("prepayment", 0)) == (prepaid, 0)


def test_goods_handed_over_unpaid_become_a_receivable(handed):
    give(handed, handed.owing, key="k2", despite_unpaid=True)
    complete_due(now=EVENING + WINDOW)
    assert trial_balance_fen()["receivable"] == 3990


def test_a_line_about_which_something_is_open_waits(handed):
    line = handed.paid.lines.first()
    hold_completion(line=line, now=EVENING)
    hold_completion(line=line, now=EVENING)
    assert complete_due(now=EVENING + WINDOW) == 1
    release_completion(line=line)
    later = EVENING + WINDOW + timedelta(hours=5)
    assert complete_due(now=later) == 1
    line.refresh_from_db()
    assert line.completed_at == later


def test_what_did_not_come_completes_at_once_and_sells_nothing(town):
    order = town.order(town.zhang, (town.oranges, 2))
    town.cut_off()
    town.send_all()
    town.receive(town.oranges, 0)
    town.share_out(town.oranges)
    assert complete_due(now=MORNING) == 1
    assert completed(order) == [MORNING]
    assert "sales" not in trial_balance_fen()


def test_partly_handed_over_lines_stay_open(ready):
    confirm_arrival(campaign=ready.campaign, pickup_point=ready.point, acting_person=None, now=MORNING)
    give(ready, ready.paid, quantities={"A": 1})
    assert complete_due(now=EVENING + timedelta(days=90)) == 0


def test_what_is_recorded_late_counts_in_the_open_period(handed):
    end = EVENING + WINDOW + timedelta(days=3)
    close_period(ends_at=end)
    complete_due(now=end - timedelta(days=1))
    assert completed(handed.paid)[0] >= Period.objects.get(status="open").starts_at


def test_much_work_is_done_in_portions(handed):
    assert complete_due(now=EVENING + WINDOW, limit=1) == 1
    assert complete_due(now=EVENING + WINDOW, limit=1) == 1
    assert complete_due(now=EVENING + WINDOW, limit=1) == 0
