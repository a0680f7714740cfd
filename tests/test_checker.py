"""Many at once with faults: orders, payments, cancellations and claims, compared with a model of a few lines.

Every buyer is a thread with a connection of its own and its own dice. What it asks for may be cut off before the
commit, lose its connection in the middle, lose its answer after the commit, or be asked twice at the same instant;
meanwhile somebody ends connections at random. A buyer asks again with the same key until there is an answer, writes
that down, and in the end the database must hold exactly what was answered: no order, fen or unit more or less.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Sum

from kaituan.aftersales import services as aftersales
from kaituan.aftersales.refusals import AlreadyDecided
from kaituan.fulfilment.arrivals import confirm_arrival
from kaituan.fulfilment.handover import hand_over
from kaituan.fulfilment.tests.conftest import EVENING, MORNING, Town
from kaituan.ordering.core import Answer, Outcome, place_orders
from kaituan.ordering.models import Order, OrderLine, PersonOfferQuantity
from kaituan.payments.models import Payment
from kaituan.payments.refusals import NothingToPay
from kaituan.payments.services import cancel_order, gateway_succeeded, open_intent
from kaituan.people.models import Member
from kaituan.reporting.doctor import examine
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db(transaction=True)
LIMIT, QUOTA, STOCK = 5, 60, 70
SOON = EVENING + timedelta(hours=1)
NAME = "kaituan checker"


class Cut(Exception):
    """The process died before the commit."""


@dataclass
class Known:
    """What a buyer was told of one order, and nothing else."""

    order_id: int
    follow_number: int
    list_fen: int
    quantities: dict[int, int]
    is_paid: bool = False
    is_cancelled: bool = False
    granted_fen: int = 0


@dataclass
class Buyer:
    member: Member
    dice: random.Random
    orders: list[Known] = field(default_factory=list)
    received_fen: dict[str, int] = field(default_factory=dict)
    """Reference -> what the gateway was answered to."""
    faults: Counter[str] = field(default_factory=Counter)


def certainly[T](buyer: Buyer, ask: Callable[[], T]) -> T:
    """Ask until there is an answer, whatever goes wrong on the way."""
    fault = buyer.dice.choice(["none", "none", "cut", "connection", "answer", "twice"])
    for _ in range(50):
        try:
            if fault in ("cut", "connection"):
                spoil, fault = fault, "none"
                buyer.faults[spoil] += 1
                _spoil(ask, spoil)
            if fault == "twice":
                fault = "none"
                buyer.faults["twice"] += 1
                with ThreadPoolExecutor(1) as other:
                    twin = other.submit(_in_thread, ask)
                    try:
                        ask()
                    finally:
                        twin.exception()
            if fault == "answer":
                fault = "none"
                buyer.faults["answer"] += 1
                ask()
            return ask()
        except Cut:
            continue
        except (DatabaseError, InterfaceError):
            # Lost, chosen to end a deadlock, or a twin was faster: nothing is known but the key.
            buyer.faults["lost"] += 1
            _connect()
    raise AssertionError("No answer after fifty tries.")


def _spoil[T](ask: Callable[[], T], fault: str) -> None:
    """All the work of a request, which then comes to nothing."""
    with transaction.atomic():
        ask()
        if fault == "cut":
            raise Cut
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def _connect() -> None:
    """A connection that the killer can see, and that it may end before it is of any use."""
    while True:
        connection.close()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('application_name', %s, false)", [NAME])
        except (DatabaseError, InterfaceError):
            continue
        return


def _in_thread[T](work: Callable[[], T]) -> T:
    try:
        _connect()
        return work()
    finally:
        connection.close()


class Killer:
    """Ends a connection of some buyer every now and then."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.killed = 0

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.wait(self._dice.uniform(0.05, 0.2)):
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
                        " AND datname = current_database() ORDER BY random() LIMIT 1",
                        [NAME],
                    )
                    self.killed += cursor.rowcount
        finally:
            connection.close()


