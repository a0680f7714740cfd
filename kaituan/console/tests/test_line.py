"""The operator's way along the line: change, cut off, send, count, share out, arrive, decide."""

from datetime import timedelta

import pytest
from django.urls import reverse

from kaituan.aftersales.models import Claim
from kaituan.aftersales.services import open_claim
from kaituan.campaigns.models import Campaign
from kaituan.fulfilment.models import Arrival, PurchaseOrder, SharingOut
from kaituan.ordering.models import OrderLine
from kaituan.payments.models import Refund
from kaituan.people.models import PersonalDataAccess
from kaituan.reporting.tests.town import Town
from kaituan.web import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def town():
    town = Town()
    town.place(0, 0, (3, 2))
    town.pay(0)
    town.place(0, 1, (4, 0))
    town.pay(1)
    town.place(1, 0, (0, 5))
    town.pay(2)
    with clock.standing_at(town.now):
        yield town


def page(name, campaign, *more):
    return reverse(f"console:{name}", args=[campaign.public_id, *more])


def change(client, town, **typed):
    return client.post(page("change", town.campaign), typed)


class TestChanges:
    def test_a_price_is_lowered_after_a_look_and_the_difference_goes_back(self, town, operator_client):
        offer = town.offers[0]
        typed = {"kind": "price", "offer": str(offer.pk), "price": "35.90"}
        looked = change(operator_client, town, **typed)
        assert looked.status_code == 200
        preview = looked.context["preview"]
        assert (preview.order_count, preview.refund_fen) == (2, 7 * 400)
        offer.refresh_from_db()
        assert offer.price_fen == 3990, "a look changes nothing"
        done = change(operator_client, town, **typed, confirm=str(preview.version))
        assert done["Location"] == page("campaign", town.campaign)
        offer.refresh_from_db()
        assert offer.price_fen == 3590
        assert sum(Refund.objects.values_list("amount_fen", flat=True)) == 7 * 400
        again = change(operator_client, town, **typed, confirm=str(preview.version))
        assert again.status_code == 422, "the second press finds another version"
        assert Refund.objects.count() == 2

    @pytest.mark.parametrize("price", ["", "much", "-1", "39.90", "1.234"])
    def test_a_price_that_cannot_be_is_refused_and_stays_typed(self, town, operator_client, price):
        answer = change(operator_client, town, kind="price", offer=str(town.offers[0].pk), price=price)
        assert answer.status_code == 422
        assert f'name="price" inputmode="decimal" value="{price}"' in answer.content.decode()
        assert answer.context["refusal"]

    def test_orders_are_taken_longer_after_a_look(self, town, operator_client):
        before, day = town.campaign.closes_at, timedelta(days=1)
        typed = {"kind": "extend", **operator_client.get(page("campaign", town.campaign)).context["later"]}
        preview = change(operator_client, town, **typed).context["preview"]
        assert preview.order_count == 3
        for status in (302, 422):
            answer = change(operator_client, town, **typed, confirm=str(preview.version))
            assert answer.status_code == status
        town.campaign.refresh_from_db()
        assert town.campaign.closes_at == before + day

    @pytest.mark.parametrize(
        "typed",
        [
            {"kind": "extend", "closes_at": "later", "pickup_on": "2030-01-01"},
            {"kind": "extend", "closes_at": "2020-01-01T20:00", "pickup_on": "2030-01-01"},
            {"kind": "move", "pickup_on": "soon"},
            {"kind": "move", "pickup_on": "2020-01-01"},
            {"kind": "other"},
            {"kind": "cancel", "confirm": "x" * 40},
        ],
    )
    def test_bad_input_is_one_sentence_and_changes_nothing(self, town, operator_client, typed):
        answer = change(operator_client, town, **typed)
        assert answer.status_code == 422
        town.campaign.refresh_from_db()
        assert (town.campaign.status, town.campaign.version) == ("open", 1)

    def test_another_campaign_s_offer_is_not_there(self, town, operator_client):
        for offer in ("999999", "x", "9" * 40, ""):
            typed = {"kind": "price", "offer": offer, "price": "1"}
            assert change(operator_client, town, **typed).status_code == 404


