"""Every page of the console at every station of a group buy: it shows, and only to who may see it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from kaituan.aftersales.models import Claim
from kaituan.campaigns.models import Campaign
from kaituan.catalogue.models import Supplier
from kaituan.fulfilment.models import PurchaseOrder
from kaituan.people.models import Person
from kaituan.reporting.tests.town import Town, plain_story
from kaituan.settlement.models import CommissionRow, Statement
from kaituan.web import clock

pytestmark = pytest.mark.django_db

OPERATOR, CASHIER, OFFICE, ADMIN = {"operator"}, {"cashier"}, {"operator", "cashier"}, set()
BARE = {
    "home": OFFICE,
    "campaigns": OPERATOR,
    "purchasing": OPERATOR,
    "claims": OPERATOR,
    "payments": CASHIER,
    "remittances": CASHIER,
    "withdrawals": CASHIER,
    "disputes": OFFICE,
    "tax": CASHIER,
    "settlement": CASHIER,
    "plans": ADMIN,
    "plan-diff": CASHIER,
    "simulator": CASHIER,
    "tiers": CASHIER,
    "suppliers": CASHIER,
    "catalogue": OPERATOR,
    "people": OFFICE,
    "data-access": ADMIN,
}


def addresses() -> dict[str, set[str]]:
    """Address -> the roles (beside administrators) that may open it, for all rows that there are."""
    found = {reverse(f"console:{name}"): roles for name, roles in BARE.items()}
    for campaign in Campaign.objects.all():
        found[reverse("console:campaign", args=[campaign.public_id])] = OPERATOR
        if campaign.closed_at:
            for kind in ("sorting", "pickup", "labels"):
                found[reverse("console:sheet", args=[campaign.public_id, kind])] = OPERATOR
            found[reverse("console:sheet", args=[campaign.public_id, "sorting"]) + "?excel"] = OPERATOR
    for order in PurchaseOrder.objects.all():
        for name in ("purchase-order", "purchase-order-excel", "purchase-order-print"):
            found[reverse(f"console:{name}", args=[order.public_id])] = OPERATOR
    for claim in Claim.objects.all():
        found[reverse("console:claim", args=[claim.public_id])] = OPERATOR
    for statement in Statement.objects.all():
        for name in ("statement", "statement-print", "statement-excel"):
            found[reverse(f"console:{name}", args=[statement.public_id])] = CASHIER
        row = CommissionRow.objects.filter(period=statement.period_id, leader=statement.leader_id).first()
        found[reverse("console:statement-amount", args=[statement.public_id, row.pk])] = CASHIER
    for supplier in Supplier.objects.all():
        found[reverse("console:supplier", args=[supplier.public_id])] = CASHIER
        found[reverse("console:price-list", args=[supplier.public_id])] = OPERATOR
        found[reverse("console:price-list-template", args=[supplier.public_id])] = OPERATOR
    found[reverse("console:person", args=[Person.objects.order_by("pk").first().public_id])] = OFFICE
    return found


def on_the_road() -> Town:
    """Cut off, received one short and shared out; a claim is open."""
    town = Town()
    town.place(0, 0, (3, 2))
    town.pay(0)
    town.place(0, 1, (2, 0), settles="leader")
    town.place(1, 0, (0, 5))
    town.pay(2, extra_fen=100)
    town.stray_money(12_345)
    town.close()
    town.deliver(missing=1)
    town.fetch(0, 1)
    return town


STATIONS = {"at the end": plain_story, "on the road": on_the_road}


@pytest.fixture(params=STATIONS)
def town(request):
    town = STATIONS[request.param]()
    with clock.standing_at(town.now):
        yield town


def test_an_administrator_opens_every_page(town, admin_client):
    for address in addresses():
        answer = admin_client.get(address)
        assert answer.status_code == 200, address
        assert answer["Content-Security-Policy"].count("unsafe") == 0, address


@pytest.mark.parametrize("role", ["operator", "cashier"])
def test_a_role_opens_its_own_pages_and_no_other(role, request):
    town = plain_story()
    client = request.getfixturevalue(f"{role}_client")
    with clock.standing_at(town.now + timedelta(minutes=1)):
        for address, roles in addresses().items():
            assert client.get(address).status_code == (200 if role in roles else 404), address


def test_leaders_suppliers_and_members_see_no_such_page(outsiders):
    town = plain_story()
    with clock.standing_at(town.now):
        for address in addresses():
            for who, client in outsiders.items():
                assert client.get(address).status_code == 404, (who, address)


def test_nobody_is_sent_to_the_staff_door(client):
    town = plain_story()
    with clock.standing_at(town.now):
        for address in addresses():
            answer = client.get(address)
            assert answer.status_code == 302, address
            assert answer["Location"].startswith("/staff/sign-in/?next="), address


def test_every_page_shows_before_anything_was_sold(admin_client, noon):
    for name in BARE:
        assert admin_client.get(reverse(f"console:{name}")).status_code == 200, name
