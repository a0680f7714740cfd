"""What one tap can answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaituan.ordering.chain import Product, answers_to, read_chain

PRODUCTS = [
    Product("A", "烟台红富士苹果", unit="份", price_fen=2580),
    Product("B", "冰糖心苹果", unit="箱", price_fen=4800),
    Product("C", "草莓", unit="斤", price_fen=3000),
    Product("D", "牛奶", unit="盒", price_fen=800),
]


def offered(entry):
    text = f"1. 王姐 {entry}"
    reading = read_chain(text, PRODUCTS)
    [question] = reading.questions
    answers = answers_to(question, reading.orders[0], PRODUCTS, text)
    return question.reason, [dict(answer.lines) for answer in answers]


@pytest.mark.parametrize(
    ("entry", "reason", "answers"),
    [
        ("苹果2", "ambiguous_product", [{"A": "2"}, {"B": "2"}]),
        ("3份", "ambiguous_product", [{"A": "3"}, {"B": "3"}, {"D": "3"}]),
        ("草莓", "missing_qty", [{"C": "1"}, {"C": "2"}]),
        ("牛奶2或3盒", "ambiguous_qty", [{"D": "2"}, {"D": "3"}]),
        ("可能要草莓半斤", "unclear", [{"C": "0.5"}]),
        ("草莓3个 牛奶1", "unit_mismatch", [{"D": "1", "C": "1"}, {"D": "1", "C": "2"}, {"D": "1"}]),
        ("牛奶1 已付88", "amount_mismatch", [{"D": "1"}]),
    ],
)
def test_each_reading_is_spelled_out_beside_what_is_certain(entry, reason, answers):
    assert offered(entry) == (reason, answers)


def test_a_product_asked_for_again_is_more_or_the_same():
    text = "1. 郑姐 牛奶2\n2. 郑姐 牛奶3"
    reading = read_chain(text, PRODUCTS)
    answers = answers_to(reading.questions[0], reading.orders[0], PRODUCTS, text)
    assert [dict(answer.lines) for answer in answers] == [{"D": "5"}, {"D": "3"}, {"D": "2"}]


def test_a_line_that_vanished_can_be_taken_as_it_was_written():
    text = "#接龙\n1. 王姐 牛奶1\n2. 李姐 草莓2斤\n3. 赵哥 牛奶2\n\n#接龙\n1. 王姐 牛奶1\n3. 赵哥 牛奶2"
    reading = read_chain(text, PRODUCTS)
    [question] = reading.questions
    assert question.reason == "dropped"
    [entry] = [order for order in reading.orders if order.key == question.key]
    assert [dict(a.lines) for a in answers_to(question, entry, PRODUCTS, text)] == [{"C": "2"}]


ENTRIES = st.text(alphabet="12半两三斤份盒箱苹果草莓牛奶酸或可能要加不+*， 各同上已付", max_size=20)


@given(ENTRIES)
def test_an_answer_names_only_goods_of_the_list_and_amounts_above_nothing(entry):
    text = f"1. 王姐 {entry}\n2. 李四 牛奶1"
    reading = read_chain(text, PRODUCTS)
    by_key = {order.key: order for order in reading.orders}
    for question in reading.questions:
        for answer in answers_to(question, by_key[question.key], PRODUCTS, text):
            assert answer.lines
            assert set(answer.lines) <= set("ABCD")
            assert all(float(quantity) > 0 for quantity in answer.lines.values())
