"""A phone-sized Chromium on the site's own pages, served by a live server from a database that commits.

KAITUAN_SHOTS names a folder for pictures of every step, to look at.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from kaituan.commission.models import PlanVersion
from kaituan.notices import senders
from tests import factories as make

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SHOTS = os.environ.get("KAITUAN_SHOTS", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.walk)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


class Phones:
    """Stands for the house that sends the sign-in codes: keeps them, so that the walker can read theirs."""

    code = "phones"
    sent: list[tuple[str, str]] = []

    def wants(self, kind: str) -> bool:
        return True

    def send(self, *, to: Any, title: str, body: str, key: str) -> None:
        Phones.sent.append((to.phone, body))


@pytest.fixture
def phones(settings: Any) -> Iterator[type[Phones]]:
    settings.KAITUAN_CODE_SENDER = f"{__name__}.Phones"
    Phones.sent = []
    senders.outside_senders.cache_clear()
    yield Phones
    senders.outside_senders.cache_clear()


class Walker:
    """A person with a phone: goes, taps, types, signs in with the code they were sent."""

    def __init__(self, page: Any, site: str, phones: type[Phones], name: str) -> None:
        self.page, self.site, self.phones, self.name = page, site, phones, name
        self.step = 0

    def go(self, path: str) -> None:
        self.page.goto(self.site + path)
        self.look()

    def tap(self, words: str) -> None:
        """Press the button or link of these words (the first that is shown)."""
        shown = self.page.locator("button, a, summary, label").filter(has_text=words).filter(visible=True)
        shown.first.click()
        self.page.wait_for_load_state("networkidle")
        self.look()

    def choose(self, field: str, count: int) -> None:
        """So many of one product: by the stepper, or typed where there is no script."""
        more = self.page.locator(f".stepper:has([name={field}]) [data-step=up]")
        if not more.is_visible():
            self.page.locator(f"[name={field}]").fill(str(count))
            return
        for _ in range(count):
            more.click()

    def sees(self, *words: str) -> None:
        body = self.page.locator("body").inner_text()
        for word in words:
            assert word in body, f"{word!r} is not on {self.page.url}:\n{body}"

    def sign_in(self, phone: str) -> None:
        self.page.locator("input[name=phone]").fill(phone)
        self.page.locator("main form button.button, .action-bar button.button").first.click()
        self.page.wait_for_selector("input[name=code]")
        number, body = self.phones.sent[-1]
        assert number == phone
        found = re.search(r"\d{6}", body)
        assert found
        self.page.locator("input[name=code]").fill(found[0])
        if "/code/" in self.page.url:
            self.page.locator("main form button.button, .action-bar button.button").first.click()
        self.page.wait_for_load_state("networkidle")
        self.look()

    def look(self) -> None:
        """Nothing sticks out of the phone; a picture if pictures are wanted."""
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), self.page.url
        self.step += 1
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{SHOTS}/{self.name}-{self.step:02}.png")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """For one file only: Playwright runs a loop in this thread, beside which no other loop (nor browser) starts."""
    from playwright.sync_api import sync_playwright

    # Django takes that loop for a caller that must not wait.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    with sync_playwright() as playwright:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@contextmanager
def watched_page(chromium: Any, *, width: int, height: int, scripts: bool = True) -> Iterator[Any]:
    """A page of a visitor from China; at the end no script may have failed and no answer been the server's fault."""
    context = chromium.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai",
        reduced_motion="reduce", java_script_enabled=scripts,
    )  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(10_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    # The live chain is served ahead of Django, by the raw routes: here it is not there, and the page polls.
    page.on("response", lambda r: errors.append(f"{r.status} {r.url}") if r.status >= 500 else None)
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def walker(chromium: Any, live_server: Any, phones: type[Phones], request: Any) -> Iterator[Walker]:
    scripts = getattr(request, "param", True)
    name = f"{request.node.originalname}{'' if scripts else '-no-scripts'}".removeprefix("test_")
    with watched_page(chromium, width=390, height=844, scripts=scripts) as page:
        yield Walker(page, live_server.url, phones, name)


@pytest.fixture
def town(transactional_db: Any) -> Any:
    """A leader with a group and goods on the shelf, all of today; nothing is sold yet."""
    now = timezone.now()
    make.station()
    make.open_books(starts_at=now - timedelta(days=60))
    make.plan(effective_from=now - timedelta(days=30), published_at=now - timedelta(days=30))
    assert PlanVersion.objects.exists()

    class Town:
        leader = make.leader("王姐")
        leader_phone = make.account(leader.person, phone="13800000002").phone
        group = make.group(leader, name="翠成馨园鲜果群")
        oranges = make.variant(make.product("赣南脐橙"), sale_price_fen=3990)
        eggs = make.variant(
            make.product("土鸡蛋", emoji="🥚", tile_hue=40), sale_unit="盒",
            sale_price_fen=1200, purchase_price_fen=800,
        )  # fmt: skip
        shelf = [make.pool(oranges), make.pool(eggs)]

    return Town
