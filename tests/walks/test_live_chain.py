"""The live chain in a browser, against the site as it runs for real: what others order appears by itself."""

import json
import urllib.request

import pytest

from tests.serving import Site
from tests.walks.conftest import Walker

pytestmark = pytest.mark.xdist_group("rush")
LISTENING = "/events"


@pytest.fixture(scope="module")
def site():
    with Site(workers=1) as running:
        running.town = running.build_town(offers=3, groups=1, members=4)
        running.start()
        yield running


def order(site, buyer, *, key):
    """One unit by another client, which is no browser."""
    listing, token = buyer
    body = {
        "campaign": site.town.campaign, "listing": listing, "key": key, "pay": "sandbox",
        "lines": [{"offer": site.town.offers[0], "quantity": 1}],
    }  # fmt: skip
    request = urllib.request.Request(
        f"{site.url}/intake/orders",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", "origin": site.url, "cookie": f"kaituan_pass={token}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)["follow_number"]


def test_an_order_of_another_client_appears_without_a_reload(site, chromium):
    listing = site.town.buyers[0][0]
    first = order(site, site.town.buyers[0], key="live-chain-1")
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(20_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    # What appears must have come by the stream: the poll that stands in for it finds nobody.
    page.route("**/chain.json*", lambda route: route.abort())
    walker = Walker(page, site.url, None, "live_chain")
    with page.expect_response(lambda answer: answer.url.endswith(LISTENING)) as stream:
        walker.go(f"/g/{listing}/")
    assert stream.value.headers["content-type"].startswith("text/event-stream")
    assert page.locator("[data-chain] li[data-number]").count() == first == 1
    page.evaluate("window.stillThere = true")

    second = order(site, site.town.buyers[1], key="live-chain-2")
    page.locator(f"[data-chain] li[data-number='{second}']").wait_for()
    assert page.locator("[data-chain] li[data-number]").count() == 2
    assert page.locator("[data-chain-count]").inner_text() == "2"
    assert page.evaluate("window.stillThere"), "the page was not loaded anew"
    page.locator(f"[data-chain] li[data-number='{second}']").scroll_into_view_if_needed()
    walker.look()
    context.close()
    assert errors == []
