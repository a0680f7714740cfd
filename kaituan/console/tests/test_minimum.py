"""The withdrawal minimum on a page: read by the cashier, set by an administrator, kept with who, when and why."""

from datetime import timedelta

import pytest
from django.urls import reverse

from kaituan.settlement.minimum import minimum_in_force
from kaituan.settlement.models import WithdrawalMinimum
from kaituan.web import clock
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
ADDRESS = reverse("console:minimum")
TYPED = {"minimum": "50", "effective_from": "2026-11-01T00:00", "reason": "银行每笔收两元"}


@pytest.fixture(autouse=True)
def noon():
    make.station(withdrawal_minimum_fen=1_000)
    with clock.standing_at(NOON):
        yield


def test_what_holds_stands_there_and_where_withdrawals_are_decided(cashier_client):
    page = cashier_client.get(ADDRESS).content.decode()
    assert "10.<small>00" in page
    assert "Set another" not in page
    assert ADDRESS in cashier_client.get(reverse("console:withdrawals")).content.decode()


def test_it_is_set_once_from_its_date_on_and_every_decision_stays(admin_client):
    for _press in range(2):
        assert admin_client.post(ADDRESS, TYPED)["Location"] == ADDRESS
    row = WithdrawalMinimum.objects.get()
    assert (row.set_by, row.set_at, row.reason) == (admin_client.person, NOON, "银行每笔收两元")
    assert minimum_in_force(at=NOON) == 1_000
    assert minimum_in_force(at=NOON + timedelta(days=31)) == 5_000
    page = admin_client.get(ADDRESS).content.decode()
    assert "50.<small>00" in page
    assert "to come" in page
    assert "陈总" in page
    assert "银行每笔收两元" in page


def test_without_a_date_it_takes_effect_at_once(admin_client):
    for _press in range(2):
        admin_client.post(ADDRESS, {**TYPED, "effective_from": ""})
    assert minimum_in_force(at=NOON) == 5_000
    assert WithdrawalMinimum.objects.count() == 1


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"minimum": ""}, "minimum"),
        ({"minimum": "x"}, "minimum"),
        ({"minimum": "1000.01"}, "__all__"),
        ({"reason": " "}, "reason"),
        ({"effective_from": "2026-09-01T00:00"}, "__all__"),
        ({"effective_from": "soon"}, "effective_from"),
    ],
)
def test_what_cannot_be_is_refused_and_stays_typed(admin_client, bad, field):
    typed = {**TYPED, **bad}
    answer = admin_client.post(ADDRESS, typed)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    kept = "minimum" if field != "minimum" else "reason"
    assert f'value="{typed[kept]}"' in answer.content.decode()
    assert not WithdrawalMinimum.objects.exists()


def test_only_an_administrator_sets_it(cashier_client, operator_client, outsiders):
    for client in (cashier_client, operator_client, *outsiders.values()):
        assert client.post(ADDRESS, TYPED).status_code == 404
    for client in (operator_client, *outsiders.values()):
        assert client.get(ADDRESS).status_code == 404
    assert not WithdrawalMinimum.objects.exists()
