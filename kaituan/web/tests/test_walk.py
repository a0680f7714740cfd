"""The scripts in a real browser: pages from the test client, styles from the finders, no server and no database."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

CHROMIUM = shutil.which("chromium")
SITE = "https://site.test"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
ARRIVING = {"number": 129, "name": "赵**", "items": "脐橙 ×1 <b>", "state": "waiting", "at": "18:40"}

pytestmark = [
    pytest.mark.walk,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, settings, request) -> Iterator:
    settings.DEMO = True
    client = Client(headers={"accept-language": "zh-CN"})
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, reduced_motion="reduce", **getattr(request, "param", {})
    )
    page = context.new_page()
    page.set_default_timeout(5_000)
    page.errors, page.posts = [], []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda line: page.errors.append(line.text) if line.type == "error" else None)

    def answer(route):
        url = urlsplit(route.request.url)
        if route.request.method == "POST":
            page.posts.append(route.request.post_data)
            route.fulfill(status=204)
        elif url.path.startswith("/static/"):
            path = Path(finders.find(url.path.removeprefix("/static/")))
            route.fulfill(body=path.read_bytes(), content_type=TYPES[path.suffix])
        else:
            got = client.get(url.path)
            route.fulfill(status=got.status_code, body=got.content, headers=dict(got.headers))

    context.route(f"{SITE}/**", answer)
    yield page
    assert page.errors == []
    context.close()


def test_the_content_security_policy_lets_everything_through(page):
    for path in ("/design/", "/design/campaign/", "/design/desktop/", "/design/print/", "/preferences/"):
        page.goto(SITE + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_basket_adds_up_in_whole_fen(page):
    page.goto(SITE + "/design/campaign/")
    button = page.locator(".action-bar .button")
    assert "先选商品" in button.inner_text()
    more = page.locator("[data-step=up]")
    more.nth(0).click()
    more.nth(0).click()
    more.nth(2).click()
    assert "¥1,319.70" in button.inner_text()
    page.locator("[data-step=down]").nth(0).click()
    assert "¥1,279.80" in button.inner_text()


def test_a_form_is_sent_once_however_often_it_is_pressed(page):
    page.goto(SITE + "/design/campaign/")
    page.locator("[data-step=up]").nth(0).click()
    page.locator(".action-bar .button").dblclick()
    page.wait_for_timeout(100)
    assert len(page.posts) == 1


def test_touch_targets_are_48_px_and_56_for_elders(page):
    page.goto(SITE + "/design/")
    for elder, least in ((False, 48), (True, 56)):
        if elder:
            page.evaluate("document.documentElement.dataset.elder = ''")
        for selector in (
            ".button",
            ".stepper > button:last-child",
            ".tabs > a",
            ".segment",
            ".list > a",
            "select",
        ):
            for box in page.locator(f"main {selector} >> visible=true").all():
                assert box.bounding_box()["height"] >= least - 0.5, selector


def test_a_sheet_opens_and_closes_with_escape(page):
    page.goto(SITE + "/design/")
    panel = page.locator(".sheet .panel").first
    assert not panel.is_visible()
    page.locator(".sheet > summary").first.click()
    assert panel.is_visible()
    page.keyboard.press("Escape")
    assert not panel.is_visible()


def test_the_chain_takes_what_arrives_as_text_and_in_order(page):
    stream = (
        "event: chain\ndata: " + json.dumps([ARRIVING, {**ARRIVING, "number": 32, "state": "done"}]) + "\n\n"
    )
    page.context.route(
        f"{SITE}/stream", lambda route: route.fulfill(body=stream, content_type="text/event-stream")
    )
    page.goto(SITE + "/design/campaign/")
    page.evaluate(
        """async () => {
          document.querySelector('[data-chain]').dataset.stream = '/stream';
          await import('/static/kaituan/chain.js');
        }"""
    )
    page.wait_for_selector("li[data-number='129']")
    numbers = page.locator(".thread > li .of").all_inner_texts()
    assert numbers == ["1", "2", "3", "12", "32", "128", "129", "130"]
    assert "脐橙 ×1 <b>" in page.locator("li[data-number='129']").inner_text()
    assert page.locator("li[data-number='32'] .bead").get_attribute("class").split() == ["bead", "done"]


def test_a_table_is_walked_by_keyboard(page):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(SITE + "/design/desktop/")
    for key in "jjk":
        page.keyboard.press(key)
    assert page.locator("tr[data-current]").inner_text().split()[0] == "1"
    page.keyboard.press("x")
    assert page.locator("tr[data-current] input").is_checked()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert page.url.endswith("#row-2")
    page.keyboard.press("/")
    page.keyboard.type("j林")
    assert page.locator("[data-search]").input_value() == "j林"


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_without_a_script_a_quantity_can_still_be_typed(page):
    page.goto(SITE + "/design/campaign/")
    field = page.locator(".stepper input").first
    assert field.is_visible()
    assert not page.locator(".stepper > button").first.is_visible()
    field.fill("2")
    page.locator(".action-bar .button").click()
    assert "1=2" in page.posts[0]
