"""Whatever is typed into the address bar or posted by hand, by whomever: a page, a refusal or a way to sign in;
never a program that fell over.

Every address of the site is asked by every kind of visitor. The forms that a visitor sees are sent as they stand, by
each of their buttons, and then with what nobody expects in every field.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from kaituan.aftersales.models import Claim
from kaituan.aftersales.services import open_claim
from kaituan.campaigns.models import Campaign
from kaituan.catalogue.models import Supplier, Variant
from kaituan.console.tests.conftest import sign_in, staff_account
from kaituan.fulfilment.models import PurchaseOrder
from kaituan.ordering.models import ChainPaste, Order, OrderLine
from kaituan.ordering.pasting import paste_chain
from kaituan.payments.models import PaymentIntent, Refund
from kaituan.people.models import Person, PickupPoint
from kaituan.reporting.tests.town import Town, plain_story
from kaituan.settlement.disputes import open_dispute
from kaituan.settlement.models import CommissionRow, Dispute, Statement, Withdrawal
from kaituan.web import clock
from tests import factories as make

pytestmark = pytest.mark.django_db

ODD = ("\x00", "²", "9" * 40, "-1e999")
"""The character zero, a digit that is none, numbers past all columns and below all limits."""
QUERY = urlencode(
    dict.fromkeys(
        (
            "q",
            "next",
            "after",
            "page",
            "from",
            "version",
            "old",
            "run",
            "status",
            "kind",
            "offer",
            "policy",
            "first",
        ),
        "\x00²",
    )
)
DIGITS = f"page={'9' * 30}&after={'9' * 30}&run={'9' * 30}&q={'9' * 5000}&next=//elsewhere.example&excel"
ENDS_THE_VISIT = ("sign-out", "sign-in", "staff/", "demo/", "me/account/")
"""Not by the form: the browser would be signed out for all that follows."""


@dataclass
class FoundForm:
    """A form of a page: where it posts to, its fields as they stand, and its buttons."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Forms(HTMLParser):
    """Finds the forms of a page that post."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[FoundForm] = []
        self._form: FoundForm | None = None
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = FoundForm(said.get("action") or said.get("hx-post", ""))
            if said.get("method", "").lower() == "post" or "hx-post" in said:
                self.found.append(self._form)
        elif self._form is not None:
            self._take(self._form, tag, said)

    def _take(self, form: FoundForm, tag: str, said: dict[str, str]) -> None:
        name = said.get("name", "")
        if tag == "button" and name:
            form.buttons.append((name, said.get("value", "")))
        elif tag == "select":
            self._select = name
            form.fields.setdefault(name, [])
        elif tag == "option" and self._select and (not form.fields[self._select] or "selected" in said):
            form.fields[self._select] = [said.get("value", "")]
        elif tag == "textarea" and name:
            form.fields.setdefault(name, ["words"])
        elif tag == "input" and name and name != "csrfmiddlewaretoken":
            kept = form.fields.setdefault(name, [])
            if said.get("type") not in ("radio", "checkbox") or "checked" in said or not kept:
                kept.append(said.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""


def routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every route of the site with the names of its parts; the admin has tests of its own."""
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver) and not route.startswith("admin/"):
            yield from routes(entry, route)
        elif isinstance(entry, URLPattern):
            yield route, list(entry.pattern.converters)


