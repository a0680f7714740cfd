"""The cashier looks at the account of a withdrawal, says that it is right, and only then pays."""

import pytest
from django.urls import reverse

from kaituan.people.models import PayeeAccount, PersonalDataAccess
from kaituan.people.services import set_payee_account
from kaituan.reporting.tests.town import plain_story
from kaituan.settlement.models import Withdrawal
from kaituan.web import clock

pytestmark = pytest.mark.django_db
ALL = reverse("console:withdrawals")
CARD = "6200000000000005"


@pytest.fixture
def row(db):
    """A withdrawal that waits, to an account of 80 days ago that nobody has looked at."""
    town = plain_story()
    row = Withdrawal.objects.select_related("leader__person", "payee").get(status="requested")
    PayeeAccount.objects.filter(pk=row.payee_id).update(
        checked_by=None, checked_at=None, account_number=CARD, holder_name="王秀兰"
    )
    with clock.standing_at(town.now):
        yield row


def address(row):
    return reverse("console:withdrawal", args=[row.public_id])


def test_the_list_tells_the_account_by_its_end_and_what_to_look_at(row, cashier_client):
    page = cashier_client.get(ALL)
    text = page.content.decode()
    assert "工商银行, ending in 0005" in text
    assert "王**" in text
    assert CARD not in text
    [(_row, notes)] = page.context["requested"]
    assert notes[:2] == ["Account not checked yet", "Holder 王** is not the leader's name on record"]


def test_it_is_shown_in_full_to_who_says_what_for(row, cashier_client):
    assert CARD not in cashier_client.get(address(row)).content.decode()
    refused = cashier_client.post(address(row), {"show": "", "reason": " "})
    assert refused.status_code == 422
    assert CARD not in refused.content.decode()
    assert not PersonalDataAccess.objects.exists()
    shown = cashier_client.post(address(row), {"show": "", "reason": "打款前核对"})
    assert CARD in shown.content.decode()
    assert "王秀兰" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    log = PersonalDataAccess.objects.get()
    assert (log.actor, log.subject, log.reason) == (
        cashier_client.person, f"payee_account:{row.payee_id}", "打款前核对"
    )  # fmt: skip


def test_unchecked_is_refused_checked_is_paid(row, cashier_client):
    cashier_client.post(ALL, {"approve": "", "withdrawal": row.public_id})
    paid = {"paid": "", "withdrawal": row.public_id, "reference": "OUT-1"}
    refused = cashier_client.post(ALL, paid)
    assert refused.status_code == 422
    assert "Nobody has checked the account yet" in refused.content.decode()
    for _press in range(2):
        assert cashier_client.post(address(row), {"check": ""}).status_code == 302
    assert PayeeAccount.objects.get(pk=row.payee_id).checked_by == cashier_client.person
    assert cashier_client.post(ALL, paid).status_code == 302
    row.refresh_from_db()
    assert row.status == "paid"


def test_one_that_is_not_the_leaders_is_refused_with_a_reason_that_the_leader_reads(row, cashier_client):
    assert (
        'name="refuse"' in cashier_client.post(address(row), {"show": "", "reason": "核对"}).content.decode()
    )
    refused = cashier_client.post(address(row), {"refuse": "", "why": " "})
    assert refused.status_code == 422
    assert "Say why" in refused.content.decode()
    for _press in range(2):
        assert cashier_client.post(address(row), {"refuse": "", "why": "户名对不上"}).status_code == 302
    account = PayeeAccount.objects.get(pk=row.payee_id)
    assert (account.refused_by, account.refusal) == (cashier_client.person, "户名对不上")
    for page in (ALL, address(row)):
        assert "not accepted" in cashier_client.get(page).content.decode()
    answer = cashier_client.post(address(row), {"check": ""})
    assert answer.status_code == 422
    assert "enter it again" in answer.content.decode()


def test_the_leader_who_is_a_cashier_too_does_not_check_her_own(row, cashier_client):
    row.leader.person = cashier_client.person
    row.leader.save(update_fields=["person"])
    answer = cashier_client.post(address(row), {"check": ""})
    assert answer.status_code == 422
    assert "Somebody else must check" in answer.content.decode()
    assert PayeeAccount.objects.get(pk=row.payee_id).checked_at is None


def test_it_goes_to_a_newer_account_only_when_the_cashier_says_so(row, cashier_client):
    assert 'name="turn"' not in cashier_client.get(address(row)).content.decode()
    newer = set_payee_account(
        leader=row.leader, kind="alipay", holder_name="王姐", account_number="13920004321",
        acting_person=row.leader.person, now=clock.now(),
    )  # fmt: skip
    page = cashier_client.get(address(row)).content.decode()
    assert "The leader has entered Alipay, ending in 4321 last." in page
    assert "another account since" in page
    assert cashier_client.post(address(row), {"turn": ""}).status_code == 302
    row.refresh_from_db()
    assert row.payee == newer
    assert "Paid to another account" in cashier_client.get(address(row)).content.decode()


def test_it_is_the_cashiers_page(row, operator_client, outsiders):
    for client in (operator_client, *outsiders.values()):
        for typed in ({"show": "", "reason": "x"}, {"check": ""}, {"refuse": "", "why": "x"}, {"turn": ""}):
            assert client.post(address(row), typed).status_code in (302, 403, 404)
        assert CARD not in client.get(address(row)).content.decode()
    assert not PersonalDataAccess.objects.exists()
    account = PayeeAccount.objects.get(pk=row.payee_id)
    assert (account.checked_at, account.refused_at) == (None, None)


def test_one_that_does_not_exist_is_not_there(row, cashier_client):
    assert cashier_client.get(reverse("console:withdrawal", args=["x"])).status_code == 404
