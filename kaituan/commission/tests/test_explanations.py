"""Each amount says in words where it comes from, before the order and after."""

from datetime import timedelta

import pytest
from django.utils.translation import override

from kaituan.commission.explanations import explain_lines, percent, preview_order, preview_selling
from kaituan.ordering.models import OrderAdjustment, OrderLine
from kaituan.people.models import LeaderTier
from tests import factories as make

pytestmark = pytest.mark.django_db
NOON = make.NOON
START, END = NOON - timedelta(days=30), NOON + timedelta(days=10)


@pytest.fixture
def in_english():
    with override("en"):
        yield


def oranges(**fields):
    make.plan()
    campaign = make.campaign()
    offer = make.offer(campaign, title="橙子")
    group = make.group()
    return make.listing(campaign, group, **fields), offer, make.member(group)


def complete(order, at=NOON + timedelta(days=3)):
    order.lines.update(
        handed_quantity=2, handed_over_at=at - timedelta(days=2), completed_at=at,
        pickup_leader_id=order.listing.leader_id,
    )  # fmt: skip
    return order.lines.get()


def give_back(line: OrderLine, fen: int, at):
    OrderAdjustment.objects.create(
        order_id=line.order_id, line=line, kind="claim", amount_fen=-fen, created_at=at
    )


def explained(line, start=START, end=END):
    return explain_lines(line_ids=[line.pk], starts_at=start, ends_at=end, categories={})[line.pk]


def test_an_amount_opens_to_goods_paid_rate_and_result(in_english):
    listing, offer, member = oranges()
    line = complete(make.place(listing, member, (offer, 2)))
    sale, service = explained(line)
    assert (sale.rule, sale.amount_fen, sale.rate_bp, sale.base_fen) == ("sale", 798, 1000, 7980)
    assert sale.words == "橙子 5斤×2, paid ¥79.80: 10% of it is ¥7.98"
    assert (service.rule, service.amount_fen) == ("service", 79 + 20)
    assert service.words == "橙子 5斤×2 handed over, worth ¥79.80: 1% and ¥0.20 for the line, ¥0.99"
    assert sale.plan_version == make.PLAN


def test_what_was_given_back_before_the_settlement_is_told(in_english):
    listing, offer, member = oranges()
    line = complete(make.place(listing, member, (offer, 2)))
    give_back(line, 980, line.completed_at + timedelta(hours=1))
    sale, service = explained(line)
    assert sale.words == "橙子 5斤×2, paid ¥79.80, ¥9.80 given back: 10% of the rest is ¥7.00"
    assert service.amount_fen == 99, "pay for work done stays"


def test_what_is_given_back_after_the_settlement_takes_back_sale_and_leaves_service(in_english):
    listing, offer, member = oranges()
    line = complete(make.place(listing, member, (offer, 2)))
    give_back(line, 7980, END + timedelta(hours=1))
    [change] = explained(line, END, END + timedelta(days=7))
    assert (change.rule, change.amount_fen) == ("sale", -798)
    assert change.words == "橙子 5斤×2, ¥79.80 given back after it was settled: ¥7.98 becomes ¥0.00"
    assert [row.amount_fen for row in explained(line)] == [798, 99], "the first settlement stands"


def test_a_discount_lowers_what_was_paid_and_a_promised_rate_beats_the_plan():
    listing, offer, member = oranges(sale_rate_bp=1800)
    line = complete(make.place(listing, member, (offer, 2)))
    OrderAdjustment.objects.create(
        order_id=line.order_id, line=line, kind="discount", amount_fen=-1980, created_at=NOON
    )
    sale, _service = explained(line)
    assert (sale.base_fen, sale.rate_bp, sale.amount_fen) == (6000, 1800, 1080)


def test_the_tier_at_the_completion_counts():
    listing, offer, member = oranges()
    order = make.place(listing, member, (offer, 2))
    LeaderTier.objects.create(
        leader=listing.leader, tier="partner", effective_from=NOON + timedelta(days=1), reason="升级"
    )
    assert preview_order(order=order, now=NOON).sale_fen == 798
    assert explained(complete(order))[0].amount_fen == 1197


def test_the_preview_says_what_selling_would_pay_before_anything_is_listed(
    in_english, django_assert_max_num_queries
):
    listing, offer, _member = oranges()
    eggs = make.offer(listing.campaign, title="鸡蛋", code="B", price_fen=2_000)

    def preview(rate, **quantities):
        return preview_selling(
            campaign=listing.campaign, leader=listing.leader, sale_rate_bp=rate, now=NOON,
            quantities={offer.pk: 3, eggs.pk: 1},
        )  # fmt: skip

    with django_assert_max_num_queries(8):
        by_plan = preview(None)
    assert (by_plan[offer.pk].sale_fen, by_plan[offer.pk].service_fen) == (1197, 119 + 20)
    sale, service = by_plan[offer.pk].lines
    assert sale.words == "橙子 5斤×3, paid ¥119.70: 10% of it is ¥11.97"
    assert service.words == (
        "橙子 5斤×3, once you hand it over: ¥1.39 more (1% of it and ¥0.20 for the line)"
    )
    assert by_plan[eggs.pk].total_fen == 200 + 20 + 20
    assert preview(1_800)[eggs.pk].sale_fen == 360, "what was promised takes the place of the plan's rate"


def test_the_preview_of_an_order_follows_what_is_given_back():
    listing, offer, member = oranges()
    order = make.place(listing, member, (offer, 2))
    give_back(order.lines.get(), 3990, NOON)
    assert preview_order(order=order, now=NOON).sale_fen == 399


def test_many_lines_cost_no_more_queries_than_one(django_assert_num_queries):
    listing, offer, member = oranges()
    lines = [complete(make.place(listing, member, (offer, 2), key=f"k{i}")) for i in range(3)]
    ids = [line.pk for line in lines]
    explain_lines(line_ids=ids, starts_at=START, ends_at=END, categories={})
    with django_assert_num_queries(5):
        found = explain_lines(line_ids=ids, starts_at=START, ends_at=END, categories={})
    assert [len(rows) for rows in found.values()] == [2, 2, 2]


@pytest.mark.parametrize(
    ("bp", "text"), [(1000, "10%"), (1050, "10.5%"), (25, "0.25%"), (0, "0%"), (10000, "100%")]
)
def test_rates_are_shown_as_people_read_them(bp, text):
    assert percent(bp) == text


def test_a_leader_reads_it_in_chinese():
    listing, offer, member = oranges()
    line = complete(make.place(listing, member, (offer, 2)))
    with override("zh-hans"):
        assert explained(line)[0].words == "橙子 5斤×2，实付 79.80 元，按 10% 得 7.98 元"
