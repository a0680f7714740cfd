"""Signing in with a phone: one code, three tries, five minutes; nobody learns who is here."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client

from kaituan.notices import senders
from kaituan.notices.senders import SendFailed
from kaituan.people.models import Account
from kaituan.people.passes import check_pass
from kaituan.people.services import account_for_phone, add_member
from kaituan.web import clock
from kaituan.web.sign_in import views
from tests import factories as make
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.urls("kaituan.web.tests.sign_in_urls")]
PHONE = "13800138000"


class Phones:
    """Stands for the SMS house: keeps what was sent instead of sending it."""

    code = "phones"
    sent: list[tuple[str, str]] = []
    broken = False

    def wants(self, kind):
        return True

    def send(self, *, to, title, body, key):
        if Phones.broken:
            raise SendFailed("no credit")
        Phones.sent.append((to.phone, body))


@pytest.fixture(autouse=True)
def phones(settings):
    settings.KAITUAN_CODE_SENDER = f"{__name__}.Phones"
    Phones.sent, Phones.broken = [], False
    senders.outside_senders.cache_clear()
    return Phones


@pytest.fixture
def browser():
    return Client(headers={"accept-language": "en"})


def ask(browser, phone=PHONE, next_url=""):
    return browser.post("/sign-in/", {"phone": phone, **({"next": next_url} if next_url else {})})


def sent_code(index=-1):
    return re.search(r"\d{6}", Phones.sent[index][1])[0]


def sign_in(browser, phone=PHONE):
    ask(browser, phone)
    return browser.post("/sign-in/code/", {"code": sent_code()})


class TestTheWayIn:
    def test_a_new_phone_opens_an_account(self, browser):
        assert ask(browser, "+86 138 0013 8000")["Location"] == "/sign-in/code/"
        assert [phone for phone, _ in Phones.sent] == [PHONE]
        assert not Account.objects.exists()
        answer = browser.post("/sign-in/code/", {"code": sent_code()})
        assert answer["Location"] == "/"
        account = Account.objects.get()
        assert (account.phone, account.phone_verified) == (PHONE, True)
        assert browser.get("/").content == f"seen by {account}".encode()

    def test_who_was_known_by_the_phone_is_the_same_person(self, browser):
        member = add_member(group=make.group(), name="赵大爷", phone=PHONE, now=NOON, acting_person=None)
        sign_in(browser)
        assert Account.objects.get().person == member.person

    def test_a_leader_comes_to_the_workbench(self, browser):
        make.account(make.leader().person, phone=PHONE)
        assert sign_in(browser)["Location"] == "/work/"

    def test_one_goes_on_where_one_was_going_but_never_off_the_site(self, browser):
        assert ask(browser, next_url="/work/?a=1")["Location"] == "/sign-in/code/?next=%2Fwork%2F%3Fa%3D1"
        answer = browser.post("/sign-in/code/", {"code": sent_code(), "next": "/work/?a=1"})
        assert answer["Location"] == "/work/?a=1"
        elsewhere = Client()
        ask(elsewhere, next_url="https://evil.example/")
        answer = elsewhere.post("/sign-in/code/", {"code": sent_code(), "next": "//evil.example/"})
        assert answer["Location"] == "/"

    def test_the_code_is_typed_with_blanks_too(self, browser):
        ask(browser)
        code = sent_code()
        assert browser.post("/sign-in/code/", {"code": f" {code[:3]} {code[3:]} "}).status_code == 302
        assert "_auth_user_id" in browser.session

    def test_an_account_that_was_switched_off_stays_outside(self, browser):
        account = account_for_phone(phone=PHONE, now=NOON)
        Account.objects.filter(pk=account.pk).update(is_active=False)
        assert sign_in(browser)["Location"] == "/sign-in/inactive/"
        assert "_auth_user_id" not in browser.session
        assert browser.get("/sign-in/inactive/").status_code == 403

    def test_known_and_unknown_phones_look_alike(self, browser):
        account_for_phone(phone=PHONE, now=NOON)
        pages = []
        for phone in (PHONE, "13900138000"):
            visitor = Client(headers={"accept-language": "en"})
            assert ask(visitor, phone).status_code == 302
            page = visitor.get("/sign-in/code/").content.decode()
            pages.append(
                re.sub(r'(csrfmiddlewaretoken" value|X-CSRFToken": )[^>]*', "", page).replace("139", "138")
            )
        assert pages[0] == pages[1]


class TestWhatIsRefused:
    @pytest.mark.parametrize("typed", ["", "110", "12345678901", "not a phone"])
    def test_what_is_no_phone_gets_one_sentence_and_no_code(self, browser, typed):
        answer = ask(browser, typed)
        assert answer.status_code == 422
        assert Phones.sent == []
        if typed:
            assert "11 digits" in answer.content.decode()
            assert f'value="{typed}"' in answer.content.decode()

    def test_three_wrong_codes_end_it(self, browser):
        ask(browser)
        wrong = f"{(int(sent_code()) + 1) % 10**6:06d}"
        assert browser.post("/sign-in/code/", {"code": wrong}).status_code == 422
        assert browser.post("/sign-in/code/", {"code": wrong}).status_code == 422
        assert browser.post("/sign-in/code/", {"code": wrong})["Location"] == "/sign-in/"
        browser.post("/sign-in/code/", {"code": sent_code()})
        assert "_auth_user_id" not in browser.session

    def test_a_code_counts_once(self, browser):
        ask(browser)
        code = sent_code()
        browser.post("/sign-in/code/", {"code": code})
        browser.post("/sign-out/", {"action": "here"})
        browser.post("/sign-in/code/", {"code": code})
        assert "_auth_user_id" not in browser.session

    def test_a_code_is_the_visitor_s_who_asked_for_it(self, browser):
        ask(browser)
        other = Client()
        assert other.post("/sign-in/code/", {"code": sent_code()})["Location"] == "/sign-in/"
        assert "_auth_user_id" not in other.session

    def test_a_code_ends_after_five_minutes(self, browser, monkeypatch):
        ask(browser)
        import time

        later = time.time() + 301
        monkeypatch.setattr("allauth.account.internal.flows.code_verification.time.time", lambda: later)
        assert browser.post("/sign-in/code/", {"code": sent_code()})["Location"] == "/sign-in/"
        assert "_auth_user_id" not in browser.session

    def test_an_empty_code_is_asked_for_again(self, browser):
        ask(browser)
        assert browser.post("/sign-in/code/", {"code": ""}).status_code == 422

    def test_a_phone_gets_five_codes_in_ten_minutes_whoever_asks(self):
        for _ in range(5):
            assert ask(Client()).status_code == 302
        answer = ask(Client(headers={"accept-language": "en"}))
        assert answer.status_code == 422
        assert "wait ten minutes" in answer.content.decode()
        assert len(Phones.sent) == 5
        assert ask(Client(), "13900139000").status_code == 302

    def test_another_code_voids_the_first(self, browser):
        ask(browser)
        browser.post("/sign-in/code/", {"action": "resend"})
        assert len(Phones.sent) == 2
        if sent_code(0) != sent_code(1):
            assert browser.post("/sign-in/code/", {"code": sent_code(0)}).status_code == 422
        assert browser.post("/sign-in/code/", {"code": sent_code(1)}).status_code == 302
        assert "_auth_user_id" in browser.session

    def test_a_code_is_sent_again_twice_at_most(self, browser):
        ask(browser)
        for _ in range(4):
            browser.post("/sign-in/code/", {"action": "resend"})
        assert len(Phones.sent) == 3

    def test_a_sender_that_fails_is_said(self, browser):
        Phones.broken = True
        answer = ask(browser)
        assert answer.status_code == 422
        assert "could not be sent" in answer.content.decode()

    def test_without_a_sender_no_code_is_promised(self, browser, settings):
        settings.KAITUAN_CODE_SENDER = ""
        assert ask(browser).status_code == 422


class TestTheDemo:
    def test_the_code_stands_on_the_page_in_a_demo_only(self, browser, settings):
        ask(browser)
        assert sent_code() not in browser.get("/sign-in/code/").content.decode()
        settings.DEMO = True
        assert sent_code() in browser.get("/sign-in/code/").content.decode()

    def test_a_persona_s_link_signs_in_and_changes_who_one_is(self, browser, settings):
        from kaituan.people.personas import persona_token

        settings.DEMO = True
        leader, member = make.account(make.leader().person), make.account()
        assert browser.get(f"/demo/persona/{persona_token(account=leader)}/")["Location"] == "/work/"
        assert browser.get(f"/demo/persona/{persona_token(account=member)}/")["Location"] == "/"
        assert browser.session["_auth_user_id"] == str(member.pk)

    def test_no_persona_comes_into_a_real_site(self, browser, settings):
        from kaituan.people.personas import persona_token

        settings.DEMO = True
        token = persona_token(account=make.account())
        settings.DEMO = False
        assert browser.get(f"/demo/persona/{token}/").status_code == 404
        assert "_auth_user_id" not in browser.session


class TestTheWayOut:
    def test_signing_out_asks_first_and_ends_this_session(self, browser):
        sign_in(browser)
        assert browser.get("/sign-out/").status_code == 200
        assert "_auth_user_id" in browser.session
        browser.post("/sign-out/", {"action": "here"})
        assert "_auth_user_id" not in browser.session

    def test_signing_out_everywhere_ends_the_other_phone_too(self, browser):
        sign_in(browser)
        other = Client()
        sign_in(other)
        browser.post("/sign-out/", {"action": "everywhere"})
        assert other.get("/").content == b"seen by AnonymousUser"
        assert Account.objects.get().session_version == 2

    def test_nobody_signs_out_nobody(self, browser):
        assert browser.post("/sign-out/", {"action": "everywhere"}).status_code == 302
        assert browser.post("/sign-out/everywhere/")["Location"].startswith("/sign-in/")


class TestThePass:
    def test_it_comes_with_sign_in_is_renewed_and_goes_with_sign_out(self, browser):
        with clock.standing_at(NOON):
            sign_in(browser)
            account = Account.objects.get()
            first = browser.cookies["kaituan_pass"].value
            assert check_pass(first, now=NOON).account_id == account.pk
            assert browser.cookies["kaituan_pass"]["httponly"]
        with clock.standing_at(NOON + timedelta(minutes=4)):
            assert "kaituan_pass" not in browser.get("/").cookies
        with clock.standing_at(NOON + timedelta(minutes=6)):
            renewed = browser.get("/").cookies["kaituan_pass"].value
            assert check_pass(renewed, now=NOON + timedelta(minutes=15)) is not None
            browser.post("/sign-out/", {"action": "here"})
            assert browser.cookies["kaituan_pass"].value == ""

    def test_a_pass_of_an_earlier_session_version_is_replaced(self, browser):
        sign_in(browser)
        account = Account.objects.get()
        browser.post("/sign-out/", {"action": "everywhere"})
        sign_in(browser)
        claims = check_pass(browser.cookies["kaituan_pass"].value, now=clock.now())
        assert (claims.account_id, claims.session_version) == (account.pk, 2)

    def test_what_somebody_signed_in_sees_is_kept_by_no_shared_cache(self, browser):
        assert "Cache-Control" not in browser.get("/preferences/").headers
        sign_in(browser)
        assert browser.get("/preferences/").headers["Cache-Control"] == "private, no-cache"

    def test_nobody_gets_no_pass_and_no_session_is_looked_for(self, browser, django_assert_num_queries):
        with django_assert_num_queries(0):
            answer = browser.get("/preferences/")
        assert "kaituan_pass" not in answer.cookies


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_three_are_looked_at(browser, monkeypatch):
    ask(browser)
    wrong = f"{(int(sent_code()) + 1) % 10**6:06}"
    looked_at = []

    def compare(*, actual, expected):
        looked_at.append(actual)
        time.sleep(0.05)
        return actual == expected

    monkeypatch.setattr(views, "compare_user_code", compare)
    together = threading.Barrier(8)

    def guess(_number):
        client = Client()
        client.cookies = browser.cookies.copy()
        together.wait()
        try:
            return client.post("/sign-in/code/", {"code": wrong}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(8)))
    assert len(looked_at) == 3
    assert sorted(answers) == [302] * 6 + [422] * 2