class TestTheLine:
    def test_from_the_cut_off_to_the_arrival(self, town, operator_client):
        for _press in range(2):
            operator_client.post(page("cut-off", town.campaign))
        town.campaign.refresh_from_db()
        assert town.campaign.status == Campaign.Status.CLOSED
        order = PurchaseOrder.objects.get()
        address = reverse("console:purchase-order", args=[order.public_id])
        assert operator_client.post(address, {"send": ""}).status_code == 302
        counts = {
            f"line_{line.pk}": "1" if line.variant == town.offers[0].variant else str(line.purchase_units)
            for line in order.lines.all()
        }
        assert operator_client.post(address, counts).status_code == 302
        order.refresh_from_db()
        assert order.status == "received"
        operator_client.post(page("share-complete", town.campaign))
        assert SharingOut.objects.count() == 1, "what is short waits for a policy"
        short = page("share", town.campaign, town.offers[0].variant_id)
        looked = operator_client.get(short + "?policy=pro_rata")
        assert looked.context["plan"].short_quantity == 2
        assert not Refund.objects.exists()
        for _press in range(2):
            assert operator_client.post(short, {"policy": "pro_rata"}).status_code == 302
        assert SharingOut.objects.count() == 2
        assert sum(Refund.objects.values_list("amount_fen", flat=True)) == 2 * 3990
        for listing in town.listings:
            for _press in range(2):
                operator_client.post(page("arrived", town.campaign, listing.pickup_point.public_id))
        assert Arrival.objects.count() == 2

    @pytest.mark.parametrize("nonsense", ["-1", "many", "0.3333", "1e400"])
    def test_a_count_that_is_none_is_refused_and_stays_typed(self, town, operator_client, nonsense):
        operator_client.post(page("cut-off", town.campaign))
        order = PurchaseOrder.objects.get()
        address = reverse("console:purchase-order", args=[order.public_id])
        operator_client.post(address, {"send": ""})
        answer = operator_client.post(address, {f"line_{line.pk}": nonsense for line in order.lines.all()})
        assert answer.status_code == 422
        assert f'value="{nonsense}"' in answer.content.decode()
        order.refresh_from_db()
        assert order.status != "received"

    def test_goods_that_nobody_ordered_need_a_number_that_we_have(self, town, operator_client):
        operator_client.post(page("cut-off", town.campaign))
        order = PurchaseOrder.objects.get()
        address = reverse("console:purchase-order", args=[order.public_id])
        operator_client.post(address, {"send": ""})
        counts = {f"line_{line.pk}": str(line.purchase_units) for line in order.lines.all()}
        answer = operator_client.post(address, {**counts, "extra_sku": "NO-1", "extra_quantity": "2"})
        assert answer.status_code == 422
        assert "NO-1" in answer.context["refusal"]

    def test_sharing_out_before_the_count_is_told_and_changes_nothing(self, town, operator_client):
        operator_client.post(page("cut-off", town.campaign))
        answer = operator_client.get(page("share", town.campaign, town.offers[0].variant_id), follow=True)
        assert "not counted yet" in answer.content.decode()

    def test_a_printed_pickup_list_is_written_down(self, town, operator_client):
        operator_client.post(page("cut-off", town.campaign))
        printed = operator_client.get(page("sheet", town.campaign, "pickup")).content.decode()
        assert printed.count("sheet-page") == 2
        actors = PersonalDataAccess.objects.values_list("actor", flat=True)
        assert set(actors) == {operator_client.person.pk}
        assert operator_client.get(page("sheet", town.campaign, "other")).status_code == 404


class TestClaims:
    @pytest.fixture
    def claim(self, town):
        town.close()
        town.deliver(missing=0)
        town.fetch(0, 3)
        line = OrderLine.objects.filter(handed_over_at__isnull=False).first()
        claim = open_claim(
            line=line, reason="damaged", words="压坏了", asked_fen=900, photos=[],
            acting_person=line.order.person, now=town.later(hours=1), key="c1",
        )  # fmt: skip
        with clock.standing_at(town.now + timedelta(minutes=5)):
            yield claim

    def test_it_is_granted_once(self, claim, operator_client):
        address = reverse("console:claim", args=[claim.public_id])
        typed = {"amount": "6.50", "liability": "supplier", "answer": "抱歉", "grant": ""}
        for _press in range(2):
            assert operator_client.post(address, typed).status_code == 302
        claim.refresh_from_db()
        assert (claim.status, claim.granted_fen) == (Claim.Status.GRANTED, 650)
        assert Refund.objects.filter(reason="claim").count() == 1

    @pytest.mark.parametrize("amount", ["", "0", "x", "99999"])
    def test_an_amount_that_cannot_be_given_back_is_refused(self, claim, operator_client, amount):
        typed = {"amount": amount, "liability": "supplier", "answer": "抱歉", "grant": ""}
        answer = operator_client.post(reverse("console:claim", args=[claim.public_id]), typed)
        assert answer.status_code == 422
        assert "抱歉" in answer.content.decode()
        claim.refresh_from_db()
        assert claim.status == Claim.Status.OPEN
