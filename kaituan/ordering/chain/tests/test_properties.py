# ruff: noqa: E501
"""No text, however broken, raises, hangs or books something without evidence."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaituan.ordering.chain import Product, read_chain
from kaituan.ordering.chain.model import REASONS

from .cases import load

PRODUCTS = (
    Product("A", "橙子", ("橙",), "5斤", 3990),
    Product("1", "纯棉T恤 白 L", ("白L",), "件", 4900),
    Product("2", "纯棉T恤 黑 L", ("黑L",), "件", 4900),
    Product("C", "车厘子", ("🍒",), "斤", 4500),
    Product("E", "土鸡蛋30枚", ("鸡蛋",), "板", 3200),
)
PIECES = [
    "橙子",
    "橙",
    "白L",
    "黑",
    "L",
    "T恤",
    "车厘子",
    "鸡蛋",
    "🍒",
    "1",
    "2",
    "3",
    "12",
    "1.5",
    "半斤",
    "斤半",
    "两斤",
    "30枚",
    "5斤",
    "x2",
    "*3",
    "+1",
    "-1",
    "份",
    "箱",
    "斤",
    "件",
    "各1",
    "每样",
    "一样一份",
    "全要",
    "其余各1",
    "除了",
    "同上",
    "同3",
    "和王姐一样",
    "我也要",
    "加",
    "再加",
    "减",
    "退",
    "改成",
    "换成",
    "更正",
    "→",
    "取消",
    "不要了",
    "不要",
    "取消1份",
    "可能",
    "待定",
    "或",
    "没有就换",
    "缺货",
    "已付",
    "未付",
    "定金",
    "✅",
    "转了",
    "39.9",
    "元",
    "共",
    "¥",
    "3-502",
    "3号楼",
    "1502",
    "H区",
    "工位A1",
    "13800000001",
    "尾号1234",
    "王姐",
    "李哥",
    "小张",
    "#接龙",
    "例：",
    "合计",
    "截单",
    "1.",
    "2.",
    "3、",
    "①",
    "（",
    "）",
    "(",
    ")",
    "【",
    "~~",
    ":",
    "：",
    ",",
    "，",
    "、",
    "。",
    ";",
    "/",
    "|",
    "｜",
    "+",
    "-",
    "=",
    "\t",
    "\n",
    "\r\n",
    "\u200b",
    "\u3000",
    "10:12",
    "周六",
    "6点",
    "吗",
    "？",
    "「",
    "」",
    "-",
    "王姐:",
    "王姐｜橙子×2",
]
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from([*PIECES, " ", "\n", "\n1. 王姐 "]), max_size=60).map("".join),
    st.lists(st.sampled_from([*PIECES, "\n"]), max_size=60).map(" ".join),
)


def check(text, products=PRODUCTS):
    reading = read_chain(text, products)
    codes = {p.code for p in products}
    for order in reading.orders:
        for line in order.lines:
            assert line.code in codes
            assert line.qty > 0
            assert line.evidence
        for evidence in (*order.evidence, *(e for line in order.lines for e in line.evidence)):
            assert text[evidence.start : evidence.end] == evidence.text != ""
        assert not (order.cancelled and order.lines)
    for question in reading.questions:
        assert question.reason in REASONS
        assert set(question.choices) <= codes
        assert question.key in {o.key for o in reading.orders}
    return reading


@given(TEXTS)
@settings(max_examples=400, deadline=5000)
def test_any_text_is_read_without_harm(text):
    check(text)


@given(TEXTS, st.integers(0, 5))
@settings(max_examples=100, deadline=5000)
def test_any_text_is_read_without_harm_for_one_product(text, index):
    check(text, PRODUCTS[index % 5 : index % 5 + 1])


@given(TEXTS)
@settings(max_examples=200, deadline=5000)
def test_reading_is_deterministic(text):
    assert read_chain(text, PRODUCTS) == read_chain(text, PRODUCTS)


def disturbed(text):
    """The same text with other line ends, trailing spaces, and characters of no width."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    yield "\r\n".join(lines)
    yield "\n".join(line + "  \u3000" if "\t" not in line else line for line in lines)
    yield "\ufeff" + text
    yield "\n".join("\u200b" + "\u200b".join(line) + "\u2060" for line in lines)


@pytest.mark.parametrize("name", ["contract_cases.jsonl", "own_cases.jsonl"])
def test_line_ends_trailing_spaces_and_unseen_characters_change_nothing(name):
    for case in load(name):
        products = [Product.from_contract(p) for p in case["products"]]
        want = read_chain(case["text"], products).as_contract()
        for other in disturbed(case["text"]):
            assert read_chain(other, products).as_contract() == want, case["id"]


@given(TEXTS.filter(lambda t: not set(t) & set("\r\u200b\t\x85\x0b\x0c\u2028\u2029\x1c\x1d\x1e\x1f")))
@settings(max_examples=200, deadline=5000)
def test_any_text_reads_the_same_when_disturbed(text):
    want = read_chain(text, PRODUCTS).as_contract()
    for other in disturbed(text):
        assert read_chain(other, PRODUCTS).as_contract() == want


def paste(lines):
    return "#接龙\n" + "\n".join(
        f"{i}. 王姐{i} {i % 30 + 1}-{i % 20 + 101} 橙子{i % 3 + 1} 车厘子{i % 4 + 1}斤"
        for i in range(1, lines + 1)
    )


def seconds(text):
    start = time.process_time()
    read_chain(text, PRODUCTS)
    return time.process_time() - start


def test_time_grows_linearly():
    seconds(paste(50))
    small, large = min(seconds(paste(300)) for _ in range(2)), seconds(paste(2400))
    assert large < 8 * small * 2.5


@pytest.mark.parametrize(
    "text",
    ["草莓2" * 20_000, "1" * 50_000, " " * 50_000 + "x", "1. " * 20_000, "(" * 30_000, "~~" * 20_000, "a-" * 20_000, "和" * 30_000, "1-" * 20_000,
     "\n".join(f"{i}. 王{i} 同上" for i in range(1, 1500)), "\n".join(f"{i}. 王{i} 同{i + 1}" for i in range(1, 1500)), "\n".join(f"{i}. 王姐 +1" for i in range(1, 1500)),
     "省市区路" * 5_000, "没有" * 20_000, "|" * 30_000, "\t" * 30_000, "，" * 30_000, "①" * 30_000, "1、" * 20_000, "王姐: " * 10_000, "工位" * 20_000],
    ids=range(21),
)  # fmt: skip
def test_no_text_hangs(text):
    assert seconds(text) < 5
