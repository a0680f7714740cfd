"""Who may see and change a campaign: opener, leader, helper, member, stranger, nobody, operator."""

import pytest

from kaituan.campaigns import access
from kaituan.people.access import NotYours
from kaituan.people.models import GroupHelper
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def who(town):
    member, helper = make.person("张敏"), make.person("小助手")
    make.member(town.group, of=member)
    gone = make.person("退群的人")
    make.member(town.group, "退群", of=gone, left_at=NOON)
    GroupHelper.objects.create(group=town.group, person=helper, effective_from=NOON)
    return {
        "opener": make.account(town.leader.person),
        "helper": make.account(helper),
        "member": make.account(member),
        "gone": make.account(gone),
        "leader": make.account(make.leader("刘哥").person),
        "stranger": make.account(make.person("路人")),
        "operator": make.account(town.operator, is_staff=True),
        "nobody": None,
    }


def allowed(who, look):
    found = set()
    for name, account in who.items():
        try:
            look(account)
            found.add(name)
        except NotYours:
            pass
    return found


def test_a_draft_is_private(town, who):
    campaign = town.draft()
    listing = town.list(campaign)
    assert allowed(who, lambda a: access.campaign_to_see(a, campaign.public_id, now=NOON)) == {
        "opener",
        "operator",
    }
    with pytest.raises(NotYours):
        access.listing_by_link(listing.public_id)


def test_a_published_campaign_is_seen_by_sellers_members_and_leaders(town, who):
    campaign = town.open()
    town.list(campaign)
    seen = allowed(who, lambda a: access.campaign_to_see(a, campaign.public_id, now=NOON))
    assert seen == {"opener", "helper", "member", "leader", "operator"}


def test_one_that_is_not_open_to_helpers_is_not_seen_by_other_leaders(town, who):
    campaign = town.open(open_to_helpers=False)
    town.list(campaign)
    seen = allowed(who, lambda a: access.campaign_to_see(a, campaign.public_id, now=NOON))
    assert seen == {"opener", "helper", "member", "operator"}


def test_only_the_opener_and_the_operator_change_it(town, who):
    campaign = town.open()
    town.list(campaign)
    assert allowed(who, lambda a: access.campaign_to_change(a, campaign.public_id, now=NOON)) == {
        "opener",
        "operator",
    }


def test_the_link_is_the_invitation_and_ordering_asks_for_membership(town, who):
    listing = town.list(town.open())
    assert access.listing_by_link(listing.public_id) == listing
    assert allowed(who, lambda a: access.listing_for_member(a, listing.public_id)) == {"member"}
    found, member = access.listing_for_member(who["member"], listing.public_id)
    assert (found, member.group) == (listing, town.group)


def test_a_listing_is_worked_by_its_leader_and_the_groups_helpers(town, who):
    campaign = town.open()
    listing = town.list(campaign)
    assert allowed(who, lambda a: access.listing_for_leader(a, listing.public_id, now=NOON)) == {
        "opener",
        "helper",
    }
    assert list(access.listings_for_leader(who["opener"], now=NOON)) == [listing]
    assert list(access.listings_for_leader(who["leader"], now=NOON)) == []
    assert allowed(who, lambda a: access.listing_for_staff(a, listing.public_id, now=NOON)) == {"operator"}


def test_the_selection_pool_is_for_leaders_and_the_operator(town, who):
    assert allowed(who, lambda a: access.selection_pool_for_leader(a, now=NOON)) == {
        "opener",
        "leader",
        "operator",
    }
    assert allowed(who, lambda a: access.require_opener(a, now=NOON)) == {"opener", "leader", "operator"}
    assert allowed(who, lambda a: access.require_campaign_staff(a, now=NOON)) == {"operator"}


def test_a_wrong_link_says_the_same_as_a_forbidden_one(town, who):
    for look in (access.campaign_to_see, access.campaign_to_change, access.listing_for_leader):
        assert allowed(who, lambda a, look=look: look(a, "nosuchthing", now=NOON)) == set()
