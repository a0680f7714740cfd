"""Cards say the same as walking up the forest; cycles are found; repeated hashes are found."""

import random
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.settlement.engines.duplicates import has_repeats
from kaituan.settlement.engines.forest import Cards, CycleFound, TierRows, draw_cards, plant

BEGINS, ENDS = 100, 200


def tier_rows(rows: dict[tuple[int, int], int]) -> TierRows:
    """rows: (leader, begins) to tier code."""
    ordered = sorted((leader, begins, code) for (leader, begins), code in rows.items())
    leader, begins, code = np.array(ordered, dtype=np.int64).reshape(-1, 3).T
    return TierRows(leader, code, begins)


@pytest.mark.parametrize("seed", range(20))
def test_a_card_tells_what_a_walk_finds(seed: int) -> None:
    dice = random.Random(seed)
    size, reach = dice.randint(1, 40), dice.choice((0, 1, 2, 5, 10**6))
    parent = [dice.randrange(leader) if leader and dice.random() < 0.9 else -1 for leader in range(size)]
    rows = {
        (dice.randrange(size), dice.choice((0, 100, 101, dice.randint(50, 250)))): dice.randint(0, 3)
        for _ in range(3 * size)
    }
    cards = Cards(3)
    forest = plant(np.array(parent, dtype=np.int64))
    draw_cards(cards, forest, tier_rows(rows), begins=BEGINS, ends=ENDS, reach=reach, far=10**6)

    def tier_at(leader: int, moment: int) -> int:
        held = [(begins, code) for (holder, begins), code in rows.items() if holder == leader]
        return max([(begins, code) for begins, code in held if begins <= moment], default=(0, 0))[1]

    for place in range(len(cards.seller)):
        for moment in {cards.begins[place], cards.ends[place] - 1}:
            seller, steps, nearest = cards.seller[place], 0, {}
            above = parent[seller]
            while above >= 0 and steps < reach:
                steps += 1
                code = tier_at(above, moment)
                if code and code not in nearest:
                    nearest[code] = (steps, above)
                above = parent[above]
            own, chain = cards.shapes[cards.shape[place]]
            assert own == tier_at(seller, moment)
            found = {code: (steps, cards.ancestors[rung][place]) for rung, (steps, code) in enumerate(chain)}
            assert found == nearest
    for seller in range(size):
        mine = sorted(
            (b, e) for s, b, e in zip(cards.seller, cards.begins, cards.ends, strict=True) if s == seller
        )
        assert [begins for begins, _ in mine] == [BEGINS, *(ends for _, ends in mine[:-1])]
        assert mine[-1][1] == ENDS


@pytest.mark.parametrize("seed", range(10))
def test_cards_of_some_sellers_are_those_of_all_and_go_behind_the_earlier(seed: int) -> None:
    dice = random.Random(seed)
    size = dice.randint(1, 30)
    parent = [dice.randrange(leader) if leader and dice.random() < 0.8 else -1 for leader in range(size)]
    forest = plant(np.array(parent, dtype=np.int64))
    tiers = tier_rows({(dice.randrange(size), dice.randint(50, 250)): dice.randint(0, 3) for _ in range(60)})
    some = dice.sample(range(size), dice.randint(0, size))

    def told(cards: Cards, first: int) -> list[tuple[object, ...]]:
        columns = zip(cards.seller, cards.begins, cards.ends, cards.shape, *cards.ancestors, strict=True)
        return [
            (int(seller), int(begins), int(ends), cards.shapes[shape], *map(int, above))
            for seller, begins, ends, shape, *above in columns
        ][first:]

    every, part = Cards(3), Cards(3)
    draw_cards(part, forest, tiers, begins=BEGINS, ends=ENDS, reach=5, far=6)
    before = len(part)
    draw_cards(part, forest, tiers, begins=60, ends=BEGINS, reach=5, far=6, sellers=some)
    draw_cards(every, forest, tiers, begins=60, ends=BEGINS, reach=5, far=6)
    assert told(part, before) == [card for card in told(every, 0) if card[0] in some]
    assert part.columns(before)["card_no"].tolist() == list(range(before, len(part)))


def test_nobody_has_no_cards() -> None:
    cards = Cards(3)
    forest = plant(np.zeros(0, dtype=np.int64))
    draw_cards(cards, forest, tier_rows({}), begins=BEGINS, ends=ENDS, reach=5, far=6)
    assert {name: len(column) for name, column in cards.columns().items()} == dict.fromkeys(
        cards.columns(), 0
    )


def test_a_chain_of_fifty_thousand_is_no_trouble() -> None:
    size = 50_000
    forest = plant(np.arange(-1, size - 1, dtype=np.int64))
    rows = {(leader, leader % 90): 1 + leader % 3 for leader in range(size)}
    rows |= {(leader, BEGINS + 1 + leader % 90): 1 + (leader + 1) % 3 for leader in range(0, size, 7)}
    cards = Cards(3)
    began = time.perf_counter()
    draw_cards(cards, forest, tier_rows(rows), begins=BEGINS, ends=ENDS, reach=2**31, far=2)
    assert time.perf_counter() - began < 30
    assert len(cards.shapes) < 100


def test_a_cycle_is_found_with_its_members() -> None:
    parent = np.array([-1, 0, 4, 2, 3, 4, 5], dtype=np.int64)
    with pytest.raises(CycleFound) as found:
        plant(parent)
    members = found.value.members
    assert sorted(members) == [2, 3, 4]
    assert [int(parent[member]) for member in members] == [*members[1:], members[0]]


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 40).map(lambda n: n << 26), max_size=60))
def test_repeats_are_found_if_and_only_if_there_are_any(values: list[int]) -> None:
    assert has_repeats(np.array(values, dtype=np.uint64)) == (len(set(values)) < len(values))


def test_one_repeat_among_many_is_found() -> None:
    values = np.random.default_rng(1).integers(0, 2**63, 300_000, dtype=np.uint64)
    assert not has_repeats(values)
    values[299_999] = values[17]
    assert has_repeats(values)
