# ruff: noqa: E501
"""Chains made from known orders in many ways of writing: what is read is right, or it is asked about."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from kaituan.ordering.chain import Product, read_chain
from kaituan.ordering.chain.normalise import squash
from kaituan.ordering.chain.reader import room_key

LISTS = (
    (
        Product("A", "赣南脐橙", ("脐橙", "橙子"), "箱", 4990),
        Product("B", "丹东草莓", ("草莓",), "盒", 3590),
        Product("C", "海南金煌芒", ("芒果", "金煌芒"), "箱", 3990),
        Product("D", "车厘子", ("樱桃",), "斤", 4500),
    ),
    (
        Product("1", "酱牛肉", ("牛肉",), "份", 3800),
        Product("2", "卤猪蹄", ("猪蹄",), "份", 2600),
        Product("3", "三鲜水饺", ("三鲜",), "袋", 2800),
        Product("4", "五常大米10斤装", ("大米",), "袋", 5990),
        Product("5", "土鸡蛋30枚", ("鸡蛋",), "板", 3990),
    ),
    (
        Product("W", "鲜牛奶950ml", ("鲜牛奶", "牛奶"), "瓶", 1580),
        Product("X", "全麦吐司", ("吐司",), "条", 1650),
        Product("Y", "84消毒液", ("消毒液",), "瓶", 1200),
        Product("Z", "5号电池", (), "板", 1500),
        Product("Q", "基围虾", (), "斤", 5800),
    ),
)  # fmt: skip
NAMES = ["王姐", "李哥", "小张", "阿美", "老吴", "朵朵妈", "Lily", "Tom", "陈女士", "七七", "阿May", "赵六", "小鱼儿", "隔壁老宋", "Kevin", "三毛", "静静", "大熊🐻", "🌸小樱", "乐乐爸", "张敏", "欧阳先生", "柠檬", "小7", "小满", "明仔", "月月", "九妹", "阿强", "何老师", "周周", "武哥", "婷婷"]  # fmt: skip
ROOMS = ("", "", "", "3-502", "12-1-1802", "3号楼1102", "6栋2单元301", "5#902", "1502", "7幢")
NOTES = (
    "",
    "",
    "",
    "放门口",
    "晚上7点后送",
    "周六来拿",
    "要新鲜的",
    "没有就换别的",
    "打电话",
    "不要太熟",
    "分开装",
    "开发票",
)
PAID = ("已付", "✅", "已转账", "付过了", "已付款", "💰")
CHINESE = "零一两三四五六七八九十"

MARKERS = (
    lambda n: f"{n}. ", lambda n: f"{n}.", lambda n: f"{n}、", lambda n: f"{n}) ", lambda n: f"（{n}）", lambda n: f"{n}．",
)  # fmt: skip


@st.composite
def items(draw, product):
    """(words, quantity) for one product, any way of writing."""
    word = draw(st.sampled_from((product.name, *product.aliases)))
    if product.unit == "斤":
        words, qty = draw(
            st.sampled_from(
                (("2斤", 2), ("两斤", 2), ("半斤", "0.5"), ("斤半", "1.5"), ("一斤半", "1.5"), ("1.5斤", "1.5"), ("3斤", 3),
                 ("1公斤", 2), ("500g", 1), ("8两", "0.8"), ("1斤2两", "1.2"), ("一斤", 1), ("2kg", 4))
            )
        )  # fmt: skip
        return draw(st.sampled_from((f"{word}{words}", f"{word} {words}", f"{words}{word}"))), Decimal(
            str(qty)
        )
    number = draw(st.integers(1, 9))
    unit = product.unit
    forms = [
        f"{word}{number}{unit}", f"{word} {number}{unit}", f"{word}x{number}", f"{word}*{number}", f"{word}×{number}",
        f"{word}{CHINESE[number] if number != 1 else '一'}{unit}", f"{number}{unit}{word}", f"{word}{number}份", f"{word}：{number}{unit}",
        f"{word}（{number}{unit}）", f"{CHINESE[number] if number != 1 else '一'}{unit}{word}", f"{word}要{number}{unit}",
    ]  # fmt: skip
    if not word[-1].isdigit():
        forms += [f"{word}{number}", f"{word} {number}"]
    if number == 1:
        forms.append(word)
    return draw(st.sampled_from(forms)), Decimal(number)


@st.composite
def chains(draw):
    products = draw(st.sampled_from(LISTS))
    marker = draw(st.sampled_from(MARKERS))
    between = draw(st.sampled_from((" ", "，", "、", "；", ", ", "+", "\n")))
    after_name = draw(st.sampled_from((" ", "：", "，", "  ", "\n")))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8, unique=True))
    heading = draw(
        st.sampled_from(
            (
                "",
                "#接龙\n",
                "#接龙\n周五团购，今晚8点截单\n",
                "#接龙 本周团\n例：张三 3-101 " + products[0].name + "2\n",
            )
        )
    )
    lines, want = [], []
    for number, name in enumerate(names, 1):
        chosen = draw(st.lists(st.sampled_from(products), min_size=1, max_size=3, unique=True))
        read = [draw(items(p)) for p in chosen]
        room, note = draw(st.sampled_from(ROOMS)), draw(st.sampled_from(NOTES))
        paid = draw(st.sampled_from((*PAID, "", "", "")))
        who = draw(
            st.sampled_from(
                (f"{name} {room}".strip(), f"{room} {name}".strip(), f"{name}（{room}）" if room else name)
            )
        )
        tail = " ".join(part for part in (note, paid) if part)
        lines.append(
            marker(number)
            + who
            + after_name
            + between.join(w for w, _ in read)
            + (" " + tail if tail else "")
        )
        want.append(
            (number, name, room, {p.code: q for p, (_, q) in zip(chosen, read, strict=True)}, bool(paid))
        )
    gap = draw(st.sampled_from(("\n", "\n", "\r\n", "\n\n")))
    end = draw(st.sampled_from(("", "\n\n截单啦，谢谢大家", "\n99. \n")))
    return products, heading + gap.join(lines) + end, want


@given(chains())
@settings(max_examples=150, deadline=4000)
def test_nothing_is_read_wrongly_without_a_question(chain):
    products, text, want = chain
    reading = read_chain(text, products)
    asked = {q.key for q in reading.questions}
    by_number = {o.seq: o for o in reading.orders}
    for number, name, room, lines, paid in want:
        order = by_number.get(number)
        assert order is not None, text
        if order.key in asked:
            continue
        got = {line.code: Decimal(line.qty) for line in order.lines}
        assert (squash(order.name), got, order.paid) == (squash(name), lines, paid), text
        assert room_key(order.contact.room) == room_key(room), text
    assert {o.seq for o in reading.orders} <= {number for number, *_ in want}, text


def test_few_of_them_need_a_question():
    asked = total = 0

    @given(chains())
    @settings(max_examples=100, deadline=4000, derandomize=True, database=None)
    def count(chain):
        nonlocal asked, total
        reading = read_chain(chain[1], chain[0])
        total += len(chain[2])
        asked += len({q.key for q in reading.questions})

    count()
    assert asked <= 0.06 * total
