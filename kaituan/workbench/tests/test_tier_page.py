"""How far the next tier is, as its leader reads it."""

from datetime import timedelta

import pytest

from kaituan.commission.tiers import publish_tier_rules
from kaituan.workbench.tests.conftest import text_of
from tests.factories import NOON


def publish(**rules):
    tiers = [{"tier": tier, **rules.get(tier, {})} for tier in ("host", "captain")]
    start = NOON - timedelta(days=1)
    publish_tier_rules(
        document={"tiers": tiers}, effective_from=start, reason="开业", acting_person=None, now=start
    )


@pytest.fixture
def promotion():
    publish(captain={"promotion": {"window_days": 30, "own_turnover_fen": 100_000, "claim_rate_bp": 200}})


def test_each_condition_is_a_gauge_with_what_is_left(town, owner, promotion):
    page = text_of(owner.get("/work/tier/"))
    assert "1,000.00" in page
    assert "最近 30 天" in page
    assert owner.get("/work/tier/").content.count(b"<progress") == 2


def test_without_rules_the_page_says_so_and_the_money_page_leads_to_it(town, owner):
    answer = owner.get("/work/tier/")
    assert answer.status_code == 200
    assert b"<progress" not in answer.content
    assert b'href="/work/tier/"' in owner.get("/work/money/").content


def test_what_keeps_the_tier_and_when_it_is_looked_at(town, owner):
    publish(host={"keeping": {"window_days": 10, "group_members": 1}})
    page = owner.get("/work/tier/")
    assert page.content.count(b"<progress") == 1
    assert (NOON + timedelta(days=9)).date().isoformat().encode() in page.content


def test_a_helper_a_buyer_and_nobody_do_not_see_it(town, helper, buyer, nobody, promotion):
    for client in (helper, buyer):
        assert client.get("/work/tier/").status_code == 404
    assert nobody.get("/work/tier/")["Location"].startswith("/sign-in/")


def test_nothing_can_be_posted_to_it(town, owner, promotion):
    assert owner.post("/work/tier/").status_code == 405