def buy(town: Town, buyer: Buyer, key: str) -> None:
    """One order, perhaps paid, perhaps cancelled, perhaps both at the same instant."""
    offers = buyer.dice.sample([town.oranges, town.eggs], buyer.dice.randint(1, 2))
    quantities = {offer.pk: buyer.dice.randint(1, 3) for offer in offers}
    listing = town.listing if buyer.member.group_id == town.listing.group_id else town.elsewhere
    request = make.request(
        listing, buyer.member, *((offer, quantities[offer.pk]) for offer in offers), key=key
    )

    def place() -> Answer:
        [answer] = place_orders(now=NOON, campaign_id=town.campaign.pk, version=None, requests=[request])
        return answer

    answer = certainly(buyer, place)
    if answer.outcome in (Outcome.SOLD_OUT, Outcome.LIMIT_REACHED):
        return
    assert answer.outcome in (Outcome.PLACED, Outcome.ALREADY_PLACED)
    assert answer.order_id is not None
    assert answer.follow_number is not None
    assert answer.due_fen is not None
    known = Known(answer.order_id, answer.follow_number, answer.due_fen, quantities)
    buyer.orders.append(known)
    does = buyer.dice.choice(["pays", "pays", "pays", "cancels", "pays and cancels", "both", "nothing"])
    if does == "both":
        twin = Buyer(buyer.member, random.Random(key))
        with ThreadPoolExecutor(1) as other:
            cancelling = other.submit(_in_thread, lambda: cancel(twin, known))
            pay(buyer, known)
            cancelling.result()
        buyer.faults += twin.faults
    if does.startswith("pays"):
        pay(buyer, known)
    if does.endswith("cancels"):
        cancel(buyer, known)


def pay(buyer: Buyer, known: Known) -> None:
    order = Order.objects.select_related("person")
    try:
        intent = certainly(
            buyer, lambda: open_intent(order=order.get(pk=known.order_id), channel="sandbox", now=NOON)
        )
    except NothingToPay:
        return
    reference = f"checker-{known.order_id}"
    buyer.received_fen[reference] = intent.amount_fen
    certainly(
        buyer,
        lambda: gateway_succeeded(
            intent=intent, external_reference=reference, amount_fen=intent.amount_fen, now=NOON
        ),
    )
    known.is_paid = True


def cancel(buyer: Buyer, known: Known) -> None:
    certainly(
        buyer,
        lambda: cancel_order(
            order=Order.objects.get(pk=known.order_id), acting_person=buyer.member.person, now=NOON
        ),
    )
    known.is_cancelled = True


def complain(town: Town, buyer: Buyer, known: Known, key: str) -> None:
    """A claim on one line, granted, refused, taken back, or granted and taken back at the same instant."""
    lines = OrderLine.objects.select_related("order").filter(order_id=known.order_id).order_by("pk")
    line = buyer.dice.choice(certainly(buyer, lambda: list(lines.all())))
    asked_fen = buyer.dice.randint(1, line.amount_fen)
    claim = certainly(
        buyer,
        lambda: aftersales.open_claim(
            line=line, reason="damaged", words="压坏了", asked_fen=asked_fen, photos=[],
            acting_person=buyer.member.person, now=SOON, key=key,
        ),
    )  # fmt: skip

    def grant(who: Buyer) -> bool:
        return decided(
            who,
            lambda: aftersales.grant_claim(
                claim=claim, amount_fen=asked_fen, liability="supplier", acting_person=town.operator, now=SOON
            ),
        )

    def withdraw(who: Buyer) -> bool:
        return decided(
            who,
            lambda: aftersales.withdraw_claim(claim=claim, acting_person=buyer.member.person, now=SOON),
        )

    does = buyer.dice.choice(["grants", "grants", "refuses", "withdraws", "both"])
    is_granted = False
    if does == "grants":
        is_granted = grant(buyer)
        assert is_granted
    elif does == "withdraws":
        assert withdraw(buyer)
    elif does == "refuses":
        refuse = aftersales.refuse_claim
        assert decided(
            buyer, lambda: refuse(claim=claim, answer="照片看不清", acting_person=town.operator, now=SOON)
        )
    else:
        twin = Buyer(buyer.member, random.Random(key))
        with ThreadPoolExecutor(1) as other:
            withdrawing = other.submit(_in_thread, lambda: withdraw(twin))
            is_granted = grant(buyer)
            # One of the two was too late, and was told so.
            assert withdrawing.result() is not is_granted
        buyer.faults += twin.faults
    if is_granted:
        known.granted_fen += asked_fen


def decided[T](buyer: Buyer, decide: Callable[[], T]) -> bool:
    """Whether the decision stands; False when another came first."""
    try:
        certainly(buyer, decide)
    except AlreadyDecided:
        return False
    return True


