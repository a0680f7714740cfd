"""The end of an entry: products with their numbers, and numbers left alone, become steps or questions."""

import re
from decimal import Decimal

from . import statement as st
from . import vocabulary
from .catalogue import LABEL
from .draft import Draft, Item
from .goods import Atom
from .goods_words import is_remark, names_goods
from .prices import is_sum
from .quantities import Amount, in_unit
from .rows import book_row
from .slips import sounds_alike
from .statement import Step

_STOPS = " \n,;。)]、!+./~([|…:"


def totals(draft: Draft) -> None:
    """脐橙2 草莓1 共3份 says nothing new; 共4份 cannot be."""
    for atom in draft.totals:
        if not draft.items:
            draft.numbers.append((atom, st.PLAIN, draft.clause, False))
            continue
        counted = sum(
            (i.amount.amount or 0) if i.amount is not None else 1 for i in draft.items if i.op != st.DROP
        )
        if counted != atom.value.amount:
            draft.out.issues.append(("ambiguous_qty", atom.start, atom.end, 0))


def finish(draft: Draft) -> None:
    totals(draft)
    number_alone(draft)
    if draft.catalogue.single and (not draft.items or not _MEAL.search(draft.catalogue.products[0].name)):
        # 酸奶 or 2只 酸奶 where only 烤鸡 is sold; with a meal (一份 米饭) it is how the meal should be.
        draft.out.issues += [
            ("unknown_product", start, end, draft.catalogue.everything)
            for start, end in draft.other_goods
            if not any(issue[1] == start for issue in draft.out.issues)
        ]
    if draft.doubt:
        for item in draft.items:
            item.issue = item.issue or "unclear"
    order: list[tuple[int, Step]] = [(s.start, s) for s in draft.extra]
    for item in draft.items:
        order.append((item.start, step(draft, item)))
    order.sort(key=lambda pair_: pair_[0])
    draft.out.steps = [step for _, step in order]
    if (
        draft.out.steps
        and draft.out.steps[0].op == st.CANCEL
        and all(s.op == st.PLAIN for s in draft.out.steps[1:])
    ):
        # 赵琪（已退）草莓1: said of the whole entry before its goods are named.
        draft.out.steps = draft.out.steps[:1]
    if draft.out.unpaid:
        draft.out.paid = False


def number_alone(draft: Draft) -> None:
    """Numbers that found no product: the only one in the campaign, its counter, a column, else a question."""
    numbers, draft.numbers = draft.numbers, []
    columns = draft.lexer.style.columns
    if columns and not draft.items and len(numbers) == len(columns) and all(n[0].value.bare for n in numbers):
        book_row(draft, [n[0] for n in numbers])
        return
    taken: Amount | None = None
    for atom, op, clause, glued in numbers:
        if is_sum(draft, atom):
            continue
        if draft.catalogue.single and (word := stranger_before(draft, atom)):
            draft.out.issues.append(("unknown_product", word[0], atom.end, draft.catalogue.everything))
            continue
        mask = draft.mask_of_number(atom.value)
        if op != st.PLAIN or (draft.catalogue.single and taken is None and not draft.items):
            taken = atom.value if op == st.PLAIN else taken
            mask = (
                draft.catalogue.everything
                if draft.catalogue.single
                else (mask if mask and not mask & (mask - 1) else 0)
            )
            draft.items.append(
                Item(op, mask, atom.value, atom.start, atom.end, clause=clause, amount_at=atom.start)
            )
        elif draft.catalogue.single:
            same = draft.items[-1].amount if draft.items else taken
            told = glued or draft.text[max(0, atom.start - 1) : atom.start].strip(_STOPS)
            if draft.items and not glued and shared_out(draft, draft.items[0], atom):
                draft.items[0].issue = "ambiguous_qty"
            elif same is not None and atom.value.amount != same.amount and not told:
                draft.items[-1].issue = "ambiguous_qty"
            elif told:
                draft.out.notes.append((atom.start, min(len(draft.text), atom.end + 6)))
        elif mask and not mask & (mask - 1) and not glued_to_text(draft.text, atom):
            draft.items.append(
                Item(op, mask, atom.value, atom.start, atom.end, clause=clause, amount_at=atom.start)
            )
        elif draft.items and atom.value.bare:
            last = next((i for i in reversed(draft.items) if i.start < atom.start), None)
            if last is not None:
                last.issue = last.issue or "ambiguous_qty"
            draft.out.issues.append(("ambiguous_qty", atom.start, atom.end, last.mask if last else 0))
        else:
            draft.out.issues.append(
                ("ambiguous_product", atom.start, atom.end, mask or draft.catalogue.everything)
            )


