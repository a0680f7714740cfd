"""The simulator and the diff of two plans, as the office sees them."""

import pytest

from kaituan.console.plan_form import as_typed
from kaituan.ledger.models import Period
from kaituan.settlement.models import CommissionRow
from kaituan.settlement.tests.story import FULL_PLAN, MONTH_ENDS, NOON, Shop, books_and_plan
from kaituan.web import clock
from tests import factories as make

pytestmark = pytest.mark.django_db
URL = "/console/simulator/"
PLAIN = {**make.PLAN_DOCUMENT, "version": "plain", "guards": {"line_cap_bp": 1500}}


@pytest.fixture(autouse=True)
def town(db):
    books_and_plan(document=FULL_PLAN)
    make.plan(version="plain", document=PLAIN, effective_from=NOON)
    Shop(make.leader("王姐", referrer=make.leader("李姐", tier="captain"))).sell(100)
    with clock.standing_at(MONTH_ENDS):
        yield


def test_two_plans_side_by_side(cashier_client):
    period = Period.objects.get().pk
    page = cashier_client.get(URL, {"period": period, "first": make.PLAN, "second": "plain"}).content.decode()
    assert "14.20%" in page or "14.2%" in page
    assert "11.2%" in page
    assert "李姐" in page, "who loses"
    assert page.count("<figure") == 2
    assert not CommissionRow.objects.exists()


def test_the_draft_of_the_plan_form_is_tried_without_being_published(admin_client):
    fields = as_typed(PLAIN) | {"sale-host": "20", "version": "草稿", "try": "1"}
    answer = admin_client.post(URL, fields)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "草稿" in page
    assert "21.2%" in page
    assert 'name="sale-host" value="20"' in page, "sent along when another period is chosen"


def test_a_draft_that_is_no_plan_is_refused_with_its_reason(admin_client):
    answer = admin_client.post(URL, as_typed(PLAIN) | {"sale-host": "many"})
    assert answer.status_code == 422
    assert "Sale commission · Host: Enter a number." in answer.content.decode()


def test_a_plan_that_was_never_published_is_refused(cashier_client):
    assert cashier_client.get(URL, {"second": "no such"}).status_code == 422


class TestComparing:
    URL = "/console/plans/diff/"

    def test_the_last_two_are_compared_unless_others_are_named(self, cashier_client):
        page = cashier_client.get(self.URL).content.decode()
        assert "20%" in page
        assert "15%" in page
        turned = cashier_client.get(self.URL, {"old": "plain", "new": make.PLAN}).content.decode()
        assert "Dividend · share of all turnover" in turned
        assert "from ¥10,000.00: 1%; from ¥50,000.00: 2%" in turned
        assert "{" not in turned.split("<main")[-1].split("</table>")[0], "no raw document"

    def test_a_plan_with_itself_says_the_same(self, cashier_client):
        page = cashier_client.get(self.URL, {"old": "plain", "new": "plain"})
        assert "They say the same." in page.content.decode()

    def test_an_unknown_version_is_not_found(self, cashier_client):
        assert cashier_client.get(self.URL, {"old": "no such"}).status_code == 404


@pytest.mark.parametrize("address", [URL, "/console/plans/diff/", "/console/tiers/"])
def test_nobody_else_comes_in(address, operator_client, outsiders, client):
    for somebody in (operator_client, *outsiders.values()):
        assert somebody.get(address).status_code == 404
        assert somebody.post(address, {}).status_code in (404, 405)
    assert client.get(address)["Location"].startswith("/staff/sign-in/?next=")
