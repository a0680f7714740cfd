"""What a member reads about an order: paid, ready with its code, picked up; and how much was ordered, in units."""

import pytest
from django.test import Client

from kaituan.fulfilment.arrivals import confirm_arrival
from kaituan.fulfilment.handover import hand_over
from kaituan.fulfilment.models import PickupCode
from kaituan.fulfilment.tests.conftest import EVENING, MORNING, Town
from kaituan.notices.services import tell
from kaituan.ordering.queries import orders_of_person
from kaituan.payments.services import cancel_order
from kaituan.storefront.stages import stages_of
from kaituan.web import clock
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def town():
    make.plan()
    return Town()


def stage(member, now=EVENING):
    orders = orders_of_person(person=member.person)
    return stages_of(orders, now=now)[orders[0].pk]


def goods_come(town, oranges=4):
    town.cut_off()
    town.send_all()
    town.receive(town.oranges, oranges)
    town.share_out(town.oranges)
    confirm_arrival(
        campaign=town.campaign, pickup_point=town.listing.pickup_point, acting_person=None, now=MORNING
    )


def signed_in(member):
    client = Client(headers={"accept-language": "en"})
    client.force_login(make.account(member.person))
    return client


def test_from_the_order_to_the_hand_over(town):
    order = town.paid_order(town.zhang, (town.oranges, 3))
    assert (stage(town.zhang, NOON).code, stage(town.zhang, NOON).bead) == ("paid", "")
    goods_come(town)
    assert stage(town.zhang, NOON).code == "paid", "not before the goods are there"
    ready = stage(town.zhang)
    code = PickupCode.objects.get(member_id=town.zhang.pk).code
    assert (ready.code, ready.pickup_code, ready.is_waiting) == ("ready", code, True)
    with clock.standing_at(EVENING):
        client = signed_in(town.zhang)
        for page in ("/", "/me/"):
            assert code in client.get(page).content.decode()
    hand_over(
        lines_quantities=dict(order.lines.values_list("pk", "quantity")), method="name", leader=town.leader,
        acting_person=town.leader.person, now=EVENING, key="k",
    )  # fmt: skip
    handed = stage(town.zhang)
    assert (handed.code, handed.bead, handed.is_waiting) == ("handed", "done", False)


def test_who_pays_the_leader_is_told_so_before_and_at_the_door(town):
    town.order(town.wang, (town.oranges, 1))
    assert stage(town.wang).code == "unpaid"
    goods_come(town)
    assert stage(town.wang).code == "ready"
    with clock.standing_at(EVENING):
        page = signed_in(town.wang).get("/me/").content.decode()
    assert "Ready to pick up" in page
    assert "Pay the leader" in page


def test_who_has_not_paid_and_who_has_cancelled(town):
    order = town.order(town.zhang, (town.oranges, 1), settles="prepaid")
    assert stage(town.zhang).code == "pending"
    cancel_order(order=order, acting_person=town.zhang.person, now=NOON, reason="不要了")
    assert (stage(town.zhang).code, stage(town.zhang).bead) == ("cancelled", "lost")


def test_loose_goods_are_told_in_their_unit_and_not_in_grams(town):
    loose = make.variant(
        make.product("线椒", supplier=town.farm), sale_unit="斤", steps_per_sale_unit=500,
        base_step="gram", purchase_unit="斤", steps_per_purchase_unit=500,
    )  # fmt: skip
    peppers = make.offer(town.campaign, make.pool(loose, quantity=50_000), price_fen=690, price_quantity=500)
    town.order(town.wang, (peppers, 750))
    with clock.standing_at(NOON):
        page = signed_in(town.wang).get("/me/").content.decode()
    assert "×1.5" in page
    assert "750" not in page


def test_the_bell_says_how_much_is_unread(town):
    client = signed_in(town.wang)
    with clock.standing_at(NOON):
        assert 'class="count"' not in client.get("/me/").content.decode()
        tell(
            person_id=town.wang.person_id, kind="order_cancelled",
            data={"campaign": town.campaign.pk, "follow_number": 1}, link="/me/", dedupe_key="a", now=NOON,
        )  # fmt: skip
        assert '<span class="count">1' in client.get("/me/").content.decode()
