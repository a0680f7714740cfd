"""The rules by their words: look for 各, 同上, 半斤 or 改成 here, and for the reading in the module named beside it."""

from decimal import Decimal

import pytest

from kaituan.ordering.chain import Product, read_chain

ORANGE = Product("A", "橙子", ("橙",), "5斤", 3990)
BERRY = Product("B", "草莓", (), "盒", 2500)
CHERRY = Product("C", "车厘子", (), "斤", 4500)
GOODS = (ORANGE, BERRY, CHERRY)


def lines(text, products=GOODS):
    """{code: quantity} of the first order, and the reason of its question."""
    reading = read_chain(text, products)
    first = reading.orders[0]
    reason = next((q.reason for q in reading.questions if q.key == first.key), None)
    return {line.code: line.qty for line in first.lines}, reason


@pytest.mark.parametrize(
    ("words", "want"),
    [
        # quantities.py: numerals and weights
        ("车厘子半斤", {"C": Decimal("0.5")}),
        ("车厘子斤半", {"C": Decimal("1.5")}),
        ("车厘子一斤半", {"C": Decimal("1.5")}),
        ("车厘子1斤2两", {"C": Decimal("1.2")}),
        ("车厘子2公斤", {"C": 4}),
        ("草莓俩", {"B": 2}),
        ("草莓廿盒", {"B": 20}),
        ("草莓贰盒", {"B": 2}),
        ("橙子10斤", {"A": 2}),
        # binding.py: the number before or behind
        ("2盒草莓", {"B": 2}),
        ("橙2草莓1", {"A": 2, "B": 1}),
        ("草莓x2", {"B": 2}),
        # entry.py: _each, _all, _others
        ("橙子草莓各2", {"A": 2, "B": 2}),
        ("橙子、草莓各一份", {"A": 1, "B": 1}),
        ("除了车厘子各1", {"A": 1, "B": 1}),
        # entry.py: _replace
        ("草莓2改3", {"B": 3}),
        ("草莓2换成橙子1", {"A": 1}),
        ("草莓1→2", {"B": 2}),
        # entry.py: _cancel
        ("草莓2 橙子1 橙子不要了", {"B": 2}),
        ("草莓2 不要太熟的", {"B": 2}),
        ("草莓2 缺货就不要了", {"B": 2}),
        # slips.py
        ("草梅2", {"B": 2}),
        ("车里子1斤", {"C": 1}),
    ],
)
def test_what_is_certain_is_booked(words, want):
    assert lines(f"1. 王姐 {words}") == (want, None)


@pytest.mark.parametrize(
    ("words", "want", "reason"),
    [
        ("草莓", {"B": 1}, None),
        ("车厘子", {}, "missing_qty"),
        ("草莓2到3盒", {}, "ambiguous_qty"),
        ("草莓半盒", {}, "unit_mismatch"),
        ("橙子3斤", {}, "unit_mismatch"),
        ("车厘子2个", {}, "unit_mismatch"),
        ("草莓1 香蕉2", {"B": 1}, "unknown_product"),
        ("草莓酱2", {}, "unknown_product"),
        ("2", {}, "ambiguous_product"),
        ("可能要草莓2", {}, "unclear"),
        ("草莓2 已付30", {"B": 2}, "amount_mismatch"),
        ("同上", {}, "bad_reference"),
        ("", {}, "no_order"),
    ],
)
def test_what_is_not_certain_is_asked(words, want, reason):
    assert lines(f"1. 王姐 {words}") == (want, reason)


def test_same_as_above_copies_goods_only():
    reading = read_chain(
        "1. 王姐 3-502 草莓2 放门口 已付\n2. 李哥 同上\n3. 小张 和王姐一样\n4. 阿美 同1", GOODS
    )
    assert [[line.as_contract() for line in o.lines] for o in reading.orders] == [
        [{"code": "B", "qty": 2}]
    ] * 4
    assert [(o.note, o.paid, o.contact.room) for o in reading.orders[1:]] == [("", False, "")] * 3


