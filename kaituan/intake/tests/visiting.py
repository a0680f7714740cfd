"""Asking the application as a server does, without one: requests, live chains, the lifespan."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from kaituan.intake.behind import Behind
from kaituan.intake.pages import Pages
from kaituan.intake.router import Application
from kaituan.people.passes import issue_pass
from kaituan.web import clock

ORIGIN = "http://testserver"


def django_says(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Stands where Django stands: tells what it was asked for."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Django", "1")])
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["PATH_INFO"].encode("latin-1"), b" ", body]


class Answer:
    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


class Site:
    """The application while it runs."""

    def __init__(self, app: Application) -> None:
        self.app = app

    @property
    def process(self) -> Any:
        return self.app._process

    async def ask(
        self, method: str, path: str, *, body: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        answer = Answer()
        messages = iter([{"type": "http.request", "body": raw, "more_body": False}])

        async def receive() -> dict[str, Any]:
            return next(messages, {"type": "http.disconnect"})

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                answer.body += message.get("body", b"")

        await self.app(scope(method, path, headers), receive, send)
        return answer

    async def order(self, person: Any, body: dict[str, Any], **headers: str) -> Answer:
        sent = {"origin": ORIGIN, "cookie": f"kaituan_pass={person}", **headers}
        return await self.ask("POST", "/intake/orders", body=body, headers=sent)


class Stream:
    """One live chain as a browser hears it."""

    def __init__(
        self, site: Site, listing: str, *, query: str = "", last_event_id: str = "", address: str = "127.0.0.1",
        language: str = "",
    ) -> None:  # fmt: skip
        self.headers: dict[str, str] = {}
        self.text = ""
        self.status = 0
        self._left = asyncio.Event()
        self._news = asyncio.Event()
        headers = {"last-event-id": last_event_id} if last_event_id else {}
        if language:
            headers["accept-language"] = language
        asked = scope("GET", f"/intake/chain/{listing}/events", headers, query)
        asked["client"] = (address, 5)
        self._task = asyncio.create_task(site.app(asked, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        self.text += message.get("body", b"").decode()
        self._news.set()

    @property
    def entries(self) -> list[dict[str, Any]]:
        """All entries so far, in the order in which they came."""
        lines = [line.removeprefix("data: ") for line in self.text.splitlines() if line.startswith("data: ")]
        return [entry for line in lines for entry in json.loads(line)]

    @property
    def last_id(self) -> str:
        return [line.removeprefix("id: ") for line in self.text.splitlines() if line.startswith("id: ")][-1]

    async def until(self, enough: Callable[["Stream"], bool], *, seconds: float = 10) -> "Stream":
        async with asyncio.timeout(seconds):
            while not enough(self):
                self._news.clear()
                await self._news.wait()
        return self

    async def leave(self) -> None:
        self._left.set()
        await self._task

    async def ended(self) -> None:
        await self._task


def scope(method: str, path: str, headers: dict[str, str] | None = None, query: str = "") -> dict[str, Any]:
    named = {"host": "testserver", **(headers or {})}
    return {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": query.encode(),
        "http_version": "1.1",
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
        "client": ("127.0.0.1", 5),
        "server": ("testserver", 80),
    }


def visit(
    scenario: Callable[[Site], Awaitable[None]], *, pages: Pages | None = None, wsgi: Any = django_says
) -> None:
    """Run a scenario against the application, from its start to its end."""

    async def run() -> None:
        app = Application(django=Behind(wsgi, threads=2), pages=pages or {})
        inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        lifespan = asyncio.create_task(app({"type": "lifespan"}, inbox.get, said.put))
        await inbox.put({"type": "lifespan.startup"})
        assert (await said.get())["type"] == "lifespan.startup.complete"
        try:
            await until(lambda: app._process.changes.is_listening and app._process.visitors.hears)
            await scenario(Site(app))
        finally:
            await inbox.put({"type": "lifespan.shutdown"})
            await said.get()
            await lifespan

    asyncio.run(run())


async def until(true: Callable[[], object], *, seconds: float = 10) -> None:
    """Wait until something has become true."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def pass_of(account: Any) -> str:
    return issue_pass(account=account, now=clock.now())
