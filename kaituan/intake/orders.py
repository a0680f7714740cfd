"""POST /intake/orders: one order, asked for by the member who is signed in.

    {"campaign": "public id", "listing": "public id", "key": "made with the form", "pay": "sandbox",
     "lines": [{"offer": "A", "quantity": 2, "note": ""}], "note": "", "version": 3}

quantity is in base steps of the offer. pay is a gateway's channel, `balance` or `leader` (the leader takes the
money). version is the campaign's version that the buyer saw; without it the one in force counts. The same key
sent again by the same person answers with the order of then. Answers, all JSON with an `outcome`:

    201 placed            order, follow_number, due_fen, paid, intent (public id, or null if nothing is to be paid)
    200 already_placed    the same
    409 sold_out, limit_reached      offer (its code), left_quantity, message
    409 closed, changed, stopped, prepaid_only; 403 not_listed; 425 not_open_yet    message
    422 invalid; 401 signed_out; 403 foreign_origin; 413 too_large
    429 busy; 503 unavailable        with Retry-After: send it again with the same key
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated

import structlog
from django.db import DatabaseError
from django.utils import translation
from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kaituan.intake import metrics
from kaituan.intake.batches import (
    BALANCE,
    LEADER,
    Batches,
    CannotPlace,
    Placed,
    QueueFull,
    Result,
    Wanted,
)
from kaituan.intake.http import (
    Gone,
    Headers,
    Receive,
    Scope,
    Send,
    TooLarge,
    language_of,
    read_body,
    send_answer,
)
from kaituan.intake.snapshots import CampaignTerms, OfferTerms, Snapshots
from kaituan.intake.visitors import ForeignOrigin, NotSignedIn, Visitor, Visitors
from kaituan.ordering.core import Answer, Outcome
from kaituan.ordering.refusals import refusal_text, shortage_text
from kaituan.payments.gateways.registry import GATEWAYS
from kaituan.web import clock

log = structlog.get_logger(__name__)

BODY_LIMIT = 64 * 1024
RETRY_AFTER = (b"retry-after", b"1")
ZERO = b"\\u0000"
"""The character zero as JSON writes it: the database keeps no text with one."""


class LineBody(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    offer: Annotated[str, Field(min_length=1, max_length=12)]
    quantity: Annotated[int, Field(gt=0, lt=2**40)]
    note: Annotated[str, Field(max_length=200)] = ""


class OrderBody(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    listing: Annotated[str, Field(min_length=1, max_length=16)]
    campaign: Annotated[str, Field(max_length=16)] = ""
    key: Annotated[str, Field(min_length=8, max_length=64)]
    pay: Annotated[str, Field(max_length=16)]
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=200)]
    note: Annotated[str, Field(max_length=500)] = ""
    version: Annotated[int, Field(gt=0, lt=2**31)] | None = None


_validate = OrderBody.__pydantic_validator__.validate_json


class HasZero(ValueError):
    """A text with the character zero in it."""


def read_order(body: bytes) -> OrderBody:
    """The order a client asks for. Raises ValidationError, HasZero."""
    if ZERO in body:
        raise HasZero
    return _validate(body)


PAYS = frozenset({BALANCE, LEADER, *GATEWAYS})

PLACED_STATUSES: dict[str, int] = {Outcome.PLACED: 201, Outcome.ALREADY_PLACED: 200}
STATUSES = {
    Outcome.NOT_LISTED: 403,
    Outcome.INVALID: 422,
    Outcome.NOT_OPEN_YET: 425,
}


@dataclass(slots=True)
class Reply:
    status: int
    outcome: str
    body: bytes
    headers: Headers = ()


class OrderIntake:
    """The route. Everything that it needs of the process is handed to it."""

    def __init__(self, *, visitors: Visitors, snapshots: Snapshots, batches: Batches) -> None:
        self._visitors = visitors
        self._snapshots = snapshots
        self._batches = batches

    async def __call__(self, scope: Scope, receive: Receive, send: Send, *, name: bytes) -> None:
        """Answer one request; `name` is what its log lines and its answer bear."""
        if scope["method"] != "POST":
            await send_answer(send, 405, b'{"outcome":"method"}', headers=((b"allow", b"POST"),))
            return
        try:
            body = await read_body(receive, limit=BODY_LIMIT)
        except Gone:
            return
        except TooLarge:
            reply = _refused(scope, 413, "too_large")
        else:
            started = time.perf_counter()
            reply = await self._reply(scope, body, name)
            metrics.note_order(reply.outcome, time.perf_counter() - started)
        await send_answer(send, reply.status, reply.body, headers=((b"x-request-id", name), *reply.headers))

    def take(self, scope: Scope, body: bytes, *, name: bytes, answer: Callable[[Reply], None]) -> bool:
        """As the route, without waiting: whether the order is taken. If so, `answer` is called, now or when its
        batch is done; if not, somebody must be asked first or a refusal is to be worded, which is the route's.
        """
        started = time.perf_counter()
        now = clock.now()
        try:
            visitor = self._visitors.by_pass(scope, now=now)
            if visitor is None:
                return False
            asked = read_order(body)
            terms = self._snapshots.known(asked.listing, version=asked.version)
            if terms is None:
                return False
            wanted = self._wanted(scope, visitor, asked, terms, now)
            if isinstance(wanted, Wanted):
                self._batches.place(wanted, partial(_finish, scope, terms, name, started, answer))
                return True
        except (ForeignOrigin, HasZero, ValidationError, QueueFull):
            return False
        metrics.note_order(wanted.outcome, time.perf_counter() - started)
        answer(wanted)
        return True

    async def _reply(self, scope: Scope, body: bytes, name: bytes) -> Reply:
        # In a rush nothing here waits but the batch itself: pass and terms are told from memory.
        now = clock.now()
        try:
            visitor = self._visitors.by_pass(scope, now=now)
            if visitor is None:
                visitor = await self._visitors.by_asking(scope, now=now)
            asked = read_order(body)
            terms = self._snapshots.known(asked.listing, version=asked.version)
            if terms is None:
                terms = await self._snapshots.of_listing(asked.listing, now=now)
            wanted = self._wanted(scope, visitor, asked, terms, now)
            if isinstance(wanted, Reply):
                return wanted
            return _reply_to(scope, await self._batches.result(wanted), terms, name)
        except ForeignOrigin:
            return _refused(scope, 403, "foreign_origin")
        except NotSignedIn:
            return _refused(scope, 401, "signed_out")
        except HasZero:
            return _refused(scope, 422, Outcome.INVALID)
        except ValidationError as error:
            return _malformed(scope, error)
        except QueueFull:
            return _refused(scope, 429, "busy", retry=True)
        except DatabaseError as error:
            return _unavailable(scope, error, name)

    def _wanted(
        self, scope: Scope, visitor: Visitor, asked: OrderBody, terms: CampaignTerms | None, now: datetime
    ) -> Reply | Wanted:
        """The order for its batch, or a refusal from memory."""
        if terms is None or (asked.campaign and asked.campaign != terms.public_id):
            return _refused(scope, 403, Outcome.NOT_LISTED)
        if asked.pay not in PAYS:
            return _refused(scope, 422, Outcome.INVALID)
        if now < terms.opens_at and self._snapshots.may_refuse:
            return _refused(scope, 425, Outcome.NOT_OPEN_YET, retry=True)
        lines = []
        for line in asked.lines:
            offer = terms.offers.get(line.offer)
            if offer is None:
                return _refused(scope, 422, Outcome.INVALID)
            if offer.is_sold_out and self._may_refuse(offer, visitor, asked, terms):
                metrics.WITHOUT_SQL.inc()
                return _short(scope, Outcome.SOLD_OUT, offer, 0)
            lines.append((offer.id, line.quantity, line.note))
        return Wanted(
            campaign_id=terms.id,
            version=asked.version,
            listing_id=terms.listings[asked.listing],
            actor_id=visitor.person_id,
            key=asked.key,
            pay=asked.pay,
            note=asked.note,
            lines=lines,
        )

    def _may_refuse(
        self, offer: OfferTerms, visitor: Visitor, asked: OrderBody, terms: CampaignTerms
    ) -> bool:
        """Whether "sold out" may be said without asking: not to who may have lost an answer, nor of old terms."""
        return (
            self._snapshots.may_refuse
            and visitor.person_id not in offer.buyers
            and asked.version in (None, terms.version)
        )


def _finish(
    scope: Scope,
    terms: CampaignTerms,
    name: bytes,
    started: float,
    answer: Callable[[Reply], None],
    result: Result,
) -> None:
    """Answer an order whose batch is done."""
    reply = _reply_to(scope, result, terms, name)
    metrics.note_order(reply.outcome, time.perf_counter() - started)
    answer(reply)


def _reply_to(scope: Scope, result: Result, terms: CampaignTerms | None, name: bytes) -> Reply:
    if isinstance(result, Placed):
        return _reply_to_placed(scope, result, terms)
    if isinstance(result, CannotPlace):
        return _unavailable(scope, result, name)
    log.warning("intake.broken_request", error=str(result), request=name.decode())
    return _refused(scope, 422, Outcome.INVALID)


def _unavailable(scope: Scope, error: Exception, name: bytes) -> Reply:
    log.warning("intake.unavailable", error=str(error), request=name.decode())
    return _refused(scope, 503, "unavailable", retry=True)


def _reply_to_placed(scope: Scope, placed: Placed, terms: CampaignTerms | None) -> Reply:
    if placed.public_id is not None:
        # Written by hand: everything in it is an id, a number or a word of ours.
        intent = f'"{placed.intent}"' if placed.intent else "null"
        paid = "true" if placed.is_paid else "false"
        body = (
            f'{{"outcome":"{placed.outcome}","order":"{placed.public_id}",'
            f'"follow_number":{placed.follow_number},"due_fen":{placed.due_fen},"paid":{paid},"intent":{intent}}}'
        )
        return Reply(PLACED_STATUSES[placed.outcome], placed.outcome, body.encode())
    outcome = Outcome(placed.outcome)
    if outcome in (Outcome.SOLD_OUT, Outcome.LIMIT_REACHED):
        offer = terms.offer_by_id(placed.offer_id) if terms else None
        if offer is not None:
            return _short(scope, outcome, offer, placed.left_quantity or 0)
    return _refused(scope, STATUSES.get(outcome, 409), outcome, retry=outcome is Outcome.NOT_OPEN_YET)


def _short(scope: Scope, outcome: Outcome, offer: OfferTerms, left_quantity: int) -> Reply:
    with translation.override(language_of(scope)):
        message = shortage_text(
            outcome=outcome, title=offer.title, sale_unit=offer.sale_unit,
            price_quantity=offer.price_quantity, left_quantity=left_quantity,
        )  # fmt: skip
    body = {"outcome": outcome, "offer": offer.code, "left_quantity": left_quantity, "message": message}
    return Reply(409, outcome, _json(body))


def _refused(scope: Scope, status: int, outcome: str, *, retry: bool = False) -> Reply:
    with translation.override(language_of(scope)):
        message = _message(outcome)
    headers = (RETRY_AFTER,) if retry else ()
    return Reply(status, outcome, _json({"outcome": outcome, "message": message}), headers)


def _message(outcome: str) -> str:
    own = {
        "signed_out": _("Please sign in, then order."),
        "foreign_origin": _("Please order on our own page."),
        "too_large": _("This order is too long: make two of it."),
        "busy": _("Many are ordering right now. Please try again in a second."),
        "unavailable": _("We could not take the order just now. Please try again: nothing is ordered twice."),
    }
    return own.get(outcome) or refusal_text(answer=Answer(Outcome(outcome)))


def _malformed(scope: Scope, error: ValidationError) -> Reply:
    """422 that names the fields, for whoever writes a client."""
    fields = {".".join(map(str, problem["loc"])) or "body": problem["msg"] for problem in error.errors()}
    with translation.override(language_of(scope)):
        body = {"outcome": Outcome.INVALID, "message": _message(Outcome.INVALID), "fields": fields}
    return Reply(422, Outcome.INVALID, _json(body))


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