def test_a_reference_to_an_entry_that_changed_is_asked_about():
    reading = read_chain("1. 王姐 草莓2\n2. 李哥 同上\n3. 王姐 再加1盒", GOODS)
    assert [(q.name, q.reason) for q in reading.questions] == [("李哥", "bad_reference")]


@pytest.mark.parametrize(
    ("later", "want"),
    [
        ("再加1盒", {"B": 3}),
        ("草莓+1", {"B": 3}),
        ("减1盒", {"B": 1}),
        ("退1盒", {"B": 1}),
        ("-1", {"B": 1}),
        ("改成5盒", {"B": 5}),
        ("更正：草莓4", {"B": 4}),
        ("草莓换成橙子", {"A": 2}),
        ("还要橙子1份", {"B": 2, "A": 1}),
        ("橙子1份", {"B": 2, "A": 1}),
    ],
)
def test_a_later_entry_of_the_same_member(later, want):
    assert lines(f"1. 王姐 草莓2\n2. 李哥 橙子1\n3. 王姐 {later}") == (want, None)


def test_a_later_entry_withdraws_everything():
    reading = read_chain("1. 王姐 草莓2\n2. 王姐 不要了", GOODS)
    assert [(o.cancelled, o.lines) for o in reading.orders] == [(True, ())]


def test_the_same_again_without_a_word_is_asked_about():
    assert lines("1. 王姐 草莓2\n2. 王姐 草莓2") == ({}, "repeat")


def test_evidence_points_into_the_paste_as_it_came():
    text = "#接龙\r\n\u200b1. 王姐\u3000草莓２盒 已付"
    reading = read_chain(text, GOODS)
    (evidence,) = reading.orders[0].lines[0].evidence
    assert evidence.text == "草莓２盒"
    assert text[evidence.start : evidence.end] == evidence.text


def test_a_question_offers_its_choices():
    reading = read_chain("1. 王姐 2", GOODS)
    assert reading.questions[0].choices == ("A", "B", "C")


def test_a_key_stays_when_the_chain_grows():
    before = read_chain("1. 王姐 草莓2", GOODS).orders[0].key
    assert read_chain("1. 王姐 草莓2\n2. 李哥 橙子1", GOODS).orders[0].key == before


def test_an_empty_product_list_orders_nothing():
    assert read_chain("1. 王姐 草莓2", ()).orders == ()


@pytest.mark.parametrize(
    ("words", "want", "note"),
    [
        # told.py: what is told about goods that are ordered already
        ("草莓2盒 一盒送人一盒自己吃", {"B": 2}, "一盒送人一盒自己吃"),
        ("草莓2 草莓要新鲜的", {"B": 2}, "草莓要新鲜的"),
        ("车厘子2斤分两袋", {"C": 2}, "分两袋"),
        ("草莓2，太小的就不要了", {"B": 2}, "太小的就不要了"),
        ("草莓2 送个橙子", {"B": 2}, "送个橙子"),
        # goods_words.py: remarks are no goods
        ("草莓2 走葱", {"B": 2}, "走葱"),
        ("草莓2 2XL", {"B": 2}, "2XL"),
        ("草莓2 身高165", {"B": 2}, "身高165"),
        # remarks.py: a trait that is open leaves the order certain
        ("草莓2 颜色待定", {"B": 2}, "颜色待定"),
    ],
)
def test_what_is_told_about_goods_is_a_note(words, want, note):
    assert lines(f"1. 王姐 {words}") == (want, None)
    assert note in read_chain(f"1. 王姐 {words}", GOODS).orders[0].note


