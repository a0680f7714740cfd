"""Owner, helper, stranger, nobody: who reaches which row. A refusal looks like a row that does not exist."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser

from kaituan.people import access
from kaituan.people.access import NotYours
from kaituan.people.models import StaffRole
from kaituan.people.services import (
    add_helper,
    archive_group,
    assign_keeper,
    end_helper,
    end_keeper,
    grant_role,
    leave_group,
)
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def scene():
    """王姐 owns a group with 张敏 in it, 李姐 helps there; 赵团长 has a group of his own."""

    class Scene:
        owner = make.leader("王姐")
        group = make.group(owner)
        member = make.member(group, "张敏")
        helper = make.person("李姐")
        rival = make.leader("赵团长")
        rivals_group = make.group(rival, "别处一群")

    scene = Scene()
    add_helper(group=scene.group, person=scene.helper, acting_person=scene.owner.person, now=NOON)
    scene.as_owner = make.account(scene.owner.person)
    scene.as_helper = make.account(scene.helper)
    scene.as_stranger = make.account(scene.rival.person)
    scene.as_member = make.account(scene.member.person)
    return scene


def refused_to(function, *visitors):
    for visitor in visitors:
        with pytest.raises(NotYours):
            function(visitor)


def test_a_group_is_reached_by_its_owner_and_helpers(scene):
    def reach(account):
        return access.group_for_leader(account, scene.group.public_id, now=NOON)

    assert reach(scene.as_owner) == scene.group
    assert reach(scene.as_helper) == scene.group
    refused_to(reach, scene.as_stranger, scene.as_member, AnonymousUser(), None)


def test_what_a_helper_may_not_do_is_for_the_owner_alone(scene):
    def reach(account):
        return access.owned_group(account, scene.group.public_id)

    assert reach(scene.as_owner) == scene.group
    refused_to(reach, scene.as_helper, scene.as_stranger, scene.as_member, AnonymousUser(), None)


def test_a_member_is_reached_by_their_group_s_owner_and_helpers(scene):
    def reach(account):
        return access.member_for_leader(account, scene.member.public_id, now=NOON)

    assert reach(scene.as_owner) == scene.member
    assert reach(scene.as_helper) == scene.member
    refused_to(reach, scene.as_stranger, scene.as_member, AnonymousUser(), None)


def test_a_helper_s_access_ends_with_the_role(scene):
    end_helper(group=scene.group, person=scene.helper, acting_person=scene.owner.person, now=LATER)
    assert access.acts_for_group(scene.as_helper, group_id=scene.group.pk, now=NOON)
    assert not access.acts_for_group(scene.as_helper, group_id=scene.group.pk, now=LATER)
    assert not access.acts_for_group(None, group_id=scene.group.pk, now=NOON)
    with pytest.raises(NotYours):
        access.group_for_leader(scene.as_helper, scene.group.public_id, now=LATER)


def test_a_leader_sees_live_groups_owned_and_helped_in(scene):
    add_helper(group=scene.group, person=scene.rival.person, acting_person=scene.owner.person, now=NOON)
    assert set(access.groups_of(scene.as_stranger, now=NOON)) == {scene.rivals_group, scene.group}
    archive_group(group=scene.group, acting_person=scene.owner.person, now=NOON)
    assert set(access.groups_of(scene.as_stranger, now=NOON)) == {scene.rivals_group}
    assert access.group_for_leader(scene.as_owner, scene.group.public_id, now=NOON).archived_at == NOON


def test_one_s_own_place_in_a_group_ends_when_one_leaves(scene):
    def reach(account):
        return access.own_membership(account, group_id=scene.group.pk)

    assert reach(scene.as_member) == scene.member
    refused_to(reach, scene.as_owner, scene.as_stranger, AnonymousUser(), None)
    leave_group(member=scene.member, now=NOON)
    refused_to(reach, scene.as_member)


def test_a_pickup_point_is_its_keeper_s_for_as_long_as_the_role_lasts(scene):
    point = make.pickup_point("团结湖")
    assign_keeper(point=point, leader=scene.owner, acting_person=None, now=NOON)

    def reach(account, now=NOON):
        return access.point_for_keeper(account, point.public_id, now=now)

    assert reach(scene.as_owner) == point
    refused_to(reach, scene.as_stranger, scene.as_member, AnonymousUser(), None)
    end_keeper(point=point, leader=scene.owner, acting_person=None, now=LATER)
    with pytest.raises(NotYours):
        reach(scene.as_owner, LATER)


def test_an_account_that_was_switched_off_reaches_nothing(scene):
    scene.as_owner.is_active = False
    refused_to(access.leader_of, scene.as_owner)
    refused_to(lambda a: access.group_for_leader(a, scene.group.public_id, now=NOON), scene.as_owner)


class TestStaff:
    def staff(self, *roles, name="刘操作"):
        account = make.account(make.person(name), phone="", username=f"staff{name}", is_staff=True)
        for role in roles:
            grant_role(person=account.person, role=role, acting_person=None, now=NOON)
        return account

    def test_a_role_opens_its_doors_and_no_others(self):
        cashier = self.staff(StaffRole.Role.CASHIER)
        assert access.require_staff(cashier, [StaffRole.Role.CASHIER], now=NOON) == cashier.person
        with pytest.raises(NotYours):
            access.require_staff(cashier, [StaffRole.Role.OPERATOR], now=NOON)

    def test_an_administrator_holds_every_role(self):
        admin = self.staff(StaffRole.Role.ADMIN)
        assert access.require_staff(admin, [StaffRole.Role.DRIVER], now=NOON) == admin.person

    def test_a_role_counts_from_its_grant_and_with_a_staff_account_only(self):
        operator = self.staff(StaffRole.Role.OPERATOR)
        assert access.staff_roles(operator, now=NOON - timedelta(seconds=1)) == frozenset()
        assert access.staff_roles(operator, now=NOON) == {"operator"}
        operator.is_staff = False
        assert access.staff_roles(operator, now=NOON) == frozenset()
        assert access.staff_roles(AnonymousUser(), now=NOON) == frozenset()

    def test_persons_are_for_those_who_run_the_business(self):
        person = make.person("张敏")
        assert access.person_for_staff(self.staff("operator"), person.public_id, now=NOON) == person
        for visitor in (self.staff("driver", name="孙司机"), make.account(), AnonymousUser()):
            with pytest.raises(NotYours):
                access.person_for_staff(visitor, person.public_id, now=NOON)
