"""Preferences, drawn errors and the style page."""

import re

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.urls import reverse

from kaituan.web import errors, preferences
from tests import factories as make

DESIGN = ["web:design", "web:design-desktop", "web:design-print", "web:design-campaign"]


@pytest.fixture
def demo(settings):
    settings.DEMO = True


def inline(html: str) -> list[str]:
    """What the content security policy would refuse."""
    return re.findall(r"""<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)[^>]*>|hx-on|javascript:""", html)


class TestStylePage:
    @pytest.mark.parametrize("name", DESIGN)
    def test_shows_every_component(self, client: Client, demo, name):
        answer = client.get(reverse(name))
        assert answer.status_code == 200
        assert inline(answer.content.decode()) == []

    @pytest.mark.parametrize("name", DESIGN)
    def test_is_not_there_for_customers(self, client: Client, name):
        assert client.get(reverse(name)).status_code == 404

    def test_sets_no_cookie_and_needs_no_database(self, client: Client, demo):
        # The database is blocked in a test without the mark: this page would have failed on touching it.
        assert not client.get(reverse("web:design-desktop")).cookies


class TestPreferences:
    url = "/preferences/"

    def test_the_page_asks_nothing_of_the_database(self, client: Client):
        assert inline(client.get(self.url).content.decode()) == []

    def test_elder_mode_is_kept_and_shown(self, client: Client):
        client.post(self.url, {"elder": "on", "next": self.url})
        html = client.get(self.url).content.decode()
        assert re.search(r"<html [^>]*data-elder", html)
        client.post(self.url, {"elder": "off"})
        assert not re.search(r"<html [^>]*data-elder", client.get(self.url).content.decode())

    @pytest.mark.parametrize(
        ("sent", "shown"), [("dark", ' data-theme="dark"'), ("light", ' data-theme="light"')]
    )
    def test_theme(self, client: Client, sent, shown):
        client.post(self.url, {"theme": sent})
        assert shown in client.get(self.url).content.decode()

    @pytest.mark.parametrize("sent", ["", "<script>", "blue"])
    def test_any_other_theme_is_the_devices_own(self, client: Client, sent):
        client.post(self.url, {"theme": "dark"})
        client.post(self.url, {"theme": sent})
        assert "data-theme" not in client.get(self.url).content.decode()

    @pytest.mark.parametrize(
        ("code", "lang", "word"),
        [("zh-hans", "zh-Hans", "字号"), ("zh-hant", "zh-Hant", "字號"), ("en", "en", "Text size")],
    )
    def test_language(self, client: Client, code, lang, word):
        client.post(self.url, {"language": code})
        html = client.get(self.url).content.decode()
        assert f'<html lang="{lang}"' in html
        assert word in html

    def test_an_unknown_language_changes_nothing(self, client: Client):
        assert "django_language" not in client.post(self.url, {"language": "tlh"}).cookies

    def test_setting_one_leaves_the_others(self, client: Client):
        client.post(self.url, {"theme": "dark"})
        client.post(self.url, {"elder": "on"})
        html = client.get(self.url).content.decode()
        assert 'data-theme="dark"' in html
        assert "data-elder" in html

    @pytest.mark.parametrize("away", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
    def test_the_way_back_stays_on_this_site(self, client: Client, away):
        assert client.post(self.url, {"theme": "dark", "next": away})["Location"] == "/"
        assert "evil" not in client.get(self.url, {"next": away}).content.decode().split('name="next"')[0]
        assert 'href="javascript' not in client.get(self.url, {"next": away}).content.decode()

    @pytest.mark.django_db
    def test_an_account_carries_them_to_its_next_device(self):
        account = make.account()
        phone, tablet = Client(), Client()
        phone.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
        phone.post(self.url, {"elder": "on", "language": "zh-hant"})
        account.refresh_from_db()
        assert (account.elder_mode, account.language) == (True, "zh-hant")

        request = RequestFactory().get("/")
        preferences.note_sign_in(sender=type(account), request=request, user=account)
        answer = errors.page_not_found(request)
        preferences.hand_over_preferences(request, answer)
        tablet.cookies = answer.cookies
        html = tablet.get(self.url).content.decode()
        assert "data-elder" in html
        assert 'lang="zh-Hant"' in html


class TestErrors:
    def test_each_has_its_page_and_its_status(self, rf):
        request = rf.get("/")
        pages = {
            400: errors.bad_request(request),
            403: errors.permission_denied(request, PermissionDenied()),
            404: errors.page_not_found(request),
            429: errors.too_many_requests(request, retry_after=7),
            500: errors.server_error(request),
            503: errors.unavailable(request),
        }
        for status, answer in pages.items():
            assert answer.status_code == status
            html = answer.content.decode()
            assert str(status) in html
            assert '<svg class="drawing"' in html
            assert inline(html) == []

    def test_a_refusal_is_shown_in_its_own_words(self, rf):
        answer = errors.permission_denied(rf.get("/"), PermissionDenied("这是别人的订单。"))
        assert "这是别人的订单。" in answer.content.decode()

    def test_too_many_says_when_to_come_back(self, rf):
        answer = errors.too_many_requests(rf.get("/"), retry_after=7)
        assert answer["Retry-After"] == "7"
        assert "7" in answer.content.decode()

    def test_an_old_form_is_told_kindly(self):
        client = Client(enforce_csrf_checks=True)
        answer = client.post("/preferences/", {"theme": "dark"})
        assert answer.status_code == 403
        assert "打开太久" in answer.content.decode()

    def test_an_unknown_address(self, client: Client, db):
        assert client.get("/there-is-no-such-page").status_code == 404