@pytest.mark.parametrize(
    ("words", "want", "reason"),
    [
        # goods_words.py: the names of goods that are not in the list
        ("草莓1 酸奶", {"B": 1}, "unknown_product"),
        ("草莓1 汤圆2", {"B": 1}, "unknown_product"),
        ("三明治2", {}, "unknown_product"),
        # operations.py and remarks.py: which of them is not said
        ("两样各1", {}, "ambiguous_product"),
        ("第二个来2份", {}, "ambiguous_product"),
        ("草莓最多2盒", {}, "unclear"),
        # quantities.py
        ("车厘子三四两", {}, "ambiguous_qty"),
        ("草莓2-1", {}, "ambiguous_qty"),
        ("不要草莓", {}, "no_order"),
        ("减一盒草莓", {}, "unclear"),
    ],
)
def test_what_would_be_guessed_is_asked(words, want, reason):
    assert lines(f"1. 王姐 {words}") == (want, reason)


@pytest.mark.parametrize(
    ("words", "want"),
    [
        ("A2B1", {"A": 2, "B": 1}),
        ("草莓，2盒", {"B": 2}),
        ("草莓-2 橙子-1", {"B": 2, "A": 1}),
        ("车厘子500g*2", {"C": 2}),
        ("车厘子1/2斤", {"C": Decimal("0.5")}),
        ("车厘子.5斤", {"C": Decimal("0.5")}),
        ("草莓双份", {"B": 2}),
        ("草莓整俩", {"B": 2}),
        ("草莓2 橙子1 共3份", {"B": 2, "A": 1}),
        ("除车厘子外各1", {"A": 1, "B": 1}),
        ("2X草莓", {"B": 2}),
    ],
)
def test_more_ways_to_say_how_many(words, want):
    assert lines(f"1. 王姐 {words}") == (want, None)


def test_a_part_of_what_is_held_is_swapped():
    assert lines("1. 王姐 草莓2\n2. 王姐 草莓1换成橙子") == ({"B": 1, "A": 1}, None)


def test_an_answer_to_a_quotation_means_the_quoted_member():
    chat = (
        "王姐  10:12\n草莓2盒\n\n李哥  10:13\n橙子1\n\n小张  10:15\n「王姐: 草莓2盒」\n- - - - - - -\n我也要"
    )
    assert [line.code for line in read_chain(chat, GOODS).orders[2].lines] == ["B"]


def test_a_line_of_prices_is_nobodys_order():
    prices = "水果团 橙子39.9 草莓25"
    text = f"{prices}\n1. 王姐 草莓2\n2. 李哥 橙子1\n\n{prices}\n1. 王姐 草莓2\n2. 李哥 橙子1\n3. 小张 草莓1"
    reading = read_chain(text, GOODS)
    assert [(o.name, [line.qty for line in o.lines]) for o in reading.orders] == [
        ("王姐", [2]),
        ("李哥", [1]),
        ("小张", [1]),
    ]


@pytest.mark.parametrize("name", ["八月十五", "半斤八两", "禅茶一味", "周奶奶", "陆老师", "一家四口"])
def test_a_nickname_of_numerals_is_a_name(name):
    assert [o.name for o in read_chain(f"1. {name} 草莓2", GOODS).orders] == [name]


def test_the_room_in_a_chat_nickname_is_a_room():
    order = read_chain("王姐  10:12\n草莓2盒\n\n3-802阿珂  10:15\n橙子1", GOODS).orders[1]
    assert (order.name, order.contact.room) == ("阿珂", "3-802")


def test_a_numbered_menu_of_dishes_is_no_chain():
    text = "菜单：\n1、梅菜扣肉\n2、番茄炒蛋\n\n接龙：\n1、邹明 1份\n2、阮工"
    meal = (Product("M", "工作餐", (), "份", 2500),)
    assert [(o.name, o.lines[0].qty) for o in read_chain(text, meal).orders] == [("邹明", 1), ("阮工", 1)]


def test_other_goods_in_a_campaign_of_one_product_are_asked_about():
    chicken = (Product("S", "烤鸡", (), "只", 3990),)
    assert [q.reason for q in read_chain("1. 王姐 酸奶2", chicken).questions] == ["unknown_product"]


