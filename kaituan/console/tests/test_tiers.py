"""The tier rules as a form: looked at first, then published by an administrator; what is refused stays typed."""

import re
from datetime import timedelta

import pytest

from kaituan.commission.models import TierEvaluation, TierRuleSet
from kaituan.people.models import LeaderTier
from kaituan.settlement.tests.story import NOON, Shop, books_and_plan
from kaituan.web import clock
from tests import factories as make

pytestmark = pytest.mark.django_db
URL = "/console/tiers/"
AFTER = NOON + timedelta(days=5)


@pytest.fixture(autouse=True)
def town(db):
    books_and_plan()
    leader = make.leader("王姐")
    Shop(leader).sell(100)
    with clock.standing_at(AFTER):
        yield leader


def typed(**fields):
    """Captains need 100 yuan in 30 days; all other rules are left empty."""
    parts = {
        f"{part}-{place}-{name}": value
        for place in range(3)
        for part in ("promotion", "keeping")
        for name, value in (("need", "all"), ("window_days", "30"))
    }
    return {**parts, "promotion-1-own_turnover_fen": "100", "reason": "开业规则", **fields}


def looked_at(client, **fields):
    page = client.post(URL, typed(look="1", **fields)).content.decode()
    return re.search(r'name="seen" value="(\w+)"', page)[1]


def test_looking_shows_who_would_change_and_changes_nothing(cashier_client):
    page = cashier_client.post(URL, typed(look="1"))
    assert page.status_code == 200
    assert "王姐" in page.content.decode()
    assert "1 would rise, 0 would fall." in page.content.decode()
    assert not TierRuleSet.objects.exists()
    assert LeaderTier.objects.count() == 1


def test_an_administrator_publishes_what_was_looked_at(admin_client):
    seen = looked_at(admin_client)
    answer = admin_client.post(URL, typed(publish="1", seen=seen))
    assert answer.status_code == 302
    row = TierRuleSet.objects.get()
    assert row.published_by == admin_client.person
    assert row.effective_from == AFTER
    assert row.document == {
        "tiers": [
            {"tier": "host"},
            {"tier": "captain", "promotion": {"need": "all", "window_days": 30, "own_turnover_fen": 10_000}},
            {"tier": "partner"},
        ]
    }
    assert 'value="100.00"' in admin_client.get(URL).content.decode()
    assert not TierEvaluation.objects.exists(), "the clock does that"


def test_rules_that_were_changed_after_the_look_are_not_published(admin_client):
    seen = looked_at(admin_client)
    fields = {"promotion-1-own_turnover_fen": "50", "publish": "1", "seen": seen}
    answer = admin_client.post(URL, typed(**fields))
    assert answer.status_code == 422
    assert not TierRuleSet.objects.exists()


def test_a_cashier_looks_and_does_not_publish(cashier_client):
    seen = looked_at(cashier_client)
    assert b'name="publish"' not in cashier_client.get(URL).content
    assert cashier_client.post(URL, typed(publish="1", seen=seen)).status_code == 404
    assert not TierRuleSet.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"promotion-1-own_turnover_fen": "viel"},
        {"promotion-1-window_days": "0"},
        {"keeping-2-claim_rate_bp": "101"},
        {"reason": ""},
        {"effective_from": "2026-09-01T00:00"},
    ],
)
def test_what_cannot_be_is_refused_and_stays_typed(admin_client, fields):
    seen = looked_at(admin_client)
    answer = admin_client.post(URL, typed(publish="1", seen=seen, **fields))
    assert answer.status_code == 422
    for value in fields.values():
        assert f'value="{value}"' in answer.content.decode() or not value
    assert not TierRuleSet.objects.exists()
