"""The clock looks after what is due; one duty that fails does not stop the others."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import transaction

from kaituan.campaigns.models import Campaign
from kaituan.notices import queries
from kaituan.notices.models import OutboxMessage
from kaituan.notices.services import announce
from kaituan.ordering.models import Order
from kaituan.people.services import appoint_leader
from kaituan.worker.clock import DUTIES, Duty, duty_named, run_due, tidy
from kaituan.worker.jobs import defer_duty, run_duty
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def books():
    make.station()
    make.open_books()
    make.plan()


def test_an_idle_station_has_nothing_due_and_nothing_fails():
    assert run_due(now=NOON) == {}


def test_names_are_unique_and_every_duty_is_found_by_its_own():
    assert len({duty.name for duty in DUTIES}) == len(DUTIES)
    assert all(duty_named(duty.name) is duty for duty in DUTIES)


def test_events_reach_their_handlers_and_people_are_told():
    leader = appoint_leader(person=make.person(), tier="host", acting_person=None, now=NOON)
    assert run_due(now=NOON) == {}
    assert [n.kind for n in queries.inbox(person_id=leader.person_id)] == ["leader_appointed"]


def test_a_campaign_opens_releases_unpaid_stock_and_is_cut_off_by_the_clock():
    campaign = make.campaign(status="scheduled", opens_at=NOON, closes_at=NOON + timedelta(hours=10))
    offer, listing = make.offer(campaign), make.listing(campaign)
    run_due(now=NOON - timedelta(seconds=1))
    assert Campaign.objects.get().status == "scheduled"
    assert run_due(now=NOON) == {}
    assert Campaign.objects.get().status == "open"
    member = make.member(listing.group)
    unpaid = make.place(listing, member, (offer, 2), now=NOON)
    vouched_for = make.place(listing, member, (offer, 3), now=NOON, settles="leader")
    assert run_due(now=unpaid.pay_by - timedelta(seconds=1)) == {}
    assert Order.objects.get(pk=unpaid.pk).status == "pending"
    assert run_due(now=unpaid.pay_by) == {}
    assert Order.objects.get(pk=unpaid.pk).status == "released"
    assert run_due(now=campaign.closes_at) == {}
    assert Campaign.objects.get().status == "closed"
    assert Order.objects.get(pk=vouched_for.pk).status == "confirmed"


def test_one_duty_that_fails_is_named_and_the_others_go_on():
    seen = []

    def fail(now):
        raise LookupError("no such thing")

    duties = [Duty("a", 1, seen.append), Duty("b", 1, fail), Duty("c", 1, seen.append)]
    failures = run_due(now=NOON, duties=duties, handlers={})
    assert seen == [NOON, NOON]
    assert {name: type(error) for name, error in failures.items()} == {"b": LookupError}


def test_what_is_over_is_tidied_away_and_the_rest_stays():
    Session.objects.create(session_key="over", session_data="", expire_date=NOON - timedelta(seconds=1))
    Session.objects.create(session_key="going", session_data="", expire_date=NOON + timedelta(days=1))
    with transaction.atomic():
        for age, handled in ((31, True), (29, True), (31, False)):
            message = announce(topic="x", subject="a:1", now=NOON - timedelta(days=age))
            if handled:
                OutboxMessage.objects.filter(pk=message.pk).update(handled_at=NOON - timedelta(days=age))
    assert tidy(NOON) == 2
    assert [s.session_key for s in Session.objects.all()] == ["going"]
    assert OutboxMessage.objects.count() == 2


@pytest.mark.django_db(databases=["default", "jobs"])
def test_a_duty_waits_in_the_queue_once():
    assert defer_duty("send_notices") is True
    assert defer_duty("send_notices") is False
    assert defer_duty("send_refunds") is True
    run_duty(name="send_notices")
