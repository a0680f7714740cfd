"""Opening a group buy: choose, set the terms, publish; once more; and helping to sell another leader's."""

from datetime import timedelta

import pytest

from kaituan.campaigns.models import Campaign, Listing
from kaituan.workbench.tests.conftest import text_of
from tests.factories import NOON

DAY = "%Y-%m-%dT%H:%M"


@pytest.fixture
def draft(town, owner):
    answer = owner.post("/work/open/", {"variant": [town.oranges.variant_id, town.eggs.variant_id]})
    campaign = Campaign.objects.get(status="draft")
    assert answer["Location"] == f"/work/open/{campaign.public_id}/"
    return campaign


def terms(draft, town, **fields):
    data = {
        "title": "周六早市", "story": "", "opens_at": "2026-10-01T12:00", "closes_at": "2026-10-02T20:00",
        "pickup_on": "2026-10-03", "pickup_hours": "16:00–19:00", "minimum_fen": "0", "minimum_policy": "refund",
        "groups": [str(town.listing.group_id)],
    }  # fmt: skip
    for offer in draft.offers.all():
        data[f"o{offer.pk}-price"] = "29.90"
        data[f"o{offer.pk}-code"] = offer.code
        data[f"o{offer.pk}-title"] = offer.title
    return {**data, **fields}


def test_choosing_nothing_or_something_made_up_is_told(town, owner):
    for chosen in ([], ["999999"], ["x"]):
        assert owner.post("/work/open/", {"variant": chosen}).status_code == 422
    assert not Campaign.objects.filter(status="draft").exists()


def test_what_was_ticked_stays_ticked_when_it_is_refused(town, owner):
    page = owner.get("/work/open/", {"q": "橙"})
    assert "赣南脐橙" in text_of(page)
    assert "土鸡蛋" not in text_of(page)


def test_saving_keeps_the_draft_and_publishing_lists_it_in_the_groups(town, owner, draft):
    url = f"/work/open/{draft.public_id}/"
    assert owner.post(url, terms(draft, town)).status_code == 302
    draft.refresh_from_db()
    assert (draft.title, draft.status) == ("周六早市", "draft")
    assert set(draft.offers.values_list("price_fen", flat=True)) == {2990}
    answer = owner.post(url, terms(draft, town, publish=""))
    listing = Listing.objects.get(campaign=draft)
    assert answer["Location"] == f"/work/l/{listing.public_id}/share/"
    assert (listing.group, listing.leader) == (town.listing.group, town.leader)
    again = owner.post(url, terms(draft, town, publish=""))
    assert again["Location"] == f"/work/l/{listing.public_id}/"
    assert Listing.objects.filter(campaign=draft).count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""}, {"closes_at": "2026-10-01T11:00"}, {"closes_at": "soon"}, {"pickup_on": ""}, {"groups": []},
        {"minimum_fen": "-1"}, {"minimum_policy": "other"},
    ],
)  # fmt: skip
def test_wrong_terms_keep_what_was_typed_and_publish_nothing(town, owner, draft, wrong):
    answer = owner.post(
        f"/work/open/{draft.public_id}/", terms(draft, town, story="早起的菜", publish="", **wrong)
    )
    assert answer.status_code == 422
    assert "早起的菜" in text_of(answer)
    draft.refresh_from_db()
    assert draft.status == "draft"


@pytest.mark.parametrize(
    "wrong", [{"price": "0"}, {"price": "x"}, {"code": ""}, {"quota": "-1"}, {"per_person": "0.3"}]
)
def test_wrong_goods_keep_what_was_typed(town, owner, draft, wrong):
    offer = draft.offers.first()
    fields = {f"o{offer.pk}-{name}": value for name, value in wrong.items()}
    answer = owner.post(f"/work/open/{draft.public_id}/", terms(draft, town, publish="", **fields))
    assert answer.status_code == 422
    draft.refresh_from_db()
    assert draft.status == "draft"
    assert draft.offers.first().price_fen != 0


def test_goods_are_left_out_and_codes_changed(town, owner, draft):
    first, second = draft.offers.order_by("position")
    fields = {f"o{first.pk}-remove": "on", f"o{second.pk}-code": "蛋"}
    owner.post(f"/work/open/{draft.public_id}/", terms(draft, town, **fields))
    assert list(draft.offers.values_list("code", flat=True)) == ["蛋"]


def test_a_draft_is_thrown_away(town, owner, draft):
    owner.post(f"/work/open/{draft.public_id}/", {"discard": ""})
    draft.refresh_from_db()
    assert draft.status == "cancelled"


def test_a_draft_is_its_openers_alone(town, draft, helper, stranger, buyer, nobody):
    url = f"/work/open/{draft.public_id}/"
    for client in (helper, stranger, buyer):
        assert client.get(url).status_code == 404
        assert client.post(url, terms(draft, town, publish="")).status_code == 404
    assert nobody.get(url)["Location"].startswith("/sign-in/")


def test_the_last_one_again_is_a_draft_with_its_dates_shifted(town, owner, stranger):
    answer = owner.post("/work/open/again/")
    clone = Campaign.objects.get(status="draft")
    assert answer["Location"] == f"/work/open/{clone.public_id}/"
    assert (clone.title, clone.closes_at) == ("周五水果团", town.campaign.closes_at + timedelta(days=7))
    assert stranger.post("/work/open/again/")["Location"] == "/work/open/"


def test_the_opening_time_is_local(town, owner, draft):
    owner.post(f"/work/open/{draft.public_id}/", terms(draft, town))
    draft.refresh_from_db()
    assert draft.closes_at == NOON + timedelta(hours=32)
