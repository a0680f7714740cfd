"""Whatever people do, in whatever order: after every step each fen and each piece is accounted for."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaituan.reporting.doctor import examine
from kaituan.reporting.tests.town import Town

pytestmark = pytest.mark.django_db

number = st.integers(0, 9)
quantities = st.tuples(st.integers(0, 4), st.integers(0, 5))
shopping = st.lists(
    st.one_of(
        st.tuples(st.just("place"), st.integers(0, 1), st.integers(0, 2), quantities),
        st.tuples(st.just("place_with_leader"), st.integers(0, 1), st.integers(0, 2), quantities),
        st.tuples(st.just("pay"), number),
        st.tuples(st.just("pay_wrong"), number, st.integers(-2_000, 2_000)),
        st.tuples(st.just("hand_cash"), number, st.integers(1, 100)),
        st.tuples(st.just("amend"), number, quantities),
        st.tuples(st.just("cancel"), number),
        st.tuples(st.just("release")),
        st.tuples(st.just("stray_money"), st.integers(1, 20_000)),
        st.tuples(st.just("refund")),
    ),
    min_size=4,
    max_size=16,
)
fetching = st.lists(
    st.one_of(
        st.tuples(st.just("fetch"), number, st.integers(1, 4)),
        st.tuples(st.just("claim"), number, st.integers(1, 6_000), st.sampled_from([0, 50, 100])),
        st.tuples(st.just("hand_cash"), number, st.integers(1, 100)),
        st.tuples(st.just("refund")),
    ),
    max_size=10,
)
paying = st.lists(
    st.one_of(
        st.tuples(st.just("goodwill"), number, st.integers(1, 6_000)),
        st.tuples(
            st.just("withdraw"),
            st.integers(0, 1),
            st.integers(1, 3_000),
            st.sampled_from(["requested", "taken_back", "refused", "approved", "paid", "failed"]),
        ),
        st.tuples(st.just("remit"), st.integers(0, 1), st.integers(1, 5_000)),
        st.tuples(st.just("settle")),
        st.tuples(st.just("pay_suppliers")),
        st.tuples(st.just("refund")),
    ),
    max_size=8,
)


def take_step(town: Town, name: str, *arguments: object) -> None:
    needs_orders = {"pay", "pay_wrong", "hand_cash", "amend", "cancel"}
    needs_lines = {"fetch", "claim", "goodwill"}
    if (name in needs_orders and not town.orders) or (name in needs_lines and not town.lines):
        return
    match name:
        case "place_with_leader":
            town.place(*arguments, settles="leader")
        case "pay_wrong":
            town.pay(arguments[0], extra_fen=arguments[1])
        case "claim":
            town.claim(arguments[0], arguments[1], granted_percent=arguments[2])
        case "withdraw":
            town.withdraw(arguments[0], arguments[1], ends=arguments[2])
        case _:
            getattr(town, name)(*arguments)


def walk(town: Town, steps: list[tuple]) -> None:
    for step in steps:
        take_step(town, *step)
        assert examine() == [], step


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shopping=shopping, missing=st.integers(0, 5), fetching=fetching, paying=paying)
def test_any_history_leaves_the_books_whole(shopping, missing, fetching, paying):
    with transaction.atomic():
        town = Town()
        walk(town, shopping)
        walk(town, [("close",), ("deliver", missing)])
        walk(town, fetching)
        walk(town, [("complete",), ("settle",)])
        walk(town, paying)
        walk(town, [("settle",), ("refund",)])
        transaction.set_rollback(True)
