"""Units, codes and minimums: what is computed without a database."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kaituan.campaigns.minimums import OfferStanding, Verdict, decide
from kaituan.campaigns.terms import cost_fen_of, next_code

prices = st.integers(0, 10**8)
steps = st.integers(1, 10**6)


class TestCost:
    def test_a_box_of_twelve_for_fifty_yuan_makes_one_piece_417(self):
        assert cost_fen_of(purchase_price_fen=5000, steps_per_purchase_unit=12, price_quantity=1) == 417

    def test_a_basket_of_twenty_kilos_for_120_yuan_makes_one_jin_3_yuan(self):
        assert (
            cost_fen_of(purchase_price_fen=12000, steps_per_purchase_unit=20_000, price_quantity=500) == 300
        )

    @given(prices, steps, steps)
    def test_it_is_the_exact_share_with_half_a_fen_up(self, price_fen, per_purchase, per_sale):
        cost = cost_fen_of(
            purchase_price_fen=price_fen, steps_per_purchase_unit=per_purchase, price_quantity=per_sale
        )
        exact = Fraction(price_fen * per_sale, per_purchase)
        assert Fraction(-1, 2) < cost - exact <= Fraction(1, 2)

    @given(prices, steps)
    def test_a_whole_purchase_unit_costs_its_price(self, price_fen, per_purchase):
        cost = cost_fen_of(
            purchase_price_fen=price_fen, steps_per_purchase_unit=per_purchase, price_quantity=per_purchase
        )
        assert cost == price_fen

    @given(prices, steps, steps, st.integers(1, 1000))
    def test_counting_in_smaller_steps_changes_nothing(self, price_fen, per_purchase, per_sale, finer):
        """Kilograms or grams, boxes of 12 or of 12,000: the same goods cost the same."""
        coarse = cost_fen_of(
            purchase_price_fen=price_fen, steps_per_purchase_unit=per_purchase, price_quantity=per_sale
        )
        fine = cost_fen_of(
            purchase_price_fen=price_fen,
            steps_per_purchase_unit=per_purchase * finer,
            price_quantity=per_sale * finer,
        )
        assert coarse == fine

    @given(prices, steps, steps, steps)
    def test_more_goods_never_cost_less(self, price_fen, per_purchase, some, more):
        smaller, larger = sorted((some, more))
        assert cost_fen_of(
            purchase_price_fen=price_fen, steps_per_purchase_unit=per_purchase, price_quantity=smaller
        ) <= cost_fen_of(
            purchase_price_fen=price_fen, steps_per_purchase_unit=per_purchase, price_quantity=larger
        )


class TestCodes:
    def test_letters_that_mean_nothing_else_in_order_and_the_first_gap_is_filled(self):
        assert next_code([]) == "A"
        assert next_code(["a", "B", "D"]) == "C"
        taken = []
        for _ in range(23):
            taken.append(next_code(taken))
        assert "".join(taken[:21]) == "ABCDEFHJKMNPQRSTUVWYZ"
        assert taken[21:] == ["AA", "AB"]


def offer(offer_id, sold, minimum=0, turnover=None, **fields):
    return OfferStanding(
        offer_id=offer_id,
        sold_quantity=sold,
        minimum_quantity=minimum,
        turnover_fen=sold * 100 if turnover is None else turnover,
        **fields,
    )


class TestMinimums:
    def test_what_is_reached_needs_nothing(self):
        verdict = decide(minimum_fen=500, may_extend=True, offers=[offer(1, 5, minimum=5)])
        assert verdict == Verdict()
        assert verdict.is_met

    def test_the_first_time_it_is_extended_then_refunded(self):
        offers = [offer(1, 4, minimum=5), offer(2, 9)]
        assert decide(minimum_fen=0, may_extend=True, offers=offers) == Verdict(
            extends=True, short_offer_ids=(1,)
        )
        assert decide(minimum_fen=0, may_extend=False, offers=offers) == Verdict(
            refunded_offer_ids=(1,), short_offer_ids=(1,)
        )

    def test_one_fen_short_is_short(self):
        offers = [offer(1, 3, turnover=999)]
        assert decide(minimum_fen=1000, may_extend=False, offers=offers) == Verdict(
            refunds_all=True, missing_fen=1
        )
        assert decide(minimum_fen=999, may_extend=False, offers=offers).is_met

    def test_taking_an_offer_out_can_bring_the_campaign_below_its_own_minimum(self):
        offers = [offer(1, 4, minimum=5, turnover=400), offer(2, 6, turnover=600)]
        assert decide(minimum_fen=700, may_extend=False, offers=offers) == Verdict(
            refunds_all=True, short_offer_ids=(1,), missing_fen=100
        )
        assert decide(minimum_fen=600, may_extend=False, offers=offers).refunded_offer_ids == (1,)

    def test_an_offer_nobody_wants_or_that_is_stopped_is_no_reason_to_wait(self):
        assert decide(minimum_fen=0, may_extend=True, offers=[offer(1, 0, minimum=5), offer(2, 3)]).is_met
        stopped = [offer(1, 4, minimum=5, is_stopped=True)]
        assert decide(minimum_fen=0, may_extend=True, offers=stopped).refunded_offer_ids == (1,)

    def test_without_an_order_there_is_nothing_to_refund(self):
        assert decide(minimum_fen=1000, may_extend=False, offers=[offer(1, 0, minimum=5)]).is_met
        assert decide(minimum_fen=1000, may_extend=True, offers=[offer(1, 0)]).extends

    standings = st.lists(
        st.builds(
            OfferStanding,
            offer_id=st.integers(1, 10**6),
            sold_quantity=st.integers(0, 20),
            minimum_quantity=st.integers(0, 20),
            turnover_fen=st.integers(0, 10_000),
            is_stopped=st.booleans(),
        ),
        max_size=6,
        unique_by=lambda o: o.offer_id,
    )

    @given(st.integers(0, 20_000), st.booleans(), standings)
    def test_what_is_left_always_meets_every_minimum(self, minimum_fen, may_extend, offers):
        verdict = decide(minimum_fen=minimum_fen, may_extend=may_extend, offers=offers)
        assert verdict.extends + verdict.refunds_all + bool(verdict.refunded_offer_ids) <= 1
        assert may_extend or not verdict.extends
        if not verdict.extends and not verdict.refunds_all:
            left = [o for o in offers if o.offer_id not in verdict.refunded_offer_ids]
            assert not [o for o in left if o.sold_quantity and o.sold_quantity < o.minimum_quantity]
            sold = any(o.sold_quantity for o in offers)
            assert not sold or sum(o.turnover_fen for o in left) >= minimum_fen

    @given(st.integers(0, 20_000), st.booleans(), standings)
    def test_the_order_of_the_offers_does_not_matter(self, minimum_fen, may_extend, offers):
        forwards = decide(minimum_fen=minimum_fen, may_extend=may_extend, offers=offers)
        backwards = decide(minimum_fen=minimum_fen, may_extend=may_extend, offers=offers[::-1])
        assert (forwards.extends, forwards.refunds_all) == (backwards.extends, backwards.refunds_all)
        assert set(forwards.refunded_offer_ids) == set(backwards.refunded_offer_ids)
