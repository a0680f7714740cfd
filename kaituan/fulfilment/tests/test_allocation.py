"""What sharing out promises, for any numbers."""

from hypothesis import given
from hypothesis import strategies as st

from kaituan.fulfilment.allocation import Want, first_come, pro_rata


@st.composite
def wants(draw, *, packs=True):
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 50), st.integers(1, 4) if packs else st.just(1)), min_size=0, max_size=12
        )
    )
    ranks = draw(st.permutations(range(len(rows))))
    return [
        Want(line_id=100 + i, quantity=quantity, rank=ranks[i], steps_per_step=steps)
        for i, (quantity, steps) in enumerate(rows)
    ]


BOTH = st.sampled_from([first_come, pro_rata])
AVAILABLE = st.integers(0, 300)


def used(shares, of):
    return sum(shares[want.line_id] * want.steps_per_step for want in of)


@given(way=BOTH, available=AVAILABLE, lines=wants())
def test_nobody_gets_more_than_ordered_and_no_more_is_given_than_there_is(way, available, lines):
    shares = way(available=available, wants=lines)
    assert shares.keys() == {want.line_id for want in lines}
    assert all(0 <= shares[want.line_id] <= want.quantity for want in lines)
    assert used(shares, lines) <= available


@given(way=BOTH, available=AVAILABLE, lines=wants())
def test_nothing_stays_behind_that_somebody_could_still_use(way, available, lines):
    shares = way(available=available, wants=lines)
    left = available - used(shares, lines)
    assert all(want.steps_per_step > left for want in lines if shares[want.line_id] < want.quantity)


@given(way=BOTH, available=AVAILABLE, lines=wants(packs=False))
def test_single_pieces_are_given_out_to_the_last(way, available, lines):
    shares = way(available=available, wants=lines)
    assert sum(shares.values()) == min(available, sum(want.quantity for want in lines))


@given(way=BOTH, extra=st.integers(0, 20), lines=wants())
def test_without_a_shortage_everybody_gets_all(way, extra, lines):
    enough = sum(want.needed for want in lines) + extra
    shares = way(available=enough, wants=lines)
    assert shares == {want.line_id: want.quantity for want in lines}


@given(data=st.data(), way=BOTH, available=AVAILABLE, lines=wants())
def test_the_order_of_the_list_does_not_matter(data, way, available, lines):
    shuffled = data.draw(st.permutations(lines))
    assert way(available=available, wants=lines) == way(available=available, wants=shuffled)


@given(available=AVAILABLE, lines=wants(packs=False))
def test_pro_rata_is_within_one_step_of_the_exact_share(available, lines):
    needed = sum(want.quantity for want in lines)
    shares = pro_rata(available=available, wants=lines)
    for want in lines:
        exact_times_needed = want.quantity * min(available, needed)
        assert abs(shares[want.line_id] * needed - exact_times_needed) < max(needed, 1)


@given(available=AVAILABLE, lines=wants(packs=False))
def test_pro_rata_never_gives_less_to_who_ordered_more(available, lines):
    shares = pro_rata(available=available, wants=lines)
    for a in lines:
        for b in lines:
            if a.quantity > b.quantity:
                assert shares[a.line_id] >= shares[b.line_id] - 1
            if a.quantity == b.quantity and a.rank < b.rank:
                assert shares[a.line_id] >= shares[b.line_id]


@given(available=AVAILABLE, lines=wants(packs=False))
def test_first_come_serves_in_full_up_to_one_who_gets_the_rest(available, lines):
    shares = first_come(available=available, wants=lines)
    served = [shares[w.line_id] == w.quantity for w in sorted(lines, key=lambda w: w.rank) if w.quantity]
    if False in served:
        after = sorted((w for w in lines if w.quantity), key=lambda w: w.rank)[served.index(False) + 1 :]
        assert all(shares[w.line_id] == 0 for w in after)


def test_seven_boxes_for_five_three_and_two():
    lines = [Want(line_id=n, quantity=q, rank=n) for n, q in ((1, 5), (2, 3), (3, 2))]
    assert first_come(available=7, wants=lines) == {1: 5, 2: 2, 3: 0}
    # 3.5, 2.1 and 1.4: rounded down 3, 2, 1, and the one that is left to the largest fraction.
    assert pro_rata(available=7, wants=lines) == {1: 4, 2: 2, 3: 1}


def test_a_tie_goes_to_the_earlier_order():
    lines = [Want(line_id=8, quantity=1, rank=2), Want(line_id=9, quantity=1, rank=1)]
    assert pro_rata(available=1, wants=lines) == {8: 0, 9: 1}


def test_a_pack_is_not_broken_and_the_rest_goes_to_who_can_use_it():
    lines = [Want(line_id=1, quantity=2, rank=1, steps_per_step=3), Want(line_id=2, quantity=2, rank=2)]
    assert first_come(available=5, wants=lines) == {1: 1, 2: 2}
    assert pro_rata(available=5, wants=lines) == {1: 1, 2: 2}
