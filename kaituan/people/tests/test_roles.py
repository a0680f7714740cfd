"""Leaders with dated tiers and a referrer, groups, keepers, staff: granted, ended, never rewritten."""

from datetime import timedelta

import pytest

from kaituan.notices import queries as notice_queries
from kaituan.notices.relay import relay_all
from kaituan.people import queries
from kaituan.people.models import GroupHelper, LeaderTier, PickupKeeper, StaffRole
from kaituan.people.notices import leader_was_appointed, tier_was_changed
from kaituan.people.refusals import AlreadyLeader, GroupArchived, PeopleRefused, RoleRefused, TierRefused
from kaituan.people.services import (
    add_helper,
    appoint_leader,
    archive_group,
    assign_keeper,
    close_pickup_point,
    create_group,
    create_pickup_point,
    create_staff_account,
    end_role,
    ensure_station,
    grant_role,
    set_password,
    set_tier,
    update_group,
)
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=1)


class TestLeaders:
    def test_a_leader_is_appointed_with_referrer_and_tier_and_told(self):
        referrer = make.leader("王姐")
        leader = appoint_leader(
            person=make.person("李姐"),
            referrer=referrer,
            tier="host",
            reason="开新群",
            acting_person=None,
            now=NOON,
        )
        assert leader.referrer == referrer
        assert queries.tier_at(leader=leader, at=NOON) == "host"
        assert queries.tier_at(leader=leader, at=NOON - timedelta(seconds=1)) == ""
        relay_all(handlers={"leader_appointed": (leader_was_appointed,)}, now=NOON)
        assert [n.kind for n in notice_queries.inbox(person_id=leader.person_id)] == ["leader_appointed"]

    def test_appointing_twice_is_once_and_the_referrer_stays(self):
        person, referrer = make.person("李姐"), make.leader("王姐")
        leader = appoint_leader(person=person, referrer=referrer, acting_person=None, now=NOON)
        assert appoint_leader(person=person, referrer=referrer, acting_person=None, now=LATER) == leader
        with pytest.raises(AlreadyLeader):
            appoint_leader(person=person, referrer=make.leader("赵团长"), acting_person=None, now=LATER)

    def test_a_tier_counts_from_its_date(self):
        leader = make.leader(tier="host")
        set_tier(
            leader=leader, tier="captain", effective_from=LATER, reason="达标", acting_person=None, now=NOON
        )
        assert queries.tiers_at(leader_ids=[leader.pk], at=NOON) == {leader.pk: "host"}
        assert queries.tiers_at(leader_ids=[leader.pk], at=LATER) == {leader.pk: "captain"}
        relay_all(handlers={"tier_changed": (tier_was_changed,)}, now=NOON)
        [notice] = notice_queries.inbox(person_id=leader.person_id)
        assert notice.data == {"tier": "captain", "effective_at": LATER.isoformat()}

    def test_a_tier_taken_away_is_none(self):
        leader = make.leader(tier="host")
        set_tier(leader=leader, tier="", effective_from=NOON, reason="退出", acting_person=None, now=NOON)
        assert queries.tier_at(leader=leader, at=NOON) == ""

    def test_the_past_is_not_rewritten_and_a_reason_is_asked_for(self):
        leader = make.leader(tier="host")
        change = {"leader": leader, "tier": "captain", "acting_person": None, "now": NOON}
        with pytest.raises(TierRefused):
            set_tier(**change, effective_from=NOON - timedelta(seconds=1), reason="补")
        with pytest.raises(TierRefused):
            set_tier(**change, effective_from=LATER, reason=" ")
        first = set_tier(**change, effective_from=LATER, reason="达标")
        assert set_tier(**change, effective_from=LATER, reason="达标") == first
        with pytest.raises(TierRefused):
            set_tier(**{**change, "tier": "partner"}, effective_from=LATER, reason="达标")
        assert LeaderTier.objects.filter(leader=leader).count() == 2


