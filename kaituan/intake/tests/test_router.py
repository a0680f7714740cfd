"""What is answered ahead of Django, what is left to it, and what a serving process must not load."""

import asyncio
import gzip
import subprocess
import sys
from io import BytesIO

import pytest

from kaituan.intake import behind, metrics, pages
from kaituan.intake.pages import SharedPage
from kaituan.intake.tests.visiting import scope, until, visit

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_not_hot_goes_to_django_as_it_came():
    async def scenario(site):
        answer = await site.ask("POST", "/work/团", body=b"a=1&b=2", headers={"x-forwarded-for": "1.2.3.4"})
        assert (answer.status, answer.body.decode()) == (200, "POST /work/团 a=1&b=2")
        assert answer.headers["x-django"] == "1"
        assert answer.headers["x-request-id"]

    visit(scenario)


def test_django_gets_headers_and_large_bodies_whole_and_may_answer_in_parts():
    sent = b"x" * (3 * 2**20 + 17)
    closed = []

    class Parts:
        def __iter__(self):
            return iter([b"a" * 700_000, b"", b"b" * 300_000])

        def close(self):
            closed.append(True)

    def wsgi(environ, start_response):
        assert environ["wsgi.input"].read() == sent
        assert int(environ["CONTENT_LENGTH"]) == len(sent)
        assert (environ["HTTP_COOKIE"], environ["REMOTE_ADDR"]) == ("a=b", "127.0.0.1")
        assert "HTTP_X_REAL_IP" not in environ
        start_response("206 Partial Content", [("Content-Type", "text/plain")])
        return Parts()

    async def scenario(site):
        headers = {"cookie": "a=b", "x_real_ip": "6.6.6.6"}
        answer = await site.ask("PUT", "/", body=sent, headers=headers)
        assert answer.status == 206
        assert answer.body == b"a" * 700_000 + b"b" * 300_000
        assert closed == [True]

    visit(scenario, wsgi=wsgi)


class Upload:
    """Parts of a body that come one by one, without end; what is answered."""

    def __init__(self, headers=None):
        self.read = 0
        self.messages = []
        self.scope = scope("POST", "/work/", headers)

    async def send_to(self, site, part):
        async def receive():
            self.read += len(part)
            return {"type": "http.request", "body": part, "more_body": True}

        async def send(message):
            self.messages.append(message)

        await site.app(self.scope, receive, send)
        start = self.messages[0]
        return start["status"], dict(start["headers"]).get(b"connection")


def test_a_body_that_is_too_long_is_refused_before_it_ends(monkeypatch):
    monkeypatch.setattr(behind, "BODY_LIMIT", 1_000)

    async def scenario(site):
        endless = Upload()
        assert await endless.send_to(site, b"x" * 400) == (413, b"close")
        assert endless.read == 1_200
        announced = Upload({"content-length": "1001"})
        assert await announced.send_to(site, b"x" * 400) == (413, b"close")
        assert announced.read == 0
        assert (await site.ask("POST", "/work/", body=b"x" * 1_000)).status == 200

    visit(scenario)


def test_health_says_whether_orders_can_be_taken():
    async def scenario(site):
        assert (await site.ask("GET", "/health/live")).status == 200
        ready = await site.ask("GET", "/health/ready")
        assert (ready.status, ready.json()) == (200, {"ready": True, "missing": []})
        site.process.changes.is_listening = False
        assert (await site.ask("GET", "/health/ready")).status == 503
        site.process.changes.is_listening = True

    visit(scenario)


def test_figures_are_for_the_machine_itself_or_who_knows_the_token(monkeypatch):
    monkeypatch.setenv("KAITUAN_METRICS_TOKEN", "s3cret")

    async def scenario(site):
        shown = await site.ask("GET", "/metrics")
        assert shown.status == 200
        assert b"kaituan_intake_batch_size_bucket" in shown.body
        through_a_proxy = {"x-forwarded-for": "9.9.9.9"}
        assert (await site.ask("GET", "/metrics", headers=through_a_proxy)).status == 404
        knows = {**through_a_proxy, "authorization": "Bearer s3cret"}
        assert (await site.ask("GET", "/metrics", headers=knows)).status == 200

    visit(scenario)


