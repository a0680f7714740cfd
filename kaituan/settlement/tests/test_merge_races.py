"""Merging two persons while they order: nobody waits for each other for ever."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from kaituan.ledger.models import AccountKind
from kaituan.ledger.queries import balance_fen, broken_invariants
from kaituan.ledger.services import AccountRef, Move, lock_balances_fen, post_entry
from kaituan.ordering.models import Order, PersonOfferQuantity
from kaituan.people import services as people
from kaituan.people.models import PersonMerge
from kaituan.people.refusals import MergeRefused
from kaituan.settlement import persons
from kaituan.settlement.tests.races import in_a_thread, until_it_waits_for_me
from kaituan.worker.clock import run_due
from tests import factories as make
from tests.factories import NOON

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOON + timedelta(minutes=5)


class Town:
    """张敏 and 小张 are one person, in the same group; both have some of a limited offer."""

    def __init__(self):
        make.station()
        make.open_books()
        make.plan()
        self.group = make.group(make.leader("王姐"))
        self.kept, self.merged = make.person("张敏"), make.person("小张")
        self.listing = make.listing(make.campaign(), self.group)
        self.offer = make.offer(self.listing.campaign, per_person_quantity=50)
        self.kept_member = make.member(self.group, "张敏", of=self.kept)
        self.merged_member = make.member(self.group, "小张", of=self.merged)
        for member in (self.kept_member, self.merged_member):
            make.place(self.listing, member, (self.offer, 2))

    def merge(self):
        return persons.merge_persons(kept=self.kept, merged=self.merged, acting_person=None, now=LATER)


@pytest.fixture
def town():
    town = Town()
    yield town
    assert broken_invariants() == []


@pytest.fixture
def tries(monkeypatch):
    """How often the merge was begun."""
    begun = []
    merge = people.merge_persons

    def counted(**arguments):
        begun.append(arguments["merged"])
        return merge(**arguments)

    monkeypatch.setattr(people, "merge_persons", counted)
    return begun


def refer_to(table, pk):
    """Hold a row as every row does that refers to it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR KEY SHARE", [pk])


@pytest.mark.parametrize("by", ["merged_member", "kept_member"])
def test_an_order_that_is_being_placed_is_waited_for_and_waits_for_nothing(town, tries, by):
    with transaction.atomic():
        # It holds the offer that the merge wants, and then writes what refers to its person and member.
        member = getattr(town, by)
        placed = make.place(town.listing, member, (town.offer, 3))
        merging = in_a_thread(town.merge)
        until_it_waits_for_me(merging)
        refer_to("people_person", member.person_id)
        refer_to("people_member", member.pk)
    merge = merging.result(timeout=30)
    run_due(now=LATER)
    assert len(tries) == 1
    assert PersonMerge.objects.get() == merge
    assert set(Order.objects.values_list("person_id", "member_id")) == {(town.kept.pk, town.kept_member.pk)}
    assert Order.objects.count() == 3
    assert placed.pk
    assert PersonOfferQuantity.objects.get().quantity == 7


@pytest.mark.parametrize("older", ["kept", "merged"])
def test_balances_are_moved_in_the_order_in_which_they_are_spent(town, tries, older):
    """Orders of both are paid from their balances in one batch, which takes one row after the other."""
    first, second = (town.kept, town.merged) if older == "kept" else (town.merged, town.kept)
    give_balance(first, 1_000)
    give_balance(second, 700)
    give_balance(town.merged, 50, AccountKind.BALANCE_BONUS)
    with transaction.atomic():
        # The batch has the older account's row, and goes on to the other's.
        lock_balances_fen(balance_account(first))
        merging = in_a_thread(town.merge)
        until_it_waits_for_me(merging)
        assert spend({first: 300, second: 200}) == [True, True]
    assert merging.result(timeout=30).moved["balance_entries"] == 2
    assert len(tries) == 1, "nobody was ended by the database"
    assert balance_fen(balance_account(town.kept)) == 1_200
    assert balance_fen(balance_account(town.merged)) == 0


def balance_account(person, kind=AccountKind.BALANCE_PRINCIPAL):
    return AccountRef(kind, f"person:{person.pk}")


def give_balance(person, fen, kind=AccountKind.BALANCE_PRINCIPAL):
    cash = AccountRef(AccountKind.CHANNEL_CASH, "gateway:bank")
    post_entry(
        key=f"top-up:{person.pk}:{kind}", kind="top_up", reference=f"person:{person.pk}", occurred_at=NOON,
        moves=[Move(cash, balance_account(person, kind), fen)],
    )  # fmt: skip


def spend(amounts):
    """What a batch of orders paid from balances asks of the ledger."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT spend_balances(%s, %s, %s, %s, 'paid_from_balance', %s, 'sales')",
            [
                LATER,
                [f"person:{person.pk}" for person in amounts],
                list(amounts.values()),
                [f"spend:{person.pk}" for person in amounts],
                [f"person:{person.pk}" for person in amounts],
            ],
        )
        return cursor.fetchone()[0]


def test_two_merges_of_the_same_persons_the_other_way_round_end_with_one(town):
    with transaction.atomic():
        people.merge_persons(
            kept=town.kept, merged=town.merged, acting_person=None, now=LATER, movers=persons.MOVERS
        )
        other = in_a_thread(
            lambda: persons.merge_persons(kept=town.merged, merged=town.kept, acting_person=None, now=LATER)
        )
        until_it_waits_for_me(other)
    with pytest.raises(MergeRefused):
        other.result(timeout=30)
    assert PersonMerge.objects.get().kept == town.kept


def failing(times, code):
    """A mover to which the database says `code` so many times."""
    left = [times]

    def mover(_move):
        if left[0]:
            left[0] -= 1
            with connection.cursor() as cursor:
                cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'said so' USING ERRCODE = '{code}'; END $$")
        return {}

    return mover


@pytest.mark.parametrize("code", ["40P01", "23505"])
def test_a_merge_that_lost_against_another_is_tried_again(town, tries, monkeypatch, code):
    monkeypatch.setattr(persons, "MOVERS", (*persons.MOVERS, failing(2, code)))
    assert town.merge().kept == town.kept
    assert len(tries) == 3
    assert PersonOfferQuantity.objects.get().quantity == 4


@pytest.mark.parametrize(("code", "expected"), [("40P01", persons.TRIES), ("23514", 1)])
def test_what_goes_on_failing_is_said_and_nothing_is_moved(town, tries, monkeypatch, code, expected):
    monkeypatch.setattr(persons, "MOVERS", (*persons.MOVERS, failing(99, code)))
    with pytest.raises(DatabaseError):
        town.merge()
    assert len(tries) == expected
    assert not PersonMerge.objects.exists()
    assert Order.objects.filter(person=town.merged).count() == 1