class Everybody:
    """A town at one station of its day, and a browser for each kind of visitor."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.leader = town.leaders[0]
        self.draft = make.campaign(status=Campaign.Status.DRAFT, created_by=self.leader.person, title="草稿")
        make.offer(self.draft)
        Campaign.objects.filter(pk=town.campaign.pk).update(created_by=self.leader.person)
        text = "1. 张敏 A2\n2. 李四 什么都行\n3. 张三 B1"
        paste_chain(listing=town.listings[0], text=text, acting_person=self.leader.person, now=town.now)
        seller = make.person("供货员")
        Supplier.objects.order_by("pk")[0].staff.create(person=seller, effective_from=town.now)
        self.clients = {
            "nobody": Client(),
            "member": _signed_in(town.members[0][0].person),
            "leader": _signed_in(self.leader.person),
            "other leader": _signed_in(town.leaders[1].person),
            "supplier": _signed_in(seller),
            "staff": sign_in(staff_account("admin", "陈总")),
        }
        self.fell: dict[str, str] = {}
        for client in self.clients.values():
            client.raise_request_exception = False

    def rows(self, route: str) -> dict[str, Any]:
        """For each part of a route something that there is."""
        listing = self.town.listings[0]
        own = Order.objects.filter(listing=listing).order_by("pk")
        statement = Statement.objects.filter(leader=self.leader).first()
        named = {
            "listing": listing,
            "campaign": self.draft if route.startswith("work/open/") else self.town.campaign,
            "order": PurchaseOrder.objects.first()
            if "purchas" in route or "portal" in route
            else own.first(),
            "intent": PaymentIntent.objects.first(),
            "paste": ChainPaste.objects.first(),
            "claim": Claim.objects.first(),
            "group": listing.group,
            "refund": Refund.objects.first(),
            "statement": statement,
            "withdrawal": Withdrawal.objects.order_by("pk").first(),
            "dispute": Dispute.objects.first(),
            "point": PickupPoint.objects.first(),
            "supplier": Supplier.objects.order_by("pk").first(),
            "person": Person.objects.order_by("pk").first(),
        }
        numbered = {
            "line": OrderLine.objects.filter(order__listing=listing).first(),
            "row": CommissionRow.objects.filter(leader=self.leader).first(),
            "variant": Variant.objects.first(),
        }
        return {
            **{name: row.public_id if row else "none" for name, row in named.items()},
            **{name: row.pk if row else 1 for name, row in numbered.items()},
            "photo": 1, "pk": 1, "kind": "pickup", "token": "forged:token",
        }  # fmt: skip

    def ask(self, who: str, address: str, data: dict[str, Any] | None = None) -> Any:
        """One request, of which nothing stays."""
        client = self.clients[who]
        with transaction.atomic():
            answer = client.get(address) if data is None else client.post(address, data)
            answer.getvalue()  # Templates are rendered, and files read.
            transaction.set_rollback(True)
        if answer.status_code >= 500:
            self.fell.setdefault(address.partition("?")[0], f"{who}: {address[:200]} {str(data)[:400]}")
        return answer

    def press(self, who: str, form: FoundForm, address: str) -> None:
        """Send a form by each of its buttons: as it stands, and with each odd thing in all its fields."""
        target = form.action if form.action.startswith("/") else address
        for name, value in form.buttons or [("", "")]:
            button = {name: value} if name else {}
            self.ask(who, target, {**form.fields, **button})
            for odd in ODD:
                self.ask(who, target, {**dict.fromkeys(form.fields, odd), **button})


def _signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(make.account(person), backend="django.contrib.auth.backends.ModelBackend")
    return client


def in_the_morning() -> Town:
    """Open: one has not paid, one pays the leader, one has paid."""
    town = Town()
    town.place(0, 0, (3, 2))
    town.place(0, 1, (1, 0), settles="leader")
    town.place(0, 2, (1, 0))
    town.pay(2)
    return town


def in_the_evening() -> Town:
    """Shared out and handed over in part; a claim is open, and money that belongs to nobody."""
    town = Town()
    town.place(0, 0, (3, 2))
    town.pay(0)
    town.place(0, 1, (2, 0), settles="leader")
    town.stray_money(12_345)
    town.stray_money(54_321)
    town.close()
    town.deliver(missing=1)
    town.fetch(0, 1)
    line = town.lines[0]
    open_claim(
        line=line, reason="damaged", words="坏", asked_fen=100, photos=[], acting_person=line.order.person,
        now=town.now, key="k",
    )  # fmt: skip
    return town


def at_the_end() -> Town:
    """Settled; the leader asks about an amount."""
    town = plain_story()
    row = CommissionRow.objects.filter(leader=town.leaders[0]).first()
    statement = Statement.objects.get(leader=town.leaders[0], period=row.period)
    open_dispute(
        statement=statement, row=row, words="少了", acting_person=town.leaders[0].person, now=town.now
    )
    return town


STATIONS = {
    in_the_morning: "",
    in_the_evening: "work/ o/ console/campaigns console/purchasing console/claims console/payments portal/",
    at_the_end: "work/money console/ portal/",
}
"""Where to look at each of them; "" is everywhere."""


@pytest.fixture(autouse=True)
def _plain_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.mark.parametrize("station", STATIONS, ids=lambda station: station.__name__)
def test_no_address_falls_over_whoever_asks_and_whatever_is_posted(station):
    town = station()
    with clock.standing_at(town.now):
        everybody = Everybody(town)
        for route, parts in routes(get_resolver()):
            if route.startswith(tuple(STATIONS[station].split()) or "") and not route.startswith("design/"):
                visit(everybody, route, parts)
    assert everybody.fell == {}


def visit(everybody: Everybody, route: str, parts: list[str]) -> None:
    rows = everybody.rows(route)
    address = filled(route, {part: rows[part] for part in parts})
    pressed: list[FoundForm] = []
    for who in everybody.clients:
        page = everybody.ask(who, address)
        everybody.ask(who, address, {"key": "\x00", "confirm": "²"})
        if page.status_code != 200:
            continue
        everybody.ask(who, filled(route, dict.fromkeys(parts, "9" * 21)))
        everybody.ask(who, f"{address}?{QUERY}")
        everybody.ask(who, f"{address}?{DIGITS}")
        if route.startswith(ENDS_THE_VISIT) or "html" not in page["Content-Type"]:
            continue
        for form in Forms(page.content.decode()).found:
            if form not in pressed:
                pressed.append(form)
                everybody.press(who, form, address)


def filled(route: str, values: dict[str, Any]) -> str:
    for name, value in values.items():
        for converter in ("slug", "int", "str"):
            route = route.replace(f"<{converter}:{name}>", quote(str(value), safe=""))
    return f"/{route}"