def run_checker(*, seed: int, buyers: int, orders_each: int) -> None:
    town = Town()
    for offer in (town.oranges, town.eggs):
        offer.quota_quantity, offer.per_person_quantity = QUOTA * buyers // 12, LIMIT
        offer.save()
        stock = STOCK * buyers // 12
        offer.variant.pools.update(available_quantity=stock, supplied_quantity=stock)
    crowd = [
        Buyer(
            make.member(town.listing.group if number % 2 else town.elsewhere.group, f"邻居{number}"),
            random.Random(f"{seed}-{number}"),
        )
        for number in range(buyers)
    ]

    def shop(buyer: Buyer) -> None:
        _connect()
        for number in range(orders_each):
            buy(town, buyer, f"checker-{buyer.member.pk}-{number}")

    def claim(buyer: Buyer) -> None:
        _connect()
        for known in buyer.orders:
            if known.is_paid and not known.is_cancelled and buyer.dice.random() < 0.7:
                complain(town, buyer, known, f"claim-{known.order_id}")

    all_at_once(crowd, shop, seed)
    compare_orders(town, crowd)
    hand_out(town, crowd)
    all_at_once(crowd, claim, seed + 1)
    compare_money(crowd)
    assert examine() == []
    faults = sum((buyer.faults for buyer in crowd), Counter())
    assert min(faults[kind] for kind in ("cut", "connection", "answer", "twice", "lost")) > 0


def all_at_once(crowd: list[Buyer], work: Callable[[Buyer], None], seed: int) -> None:
    with Killer(random.Random(seed)), ThreadPoolExecutor(len(crowd)) as pool:
        list(pool.map(lambda buyer: _in_thread(lambda: work(buyer)), crowd))


def compare_orders(town: Town, crowd: list[Buyer]) -> None:
    """Each answered order is there once as it was told, no other is; stock and limits follow from them."""
    told = {known.order_id: known for buyer in crowd for known in buyer.orders}
    assert len(told) == sum(len(buyer.orders) for buyer in crowd)
    stored = {order.pk: order for order in Order.objects.prefetch_related("lines")}
    assert stored.keys() == told.keys()
    sold: Counter[int] = Counter()
    had: Counter[tuple[int, int]] = Counter()
    for order_id, known in told.items():
        order = stored[order_id]
        assert order.follow_number == known.follow_number
        assert {line.offer_id: line.quantity for line in order.lines.all()} == known.quantities
        status = "cancelled" if known.is_cancelled else "confirmed" if known.is_paid else "pending"
        assert order.status == status, known
        assert order.kept_fen == (known.list_fen if status == "confirmed" else 0), known
        if not known.is_cancelled:
            sold.update(known.quantities)
            had.update({(offer, order.person_id): n for offer, n in known.quantities.items()})
    for listing in (town.listing, town.elsewhere):
        numbers = sorted(order.follow_number for order in stored.values() if order.listing_id == listing.pk)
        assert numbers == list(range(1, len(numbers) + 1))
    for offer in (town.oranges, town.eggs):
        offer.refresh_from_db()
        assert offer.sold_quantity == sold[offer.pk] <= offer.quota_quantity
        [pool] = offer.variant.pools.all()
        assert pool.available_quantity == pool.supplied_quantity - sold[offer.pk]
    counters = PersonOfferQuantity.objects.filter(quantity__gt=0).values_list("offer", "person", "quantity")
    assert {(offer, person): n for offer, person, n in counters} == dict(had)
    assert max(had.values()) <= LIMIT
    received = {ref: fen for buyer in crowd for ref, fen in buyer.received_fen.items()}
    assert dict(Payment.objects.values_list("external_reference", "amount_fen")) == received


def hand_out(town: Town, crowd: list[Buyer]) -> None:
    """Cut off, buy, share out and hand over all that was paid."""
    town.cut_off()
    town.send_all()
    standing = OrderLine.objects.filter(order__status="confirmed")
    for offer in (town.oranges, town.eggs):
        wanted = standing.filter(offer=offer).aggregate(all=Sum("quantity"))["all"]
        town.receive(offer, wanted)
        town.share_out(offer)
    for listing in (town.listing, town.elsewhere):
        confirm_arrival(
            campaign=town.campaign, pickup_point=listing.pickup_point, acting_person=None, now=MORNING
        )
        for order in listing.orders.filter(status="confirmed"):
            hand_over(
                lines_quantities=dict(order.lines.values_list("pk", "quantity")), method="name",
                leader=listing.leader, acting_person=listing.leader.person, now=EVENING, key=f"k{order.pk}",
            )  # fmt: skip


def compare_money(crowd: list[Buyer]) -> None:
    """Every order costs what was granted less, and exactly that went back."""
    for buyer in crowd:
        for known in buyer.orders:
            order = Order.objects.get(pk=known.order_id)
            if known.is_cancelled or not known.is_paid:
                assert (order.status in ("cancelled", "released"), order.kept_fen) == (True, 0), known
                continue
            assert order.due_fen == order.kept_fen == known.list_fen - known.granted_fen, known
            assert order.refunded_fen == known.granted_fen


def test_what_was_answered_is_what_there_is_whatever_fails_on_the_way():
    run_checker(seed=1, buyers=6, orders_each=5)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 30))
def test_twenty_crowds_with_faults_leave_what_was_answered(seed):
    run_checker(seed=seed, buyers=12, orders_each=12)
