"""Staff come in with password and second factor; everybody else sees no console."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from kaituan.people.services import create_staff_account, end_role, grant_role, reset_second_factor
from kaituan.web.sign_in import staff
from tests import factories as make
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.urls("kaituan.web.tests.sign_in_urls")]
PASSWORD = "correct horse battery"


@pytest.fixture
def browser():
    return Client(headers={"accept-language": "en"})


@pytest.fixture
def cashier():
    account = create_staff_account(
        name="周会计", username="zhou", password=PASSWORD, acting_person=None, now=NOON
    )
    grant_role(person=account.person, role="cashier", acting_person=None, now=NOON)
    return account


def code_for(secret, step=0):
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + step))


def give_second_factor(account):
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(account, secret)
    return secret


def type_password(browser, username="zhou", password=PASSWORD, **more):
    return browser.post("/staff/sign-in/", {"username": username, "password": password, **more})


def sign_in(browser, account):
    secret = give_second_factor(account)
    type_password(browser, username=account.username)
    browser.post("/staff/sign-in/code/", {"code": code_for(secret)})
    return secret


class TestTheWayIn:
    def test_password_then_code_opens_the_console(self, browser, cashier):
        secret = give_second_factor(cashier)
        assert type_password(browser, next="/console/money/")["Location"] == "/staff/sign-in/code/"
        assert browser.get("/console/").status_code == 302
        answer = browser.post("/staff/sign-in/code/", {"code": code_for(secret)})
        assert answer["Location"] == "/console/money/"
        assert browser.get("/console/money/").content == b"cashiers"

    def test_the_first_sign_in_sets_up_the_second_factor(self, browser, cashier):
        assert type_password(browser)["Location"] == "/console/"
        answer = browser.get("/console/")
        assert answer["Location"] == "/staff/second-factor/?next=%2Fconsole%2F"
        page = browser.get(answer["Location"])
        assert "<svg" in page.content.decode()
        wrong = browser.post("/staff/second-factor/", {"code": "000000", "next": "/console/"})
        assert wrong.status_code == 422
        answer = browser.post(
            "/staff/second-factor/", {"code": code_for(wrong.context["secret"]), "next": "/console/"}
        )
        assert answer["Location"].startswith("/staff/recovery-codes/")
        codes = browser.get(answer["Location"]).context["codes"]
        assert len(codes) == 10
        assert browser.get("/console/").content == b"staff"

    def test_a_recovery_code_opens_once(self, browser, cashier):
        type_password(browser)
        secret = browser.get("/staff/second-factor/").context["secret"]
        browser.post("/staff/second-factor/", {"code": code_for(secret)})
        [code, *_] = browser.get("/staff/recovery-codes/").context["codes"]
        for expected in (302, 422):
            later = Client()
            type_password(later)
            assert later.post("/staff/sign-in/code/", {"code": code}).status_code == expected


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("username", "password"), [("zhou", "wrong"), ("nobody", PASSWORD), ("", ""), ("zhou", "")]
    )
    def test_wrong_names_and_passwords_look_alike(self, browser, cashier, username, password):
        answer = type_password(browser, username, password)
        assert answer.status_code == 422
        assert "_auth_user_id" not in browser.session

    def test_a_member_s_account_has_no_password_and_no_way_in(self, browser):
        account = make.account(username="member")
        account.set_password(PASSWORD)
        account.save()
        assert type_password(browser, "member").status_code == 422

    def test_five_wrong_passwords_end_it_for_a_while(self, browser, cashier):
        for _ in range(5):
            type_password(browser, password="wrong")
        answer = type_password(browser)
        assert answer.status_code == 422
        assert "Too many tries" in answer.content.decode()

    def test_a_wrong_code_is_refused_and_a_right_one_counts_once(self, browser, cashier):
        secret = give_second_factor(cashier)
        code = code_for(secret)
        type_password(browser)
        assert browser.post("/staff/sign-in/code/", {"code": "000000"}).status_code == 422
        assert browser.post("/staff/sign-in/code/", {"code": code}).status_code == 302
        again = Client()
        type_password(again)
        assert again.post("/staff/sign-in/code/", {"code": code}).status_code == 422
        assert "_auth_user_id" not in again.session

    def test_the_code_page_is_nothing_without_a_password(self, browser):
        assert browser.get("/staff/sign-in/code/")["Location"] == "/staff/sign-in/"


class TestTheDoor:
    def test_nobody_is_asked_to_sign_in(self, browser):
        assert browser.get("/console/?day=1")["Location"] == "/staff/sign-in/?next=%2Fconsole%2F%3Fday%3D1"

    def test_members_and_leaders_see_no_console(self, browser):
        for account in (make.account(), make.account(make.leader().person)):
            browser.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
            for page in (
                "/console/",
                "/console/money/",
                "/staff/second-factor/",
                "/staff/password/",
                "/staff/code/",
            ):
                assert browser.get(page).status_code == 404

    def test_a_role_opens_its_own_pages(self, browser, cashier):
        operator = create_staff_account(
            name="刘", username="liu", password=PASSWORD, acting_person=None, now=NOON
        )
        grant_role(person=operator.person, role="operator", acting_person=None, now=NOON)
        sign_in(browser, operator)
        assert browser.get("/console/").status_code == 200
        assert browser.get("/console/money/").status_code == 404

    def test_an_administrator_opens_all_and_one_whose_role_ended_none(self, browser, cashier):
        boss = create_staff_account(
            name="陈", username="chen", password=PASSWORD, acting_person=None, now=NOON
        )
        grant_role(person=boss.person, role="admin", acting_person=None, now=NOON)
        sign_in(browser, boss)
        assert browser.get("/console/money/").status_code == 200
        other = Client()
        sign_in(other, cashier)
        from kaituan.web import clock

        end_role(person=cashier.person, role="cashier", acting_person=boss.person, now=clock.now())
        assert other.get("/console/").status_code == 404

    def test_a_session_without_password_or_second_factor_is_sent_to_what_is_missing(self, browser, cashier):
        browser.force_login(cashier, backend="django.contrib.auth.backends.ModelBackend")
        assert browser.get("/console/")["Location"].startswith("/staff/password/")
        assert browser.post("/staff/password/", {"password": "wrong"}).status_code == 422
        assert (
            browser.post("/staff/password/", {"password": PASSWORD, "next": "/console/"})["Location"]
            == "/console/"
        )
        assert browser.get("/console/")["Location"].startswith("/staff/second-factor/")

    def test_the_second_factor_is_asked_for_again_after_twelve_hours(self, browser, cashier, monkeypatch):
        secret = sign_in(browser, cashier)
        assert browser.get("/console/").status_code == 200
        monkeypatch.setattr(staff, "SECOND_FACTOR_SECONDS", -1)
        assert browser.get("/console/")["Location"] == "/staff/code/?next=%2Fconsole%2F"
        monkeypatch.undo()
        answer = browser.post("/staff/code/", {"code": code_for(secret, step=1), "next": "/console/"})
        assert answer["Location"] == "/console/"

    def test_setting_up_a_second_factor_needs_a_fresh_password(self, browser, cashier):
        browser.force_login(cashier, backend="django.contrib.auth.backends.ModelBackend")
        assert browser.get("/staff/second-factor/")["Location"].startswith("/staff/password/")
        assert not Authenticator.objects.exists()

    def test_a_reset_second_factor_is_set_up_anew(self, browser, cashier):
        sign_in(browser, cashier)
        reset_second_factor(account=cashier, acting_person=None, reason="手机丢了", now=NOON)
        assert browser.get("/console/")["Location"].startswith("/staff/sign-in/")
        type_password(browser)
        assert browser.get("/console/")["Location"].startswith("/staff/second-factor/")

    def test_a_persona_of_the_demo_needs_neither_and_only_there(self, browser, cashier, settings):
        from kaituan.people.personas import persona_token

        settings.DEMO = True
        assert browser.get(f"/demo/persona/{persona_token(account=cashier)}/")["Location"] == "/console/"
        assert browser.get("/console/").status_code == 200
        settings.DEMO = False
        assert browser.get("/console/")["Location"].startswith("/staff/password/")
