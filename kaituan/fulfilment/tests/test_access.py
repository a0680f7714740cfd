"""Who may see and do what: the operator, the supplier, the keeper, the leader, a helper, a member, nobody."""

import pytest
from django.contrib.auth.models import AnonymousUser

from kaituan.fulfilment import access
from kaituan.fulfilment.tests.conftest import CUT_OFF, EVENING, MORNING, NOON
from kaituan.people.access import NotYours
from kaituan.people.models import GroupHelper, PickupKeeper, StaffRole
from tests import factories as make

pytestmark = pytest.mark.django_db
NOBODY = AnonymousUser()


@pytest.fixture
def people(town):
    """Accounts of everybody around one campaign that is cut off."""
    town.here = town.order(town.zhang, (town.oranges, 1))
    town.there = town.order(town.zhao, (town.eggs, 1))
    town.cut_off()

    class Accounts:
        member = make.account(town.zhang.person)
        leader = make.account(town.leader.person)
        other_leader = make.account(town.elsewhere.leader.person)
        operator = make.account(town.operator, username="ops", is_staff=True)
        helper = make.account(make.person("小帮手"))
        supplier = make.account(make.person("果园老周"))
        keeper_leader = make.leader("自提点老孙")
        keeper = make.account(keeper_leader.person)

    StaffRole.objects.create(person=town.operator, role="operator", effective_from=NOON)
    GroupHelper.objects.create(group=town.listing.group, person=Accounts.helper.person, effective_from=NOON)
    town.orchard.staff.create(person=Accounts.supplier.person, effective_from=NOON)
    PickupKeeper.objects.create(
        pickup_point=town.elsewhere.pickup_point, leader=Accounts.keeper_leader, effective_from=NOON
    )
    town.accounts = Accounts
    return town


def everybody_but(town, *allowed):
    names = ("member", "leader", "other_leader", "operator", "helper", "supplier", "keeper")
    return [NOBODY, None, *(getattr(town.accounts, name) for name in names if name not in allowed)]


def test_only_the_operator_cuts_off_buys_and_receives(people):
    campaign, order = people.campaign, people.purchase_order(people.oranges)
    operator = people.accounts.operator
    assert access.campaign_for_operator(operator, campaign.public_id, now=EVENING) == campaign
    assert access.purchase_order_for_operator(operator, order.public_id, now=EVENING) == order
    for account in everybody_but(people, "operator"):
        for look in (access.campaign_for_operator, access.purchase_order_for_operator):
            with pytest.raises(NotYours):
                look(account, campaign.public_id, now=EVENING)


def test_a_supplier_sees_its_own_orders_once_they_are_sent(people):
    supplier = people.accounts.supplier
    mine, other = people.purchase_order(people.oranges), people.purchase_order(people.eggs)
    with pytest.raises(NotYours):
        access.purchase_order_for_supplier(supplier, mine.public_id, now=EVENING)
    people.send_all()
    assert access.purchase_order_for_supplier(supplier, mine.public_id, now=EVENING) == mine
    assert list(access.purchase_orders_for_supplier(supplier, now=EVENING)) == [mine]
    for account, order in [(supplier, other), *((a, mine) for a in everybody_but(people, "supplier"))]:
        with pytest.raises(NotYours):
            access.purchase_order_for_supplier(account, order.public_id, now=EVENING)


def test_a_suppliers_role_ends(people):
    people.send_all()
    people.orchard.staff.update(effective_until=MORNING)
    order = people.purchase_order(people.oranges)
    with pytest.raises(NotYours):
        access.purchase_order_for_supplier(people.accounts.supplier, order.public_id, now=MORNING)


@pytest.mark.parametrize(
    ("who", "sees"),
    [("leader", "here"), ("helper", "here"), ("other_leader", "there"), ("keeper", "there")],
)
def test_a_counter_shows_its_own_orders_only(people, who, sees):
    counter = access.counter_of(getattr(people.accounts, who), now=CUT_OFF)
    assert list(counter.orders) == [getattr(people, sees)]
    other = people.there if sees == "here" else people.here
    with pytest.raises(NotYours):
        access.order_at_counter(counter, other.public_id)
    mine = getattr(people, sees)
    assert access.order_at_counter(counter, mine.public_id) == mine


def test_members_suppliers_and_strangers_have_no_counter(people):
    for account in (people.accounts.member, people.accounts.supplier, people.accounts.operator, NOBODY, None):
        with pytest.raises(NotYours):
            access.counter_of(account, now=CUT_OFF)


def test_the_keeper_earns_the_fee_at_the_point_else_the_groups_leader(people):
    def earns(who, listing):
        counter = access.counter_of(getattr(people.accounts, who), now=CUT_OFF)
        return access.handing_leader(counter, listing)

    assert earns("keeper", people.elsewhere) == people.accounts.keeper_leader
    assert earns("other_leader", people.elsewhere) == people.elsewhere.leader
    assert earns("helper", people.listing) == people.leader
    with pytest.raises(NotYours):
        earns("leader", people.elsewhere)


def test_a_pickup_list_is_for_the_keeper_or_who_sold_all_that_lies_there(people):
    point, away = people.listing.pickup_point, people.elsewhere.pickup_point

    def may(who, place):
        counter = access.counter_of(getattr(people.accounts, who), now=CUT_OFF)
        try:
            return access.point_at_counter(counter, people.campaign, place.public_id) == place
        except NotYours:
            return False

    assert [may("leader", point), may("helper", point), may("keeper", away)] == [True] * 3
    assert [may("leader", away), may("keeper", point), may("other_leader", point)] == [False] * 3
    make.listing(people.campaign, make.group(make.leader("隔壁"), "三群", pickup_point=point))
    assert not may("leader", point)


def test_a_member_sees_the_lines_of_their_own_orders(people):
    line = people.here.lines.get()
    assert access.line_of_member(people.accounts.member, line.pk) == line
    for account, wanted in [
        (people.accounts.member, people.there.lines.get().pk),
        *((account, line.pk) for account in everybody_but(people, "member")),
    ]:
        with pytest.raises(NotYours):
            access.line_of_member(account, wanted)
