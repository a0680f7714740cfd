"""The inbox in words: names looked up when it is shown, in few queries."""

import pytest
from django.utils import translation

from kaituan.notices.services import tell
from kaituan.reporting.inbox import inbox
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def test_a_notice_shows_the_names_of_today(django_assert_num_queries):
    person, campaign = make.person(), make.campaign()
    offer = make.offer(campaign)
    for old_fen in (4590, 4290):
        tell(
            person_id=person.pk,
            kind="price_lowered",
            data={"campaign_id": campaign.pk, "offer_id": offer.pk, "old_fen": old_fen, "new_fen": 3990},
            link="/c/x/",
            dedupe_key=f"{old_fen}",
            now=NOON,
        )
    campaign.title = "周六水果团"
    campaign.save()
    with translation.override("en"), django_assert_num_queries(3):
        newest, oldest = inbox(person=person)
    assert newest.body == "周六水果团: 赣南脐橙 went from ¥42.90 to ¥39.90. The difference goes back to you."
    assert "¥45.90" in oldest.body
    assert (newest.link, newest.created_at, newest.is_unread) == ("/c/x/", NOON, True)


def test_what_is_gone_or_not_for_the_reader_shows_as_an_ellipsis():
    person = make.person()
    tell(
        person_id=person.pk,
        kind="campaign_cancelled",
        data={"campaign_id": 999_999},
        dedupe_key="a",
        now=NOON,
    )
    with translation.override("en"):
        [shown] = inbox(person=person)
    assert shown.title == "Called off: …"


def test_every_reader_sees_their_own_inbox():
    person = make.person()
    tell(person_id=person.pk, kind="leader_appointed", dedupe_key="a", now=NOON)
    assert inbox(person=make.person("李姐")) == []
