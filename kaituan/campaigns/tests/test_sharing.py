"""The text and the link that a leader carries into the chat."""

from datetime import timedelta

import pytest

from kaituan.campaigns import sharing
from kaituan.campaigns.services import OfferTerms
from tests.factories import NOON


@pytest.mark.parametrize(
    ("fen", "text"), [(3990, "39.9"), (2500, "25"), (1, "0.01"), (0, "0"), (10_000, "100"), (110, "1.1")]
)
def test_prices_are_written_as_in_a_chat(fen, text):
    assert sharing.short_yuan(fen) == text


@pytest.mark.django_db
def test_the_text_says_what_how_much_until_when_and_where(town, django_assert_num_queries):
    offers = [
        OfferTerms(variant_id=town.oranges.pk, per_person_quantity=2),
        OfferTerms(variant_id=town.apples.pk, per_person_quantity=2_500, private_quantity=50_000),
    ]
    campaign = town.open(offers=offers, pickup_hours="16:00-19:00", closes_at=NOON + timedelta(hours=13))
    listing = town.list(campaign)
    with django_assert_num_queries(1):
        shared = sharing.shared_listing(listing=listing, base_url="https://kaituan.example/")
    assert sharing.share_text(shared) == (
        "#接龙\n"
        "【周五水果团】\n"
        "【A】赣南脐橙 5斤装 39.9元/5斤（每人限2份）\n"
        "【B】红富士苹果 5.8元/斤（每人限5斤）\n"
        "截单：10月2日（周五）01:00\n"
        "提货：10月2日（周五）16:00-19:00 翠成馨园\n"
        f"点链接下单：https://kaituan.example/g/{listing.public_id}/\n"
        "例 1. 名字 A2 B1\n"
    )


@pytest.mark.django_db
def test_a_stopped_offer_is_not_told_of(town):
    campaign = town.open()
    campaign.offers.filter(code="A").update(stopped_at=NOON)
    shared = sharing.shared_listing(listing=town.list(campaign), base_url="http://x")
    assert [offer.code for offer in shared.offers] == ["B"]
    assert "名字 B2" in sharing.share_text(shared)
