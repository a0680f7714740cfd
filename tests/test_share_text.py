"""What the campaign writes for the chat, the chain reader reads: its heading books nothing, answers to it do."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.campaigns.sharing import Shared, SharedOffer, share_text
from kaituan.campaigns.terms import next_code
from kaituan.ordering.chain import Product, read_chain
from tests.factories import NOON

GOODS = [
    ("赣南脐橙", "5斤", 3990),
    ("红颜草莓", "盒", 2500),
    ("红富士苹果", "斤", 580),
    ("鲜牛奶950ml", "瓶", 1590),
    ("散养土鸡蛋30枚", "盒", 3280),
    ("东北大米", "袋", 6900),
    ("手工水饺 猪肉白菜", "包", 2200),
    ("云南小番茄", "份", 1680),
]


def shared(goods=GOODS, title="周五水果团", **fields):
    codes = []
    for _ in goods:
        codes.append(next_code(codes))
    offers = tuple(
        SharedOffer(code=code, title=name, unit=unit, price_fen=price)
        for code, (name, unit, price) in zip(codes, goods, strict=True)
    )
    return Shared(
        **{
            "title": title,
            "leader_name": "王姐",
            "point_name": "翠成馨园",
            "closes_at": NOON,
            "pickup_on": date(2026, 10, 2),
            "pickup_hours": "16:00-19:00",
            "url": "https://kaituan.example/g/abcdefgh2345/",
            "offers": offers,
            **fields,
        }
    )


def products(of):
    return [Product(code=o.code, name=o.title, unit=o.unit, price_fen=o.price_fen) for o in of.offers]


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_the_heading_alone_is_no_order_and_raises_no_question(count):
    heading = shared(GOODS[:count])
    reading = read_chain(share_text(heading), products(heading))
    assert reading.as_contract() == {"orders": [], "needs_review": []}


@pytest.mark.parametrize("title", ["周五水果团", "9月30日 国庆囤货 第2期", "1. 早市", "🍊脐橙到啦！！"])
def test_answers_below_it_are_read_whatever_the_title(title):
    heading = shared(title=title)
    text = share_text(heading) + "1. 张敏 A2 B1\n2. 李阿姨 3-502 脐橙一份\n3. 赵六 草莓3盒 鸡蛋1盒"
    read = read_chain(text, products(heading)).as_contract()
    assert [
        (o["seq"], o["name"], {line["code"]: line["qty"] for line in o["lines"]}) for o in read["orders"]
    ] == [
        (1, "张敏", {"A": 2, "B": 1}),
        (2, "李阿姨", {"A": 1}),
        (3, "赵六", {"B": 3, "E": 1}),
    ]
    assert read["needs_review"] == []


def test_limits_do_not_become_quantities():
    limited = (SharedOffer(code="A", title="脐橙", unit="5斤", price_fen=3990, limit="2份"),)
    heading = shared(GOODS[:1], offers=limited)
    assert "每人限2份" in share_text(heading)
    read = read_chain(share_text(heading) + "1. 张敏 A1", products(heading)).as_contract()
    assert read["orders"][0]["lines"] == [{"code": "A", "qty": 1}]
    assert len(read["orders"]) == 1


@given(st.lists(st.sampled_from(GOODS), min_size=1, max_size=8, unique=True), st.data())
def test_every_code_with_a_number_is_read_back(goods, data):
    heading = shared(goods)
    wanted = {
        offer.code: data.draw(st.integers(1, 9), label=offer.code)
        for offer in data.draw(st.lists(st.sampled_from(heading.offers), min_size=1, unique=True))
        if offer.unit != "斤"
    }
    if not wanted:
        return
    items = " ".join(f"{code}{quantity}" for code, quantity in wanted.items())
    read = read_chain(share_text(heading) + f"1. 张敏 {items}\n", products(heading)).as_contract()
    assert read["needs_review"] == []
    [order] = read["orders"]
    assert {line["code"]: line["qty"] for line in order["lines"]} == wanted
