"""At the pickup point: arrival, codes, hand-over in full and in part, undoing, and what nobody fetches."""

from datetime import timedelta

import pytest

from kaituan.fulfilment.arrivals import confirm_arrival, make_pickup_codes, pickup_code
from kaituan.fulfilment.handover import UNDO_MINUTES, give_up_unclaimed, hand_over, undo_hand_over
from kaituan.fulfilment.models import Arrival, HandOver, PickupCode
from kaituan.fulfilment.queries import find_orders, progress, undoable_hand_overs, waiting_at_counter
from kaituan.fulfilment.refusals import ArrivalRefused, HandOverRefused, StillUnpaid
from kaituan.fulfilment.tests.conftest import EVENING, MORNING
from kaituan.notices.models import OutboxMessage
from kaituan.ordering.models import Order
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def ready(town):
    """Zhang has paid 3 oranges and 2 eggs, Wang guaranteed 1 orange here, Zhao 1 elsewhere; all is shared out."""
    town.paid = town.paid_order(town.zhang, (town.oranges, 3), (town.eggs, 2))
    town.owing = town.order(town.wang, (town.oranges, 1))
    town.away = town.order(town.zhao, (town.oranges, 1))
    town.cut_off()
    town.send_all()
    for offer, quantity in ((town.oranges, 8), (town.eggs, 2)):
        town.receive(offer, quantity)
        town.share_out(offer)
    town.point = town.listing.pickup_point
    return town


@pytest.fixture
def arrived(ready):
    confirm_arrival(
        campaign=ready.campaign, pickup_point=ready.point, acting_person=ready.leader.person, now=MORNING
    )
    return ready


def give(town, order, *, now=EVENING, key="k1", quantities=None, **options):
    lines = order.lines.select_related("offer")
    wanted = {line.pk: line.allocated_quantity for line in lines}
    if quantities is not None:
        wanted = {line.pk: quantities[line.offer.code] for line in lines if line.offer.code in quantities}
    return hand_over(
        lines_quantities=wanted, method="code", leader=town.leader, acting_person=town.leader.person, now=now,
        key=key, **options,
    )  # fmt: skip


def lines_of(order):
    return {line.offer.code: line for line in order.lines.select_related("offer")}


class TestArrival:
    def test_members_with_goods_there_get_a_code_and_one_message_goes_out(self, ready):
        for _ in range(2):
            arrival = confirm_arrival(
                campaign=ready.campaign, pickup_point=ready.point, acting_person=ready.operator, now=MORNING
            )
        assert (Arrival.objects.get(), arrival.arrived_at) == (arrival, MORNING)
        owners = set(PickupCode.objects.values_list("listing_id", "member_id"))
        assert owners == {(ready.listing.pk, ready.zhang.pk), (ready.listing.pk, ready.wang.pk)}
        assert all(len(code) == 6 for code in PickupCode.objects.values_list("code", flat=True))
        assert OutboxMessage.objects.get(topic="goods_arrived").subject == f"arrival:{arrival.pk}"

    def test_not_before_everything_there_is_shared_out(self, town):
        town.order(town.zhang, (town.oranges, 1), (town.eggs, 1))
        town.cut_off()
        town.send_all()
        town.receive(town.oranges, 4)
        town.share_out(town.oranges)
        with pytest.raises(ArrivalRefused, match="土鸡蛋 is not shared out"):
            confirm_arrival(
                campaign=town.campaign,
                pickup_point=town.listing.pickup_point,
                acting_person=None,
                now=MORNING,
            )

    def test_not_where_nothing_goes(self, ready):
        with pytest.raises(ArrivalRefused, match="Nothing"):
            confirm_arrival(
                campaign=ready.campaign,
                pickup_point=make.pickup_point("远处"),
                acting_person=None,
                now=MORNING,
            )

    def test_a_member_has_one_code_in_a_listing(self, ready):
        code = pickup_code(order=ready.paid, now=MORNING)
        assert pickup_code(order=ready.paid, now=EVENING) == code
        make_pickup_codes(buyers=[(ready.listing.pk, ready.zhang.pk)], now=EVENING)
        assert PickupCode.objects.count() == 1

    def test_a_code_that_is_taken_is_drawn_again(self, ready, monkeypatch):
        from kaituan.fulfilment import arrivals

        drawn = iter(["111111", "111111", "222222"])
        monkeypatch.setattr(arrivals, "_new_code", lambda: next(drawn))
        make_pickup_codes(
            buyers=[(ready.listing.pk, ready.zhang.pk), (ready.listing.pk, ready.wang.pk)], now=MORNING
        )
        assert set(PickupCode.objects.values_list("code", flat=True)) == {"111111", "222222"}


