"""States as the staff read them: each has words, and its chip a colour that there is."""

import pytest
from django.utils import translation

from kaituan.aftersales.models import Claim
from kaituan.campaigns.models import Campaign
from kaituan.console.templatetags.console import state_chip
from kaituan.console.words import CHANGES, TONES, WORDS, change_heading, event_words
from kaituan.fulfilment.models import PurchaseOrder

STATES = {
    "campaign": Campaign.Status.values,
    "purchase_order": PurchaseOrder.Status.values,
    "claim": Claim.Status.values,
}


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.mark.parametrize("kind", STATES)
def test_every_state_has_words_and_a_chip(kind):
    assert set(WORDS[kind]) == set(STATES[kind])
    assert set(TONES[kind]) <= set(STATES[kind])
    for state in STATES[kind]:
        assert str(WORDS[kind][state]) in state_chip(kind, state)


def test_a_chip_takes_the_tone_of_its_state():
    assert state_chip("campaign", "cancelled") == '<span class="chip brick">called off</span>'
    assert state_chip("purchase_order", "seen") == '<span class="chip ">seen</span>'


def test_a_change_is_headed_with_what_it_changes():
    assert change_heading("stop") == str(CHANGES["stop"]) == "Stop the goods"
    assert change_heading("nonsense") == "Look before you change"


def test_an_event_says_the_rate_that_it_promised():
    assert event_words("campaign_closed", {}) == "Cut off"
    assert event_words("listing_created", {"sale_rate_bp": 1_250}) == "Listed in a group · 12.5%"
    assert event_words("help_rate_promised", {"sale_rate_bp": 800}) == "Rate promised to help-sellers 8%"
    assert event_words("help_rate_promised", {"sale_rate_bp": None}).endswith(" by the plan")
