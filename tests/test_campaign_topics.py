"""Whatever a campaign announces to people is heard."""

import pytest

from kaituan.notices.wording import WORDINGS
from kaituan.worker.handlers import HANDLERS

TOPICS = [
    "campaign_opened",
    "campaign_extended",
    "window_extended",
    "price_lowered",
    "price_raised",
    "offer_stopped",
    "offer_withdrawn",
    "pickup_moved",
    "campaign_cancelled",
]


@pytest.mark.parametrize("topic", TOPICS)
def test_it_has_a_handler_and_words(topic):
    assert HANDLERS[topic]
    assert topic in WORDINGS
