"""A small town grows by the real services, and is as alive and as well as the shipped one."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client

from kaituan.aftersales.models import Claim
from kaituan.campaigns.models import Campaign
from kaituan.commission.models import TierEvaluation
from kaituan.commission.tiers import tier_progress
from kaituan.demo import shipped
from kaituan.demo.growing import GROWN_UNTIL, grow_town
from kaituan.demo.live import open_live_campaigns
from kaituan.demo.personas import campaign_paths, personas
from kaituan.demo.sizes import SMALL
from kaituan.demo.town import USERNAMES
from kaituan.fulfilment.cutoff import cut_off_due
from kaituan.notices.models import Notice
from kaituan.ordering.models import Order
from kaituan.payments.models import Payment
from kaituan.people.models import Account, Leader, Member
from kaituan.reporting.doctor import examine
from kaituan.settlement.models import SettlementRun, SupplierPayment, Withdrawal
from kaituan.settlement.suppliers import owed_by_supplier
from kaituan.web import clock

pytestmark = pytest.mark.django_db
NOW = GROWN_UNTIL + timedelta(hours=6)


@pytest.fixture(scope="module")
def digest(django_db_setup, django_db_blocker):
    """The town is grown once for all tests of this file, each of which undoes what it adds."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield grow_town(size=SMALL, engine="python")
        transaction.set_rollback(True)


@pytest.fixture
def demo(digest, settings):
    settings.DEMO = True
    with clock.standing_at(NOW):
        yield Client()


def test_the_services_still_make_the_town_that_is_shipped(digest):
    assert digest == shipped.read_manifest().digest, (
        "run: kaituan demo --rebuild-town kaituan/demo/data/town.zip"
    )


def test_the_town_is_well(digest):
    assert examine() == []


def test_the_town_has_lived(digest):
    assert Order.objects.count() > 150
    assert set(Order.objects.values_list("status", flat=True)) >= {"confirmed", "released"}
    assert set(Order.objects.values_list("source", flat=True)) == {"tap", "chain", "key_in"}
    assert set(Payment.objects.values_list("channel", flat=True)) >= {
        "sandbox", "cash", "wechat_transfer", "payment_code",
    }  # fmt: skip
    assert Order.objects.filter(lines__completed_at__isnull=False).exists()
    assert Claim.objects.filter(status="granted").exists()
    assert SettlementRun.objects.get().total_fen > 0
    assert Withdrawal.objects.filter(status="paid").exists()
    assert Notice.objects.exists()
    assert Leader.objects.count() == SMALL.leaders
    assert Account.objects.filter(person__memberships__isnull=False).count() < Member.objects.count() / 2


def test_leaders_see_how_far_the_next_tier_is_and_are_looked_at_every_night(digest):
    leader = Account.objects.get(username=USERNAMES["leader"]).person.leader
    progress = tier_progress(leader=leader, now=NOW)
    assert (progress.tier, progress.next_tier) == ("captain", "partner")
    assert progress.promotion.checks
    assert progress.keeping.checks
    assert TierEvaluation.objects.count() >= SMALL.days - 1


def test_every_persona_comes_in_by_its_link(demo):
    roles = personas()
    assert {persona.role for persona in roles} == set(USERNAMES)
    for persona in roles:
        visitor = Client()
        answer = visitor.get(persona.path, follow=True)
        assert answer.status_code == 200
        assert (
            int(visitor.session["_auth_user_id"]) == Account.objects.get(username=USERNAMES[persona.role]).pk
        )


def test_a_link_opens_nothing_outside_a_demo(demo, settings):
    [path] = [persona.path for persona in personas() if persona.role == "operator"]
    settings.DEMO = False
    assert Client().get(path).status_code == 404


def test_six_campaigns_take_orders_and_one_ends_in_minutes(demo):
    opened = open_live_campaigns(count=6, now=NOW)
    assert open_live_campaigns(count=6, now=NOW + timedelta(minutes=1)) == []
    live = Campaign.objects.filter(status="open", closes_at__gt=NOW)
    assert live.count() == 6
    assert live.filter(closes_at__lt=NOW + timedelta(minutes=10)).count() == 1
    assert {campaign for campaign, _path in campaign_paths(now=NOW)} >= set(opened)
    assert all(campaign.orders.exists() for campaign in live)
    later = NOW + timedelta(minutes=30)
    [closed] = cut_off_due(now=later)
    assert closed.snapshot is not None
    assert len(open_live_campaigns(count=6, now=later)) == 1
    assert examine() == []


def test_the_member_persona_orders_in_a_live_campaign_by_its_page(demo):
    open_live_campaigns(count=6, now=NOW)
    [link] = [persona.path for persona in personas() if persona.role == "member"]
    demo.get(link)
    campaign, path = campaign_paths(now=NOW)[-1]
    offer = campaign.offers.earliest("pk")
    account = Account.objects.get(username=USERNAMES["member"])
    before = account.person.orders.count()
    basket = {f"offer_{offer.pk}": "2"}
    assert demo.post(f"{path}join/", basket).status_code == 303
    confirmed = {**basket, "confirm": "1", "key": "visitor", "settles": "prepaid"}
    assert "/pay/" in demo.post(f"{path}join/", confirmed)["Location"]
    assert account.person.orders.count() == before + 1
    assert examine() == []


def test_suppliers_are_paid_in_a_town_of_three_weeks_and_owed_in_this_one(digest):
    assert not SupplierPayment.objects.exists()
    assert sum(owed_by_supplier().values()) > 0
