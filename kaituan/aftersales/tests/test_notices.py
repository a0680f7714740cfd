"""Who is told about a claim."""

import pytest

from kaituan.aftersales import services
from kaituan.aftersales.tests.test_claims import SOON, ask, grant
from kaituan.fulfilment.tests.conftest import NOON
from kaituan.notices.models import Notice, OutboxMessage
from kaituan.notices.relay import relay_all
from kaituan.people.models import StaffRole
from kaituan.worker.handlers import HANDLERS

pytestmark = pytest.mark.django_db


@pytest.fixture
def town(town):
    StaffRole.objects.create(person=town.operator, role="operator", effective_from=NOON)
    return town


def told(kind):
    relay_all(handlers=HANDLERS, now=SOON)
    assert not OutboxMessage.objects.exclude(last_error="").exists()
    OutboxMessage.objects.filter(topic__in=HANDLERS).update(handled_at=None)
    before = Notice.objects.count()
    relay_all(handlers=HANDLERS, now=SOON)
    assert Notice.objects.count() == before
    return {notice.person_id: notice.data["amount_fen"] for notice in Notice.objects.filter(kind=kind)}


def test_the_leader_decides_what_is_within_the_limit(town):
    ask(town, asked_fen=5000)
    assert told("claim_opened") == {town.leader.person_id: 5000}


def test_what_is_beyond_it_goes_to_the_operator_too(town):
    ask(town, asked_fen=5001)
    assert told("claim_opened") == {town.leader.person_id: 5001, town.operator.pk: 5001}


def test_the_member_learns_what_was_decided(town):
    grant(town, ask(town), amount_fen=1500)
    assert told("claim_granted") == {town.zhang.person_id: 1500}
    services.refuse_claim(
        claim=ask(town, line=town.egg_line, key="c2"), answer="没坏", acting_person=town.operator, now=SOON
    )
    assert told("claim_refused") == {town.zhang.person_id: 0}
