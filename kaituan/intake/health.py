"""GET /health/live, /health/ready and /metrics: for whoever watches over the process."""

import hmac
import os

from kaituan.intake import metrics
from kaituan.intake.changes import Changes
from kaituan.intake.database import ConnectionLost, Lanes
from kaituan.intake.http import TEXT, Scope, Send, header, send_answer, send_json


async def live(send: Send) -> None:
    """The process answers; it says nothing about the database."""
    await send_answer(send, 200, b"alive\n", content_type=TEXT)


async def ready(send: Send, *, lanes: Lanes, changes: Changes) -> None:
    """Orders can be taken: the database answers, and changes are heard of."""
    reasons = []
    try:
        await lanes.fetch("SELECT 1 FROM campaigns_campaign LIMIT 1")
    except ConnectionLost:
        reasons.append("database")
    except Exception as error:
        reasons.append(type(error).__name__)
    if not changes.is_listening:
        reasons.append("not listening")
    await send_json(send, 503 if reasons else 200, {"ready": not reasons, "missing": reasons})


async def expose(scope: Scope, send: Send) -> None:
    """Figures for the machine itself, or with the token of KAITUAN_METRICS_TOKEN for anybody."""
    if not _may_see_metrics(scope):
        await send_answer(send, 404, b"")
        return
    await send_answer(send, 200, metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def _may_see_metrics(scope: Scope) -> bool:
    token = os.environ.get("KAITUAN_METRICS_TOKEN", "")
    shown = header(scope, b"authorization").removeprefix(b"Bearer ")
    if token and hmac.compare_digest(shown, token.encode()):
        return True
    client = scope.get("client")
    # A proxy on this machine also comes from here, but says for whom.
    forwarded = header(scope, b"x-forwarded-for") or header(scope, b"forwarded")
    return client is not None and client[0] in ("127.0.0.1", "::1") and not forwarded
