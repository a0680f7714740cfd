"""Rules of withholding on a page: read by the cashier, published by an administrator, used from their date on."""

from datetime import timedelta

import pytest
from django.urls import reverse

from kaituan.settlement.models import TaxRule
from kaituan.settlement.tax import Cumulative, PerTime, read_terms
from kaituan.settlement.withholding import tax_on
from kaituan.web import clock
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
ADDRESS = reverse("console:tax")
CUMULATIVE = {
    "version": "platform-2027", "effective_from": "2026-10-20T00:00", "source": "公告 2026 年第 1 号",
    "method": "cumulative", "expense_bp": "20", "monthly_deduction_fen": "6000", "months": "with_income",
    "over-0": "0", "rate-0": "3", "quick-0": "0", "over-1": "36000", "rate-1": "10", "quick-1": "2520",
}  # fmt: skip
PER_TIME = {
    **CUMULATIVE, "version": "labour-2027", "method": "per_time", "flat_up_to_fen": "4000",
    "flat_deduction_fen": "800", "deduction_bp": "20",
}  # fmt: skip


@pytest.fixture(autouse=True)
def noon():
    with clock.standing_at(NOON):
        yield


def test_the_rules_stand_there_with_their_sources(cashier_client):
    page = cashier_client.get(ADDRESS).content.decode()
    assert "2018年第61号" in page
    assert "2025年第16号" in page
    assert "A new rule" not in page


def test_a_rule_of_each_method_is_published_once_and_counts_from_its_date_on(admin_client):
    for typed in (CUMULATIVE, {**PER_TIME, "effective_from": "2026-10-25T00:00"}):
        for _press in range(2):
            assert admin_client.post(ADDRESS, typed).status_code == 302
    new, other = (TaxRule.objects.get(version=version) for version in ("platform-2027", "labour-2027"))
    assert new.terms["brackets"] == [[0, 300, 0], [3_600_000, 1_000, 252_000]]
    assert isinstance(read_terms(new.method, new.terms), Cumulative)
    assert isinstance(read_terms(other.method, other.terms), PerTime)
    leader = make.leader()
    before, after = (
        tax_on(leader=leader, amount_fen=1_000_000, now=NOON + timedelta(days=days)) for days in (1, 20)
    )
    assert (before.rule, before.fen) == ("platform-cumulative-2025", 9_000)
    assert (after.rule, after.fen) == ("platform-2027", 6_000)


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"version": ""}, "version"),
        ({"source": " "}, "source"),
        ({"expense_bp": ""}, "expense_bp"),
        ({"monthly_deduction_fen": "x"}, "monthly_deduction_fen"),
        ({"method": "by luck"}, "method"),
        ({"rate-1": ""}, "rate-1"),
        ({"over-1": "0"}, "__all__"),
        ({"over-0": "5"}, "__all__"),
        ({"effective_from": "2026-09-01T00:00"}, "__all__"),
        ({"version": "platform-cumulative-2025"}, "__all__"),
    ],
)
def test_what_no_tax_can_be_computed_by_is_refused_and_stays_typed(admin_client, bad, field):
    rules = TaxRule.objects.count()
    answer = admin_client.post(ADDRESS, {**CUMULATIVE, "quick-1": "2521", **bad})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert 'value="2521"' in answer.content.decode()
    assert TaxRule.objects.count() == rules


def test_only_an_administrator_publishes(cashier_client, operator_client, outsiders):
    for client in (cashier_client, operator_client, *outsiders.values()):
        assert client.post(ADDRESS, CUMULATIVE).status_code == 404
    assert not TaxRule.objects.filter(version="platform-2027").exists()
