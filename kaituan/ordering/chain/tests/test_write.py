# ruff: noqa: E501
"""The way back: what write_chain writes reads back to the same orders."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from kaituan.ordering.chain import ChainEntry, Product, read_chain, write_chain
from kaituan.ordering.chain.normalise import squash
from kaituan.ordering.chain.write import clean

PRODUCTS = (
    Product("A", "橙子", ("橙",), "5斤", 3990),
    Product("B", "农夫山泉550ml*24瓶", (), "箱", 3200),
    Product("C", "车厘子", (), "斤", 4500),
    Product("4", "草莓", (), "盒", 2500),
    Product("5", "草莓", (), "箱", 9900),
)


def test_a_chain_as_it_is_copied_into_the_chat():
    entries = (
        ChainEntry(12, "王姐", (("A", 2), ("C", Decimal("1.5"))), room="3-502", note="放门口", paid=True),
        ChainEntry(3, "李哥", (("4", 1),)),
    )
    assert write_chain("周五水果", PRODUCTS, entries) == (
        "#接龙 周五水果\n"
        "· 橙子 39.90元/5斤\n· 农夫山泉550ml*24瓶 32元/箱\n· 车厘子 45元/斤\n· 草莓（4） 25元/盒\n· 草莓（5） 99元/箱\n"
        "\n"
        "3. 李哥｜草莓（4）×1\n"
        "12. 王姐｜3-502｜橙子×2、车厘子×1.5斤｜备注：放门口｜已付\n"
    )


def test_members_go_on_below_in_their_own_words():
    text = (
        write_chain("水果", PRODUCTS, [ChainEntry(1, "王姐", (("A", 2),))])
        + "2. 李哥 橙子1 车厘子半斤\n3. 小张 同1\n"
    )
    orders = read_chain(text, PRODUCTS).orders
    assert [(o.seq, o.name, [line.as_contract() for line in o.lines]) for o in orders] == [
        (1, "王姐", [{"code": "A", "qty": 2}]),
        (2, "李哥", [{"code": "A", "qty": 1}, {"code": "C", "qty": "0.5"}]),
        (3, "小张", [{"code": "A", "qty": 2}]),
    ]


HARD = st.sampled_from(
    [
        "同上",
        "取消",
        "例",
        "1. 2. 3.",
        "草莓2",
        "+1",
        "王姐: 好",
        "已付",
        "10:12",
        "｜",
        "#接龙",
        "合计",
        "(示例)",
        "a｜橙子×2",
        "3-502",
        "～～x～～",
        "备注：",
        "🍓",
        "1️⃣姐",
    ]
)
NAMES = st.one_of(HARD, st.text(min_size=1, max_size=12)).filter(lambda n: squash(clean(n)) and clean(n))
LINES = st.dictionaries(
    st.sampled_from("AB45C"), st.integers(1, 99), min_size=1, max_size=5
).map(lambda d: tuple((c, Decimal(q) / 10 if c == "C" and q % 10 else q) for c, q in d.items()))  # fmt: skip


@st.composite
def chains(draw):
    names = draw(st.lists(NAMES, min_size=1, max_size=8, unique_by=lambda n: squash(clean(n))))
    seqs = draw(st.lists(st.integers(1, 5000), min_size=len(names), max_size=len(names), unique=True))
    return [
        ChainEntry(seq, name, draw(LINES), room=draw(st.one_of(st.just(""), st.sampled_from(["3-502", "12栋1单元802", "H区"]))),
                   phone_tail=draw(st.sampled_from(["", "3321"])), note=draw(st.one_of(st.just(""), HARD, st.text(max_size=20))), paid=draw(st.booleans()))
        for seq, name in zip(seqs, names, strict=True)
    ]  # fmt: skip


@given(st.one_of(HARD, st.text(max_size=30)), chains(), st.booleans())
@settings(max_examples=300, deadline=5000)
def test_what_is_written_reads_back_to_the_same_orders(title, entries, menu):
    reading = read_chain(write_chain(title, PRODUCTS, entries, menu=menu), PRODUCTS)
    want = [
        (e.seq, squash(clean(e.name)), dict(e.lines), e.paid, squash(clean(e.room)), e.phone_tail)
        for e in sorted(entries, key=lambda e: e.seq)
    ]
    got = [
        (
            o.seq,
            squash(o.name),
            {line.code: line.qty for line in o.lines},
            o.paid,
            squash(o.contact.room),
            o.contact.phone_tail,
        )
        for o in reading.orders
    ]
    assert got == want
    assert reading.questions == ()