class TestGroups:
    def test_a_group_is_made_changed_and_archived(self):
        owner, point = make.leader(), make.pickup_point()
        group = create_group(owner=owner, name=" 翠成一群 ", pickup_point=point, now=NOON)
        other = make.pickup_point("团结湖")
        group = update_group(group=group, name="翠成二群", pickup_point=other, rules="周五取货")
        assert (group.name, group.pickup_point, group.rules) == ("翠成二群", other, "周五取货")
        archive_group(group=group, acting_person=owner.person, now=NOON)
        assert archive_group(group=group, acting_person=owner.person, now=LATER).archived_at == NOON
        with pytest.raises(GroupArchived):
            update_group(group=group, name="翠成三群", pickup_point=other, rules="")

    def test_helping_twice_is_helping_once_and_an_owner_needs_no_help(self):
        group, helper = make.group(), make.person("李姐")
        for _ in range(2):
            add_helper(group=group, person=helper, acting_person=group.owner.person, now=NOON)
        assert GroupHelper.objects.count() == 1
        with pytest.raises(PeopleRefused):
            add_helper(group=group, person=group.owner.person, acting_person=None, now=NOON)

    def test_a_pickup_point_closes_when_no_group_needs_it(self):
        point = create_pickup_point(name="团结湖", longitude_e6=116_470_000, latitude_e6=39_930_000)
        group = make.group(pickup_point=point)
        with pytest.raises(PeopleRefused, match=group.name):
            close_pickup_point(point=point, now=NOON)
        archive_group(group=group, acting_person=None, now=NOON)
        point = close_pickup_point(point=point, now=NOON)
        with pytest.raises(PeopleRefused):
            create_group(owner=make.leader(), name="新群", pickup_point=point, now=NOON)
        with pytest.raises(PeopleRefused):
            assign_keeper(point=point, leader=make.leader(), acting_person=None, now=NOON)

    def test_a_place_is_on_the_map_with_both_numbers_or_none(self):
        for place in ({"longitude_e6": 1}, {"longitude_e6": 200_000_000, "latitude_e6": 1}):
            with pytest.raises(PeopleRefused):
                create_pickup_point(name="团结湖", **place)

    def test_keeping_twice_is_keeping_once(self):
        point, leader = make.pickup_point(), make.leader()
        for _ in range(2):
            assign_keeper(point=point, leader=leader, acting_person=None, now=NOON)
        assert PickupKeeper.objects.count() == 1


class TestStaff:
    def open_account(self, username="liu"):
        return create_staff_account(
            name="刘操作", username=username, password="correct horse battery", acting_person=None, now=NOON
        )

    def test_a_role_is_granted_once_and_ended(self):
        self.grant_admin("boss")
        person = self.open_account().person
        for _ in range(2):
            grant_role(person=person, role="cashier", acting_person=None, now=NOON)
        end_role(person=person, role="cashier", acting_person=None, now=LATER)
        end_role(person=person, role="cashier", acting_person=None, now=LATER)
        [role] = StaffRole.objects.filter(person=person)
        assert (role.effective_from, role.effective_until) == (NOON, LATER)
        assert [e.kind for e in person.events.order_by("pk")][-2:] == ["role_granted", "role_ended"]

    def grant_admin(self, username):
        person = self.open_account(username).person
        grant_role(person=person, role="admin", acting_person=None, now=NOON)
        return person

    def test_the_last_administrator_stays(self):
        first, second = self.grant_admin("a"), self.grant_admin("b")
        end_role(person=first, role="admin", acting_person=second, now=LATER)
        with pytest.raises(RoleRefused):
            end_role(person=second, role="admin", acting_person=second, now=LATER)

    def test_a_role_needs_a_staff_account_and_has_a_name(self):
        with pytest.raises(RoleRefused):
            grant_role(person=make.account().person, role="operator", acting_person=None, now=NOON)
        with pytest.raises(RoleRefused):
            grant_role(person=self.open_account().person, role="king", acting_person=None, now=NOON)

    @pytest.mark.parametrize(
        ("username", "password"),
        [("", "correct horse battery"), ("a b", "correct horse battery"), ("liu", "1234")],
    )
    def test_weak_passwords_and_odd_names_are_refused(self, username, password):
        with pytest.raises(PeopleRefused):
            create_staff_account(
                name="刘", username=username, password=password, acting_person=None, now=NOON
            )

    def test_a_user_name_is_one_person_s_whatever_its_case(self):
        self.open_account("liu")
        with pytest.raises(PeopleRefused):
            self.open_account("LIU")

    def test_a_new_password_ends_other_sessions(self):
        account = self.open_account()
        before = account.get_session_auth_hash()
        set_password(account=account, password="another long phrase", acting_person=None, now=NOON)
        account.refresh_from_db()
        assert account.check_password("another long phrase")
        assert account.get_session_auth_hash() != before


def test_the_station_is_made_once():
    first = ensure_station(name="北京站")
    assert ensure_station(name="上海站") == first
    assert queries.station().name == "北京站"