def test_a_shared_page_is_rendered_once_and_anew_after_a_change(monkeypatch):
    monkeypatch.setattr(pages, "FRESH_S", 0.0)
    rendered = []

    def render(listing, language):
        rendered.append((listing, language))
        if listing == "nowhere":
            return None
        return SharedPage(f"<p>{len(rendered)}</p>".encode(), campaign_id=7, listing_id=3)

    async def scenario(site):
        metrics.flush()
        before = metrics.SHARED_PAGES._value.get()
        answers = [await site.ask("GET", "/g/abcd2345/") for _ in range(3)]
        assert [answer.body for answer in answers] == [b"<p>1</p>"] * 3
        metrics.flush()
        assert metrics.SHARED_PAGES._value.get() == before + 3
        headers = answers[0].headers
        again = await site.ask("GET", "/g/abcd2345/", headers={"if-none-match": headers["etag"]})
        assert (again.status, again.body) == (304, b"")
        packed = await site.ask("GET", "/g/abcd2345/", headers={"accept-encoding": "gzip, br"})
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.GzipFile(fileobj=BytesIO(packed.body)).read() == b"<p>1</p>"
        english = await site.ask("GET", "/g/abcd2345/", headers={"accept-language": "en-GB,en"})
        assert (english.body, english.headers["content-language"]) == (b"<p>2</p>", "en")

        site.process.pages.changed(listing_id=4)
        assert (await site.ask("GET", "/g/abcd2345/")).body == b"<p>1</p>"
        site.process.pages.changed(campaign_id=7)
        assert (await site.ask("GET", "/g/abcd2345/")).body == b"<p>1</p>"
        await until(lambda: len(rendered) == 3)
        await until(lambda: not site.process.pages._rendering)
        assert (await site.ask("GET", "/g/abcd2345/")).body == b"<p>3</p>"

        # Everything that is not the page itself is Django's.
        for method, path, headers in (
            ("POST", "/g/abcd2345/", {}),
            ("GET", "/g/nowhere/", {}),
            ("GET", "/g/abcd2345/join/", {}),
            ("GET", "/g/abcd2345/", {"hx-request": "true"}),
        ):
            assert (await site.ask(method, path, headers=headers)).headers.get("x-django") == "1"

    visit(scenario, pages={"/g/{listing}/": render})


def test_many_who_come_for_a_page_at_once_render_it_once():
    rendered = []

    def render(listing, language):
        rendered.append(listing)
        return SharedPage(b"page", campaign_id=1, listing_id=1)

    async def scenario(site):
        answers = await asyncio.gather(*(site.ask("GET", "/g/abcd2345/") for _ in range(50)))
        assert {answer.body for answer in answers} == {b"page"}
        assert len(rendered) == 1

    visit(scenario, pages={"/g/{listing}/": render})


def test_pages_are_kept_as_long_as_there_is_room_for_them(monkeypatch):
    monkeypatch.setattr(pages, "BYTES_KEPT", 3_000)
    rendered = []

    def render(listing, language):
        rendered.append(listing)
        return SharedPage(b"x" * 1_000, campaign_id=1, listing_id=1)

    async def scenario(site):
        for listing in ("aaaa", "bbbb", "cccc", "bbbb", "cccc", "aaaa"):
            assert len((await site.ask("GET", f"/g/{listing}/")).body) == 1_000
        # There is room for two of them: the one that was rendered first goes.
        assert rendered == ["aaaa", "bbbb", "cccc", "aaaa"]
        cache = site.process.pages
        assert cache._bytes == sum(kept.size for kept in cache._kept.values()) <= 3_000
        # One that alone is too large is served all the same.
        monkeypatch.setattr(pages, "BYTES_KEPT", 10)
        assert (await site.ask("GET", "/g/dddd/")).status == 200
        assert list(cache._kept) == [("/g/dddd/", "zh-hans")]

    visit(scenario, pages={"/g/{listing}/": render})


def test_a_serving_process_loads_nothing_that_settles_or_routes():
    heavy = ("duckdb", "pyarrow", "ibis", "openpyxl", "pyvrp", "numpy", "sqlglot", "adbc_driver_postgresql")
    script = f"import kaituan.config.asgi, sys; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