def shared_out(draft: Draft, first: Item, second: Atom) -> bool:
    """自己1只，同事2只: three, or does one number tell about the other? 3只，给我妈1只 is three."""
    who = _FOR_SOMEBODY.search(draft.text[: second.start])
    if who is None or first.amount is None or in_unit(second.value, draft.catalogue.measures[0]) is None:
        return False
    alike = _FOR_SOMEBODY.search(draft.text[draft.head.name[1] : first.start])
    return bool(alike) or (first.amount.amount or 0) <= second.value.amount


_FOR_SOMEBODY = re.compile(
    r"(?:[给帮代替][^\s,;。()\d]{1,6}|同事|朋友|邻居|闺蜜|亲戚|自己|自用|[我他她]|[老爸妈姐哥妹弟嫂婆公姨叔婶爷奶娘]|家里|公司|楼[上下]|隔壁|对门|今[天晚]|明[天晚]|后天|周[一二三四五六日])"
    r"(?:家|的|也|再|要|带|订|来|拿|买|加|一起|家里|那边|那儿|留|:|,|\s)*$"
)
_MEAL = re.compile(r"餐|饭|便当|火锅|拼盘|组合|面$|粉$|粥")


def stranger_before(draft: Draft, atom: Atom) -> tuple[int, int] | None:
    """酸奶2 where only 烤鸡 is sold: the goods which are named in front of a number, when they are none of ours."""
    at = next((i for i, t in enumerate(draft.tokens) if t.start == atom.start), 0) - 1
    if at >= 0 and draft.tokens[at].kind == "SP":
        at -= 1
    if at < 0 or draft.tokens[at].kind != "TEXT" or at in draft.head.used or draft.tokens[at].depth:
        return None
    token = draft.tokens[at]
    word = draft.text[token.start : token.end]
    goods = names_goods(word, counted=True) or (
        2 <= len(word) <= 6 and word[-1] in vocabulary.GOODS_ENDINGS and not is_remark(word, counted=True)
    )
    return (token.start, token.end) if goods and word not in draft.heading else None


def step(draft: Draft, item: Item) -> Step:
    """An item with its product and unit settled, or with the reason why it is not."""
    bits = draft.catalogue.bits(item.mask) if item.mask else []
    if len(bits) > 1 and item.amount is not None and item.amount.unit not in ("", "份"):
        # 冰糖橙5斤, 牛奶1箱: the unit fits only one of them.
        fitting = [b for b in bits if in_unit(item.amount, draft.catalogue.measures[b]) is not None]
        bits = fitting if len(fitting) == 1 else bits
    product = bits[0] if len(bits) == 1 else None
    if item.op == st.SWAP and item.swap_to is not None:
        return swap_step(draft, item, product)
    if item.issue:
        return Step(item.op, product, item.amount, None, item.issue, item.mask, item.start, item.end)
    if len(bits) > 1:
        return Step(item.op, None, item.amount, None, "ambiguous_product", item.mask, item.start, item.end)
    if product is None:
        return Step(item.op, None, item.amount, None, "", 0, item.start, item.end)
    if lone_digit(draft, item):
        return Step(
            item.op,
            None,
            item.amount,
            None,
            "ambiguous_product",
            draft.catalogue.everything,
            item.start,
            item.end,
        )
    if item.op == st.DROP:
        return Step(item.op, product, start=item.start, end=item.end)
    measure = draft.catalogue.measures[product]
    if item.amount is None:
        if measure.loose_g:
            return Step(item.op, product, None, None, "missing_qty", item.mask, item.start, item.end)
        return Step(item.op, product, Amount(Decimal(1), "", "", ""), 1, "", 0, item.start, item.end)
    if item.amount.amount == 0:
        return Step(st.DROP, product, start=item.start, end=item.end)
    if unknown_counter(draft, item):
        return Step(item.op, product, item.amount, None, "unit_mismatch", item.mask, item.start, item.end)
    qty = in_unit(item.amount, measure)
    issue = "" if qty is not None else "ambiguous_qty" if item.amount.amount is None else "unit_mismatch"
    return Step(item.op, product, item.amount, qty, issue, item.mask, item.start, item.end)


