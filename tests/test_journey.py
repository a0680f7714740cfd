"""One group buy from the chat to the withdrawal, through the public pages, on a clock of its own.

A leader opens two group buys; orders come by two real chains, by tapping and by key-in; cut-off, purchase orders,
one of the goods short, hand-over, a claim, settlement, the supplier's and the leader's money. At every step the
doctor finds nothing, and at the end every fen of every account is where arithmetic says it must be.
"""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from kaituan.aftersales.models import Claim
from kaituan.campaigns.models import Campaign, Listing
from kaituan.catalogue.models import SupplierStaff
from kaituan.fulfilment.models import PurchaseOrder
from kaituan.ledger.models import Account as BookAccount
from kaituan.ledger.queries import balances_fen
from kaituan.ordering.models import ChainPaste, Order, OrderLine
from kaituan.payments.models import Remittance
from kaituan.people.models import Person, StaffRole
from kaituan.reporting.doctor import examine
from kaituan.settlement.models import Statement, Withdrawal
from kaituan.web import clock
from kaituan.web.sign_in.staff import PERSONA_SESSION_KEY
from kaituan.worker.clock import run_due
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "jobs"])

CASES = Path(__file__).resolve().parent.parent / "kaituan/ordering/chain/tests/contract_cases.jsonl"
SALE_BP, SERVICE_BP, SERVICE_FEN = 1000, 100, 20


def case(name):
    for line in CASES.read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        if found["id"] == name:
            return found
    raise LookupError(name)


def signed_in(account, *, persona=False):
    client = Client()
    client.force_login(account)
    if persona:
        session = client.session
        session[PERSONA_SESSION_KEY] = True
        session.save()
    return client


class Story:
    """The people, the goods, and the moment the story has reached."""

    def __init__(self):
        self.now = NOON
        make.station()
        make.open_books()
        make.plan()
        self.leader = make.leader("王姐", tier="host")
        self.group = make.group(self.leader, name="翠成馨园一群")
        self.leader_client = signed_in(make.account(self.leader.person))
        self.operator_client = self._staff("运营", StaffRole.Role.OPERATOR)
        self.cashier_client = self._staff("出纳", StaffRole.Role.CASHIER)
        self.bakery = make.supplier("甜品工坊")
        self.kitchen = make.supplier("家常厨房")
        baker = make.account(make.person("面包师"))
        SupplierStaff.objects.create(supplier=self.bakery, person=baker.person, effective_from=NOON)
        self.baker_client = signed_in(baker)
        self.tappers = [make.account(make.person(name)) for name in ("林晓", "陈静", "何苗")]

    def _staff(self, name, role):
        account = make.account(make.person(name), is_staff=True)
        StaffRole.objects.create(person=account.person, role=role, effective_from=NOON - timedelta(days=1))
        return signed_in(account, persona=True)

    def later(self, **by):
        self.now += timedelta(**by)

    def check(self):
        """The clock does what is due, then everything must add up."""
        with clock.standing_at(self.now):
            assert run_due(now=self.now) == {}
        assert examine() == []

    def get(self, client, path, **query):
        with clock.standing_at(self.now):
            answer = client.get(path, query)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.content.decode()

    def post(self, client, path, data=None):
        with clock.standing_at(self.now):
            answer = client.post(path, data or {})
        assert answer.status_code in (302, 303), (path, answer.status_code, answer.content.decode()[:3000])
        return answer["Location"]

    def stock(self, supplier, products):
        """One variant per product of a chain case, at its price, bought at 60 % of it; code -> variant."""
        return {
            row["code"]: make.variant(
                make.product(row["name"], supplier=supplier, aliases=row["aliases"]),
                sale_unit=row["unit"],
                purchase_unit=row["unit"],
                sale_price_fen=row["price_fen"],
                purchase_price_fen=cost_of(row["price_fen"]),
            )
            for row in products
        }

    def open_campaign(self, title, variants):
        """Choose goods, set the terms and the chain's own codes, publish: the leader's three pages."""
        draft = self.post(
            self.leader_client, "/work/open/", {"variant": [variant.pk for variant in variants.values()]}
        )
        campaign = Campaign.objects.get(public_id=draft.strip("/").split("/")[-1])
        by_variant = {variant.pk: code for code, variant in variants.items()}
        terms = {
            "title": title,
            "opens_at": "2026-10-01T12:00",
            "closes_at": "2026-10-02T20:00",
            "pickup_on": "2026-10-04",
            "pickup_hours": "16:00–19:00",
            "minimum_fen": "0",
            "minimum_policy": "refund",
            "groups": [self.group.pk],
            "publish": "",
        }
        for offer in campaign.offers.all():
            variant = variants[by_variant[offer.variant_id]]
            terms |= {
                f"o{offer.pk}-price": f"{variant.prices.get().sale_price_fen / 100:.2f}",
                f"o{offer.pk}-code": by_variant[offer.variant_id],
                f"o{offer.pk}-title": variant.product.name,
            }
        shared = self.post(self.leader_client, draft, terms)
        return Listing.objects.get(public_id=shared.strip("/").split("/")[-2])