class TestHandOver:
    def test_all_of_it(self, arrived):
        given = give(arrived, arrived.paid)
        assert sorted(row.quantity for row in given) == [2, 3]
        for line in lines_of(arrived.paid).values():
            assert (line.handed_quantity, line.handed_over_at) == (line.allocated_quantity, EVENING)
            assert line.pickup_leader_id == arrived.leader.pk
        assert OutboxMessage.objects.filter(topic="goods_handed_over").count() == 1

    def test_a_part_now_and_the_rest_later(self, arrived):
        give(arrived, arrived.paid, quantities={"A": 1})
        line = lines_of(arrived.paid)["A"]
        assert (line.handed_quantity, line.handed_over_at, line.pickup_leader_id) == (1, None, None)
        later = EVENING + timedelta(hours=1)
        give(arrived, arrived.paid, quantities={"A": 2}, key="k2", now=later)
        line = lines_of(arrived.paid)["A"]
        assert (line.handed_quantity, line.handed_over_at) == (3, later)

    def test_a_second_tap_hands_over_nothing(self, arrived):
        first = give(arrived, arrived.paid)
        assert give(arrived, arrived.paid) == first
        assert HandOver.objects.count() == 2

    def test_never_more_than_allocated(self, arrived):
        with pytest.raises(HandOverRefused, match="less left"):
            give(arrived, arrived.paid, quantities={"A": 4})
        give(arrived, arrived.paid, quantities={"A": 3})
        with pytest.raises(HandOverRefused, match="less left"):
            give(arrived, arrived.paid, quantities={"A": 1}, key="k2")

    def test_all_or_nothing(self, arrived):
        with pytest.raises(HandOverRefused):
            give(arrived, arrived.paid, quantities={"A": 3, "B": 9})
        assert not HandOver.objects.exists()

    def test_money_first_unless_the_leader_knows(self, arrived):
        with pytest.raises(StillUnpaid, match="Take ¥") as refused:
            give(arrived, arrived.owing)
        assert refused.value.unpaid_fen == {arrived.owing.pk: 3990}
        assert len(give(arrived, arrived.owing, despite_unpaid=True)) == 1

    @pytest.mark.parametrize("quantities", [{}, {"A": 0}, {"A": -1}])
    def test_nothing_is_no_hand_over(self, arrived, quantities):
        with pytest.raises(HandOverRefused, match="at least one"):
            give(arrived, arrived.paid, quantities=quantities)

    def test_not_before_the_goods_have_arrived(self, ready):
        with pytest.raises(HandOverRefused, match="arrived"):
            give(ready, ready.paid)

    def test_not_of_two_places_at_once(self, arrived):
        lines = [lines_of(order)["A"].pk for order in (arrived.paid, arrived.away)]
        with pytest.raises(HandOverRefused, match="different places"):
            hand_over(
                lines_quantities=dict.fromkeys(lines, 1), method="name", leader=arrived.leader,
                acting_person=arrived.leader.person, now=EVENING, key="k",
            )  # fmt: skip

    def test_not_of_an_order_that_was_cancelled(self, arrived):
        from kaituan.fulfilment.cutoff import cancel_after_cut_off

        cancel_after_cut_off(order=arrived.paid, acting_person=arrived.operator, now=EVENING, reason="退")
        with pytest.raises(HandOverRefused, match="does not stand"):
            give(arrived, arrived.paid)


class TestUndoing:
    def test_within_minutes_everything_is_as_before(self, arrived):
        given = give(arrived, arrived.paid)
        for _ in range(2):
            undo_hand_over(
                hand_overs=given, acting_person=arrived.operator, now=EVENING + timedelta(minutes=2)
            )
        for line in lines_of(arrived.paid).values():
            assert (line.handed_quantity, line.handed_over_at, line.pickup_leader_id) == (0, None, None)
        assert len(give(arrived, arrived.paid, key="k2")) == 2
        assert OutboxMessage.objects.filter(topic="hand_over_undone").count() == 1

    def test_only_the_part_that_was_wrong(self, arrived):
        give(arrived, arrived.paid, quantities={"A": 1})
        wrong = give(arrived, arrived.paid, quantities={"A": 2}, key="k2")
        undo_hand_over(hand_overs=wrong, acting_person=arrived.operator, now=EVENING)
        line = lines_of(arrived.paid)["A"]
        assert (line.handed_quantity, line.handed_over_at) == (1, None)

    def test_later_it_takes_a_claim(self, arrived):
        given = give(arrived, arrived.paid)
        late = EVENING + timedelta(minutes=UNDO_MINUTES, seconds=1)
        with pytest.raises(HandOverRefused, match="Use a claim"):
            undo_hand_over(hand_overs=given, acting_person=arrived.operator, now=late)
        assert undoable_hand_overs(order=arrived.paid, since=EVENING).count() == 2

    def test_a_second_tap_of_an_undone_hand_over_does_not_bring_it_back(self, arrived):
        given = give(arrived, arrived.paid)
        undo_hand_over(hand_overs=given, acting_person=arrived.operator, now=EVENING)
        assert give(arrived, arrived.paid) == given
        assert lines_of(arrived.paid)["A"].handed_quantity == 0


