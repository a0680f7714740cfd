"""Who may see, open and decide claims."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser

from kaituan.aftersales import access, services
from kaituan.aftersales.tests.test_claims import ask, grant
from kaituan.aftersales.tests.test_photos import photo, uploads
from kaituan.fulfilment.tests.conftest import EVENING, NOON
from kaituan.people.access import NotYours
from kaituan.people.models import GroupHelper, StaffRole
from tests import factories as make

pytestmark = pytest.mark.django_db
NOW = EVENING + timedelta(hours=2)
_ = uploads


@pytest.fixture
def people(town):
    class Accounts:
        member = make.account(town.zhang.person)
        neighbour = make.account(town.wang.person)
        leader = make.account(town.leader.person)
        other_leader = make.account(town.elsewhere.leader.person)
        operator = make.account(town.operator, username="ops", is_staff=True)
        cashier = make.account(make.person("出纳"), username="cash", is_staff=True)
        helper = make.account(make.person("小帮手"))
        supplier = make.account(make.person("果园老周"))
        other_supplier = make.account(make.person("农场老柳"))

    StaffRole.objects.create(person=town.operator, role="operator", effective_from=NOON)
    StaffRole.objects.create(person=Accounts.cashier.person, role="cashier", effective_from=NOON)
    GroupHelper.objects.create(group=town.listing.group, person=Accounts.helper.person, effective_from=NOON)
    town.orchard.staff.create(person=Accounts.supplier.person, effective_from=NOON)
    town.farm.staff.create(person=Accounts.other_supplier.person, effective_from=NOON)
    town.accounts = {name: getattr(Accounts, name) for name in vars(Accounts) if not name.startswith("_")}
    town.accounts["nobody"] = AnonymousUser()
    return town


def who_may(town, look):
    """Names of those for whom `look` finds the row."""
    allowed = set()
    for name, account in town.accounts.items():
        try:
            look(account)
        except NotYours:
            continue
        allowed.add(name)
    return allowed


def test_a_claim_is_seen_by_its_member_its_leader_and_the_operator(people):
    claim = ask(people)
    seen = who_may(people, lambda account: access.claim_for(account, claim.public_id, now=NOW))
    assert seen == {"member", "leader", "helper", "operator"}


def test_it_is_decided_by_the_leader_within_the_limit_and_by_the_operator(people):
    claim = ask(people)
    deciders = who_may(people, lambda account: access.claim_to_decide(account, claim.public_id, now=NOW))
    assert deciders == {"leader", "helper", "operator"}
    limits = {
        name: access.claim_to_decide(people.accounts[name], claim.public_id, now=NOW)[1].limit_fen
        for name in deciders
    }
    assert limits == {"leader": 5000, "helper": 5000, "operator": None}


def test_only_the_member_withdraws_it(people):
    claim = ask(people)
    assert who_may(people, lambda account: access.own_claim(account, claim.public_id)) == {"member"}


def test_a_line_is_claimed_by_its_member_or_for_them(people):
    openers = who_may(people, lambda account: access.line_to_claim(account, people.line.pk, now=NOW))
    assert openers == {"member", "leader", "helper"}


def test_goodwill_is_the_operators(people):
    givers = who_may(people, lambda account: access.line_for_goodwill(account, people.line.pk, now=NOW))
    assert givers == {"operator"}


def test_a_supplier_sees_granted_claims_on_its_goods_that_it_bears(people):
    def seen_by(name):
        return list(access.supplier_claims(people.accounts[name], now=NOW))

    borne = ask(people)
    assert seen_by("supplier") == []
    grant(people, borne, now=NOW)
    grant(people, ask(people, key="c2"), liability="platform", now=NOW)
    assert (seen_by("supplier"), seen_by("other_supplier"), seen_by("member")) == ([borne], [], [])


def test_photos_are_for_those_who_see_the_claim_and_the_supplier_that_bears_it(people):
    claim = ask(people, photos=[photo()])
    picture = claim.photos.get()

    def may():
        return who_may(people, lambda account: access.photo_for(account, picture.pk, now=NOW))

    assert may() == {"member", "leader", "helper", "operator"}
    grant(people, claim, now=NOW)
    assert may() == {"member", "leader", "helper", "operator", "supplier"}


def test_roles_end(people):
    claim = ask(people)
    GroupHelper.objects.update(effective_until=NOW)
    with pytest.raises(NotYours):
        access.claim_for(people.accounts["helper"], claim.public_id, now=NOW)
    assert services.leader_limit_fen() == 5000