_EXAMPLE_OF_CODES = re.compile(r"(?:例|格式|如|示范).{0,20}\d\s?\+\s?\d", re.DOTALL)


def lone_digit(draft: Draft, item: Item) -> bool:
    """4 alone, in a chain where others write 1+3: the fourth product, or four of something?"""
    word = draft.text[item.start : item.end].strip()
    return (
        item.amount is None
        and item.strength == LABEL
        and word.isascii()
        and word.isdigit()
        and len(word) == 1
        and len(draft.items) == 1
        and not _EXAMPLE_OF_CODES.search(draft.heading)
    )


def swap_step(draft: Draft, item: Item, product: int | None) -> Step:
    assert item.swap_to is not None
    old_bits = draft.catalogue.bits(item.swap_to.mask)
    old = old_bits[0] if len(old_bits) == 1 else None
    start, end = min(item.start, item.swap_to.start), max(item.end, item.swap_to.end)
    if product is None or old is None:
        return Step(
            st.SWAP,
            old,
            item.amount,
            None,
            "ambiguous_product",
            item.mask | item.swap_to.mask,
            start,
            end,
            product,
        )
    qty = taken = None
    if item.swap_to.amount is not None:
        taken = in_unit(item.swap_to.amount, draft.catalogue.measures[old])
    if item.amount is not None:
        qty = in_unit(item.amount, draft.catalogue.measures[product])
        if qty is None:
            return Step(st.SWAP, old, item.amount, None, "unit_mismatch", item.mask, start, end, product)
    return Step(
        st.SWAP,
        old,
        item.amount,
        qty,
        "",
        0,
        item.start if qty is not None else start,
        end,
        product,
        taken=taken,
    )


def glued_to_text(text: str, atom: Atom) -> bool:
    """Whether a word runs on right behind the number: 3个人."""
    return bool(re.match(r"[\u4e00-\u9fff]", text[atom.end : atom.end + 1]))


def unknown_counter(draft: Draft, item: Item) -> bool:
    """肋排1整扇: one or two characters right behind a bare number that are no remark may be a counter."""
    if item.amount is None or item.amount.unit or item.each or not item.amount.digits:
        return False
    for i, token in enumerate(draft.tokens):
        if token.kind == "Q" and token.start == item.amount_at and i + 1 < len(draft.tokens):
            behind = draft.tokens[i + 1]
            word = draft.text[behind.start : behind.end]
            apart = behind.kind != "TEXT" or behind.start != token.end or i + 1 in draft.out.head.used
            unit = draft.catalogue.measures[draft.catalogue.bits(item.mask)[0]].unit
            if word and unit and sounds_alike(word[-1], unit[0]):
                return False  # 2大瓶, 一合: the product's own counter after all
            return (
                not apart
                and bool(re.fullmatch(r"[\u4e00-\u9fff]{1,2}", word))
                and not vocabulary.NOTE_HINTS.search(word)
            )
    return False
