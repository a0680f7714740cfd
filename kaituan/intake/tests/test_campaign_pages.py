"""The campaign's page as everybody sees it: all of Django's headers, nothing of any visitor."""

import gc
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from kaituan.config.asgi import PAGES, django_application
from kaituan.intake.tests.visiting import pass_of, until, visit
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)


class Town:
    def __init__(self) -> None:
        now = timezone.now()
        make.station()
        make.open_books(now - timedelta(days=30))
        self.campaign = make.campaign(opens_at=now - timedelta(hours=1), closes_at=now + timedelta(hours=2))
        self.listing = make.listing(self.campaign)
        self.oranges = make.offer(self.campaign, make.pool(quantity=100))
        self.zhang = make.member(self.listing.group, "张敏")
        self.account = make.account(self.zhang.person)
        self.path = f"/g/{self.listing.public_id}/"


def test_everybody_gets_one_page_with_djangos_headers_and_nothing_personal():
    town = Town()

    async def scenario(site):
        first = await site.ask("GET", town.path)
        assert first.status == 200
        text = first.body.decode()
        assert "周五水果团" in text
        assert "赣南脐橙" in text
        assert "csrfmiddlewaretoken" not in text
        assert "set-cookie" not in first.headers
        assert "default-src 'self'" in first.headers["content-security-policy"]
        assert first.headers["x-content-type-options"] == "nosniff"
        assert "data-personal=" in text
        kept = next(iter(site.process.pages._kept.values()))
        assert (await site.ask("GET", town.path)).body == kept.page.body
        # An order makes it old: the next but one who comes sees it.
        lines = [{"offer": "A", "quantity": 1}]
        body = {"listing": town.listing.public_id, "key": "the-first-one", "pay": "leader", "lines": lines}
        assert (await site.order(pass_of(town.account), body)).status == 201
        await until(lambda: kept.is_old)
        kept.rendered_at -= 60
        await site.ask("GET", town.path)
        await until(lambda: not site.process.pages._rendering)
        assert "张*" in (await site.ask("GET", town.path)).body.decode()

    visit(scenario, pages=PAGES, wsgi=django_application)


def test_a_page_leaves_no_more_behind_the_more_is_on_offer():
    """Objects that refer to each other stay until they are looked for: megabytes, for a page of a thousand offers."""
    town = Town()
    render = PAGES["/g/{listing}/"]
    town.listing.refresh_from_db()
    left_by = []
    for more in (0, 40):
        for number in range(more):
            make.offer(town.campaign, make.pool(quantity=9), code=f"X{number}", title=f"梨{number}")
        render(town.listing.public_id, "zh-hans")
        gc.collect()
        gc.disable()
        try:
            page = render(town.listing.public_id, "zh-hans")
            left_by.append(gc.collect())
        finally:
            gc.enable()
        assert page.body.count(b'<article class="product') == 1 + more
    # No more than the rows themselves, which the context of the page holds.
    assert left_by[1] <= left_by[0] + 40


def test_who_is_signed_in_gets_a_page_of_their_own_unless_everybody_comes_at_once():
    town = Town()

    async def scenario(site):
        cookie = {"cookie": f"kaituan_pass={pass_of(town.account)}"}
        site.app._private_cookies = site.process.pages._private_cookies = (b"kaituan_pass=",)
        own = await site.ask("GET", town.path, headers=cookie)
        assert "data-personal=" not in own.body.decode()
        site.app._django._in_hand = 100
        shared = await site.ask("GET", town.path, headers=cookie)
        assert "data-personal=" in shared.body.decode()
        site.app._django._in_hand = 0
        assert (await site.ask("GET", "/g/nosuchlisting/")).status == 404

    visit(scenario, pages=PAGES, wsgi=django_application)


def test_a_basket_is_kept_from_the_page_for_everybody_and_an_order_needs_a_token():
    town = Town()
    visitor = Client(enforce_csrf_checks=True)
    kept = visitor.post(f"{town.path}join/", {f"offer_{town.oranges.pk}": "2"})
    assert kept.status_code == 303
    visitor.force_login(town.account)
    assert visitor.post(f"{town.path}join/", {"confirm": "1", "key": "a-key-of-mine"}).status_code == 403


def test_the_own_numbers_are_asked_for_apart():
    town = Town()
    make.place(town.listing, town.zhang, (town.oranges, 1), now=timezone.now())
    visitor = Client()
    assert visitor.get(f"{town.path}mine.json").json() == {"mine": []}
    visitor.force_login(town.account)
    assert visitor.get(f"{town.path}mine.json").json() == {"mine": [1]}
