"""Changes after opening, by who opened: a look first, then the change; nobody else finds the page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from kaituan.campaigns.models import CampaignEvent
from kaituan.payments.models import Refund
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(town):
    return f"/work/l/{town.listing.public_id}/change/"


@pytest.fixture
def longer(town):
    """A cut-off three hours later, as the browser's picker writes it."""
    until = town.campaign.closes_at + timedelta(hours=3)
    return {
        "kind": "extend",
        "closes_at": timezone.localtime(until).strftime("%Y-%m-%dT%H:%M"),
        "pickup_on": (town.campaign.pickup_on + timedelta(days=1)).isoformat(),
    }


class TestALaterCutOff:
    def test_it_is_looked_at_then_done_once(self, town, owner, url, longer):
        town.paid_order(town.zhang, (town.oranges, 1))
        before = town.campaign.closes_at
        looked = owner.post(url, longer)
        assert (looked.status_code, looked.context["preview"].order_count) == (200, 1)
        town.campaign.refresh_from_db()
        assert town.campaign.closes_at == before, "a look changes nothing"
        version = {"confirm": looked.context["preview"].version}
        assert owner.post(url, longer | version).status_code == 302
        again = owner.post(url, longer | version)
        assert again.status_code == 422, "the second press finds another version"
        town.campaign.refresh_from_db()
        assert town.campaign.closes_at == before + timedelta(hours=3)
        assert town.campaign.pickup_on.isoformat() == longer["pickup_on"]
        assert CampaignEvent.objects.filter(kind="window_extended").count() == 1

    def test_it_is_proposed_a_day_later_with_the_pickup_moved_along(self, town, owner, url):
        page = owner.get(url, {"kind": "extend"})
        day = timedelta(days=1)
        assert page.context["typed"]["closes_at"] == timezone.localtime(
            town.campaign.closes_at + day
        ).strftime("%Y-%m-%dT%H:%M")
        assert page.context["typed"]["pickup_on"] == (town.campaign.pickup_on + day).isoformat()

    @pytest.mark.parametrize("closes_at", ["", "soon", "2020-01-01T10:00", "9" * 40, "2026-13-01T10:00"])
    def test_a_time_that_cannot_be_is_one_sentence_and_stays_typed(self, town, owner, url, longer, closes_at):
        answer = owner.post(url, longer | {"closes_at": closes_at})
        assert answer.status_code == 422
        assert answer.context["refusal"]
        assert f'value="{closes_at}"' in answer.content.decode()
        town.campaign.refresh_from_db()
        assert town.campaign.version == 1

    def test_after_the_cut_off_it_is_too_late(self, town, owner, url, longer):
        town.cut_off()
        assert owner.post(url, longer).status_code == 422
        assert owner.get(url).status_code == 200


class TestTheOtherChanges:
    @pytest.mark.parametrize("posted", [{"price": "24.99"}, {"price": "35", "funder": "supplier"}])
    def test_a_leader_gives_away_no_money_of_others(self, town, owner, url, posted):
        order = town.paid_order(town.zhang, (town.oranges, 1))
        version = {"confirm": town.campaign.version}
        answer = owner.post(url, {"kind": "price", "offer": town.oranges.pk, **posted, **version})
        assert (answer.status_code, Refund.objects.count()) == (422, 0)
        order.refresh_from_db()
        assert order.due_fen == 3990

    def test_a_lower_price_gives_back_what_was_paid_too_much(self, town, owner, url):
        town.paid_order(town.zhang, (town.oranges, 2))
        typed = {"kind": "price", "offer": str(town.oranges.pk), "price": "35.90"}
        looked = owner.post(url, typed)
        preview = looked.context["preview"]
        assert preview.refund_fen == 2 * (town.oranges.price_fen - 3590)
        owner.post(url, typed | {"confirm": preview.version})
        town.oranges.refresh_from_db()
        assert town.oranges.price_fen == 3590
        assert Refund.objects.get().amount_fen == preview.refund_fen

    def test_goods_are_stopped_and_taken_out(self, town, owner, url):
        order = town.order(town.zhang, (town.oranges, 1))
        typed = {"kind": "stop", "offer": str(town.oranges.pk), "cancels_ordered": "on"}
        preview = owner.post(url, typed).context["preview"]
        assert owner.post(url, typed | {"confirm": preview.version}).status_code == 302
        order.refresh_from_db()
        assert order.status == "cancelled"

    def test_it_is_called_off(self, town, owner, url):
        town.order(town.zhang, (town.oranges, 1))
        typed = {"kind": "cancel", "reason": "没有货了"}
        preview = owner.post(url, typed).context["preview"]
        owner.post(url, typed | {"confirm": preview.version})
        town.campaign.refresh_from_db()
        assert town.campaign.status == "cancelled"
        assert owner.get(url).status_code == 200

    @pytest.mark.parametrize("typed", [{}, {"kind": "other"}, {"kind": "move", "pickup_on": "x"}])
    def test_what_is_no_change_is_refused(self, owner, url, typed):
        assert owner.post(url, typed).status_code == 422

    @pytest.mark.parametrize("offer", ["", "x", "999999", "9" * 40])
    def test_goods_of_elsewhere_are_not_there(self, owner, url, offer):
        assert owner.post(url, {"kind": "price", "offer": offer, "price": "1"}).status_code == 404
        assert owner.get(url, {"kind": "price", "offer": offer}).context["kind"] == ""


class TestWhoMayChange:
    def test_only_who_opened_it(self, town, owner, helper, stranger, buyer, nobody, url):
        assert owner.get(url).status_code == 200
        for client in (helper, stranger, buyer):
            assert client.get(url).status_code == 404
            assert client.post(url, {"kind": "cancel", "confirm": "1"}).status_code == 404
        assert nobody.get(url)["Location"].startswith("/sign-in/")
        town.campaign.refresh_from_db()
        assert (town.campaign.status, town.campaign.version) == ("open", 1)

    def test_who_helps_to_sell_does_not_find_it_in_their_own_group(self, town, stranger):
        their_own = f"/work/l/{town.elsewhere.public_id}/"
        assert "/change/" not in stranger.get(their_own).content.decode()
        assert stranger.get(their_own + "change/").status_code == 404

    def test_the_way_there_is_on_the_page_of_the_group_buy(self, town, owner, helper, url):
        day = f"/work/l/{town.listing.public_id}/"
        assert url in owner.get(day).content.decode()
        assert url not in helper.get(day).content.decode()


def test_every_question_stands_by_itself(town, owner, url):
    for kind in ("extend", "move", "cancel"):
        assert f'name="kind" value="{kind}"' in owner.get(url, {"kind": kind}).content.decode()
    assert town.campaign.closes_at > NOON
