"""Takes the pictures: a browser without windows, the phone or the desk, one picture per scene."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connection

from docs.tour.story import PRESENT, Story
from docs.tour.week import Places
from kaituan.people.models import Account
from kaituan.web import clock
from kaituan.web.preferences import ELDER_COOKIE, THEME_COOKIE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
MOST_BYTES = 120_000
MOST_BYTES_TOGETHER = 1_500_000
QUALITIES = (84, 76, 68, 58, 48)
"""Tried in turn until a picture is small enough."""
WAIT_MS = 15_000


@dataclass(frozen=True)
class Scene:
    """One picture. act: what the visitor does on the page before it is taken. mode: elder, dark or neither."""

    name: str
    who: Account
    path: str
    size: dict[str, int]
    act: Callable[["Page"], None] | None = None
    mode: str = ""


def scenes(story: Story, places: Places) -> list[Scene]:
    """All of the tour, in its order."""
    leader = story.leader.person.account
    chain = f"/g/{places.listing.public_id}/"
    work = f"/work/l/{places.listing.public_id}/"
    line = places.handed.lines.order_by("pk").first()
    return [
        Scene("member-campaign", story.member, chain, PHONE),
        Scene("member-chain", story.member, chain, PHONE, show_chain),
        Scene("member-join", story.member, chain, PHONE, fill_basket),
        Scene("member-order", story.member, f"/o/{places.arrived.public_id}/", PHONE),
        Scene(
            "member-claim", story.member, f"/o/{places.handed.public_id}/claim/{line.pk}/", PHONE, complain
        ),
        Scene("leader-today", leader, "/work/", PHONE),
        Scene("leader-open", leader, places.draft, PHONE, show_goods),
        Scene("leader-paste", leader, places.diff, PHONE),
        Scene("leader-key-in", leader, f"{work}key-in/", PHONE, type_order),
        Scene("leader-counter", leader, f"/work/counter/{places.counter.public_id}/", PHONE),
        Scene("leader-statement", leader, places.statement, PHONE),
        Scene("leader-why", leader, places.row, PHONE),
        Scene("member-elder", story.member, chain, PHONE, mode="elder"),
        Scene("leader-dark", leader, work, PHONE, mode="dark"),
        Scene("operator-home", story.operator, "/console/", DESK),
        Scene("operator-campaign", story.operator, places.campaign, DESK),
        Scene(
            "operator-receiving", story.operator, f"/console/purchasing/{places.received.public_id}/", DESK
        ),
        Scene("operator-settlement", story.cashier, "/console/settlement/", DESK),
        Scene("supplier-order", story.supplier, f"/portal/orders/{places.asked.public_id}/", DESK),
    ]


def show_goods(page: "Page") -> None:
    page.locator("input[name$=-price]").nth(1).evaluate("e => e.scrollIntoView({block: 'center'})")


def show_chain(page: "Page") -> None:
    page.locator("[data-chain]").evaluate("e => e.scrollIntoView({block: 'start'})")
    page.mouse.wheel(0, -120)


def fill_basket(page: "Page") -> None:
    more = page.locator("[data-step=up]")
    more.nth(0).click()
    more.nth(0).click()
    more.nth(3).click()
    page.locator(".action-bar .button").click()
    page.wait_for_url("**/join/")


def complain(page: "Page") -> None:
    page.locator("select[name=reason], input[name=reason]").first.wait_for(state="attached")
    if page.locator("select[name=reason]").count():
        page.select_option("select[name=reason]", "damaged")
    else:
        page.locator("input[name=reason][value=damaged]").check(force=True)
    page.fill("[name=words]", "袋子一角破了，洒了一些。")
    page.fill("[name=asked]", "8.00")
    page.evaluate("scrollTo(0, 0)")


def type_order(page: "Page") -> None:
    page.fill("#who", "钱大爷 5-202")
    page.fill("#what", "A2 D1")


def take(story: Story, places: Places, *, folder: Path, chromium: str, only: str = "") -> list[Path]:
    """Take the pictures into `folder`. Raises AssertionError for a page that fails or scrolls sideways."""
    from playwright.sync_api import sync_playwright

    taken = []
    # The browser's own loop runs in this thread later, and Django will not ask the database then.
    planned = [(scene, story.session(scene.who)) for scene in scenes(story, places) if only in scene.name]
    connection.close()
    with clock.standing_at(PRESENT), serving() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            for scene, session in planned:
                taken.append(shoot(browser, scene, session=session, site=site, folder=folder))
        finally:
            browser.close()
    return taken


def shoot(browser: "Browser", scene: Scene, *, session: str, site: str, folder: Path) -> Path:
    context = browser.new_context(
        viewport=scene.size, locale="zh-CN", timezone_id="Asia/Shanghai", reduced_motion="reduce",
        device_scale_factor=2 if scene.size is PHONE else 1, has_touch=scene.size is PHONE,
        color_scheme="dark" if scene.mode == "dark" else "light",
    )  # fmt: skip
    try:
        _bring_cookies(context, scene, session, site)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        answer = page.goto(site + scene.path, wait_until="load")
        if answer is None or not answer.ok:
            raise AssertionError(f"{scene.name}: {scene.path} answered {answer and answer.status}")
        if scene.act:
            scene.act(page)
        page.evaluate("document.activeElement && document.activeElement.blur()")
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            raise AssertionError(f"{scene.name} scrolls sideways")
        page.evaluate("document.fonts.ready.then(() => true)")
        page.wait_for_timeout(300)
        return write(page.screenshot(caret="hide", animations="disabled"), folder / f"{scene.name}.webp")
    finally:
        context.close()


def _bring_cookies(context: "BrowserContext", scene: Scene, session: str, site: str) -> None:
    cookies: list[Any] = [{"name": "sessionid", "value": session, "url": site}]
    if scene.mode == "elder":
        cookies.append({"name": ELDER_COOKIE, "value": "1", "url": site})
    if scene.mode == "dark":
        cookies.append({"name": THEME_COOKIE, "value": "dark", "url": site})
    context.add_cookies(cookies)


def write(png: bytes, path: Path) -> Path:
    """As WebP, in the best quality that stays small."""
    from PIL import Image

    picture = Image.open(BytesIO(png)).convert("RGB")
    for quality in QUALITIES:
        small = BytesIO()
        picture.save(small, "WEBP", quality=quality, method=6)
        if small.tell() <= MOST_BYTES:
            break
    else:
        raise AssertionError(f"{path.name} is larger than {MOST_BYTES} bytes at any quality")
    path.write_bytes(small.getvalue())
    return path


@contextmanager
def serving() -> Iterator[str]:
    """The site, on a free port of this machine, in this process: so that its clock stands too."""
    import uvicorn

    from kaituan.config.asgi import application

    server = uvicorn.Server(
        uvicorn.Config(application, host="127.0.0.1", port=0, log_level="warning", access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise AssertionError("the site did not start")
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