def cost_of(price_fen):
    return price_fen * 6 // 10


@pytest.fixture
def story(settings):
    settings.DEMO = True
    return Story()


def paste_and_book(story, listing, text, answers=()):
    """Paste, answer what is asked (code of the goods -> quantity), book."""
    base = f"/work/l/{listing.public_id}"
    where = story.post(story.leader_client, f"{base}/paste/", {"text": text})
    page = story.get(story.leader_client, where)
    paste = ChainPaste.objects.latest("pk")
    for name, lines in answers:
        assert name in page
        with clock.standing_at(story.now):
            from kaituan.ordering.pasting import Change, propose

            [asked] = [p for p in propose(paste=paste) if p.change == Change.ASK]
        story.post(
            story.leader_client,
            f"{where}answer/",
            {"key": asked.key, **{f"qty_{code}": quantity for code, quantity in lines.items()}},
        )
    story.post(story.leader_client, f"{where}book/")
    # Pasting the same chain again finds nothing to book.
    again = story.post(story.leader_client, f"{base}/paste/", {"text": text})
    story.post(story.leader_client, f"{again}book/")


def tap(story, account, listing, quantities):
    """The member's own way: choose, confirm, pay by the sandbox."""
    client = signed_in(account)
    page = f"/g/{listing.public_id}/join/"
    story.post(client, page, {f"offer_{offer.pk}": quantity for offer, quantity in quantities.items()})
    pay = story.post(
        client,
        page,
        {
            "confirm": "1",
            "key": f"tap-{account.pk}",
            "settles": "prepaid",
            "display_name": account.person.name,
            "room": "8-101",
        },
    )
    checkout = story.post(client, pay, {"channel": "sandbox"})
    story.post(client, checkout)
    return Order.objects.get(person=account.person)


def orders_by_name(listing):
    return {order.member.display_name: order for order in listing.orders.select_related("member")}