class TestUnclaimed:
    STILL_TIME = MORNING + timedelta(hours=72) - timedelta(seconds=1)
    OVER = MORNING + timedelta(hours=72)

    def test_after_the_stated_hours_it_counts_as_handed_over_by_nobody(self, arrived):
        assert give_up_unclaimed(now=self.STILL_TIME) == 0
        assert give_up_unclaimed(now=self.OVER) == 3
        assert give_up_unclaimed(now=self.OVER) == 0
        line = lines_of(arrived.paid)["A"]
        assert (line.handed_quantity, line.handed_over_at, line.pickup_leader_id) == (3, self.OVER, None)
        row = HandOver.objects.filter(order_line=line).get()
        assert (row.method, row.handed_by, row.pickup_leader) == ("unclaimed", None, None)
        assert OutboxMessage.objects.filter(topic="goods_unclaimed").count() == 2

    def test_the_hours_run_from_the_arrival_at_that_place(self, arrived):
        give_up_unclaimed(now=self.OVER + timedelta(days=30))
        assert lines_of(arrived.away)["A"].handed_over_at is None

    def test_what_was_handed_over_in_part_stays_that_leaders_work(self, arrived):
        give(arrived, arrived.paid, quantities={"A": 2})
        give_up_unclaimed(now=self.OVER)
        line = lines_of(arrived.paid)["A"]
        assert (line.handed_quantity, line.pickup_leader_id) == (3, arrived.leader.pk)

    def test_it_cannot_be_undone_as_a_mistake_of_the_hand(self, arrived):
        give_up_unclaimed(now=self.OVER)
        rows = HandOver.objects.filter(order_line__order=arrived.paid)
        with pytest.raises(HandOverRefused):
            undo_hand_over(hand_overs=list(rows), acting_person=arrived.operator, now=self.OVER)


class TestFinding:
    def found(self, town, method, text, orders=None):
        scope = Order.objects.filter(campaign=town.campaign) if orders is None else orders
        return [order.pk for order in find_orders(orders=scope, method=method, text=text)]

    def test_by_code_number_door_and_name(self, arrived):
        here = Order.objects.filter(listing=arrived.listing)
        code = pickup_code(order=arrived.paid, now=EVENING)
        assert self.found(arrived, "code", f" {code} ") == [arrived.paid.pk]
        assert self.found(arrived, "follow_number", "#2", here) == [arrived.owing.pk]
        assert self.found(arrived, "door", "3-502") == [arrived.paid.pk]
        assert self.found(arrived, "name", "王") == [arrived.owing.pk]

    def test_a_code_finds_all_orders_of_its_member(self, town):
        orders = [town.order(town.zhang, (town.oranges, n)) for n in (1, 2)]
        town.cut_off()
        town.send_all()
        town.receive(town.oranges, 4)
        town.share_out(town.oranges)
        code = pickup_code(order=orders[1], now=EVENING)
        assert self.found(town, "code", code) == [order.pk for order in orders]

    @pytest.mark.parametrize(
        ("method", "text"),
        [("code", ""), ("code", "000"), ("follow_number", "二"), ("nose", "1"), ("name", "  ")],
    )
    def test_nonsense_finds_nobody(self, arrived, method, text):
        assert self.found(arrived, method, text) == []

    def test_what_is_handed_over_is_not_found_any_more(self, arrived):
        give(arrived, arrived.paid)
        assert self.found(arrived, "name", "张敏") == []
        waiting = waiting_at_counter(Order.objects.all())
        assert set(waiting) == {arrived.owing, arrived.away}

    def test_the_counter_shows_orders_with_their_goods_in_few_statements(
        self, arrived, django_assert_num_queries
    ):
        with django_assert_num_queries(2):
            [order] = find_orders(orders=Order.objects.all(), method="name", text="张敏")
            goods = [(line.offer.title, line.offer.variant.sale_unit) for line in order.goods]
            assert order.listing.group.name
        assert goods == [("赣南脐橙", "5斤"), ("土鸡蛋", "盒")]


def test_progress_follows_the_facts(ready):
    assert [(row.orders, row.waiting_for_goods, row.ready_to_arrive) for row in progressed(ready)] == [
        (2, 0, True),
        (1, 0, True),
    ]
    confirm_arrival(campaign=ready.campaign, pickup_point=ready.point, acting_person=None, now=MORNING)
    give(ready, ready.paid)
    here, _there = progressed(ready)
    assert (here.handed_over, here.left, here.unpaid, here.arrived_at) == (1, 1, 1, MORNING)


def progressed(town):
    return progress(campaign_ids=[town.campaign.pk])
