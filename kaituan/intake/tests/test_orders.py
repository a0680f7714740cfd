"""POST /intake/orders: who may order, what is answered, and that nothing is placed twice or lost."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.utils import timezone

from kaituan.intake.tests.visiting import pass_of, until, visit
from kaituan.ledger.models import AccountKind
from kaituan.ledger.queries import balance_fen, broken_invariants
from kaituan.ledger.services import AccountRef, Move, post_entry
from kaituan.notices.models import OutboxMessage
from kaituan.ordering.models import Order
from kaituan.payments import services as payments
from kaituan.payments.models import Payment, PaymentIntent
from kaituan.people.services import sign_out_everywhere
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)


class Town:
    """An open campaign with oranges, and two neighbours who are signed in."""

    def __init__(self) -> None:
        now = timezone.now()
        make.open_books(now - timedelta(days=30))
        self.campaign = make.campaign(opens_at=now - timedelta(hours=1), closes_at=now + timedelta(hours=2))
        self.listing = make.listing(self.campaign)
        self.pool = make.pool(quantity=10)
        self.oranges = make.offer(self.campaign, self.pool)
        self.zhang = make.member(self.listing.group, "张敏")
        self.li = make.member(self.listing.group, "李阿姨")
        self.accounts = {m.person_id: make.account(m.person) for m in (self.zhang, self.li)}

    def pass_of(self, member) -> str:
        return pass_of(self.accounts[member.person_id])

    def body(self, *lines, **fields):
        lines = lines or ((self.oranges, 1),)
        return {
            "campaign": self.campaign.public_id,
            "listing": self.listing.public_id,
            "key": "key-of-the-form",
            "pay": "sandbox",
            "lines": [{"offer": offer.code, "quantity": quantity} for offer, quantity in lines],
            **fields,
        }

    def left(self) -> int:
        self.pool.refresh_from_db()
        return self.pool.available_quantity


@pytest.fixture
def town():
    return Town()


def test_an_order_is_placed_with_its_number_its_intent_and_its_outbox_row(town):
    async def scenario(site):
        answer = await site.order(town.pass_of(town.zhang), town.body((town.oranges, 2), note="放门口"))
        assert answer.status == 201, answer.body
        told = answer.json()
        assert (told["outcome"], told["follow_number"], told["due_fen"], told["paid"]) == (
            "placed",
            1,
            7980,
            False,
        )
        site.told = told
        assert answer.headers["x-request-id"]
        visit.told = told

    visit(scenario)
    order = Order.objects.get(public_id=visit.told["order"])
    assert (order.person_id, order.actor_id, order.source, order.note) == (
        town.zhang.person_id,
        town.zhang.person_id,
        "tap",
        "放门口",
    )
    intent = PaymentIntent.objects.get(public_id=visit.told["intent"])
    assert (intent.order_id, intent.amount_fen, intent.channel, intent.status) == (
        order.pk,
        7980,
        "sandbox",
        "open",
    )
    assert intent.expires_at == order.pay_by
    message = OutboxMessage.objects.get()
    assert (message.topic, message.payload) == ("orders_placed", {"orders": [order.pk]})
    assert town.left() == 8


def test_the_same_key_is_answered_with_the_order_of_then(town):
    async def scenario(site):
        first = await site.order(town.pass_of(town.zhang), town.body())
        again = await site.order(town.pass_of(town.zhang), town.body())
        other = await site.order(town.pass_of(town.li), town.body())
        assert (first.status, again.status, other.status) == (201, 200, 201)
        assert again.json() == {**first.json(), "outcome": "already_placed"}
        assert other.json()["order"] != first.json()["order"]

    visit(scenario)
    assert (Order.objects.count(), PaymentIntent.objects.count()) == (2, 2)


def test_many_at_once_share_a_few_statements_and_the_last_unit_is_sold_once(town):
    async def scenario(site):
        before = site.process.lanes.statements
        answers = await asyncio.gather(
            *(site.order(town.pass_of(town.zhang), town.body(key=f"form-{n:04d}")) for n in range(64))
        )
        outcomes = [answer.json()["outcome"] for answer in answers]
        assert (outcomes.count("placed"), outcomes.count("sold_out")) == (10, 54)
        assert site.process.lanes.statements - before <= 4

    visit(scenario)
    assert sorted(Order.objects.values_list("follow_number", flat=True)) == list(range(1, 11))
    assert town.left() == 0


def test_a_sold_out_offer_is_answered_without_the_database_until_some_comes_back(town):
    async def scenario(site):
        placed = await site.order(town.pass_of(town.zhang), town.body((town.oranges, 10)))
        await until(lambda: any(o.is_sold_out for o in terms(site).offers.values()))
        before = site.process.lanes.statements
        refused = await site.order(town.pass_of(town.li), town.body())
        assert (refused.status, refused.json()["left_quantity"]) == (409, 0)
        assert "赣南脐橙" in refused.json()["message"]
        assert site.process.lanes.statements == before
        # Who may have lost an answer is asked about in the database: the same key finds the order.
        again = await site.order(town.pass_of(town.zhang), town.body((town.oranges, 10)))
        assert again.json()["order"] == placed.json()["order"]

        await sync_to_async(give_back)(placed.json()["order"])
        await until(lambda: not any(o.is_sold_out for o in terms(site).offers.values()))
        assert (await site.order(town.pass_of(town.li), town.body())).status == 201

    def terms(site):
        return site.process.snapshots._campaigns[town.campaign.pk]

    def give_back(public_id):
        order = Order.objects.get(public_id=public_id)
        payments.cancel_order(order=order, acting_person=town.zhang.person, now=timezone.now())

    visit(scenario)


def test_a_limit_names_the_offer_and_what_one_may_still_have(town):
    town.oranges.per_person_quantity = 2
    town.oranges.save()

    async def scenario(site):
        answer = await site.order(town.pass_of(town.zhang), town.body((town.oranges, 3)))
        assert answer.status == 409
        told = answer.json()
        assert (told["outcome"], told["offer"], told["left_quantity"]) == ("limit_reached", "A", 2)

    visit(scenario)
    assert town.left() == 10


def test_a_balance_pays_at_once_and_the_books_add_up(town):
    give_balance(town.zhang, 5_000)

    async def scenario(site):
        paid = await site.order(town.pass_of(town.zhang), town.body(pay="balance"))
        short = await site.order(town.pass_of(town.zhang), town.body(pay="balance", key="second-form"))
        assert (paid.status, paid.json()["paid"], paid.json()["intent"]) == (201, True, None)
        assert (short.status, short.json()["paid"]) == (201, False)
        again = await site.order(town.pass_of(town.zhang), town.body(pay="balance"))
        assert (again.json()["outcome"], again.json()["paid"]) == ("already_placed", True)

    visit(scenario)
    paid, short = Order.objects.order_by("pk")
    assert (paid.status, paid.paid_fen, paid.pay_by) == ("confirmed", 3990, None)
    assert (short.status, short.paid_fen) == ("pending", 0)
    assert balance_fen(balance_of(town.zhang)) == 1_010
    assert broken_invariants() == []


def test_paying_from_the_balance_in_a_batch_writes_the_rows_that_paying_alone_writes(town):
    for member in (town.zhang, town.li):
        give_balance(member, 3_990)
    alone = make.place(town.listing, town.li, (town.oranges, 1), now=timezone.now())
    payments.pay_from_balance(
        order=alone, acting_person=town.li.person, key=f"order:{alone.pk}", now=timezone.now()
    )

    async def scenario(site):
        await site.order(town.pass_of(town.zhang), town.body(pay="balance"))

    visit(scenario)
    batch = Order.objects.get(person=town.zhang.person)
    assert rows_of(batch) == rows_of(alone)


def test_goods_the_leader_takes_money_for_are_confirmed_without_an_intent(town):
    async def scenario(site):
        told = (await site.order(town.pass_of(town.zhang), town.body(pay="leader"))).json()
        assert (told["outcome"], told["intent"]) == ("placed", None)

    visit(scenario)
    order = Order.objects.get()
    assert (order.status, order.settles) == ("confirmed", "leader")


@pytest.mark.parametrize(
    ("change", "status", "outcome"),
    [
        ({"lines": []}, 422, "invalid"),
        ({"lines": [{"offer": "A", "quantity": 0}]}, 422, "invalid"),
        ({"lines": [{"offer": "A", "quantity": 1.5}]}, 422, "invalid"),
        ({"lines": [{"offer": "A", "quantity": 1}, {"offer": "A", "quantity": 1}]}, 422, "invalid"),
        ({"lines": [{"offer": "Z", "quantity": 1}]}, 422, "invalid"),
        ({"lines": [{"offer": "A", "quantity": 2**39}]}, 409, "sold_out"),
        ({"note": "a\x00b"}, 422, "invalid"),
        ({"key": "short"}, 422, "invalid"),
        ({"pay": "seashells"}, 422, "invalid"),
        ({"unheard_of": 1}, 422, "invalid"),
        ({"listing": "nowhere"}, 403, "not_listed"),
        ({"campaign": "another"}, 403, "not_listed"),
        ({"version": 7}, 409, "changed"),
    ],
)
def test_what_cannot_be_ordered_is_refused_by_name(town, change, status, outcome):
    async def scenario(site):
        answer = await site.order(town.pass_of(town.zhang), town.body(**change))
        assert (answer.status, answer.json()["outcome"]) == (status, outcome)
        assert answer.json()["message"]
        broken = await site.order(town.pass_of(town.zhang), b"{")
        assert broken.status == 422

    visit(scenario)
    assert not Order.objects.exists()


def test_only_members_of_the_group_order_and_only_in_the_window(town):
    stranger = make.member(make.group(name="别的群"), "陌生人")
    town.accounts[stranger.person_id] = make.account(stranger.person)

    async def scenario(site):
        answer = await site.order(town.pass_of(stranger), town.body())
        assert (answer.status, answer.json()["outcome"]) == (403, "not_listed")
        await sync_to_async(town.campaign.save)()
        site.process.snapshots.forget_all()
        early = await site.order(town.pass_of(town.zhang), town.body())
        assert (early.status, early.json()["outcome"], early.headers["retry-after"]) == (
            425,
            "not_open_yet",
            "1",
        )

    town.campaign.opens_at = timezone.now() + timedelta(hours=1)
    visit(scenario)


def test_nobody_orders_without_a_pass_or_from_another_sites_page(town):
    async def scenario(site):
        good = town.pass_of(town.zhang)
        forged = good[:-2] + ("AA" if good[-2:] != "AA" else "BB")
        assert (await site.order(forged, town.body())).status == 401
        assert (await site.order(good, town.body(), origin="https://evil.example")).status == 403
        assert (await site.order(good, town.body(), origin="null")).status == 403
        cookie = {"cookie": f"kaituan_pass={good}"}
        assert (await site.ask("POST", "/intake/orders", body=town.body(), headers=cookie)).status == 403
        # What no page of another site can send along needs no Origin: a program's own header.
        header = {"kaituan-pass": good}
        assert (await site.ask("POST", "/intake/orders", body=town.body(), headers=header)).status == 201
        assert (await site.ask("GET", "/intake/orders", headers=header)).status == 405

    visit(scenario)
    assert Order.objects.count() == 1


def test_a_revoked_pass_is_refused_and_a_session_stands_in_for_a_missing_one(town):
    account = town.accounts[town.zhang.person_id]
    session = SessionStore()
    session[SESSION_KEY] = str(account.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = account.get_session_auth_hash()
    session.save()

    async def scenario(site):
        old = town.pass_of(town.zhang)
        with_session = {"cookie": f"sessionid={session.session_key}"}
        assert (await site.order("", town.body(), **with_session)).status == 201
        await sync_to_async(sign_out_everywhere)(
            account=account, acting_person=town.zhang.person, now=timezone.now()
        )
        await until(lambda: site.process.visitors._versions.get(account.pk))
        assert (await site.order(old, town.body(key="another-form"))).status == 401
        assert (await site.order("", town.body(key="another-form"), **with_session)).status == 401

    visit(scenario)
    assert Order.objects.count() == 1


def test_a_changed_campaign_is_heard_of(town):
    from kaituan.notices.live import changed

    async def scenario(site):
        assert (await site.order(town.pass_of(town.zhang), town.body(version=1))).status == 201
        await sync_to_async(rename)()
        await until(lambda: not site.process.snapshots._campaigns)
        new = town.body(key="new-version", version=2, lines=[{"offer": "Q", "quantity": 1}])
        assert (await site.order(town.pass_of(town.zhang), new)).status == 201

    def rename():
        town.oranges.code = "Q"
        town.oranges.save()
        town.campaign.version = 2
        town.campaign.save()
        changed(f"campaign:{town.campaign.pk}")

    visit(scenario)


def give_balance(member, amount_fen):
    post_entry(
        key=f"gift:{member.pk}", kind="balance_given", reference=f"person:{member.person_id}",
        occurred_at=timezone.now(),
        moves=[Move(AccountRef(AccountKind.CHANNEL_CASH, "gateway:bank"), balance_of(member), amount_fen)],
    )  # fmt: skip


def balance_of(member):
    return AccountRef(AccountKind.BALANCE_PRINCIPAL, f"person:{member.person_id}")


def rows_of(order):
    """What was written for the order, but for ids and times, from every table that money touches."""
    queries = {
        "order": "SELECT status, paid_fen, refunded_fen, pay_by IS NULL, released_at IS NULL FROM ordering_order"
        " WHERE id = %s",
        "payment": "SELECT p.channel, p.external_reference = 'order:' || o.id, p.amount_fen, p.allocated_fen,"
        " p.returned_fen, p.recorded_by_id = o.person_id, p.payer_person_id = o.person_id, p.intent_id, p.held_by_id,"
        " p.remark, a.amount_fen FROM payments_allocation a JOIN payments_payment p ON p.id = a.payment_id"
        " JOIN ordering_order o ON o.id = a.order_id WHERE o.id = %s",
        "event": "SELECT kind, from_status, to_status, actor_id, reason, details FROM ordering_orderevent"
        " WHERE order_id = %s",
        "outbox": "SELECT topic, payload FROM notices_outboxmessage WHERE subject = 'order:' || %s ORDER BY id",
        "entry": "SELECT replace(e.key, %s::text, 'ID'), e.kind, e.memo, e.reverses_id, t.amount_fen, d.kind, c.kind,"
        " c.owner FROM ledger_entry e JOIN ledger_transfer t ON t.entry_id = e.id"
        " JOIN ledger_account d ON d.id = t.debit_id JOIN ledger_account c ON c.id = t.credit_id"
        " WHERE e.reference = 'order:' || %s",
    }
    rows = {}
    with connection.cursor() as cursor:
        for name, query in queries.items():
            cursor.execute(query, [order.pk] * query.count("%s"))
            rows[name] = cursor.fetchall()
    assert all(rows.values())
    assert Payment.objects.filter(external_reference=f"order:{order.pk}").count() == 1
    return rows