def test_from_chat_text_to_withdrawal(story):
    c12, c02 = case("c12"), case("c02")
    cakes = story.stock(story.bakery, c12["products"])
    dinner = story.stock(story.kitchen, c02["products"])
    price = {row["code"]: row["price_fen"] for row in (*c12["products"], *c02["products"])}

    # The leader opens two group buys.
    bakery = story.open_campaign("周日甜品团", cakes)
    supper = story.open_campaign("周一晚餐", dinner)
    assert bakery.campaign.status == "open"
    story.check()

    # Orders by two pasted real chains, one question answered.
    paste_and_book(story, bakery, c12["text"], answers=[("阿橘", {"1原味": 1, "2": 1})])
    paste_and_book(story, supper, c02["text"])
    assert (bakery.orders.count(), supper.orders.count()) == (11, 3)
    expected = {
        row["name"]: {line["code"]: line["qty"] for line in row["lines"]} for row in c12["expected"]["orders"]
    }
    expected["阿橘"] = {"1原味": 1, "2": 1}
    for name, order in orders_by_name(bakery).items():
        booked = {line.offer.code: line.quantity for line in order.lines.select_related("offer")}
        assert booked == expected[name], name
    story.check()

    # Three by tapping, two keyed in with cash.
    story.later(hours=2)
    offers = {offer.code: offer for offer in bakery.campaign.offers.all()}
    first = tap(story, story.tappers[0], bakery, {offers["2"]: 1, offers["3"]: 1})
    second = tap(story, story.tappers[1], bakery, {offers["13"]: 2})
    third = tap(story, story.tappers[2], bakery, {offers["4"]: 1, offers["9"]: 2})
    assert {order.status for order in (first, second, third)} == {"confirmed"}
    key_in = f"/work/l/{bakery.public_id}/key-in/"
    for key, who, what in (("k1", "赵奶奶 2-101", "3*2"), ("k2", "孙爷爷 2-102", "9")):
        story.post(
            story.leader_client, key_in, {"who": who, "what": what, "paid_by": "cash", "note": "", "key": key}
        )
        story.post(
            story.leader_client, key_in, {"who": who, "what": what, "paid_by": "cash", "note": "", "key": key}
        )
    assert bakery.orders.count() == 16
    assert orders_by_name(bakery)["赵奶奶"].paid_fen == 2 * price["3"]
    story.check()

    # The cut-off comes by the clock.
    story.now = bakery.campaign.closes_at
    story.check()
    bakery.campaign.refresh_from_db()
    assert bakery.campaign.status == "closed"
    assert bakery.campaign.snapshots.get().number == 1
    ordered = dict.fromkeys(price, 0)
    for line in OrderLine.objects.filter(order__status="confirmed").select_related("offer"):
        ordered[line.offer.code] += line.quantity
    purchase = {po.supplier_id: po for po in PurchaseOrder.objects.all()}
    assert set(purchase) == {story.bakery.pk, story.kitchen.pk}

    # Purchase orders: sent, seen, confirmed.
    for po in purchase.values():
        story.post(story.operator_client, f"/console/purchasing/{po.public_id}/", {"send": ""})
    po = purchase[story.bakery.pk]
    story.get(story.baker_client, f"/portal/orders/{po.public_id}/")
    by_code = {line.variant_id: line for line in po.lines.all()}
    asked = {code: by_code[cakes[code].pk] for code in cakes if cakes[code].pk in by_code}
    story.post(
        story.baker_client,
        f"/portal/orders/{po.public_id}/",
        {f"line_{line.pk}": ordered[code] for code, line in asked.items()},
    )
    story.check()

    # The goods come: four of the six rolls that were ordered, everything else in full.
    story.later(days=1)
    assert ordered["4"] == 6
    came = {**ordered, "4": 4}
    story.post(
        story.operator_client,
        f"/console/purchasing/{po.public_id}/",
        {f"line_{line.pk}": came[code] for code, line in asked.items()},
    )
    meal = purchase[story.kitchen.pk]
    story.post(
        story.operator_client,
        f"/console/purchasing/{meal.public_id}/",
        {f"line_{meal.lines.get().pk}": ordered["W"]},
    )
    for listing in (bakery, supper):
        story.post(story.operator_client, f"/console/campaigns/{listing.campaign.public_id}/share-complete/")
    story.check()
    share = f"/console/campaigns/{bakery.campaign.public_id}/share/{cakes['4'].pk}/"
    story.get(story.operator_client, share, policy="pro_rata")
    story.post(story.operator_client, share, {"policy": "first_come"})
    # First come: the last of the chain and who tapped after it go without; the one had paid and gets it back.
    assert {
        line.order.member.display_name
        for line in OrderLine.objects.filter(offer=offers["4"], allocated_quantity=0)
    } == {
        "..",
        "何苗",
    }
    story.check()
    third.refresh_from_db()
    assert third.refunds.get().amount_fen == price["4"]

    # Arrived, money taken at the door, handed over; one order in two parts.
    for listing in (bakery, supper):
        story.post(story.leader_client, f"/work/l/{listing.public_id}/arrived/")
    cash_fen = 2 * price["3"] + price["9"]
    for listing in (bakery, supper):
        for order in listing.orders.filter(status="confirmed").order_by("follow_number"):
            if order.unpaid_fen:
                due = f"{order.unpaid_fen / 100:.2f}"
                cash_fen += order.unpaid_fen
                for _ in range(2):
                    with clock.standing_at(story.now):
                        story.leader_client.post(
                            f"/work/o/{order.public_id}/",
                            {"receive": "", "channel": "cash", "amount": due, "key": "door"},
                        )
            page = f"/work/counter/{order.public_id}/"
            waiting = [line for line in order.lines.all() if line.allocated_quantity]
            parts = [[line] for line in waiting] if order.member.display_name == "Tracy" else [waiting]
            for number, part in enumerate(parts):
                data = {f"line_{line.pk}": line.allocated_quantity for line in part}
                story.post(
                    story.leader_client, page, {**data, "method": "follow_number", "key": f"h{number}"}
                )
                story.check() if len(parts) > 1 else None
    assert not OrderLine.objects.filter(allocated_quantity__gt=0, handed_over_at__isnull=True).exists()
    story.check()

    # One claim, granted in part by the leader, borne by the supplier.
    story.later(hours=3)
    line = first.lines.get(offer=offers["2"])
    member = signed_in(story.tappers[0])
    story.post(
        member,
        f"/o/{first.public_id}/claim/{line.pk}/",
        {"reason": "damaged", "words": "压坏了", "asked": "15.00", "key": "claim-1"},
    )
    claim = Claim.objects.get()
    story.post(
        story.leader_client,
        f"/work/claims/{claim.public_id}/",
        {"grant": "", "amount": "10.00", "liability": "supplier", "answer": "抱歉"},
    )
    story.check()
    assert {refund.status for refund in first.refunds.all()} == {"sent"}

    # The claim window closes; the period is settled.
    story.later(days=4)
    story.check()
    assert not OrderLine.objects.filter(completed_at__isnull=True, quantity__gt=0).exists()
    story.later(hours=1)
    story.post(story.cashier_client, "/console/settlement/")
    story.check()

    sale_fen = service_fen = sales_fen = 0
    for line in OrderLine.objects.prefetch_related("adjustments"):
        net_fen = line.amount_fen + sum(a.amount_fen for a in line.adjustments.all())
        sales_fen += net_fen
        sale_fen += net_fen * SALE_BP // 10_000
        if net_fen:
            service_fen += min(net_fen, net_fen * SERVICE_BP // 10_000 + SERVICE_FEN)
    earned_fen = sale_fen + service_fen
    statement = Statement.objects.get()
    assert (statement.leader, statement.total_fen) == (story.leader, earned_fen)
    page = story.get(story.leader_client, f"/work/money/{statement.public_id}/")
    assert str(earned_fen // 100) in page.replace(",", "")

    # The suppliers are paid: what came at purchase price, less the claim's share of the cost.
    claim_share_fen = cost_of(price["2"]) * 1000 // price["2"]
    cakes_fen = sum(came[code] * cost_of(price[code]) for code in cakes) - claim_share_fen
    dinner_fen = ordered["W"] * cost_of(price["W"])
    for supplier, fen in ((story.bakery, cakes_fen), (story.kitchen, dinner_fen)):
        page = story.get(story.cashier_client, f"/console/suppliers/{supplier.public_id}/")
        ids = [payable.pk for payable in supplier.payables.all()]
        assert sum(payable.amount_fen for payable in supplier.payables.all()) == fen
        story.post(
            story.cashier_client,
            f"/console/suppliers/{supplier.public_id}/",
            {"payable": ids, "reference": f"S{supplier.pk}"},
        )
    story.check()

    # The leader hands over most of the cash; the rest is kept back from the withdrawal.
    left_fen = 5_000
    remitted_fen = cash_fen - left_fen
    story.post(
        story.leader_client, "/work/money/remit/", {"amount": f"{remitted_fen / 100:.2f}", "reference": "R1"}
    )
    remittance = Remittance.objects.get()
    story.post(
        story.cashier_client, "/console/remittances/", {"remittance": remittance.public_id, "confirm": ""}
    )
    story.post(
        story.leader_client,
        "/work/money/account/",
        {"kind": "alipay", "holder_name": "王姐", "account_number": "139 2000 0001"},
    )
    story.post(
        story.leader_client, "/work/money/withdraw/", {"amount": f"{earned_fen / 100:.2f}", "key": "w1"}
    )
    withdrawal = Withdrawal.objects.get()
    assert (withdrawal.amount_fen, withdrawal.netted_fen, withdrawal.tax_fen) == (earned_fen, left_fen, 0)
    story.check()
    story.post(
        story.cashier_client, "/console/withdrawals/", {"withdrawal": withdrawal.public_id, "approve": ""}
    )
    story.post(story.cashier_client, f"/console/withdrawals/{withdrawal.public_id}/", {"check": ""})
    story.post(
        story.cashier_client,
        "/console/withdrawals/",
        {"withdrawal": withdrawal.public_id, "paid": "", "reference": "P1"},
    )
    story.check()

    # Every fen of every account.
    online_fen = sum(order.kept_fen for order in Order.objects.filter(pk__in=[first.pk, second.pk, third.pk]))
    payout_fen = earned_fen - left_fen
    claimed_back = 1000
    assert online_fen == (
        price["2"] + price["3"] + 2 * price["13"] + price["4"] + 2 * price["9"] - price["4"] - claimed_back
    )
    assert sales_fen == online_fen + cash_fen
    assert all_balances() == {
        ("channel_cash", "gateway:sandbox"): online_fen,
        ("channel_cash", "gateway:bank"): remitted_fen - cakes_fen - dinner_fen - payout_fen,
        ("sales", ""): sales_fen,
        ("cost_of_goods", ""): cakes_fen + dinner_fen,
        ("commission_cost", ""): earned_fen,
    }
    assert Person.objects.filter(name="赵奶奶").count() == 1


def all_balances():
    """(kind, owner) -> balance of every account of the books that is not empty."""
    found = {}
    for kind in BookAccount.objects.values_list("kind", flat=True).distinct():
        found |= {(kind, owner): fen for owner, fen in balances_fen(kind=kind).items() if fen}
    return found