@pytest.mark.parametrize(
    "line", ["草莓好甜啊", "草莓卖完了", "没付款的转一下", "草莓还有吗", "有事联系我13800000000"]
)
def test_talk_below_an_entry_is_no_part_of_it(line):
    order = read_chain(f"1. 王姐 草莓2\n2. 李哥 橙子1\n{line}", GOODS).orders[1]
    assert ([x.code for x in order.lines], order.note, order.contact.phone) == (["A"], "", "")


@pytest.mark.parametrize("line", ["@王姐 已付", "王姐已付", "王姐 已转"])
def test_who_is_said_to_have_paid_has_paid(line):
    reading = read_chain(f"1. 王姐 草莓2\n2. 李哥 橙子1\n{line}", GOODS)
    assert [o.paid for o in reading.orders] == [True, False]


@pytest.mark.parametrize(
    "rules",
    [
        "注意：1.周四前接龙 2.不退不换",
        "1、周四前接龙\n2、不退不换",
        "①周四前接龙②不退不换",
        "水果团 1.先付款 2.周五到货 3.坏果包赔\n接龙：",
    ],
)
def test_numbered_rules_are_nobodys_entries(rules):
    reading = read_chain(f"{rules}\n1. 王姐 草莓2\n2. 李哥 橙1", GOODS)
    assert [(o.seq, o.name) for o in reading.orders] == [(1, "王姐"), (2, "李哥")]


def test_digits_of_a_nickname_are_no_door_where_nobody_tells_a_room():
    plain = "1. 老8 橙子3\n2. 配速530 草莓6\n3. 阿玖 草莓1\n4. 三哥 橙子1\n5. 阿四 橙子1"
    assert read_chain(plain, GOODS).orders[1].name == "配速530"
    housed = plain.replace("三哥", "三哥 3-502")
    assert read_chain(housed, GOODS).orders[1].contact.room == "530"


@pytest.mark.parametrize(
    ("words", "room", "name", "codes"),
    [
        ("5座12楼C室 谭小姐 草莓2", "5座12楼C室", "谭小姐", ["B"]),
        ("15-602 A+B 各1", "15-602", "", ["A", "B"]),
        ("15-602 A一 B一", "15-602", "", ["A", "B"]),
    ],
)
def test_a_room_before_codes_or_a_floor_in_it(words, room, name, codes):
    order = read_chain(f"1. {words}", GOODS).orders[0]
    assert (order.contact.room, order.name, [x.code for x in order.lines]) == (room, name, codes)


@pytest.mark.parametrize(
    ("words", "want", "cancelled"),
    [
        ("唔要喇", {}, True),
        ("草莓唔要", {}, True),
        ("仲要橙1", {"B": 2, "A": 1}, False),
        ("再嚟草莓1盒", {"B": 3}, False),
        ("唔要太熟嘅", {"B": 2}, False),
        ("冇货就换橙", {"B": 2}, False),
    ],
)
def test_cantonese_words(words, want, cancelled):
    order = read_chain(f"1. 强哥 草莓2\n2. 关生 橙1\n3. 强哥 {words}", GOODS).orders[0]
    assert ({x.code: x.qty for x in order.lines}, order.cancelled) == (want, cancelled)


def test_cantonese_words_about_money():
    reading = read_chain("1. 强哥 草莓2 过咗数\n2. 关生 橙1 未畀钱", GOODS)
    assert [o.paid for o in reading.orders] == [True, False]


def test_the_chain_of_another_group_begins_with_its_title():
    text = "【水果团】橙子39 草莓25\n1. 王姐 草莓2\n2. 李哥 橙1\n\n【卤味团】鸭脖25/盒\n1. 王姐 鸭脖1\n2. 阿彪 鸭脖2"
    assert [o.name for o in read_chain(text, GOODS).orders] == ["王姐", "李哥"]
