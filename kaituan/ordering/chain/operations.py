"""The words that change something, one function each: 加 减 `attach`, 改成 换成 `replace`, 取消 不要 `cancel`,
各 一样 `each`, 全要 `everything`, 其他 除了 `others`, 同上 `refer`, 多来点 `vague`."""

import re
from decimal import Decimal

from . import statement as st
from .catalogue import PART
from .draft import Draft, Item
from .goods import Atom
from .goods_words import names_goods
from .normalise import plain
from .quantities import Amount
from .statement import Step

_OP_NAMES = {"ADD": st.ADD, "SUB": st.SUBTRACT, "REPL": st.SET}


def attach(draft: Draft, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
    """加, 再, 补 add and 减, 少 subtract, what follows or the product just before."""
    op.claimed = True
    name = _OP_NAMES[op.kind]
    if draft.catalogue.single and len(goods) == 1 and goods[0].kind == "Q" and draft.runs_on(goods[0]):
        # 加一个黑凉粉, 另1份换菜: in a campaign of one product this tells more about it.
        draft.out.notes.append((op.start, atoms[-1].end))
        for atom in atoms:
            atom.claimed = True
        return
    if (
        len(goods) == 1
        and goods[0].kind == "P"
        and goods[0].strength == PART
        and goods[0].end - goods[0].start == 1
    ):
        draft.out.notes.append((op.start, goods[0].end))  # 多加饭
        goods[0].claimed = True
        return
    if name == st.ADD and goods and goods[0].kind == "P" and draft.items and _topping(draft, goods[0]):
        draft.out.issues.append(("unclear", op.start, goods[0].end, goods[0].mask))
        for good in goods:
            good.claimed = True
        return
    if goods:
        draft.plain(goods, name)
        draft.mode = name if name == st.ADD else draft.mode
        return
    del atoms
    last = draft.items[-1] if draft.items else None
    if (
        last is not None
        and last.amount is None
        and last.clause == draft.clause
        and draft.text[last.end : op.start].strip() == ""
    ):
        last.op = name
    else:
        op.claimed = False


def _topping(draft: Draft, good: Atom) -> bool:
    """加个鸡蛋 beside 鸡蛋面: what a dish is made of, rather than the dish?"""
    word = draft.text[good.start : good.end]
    if good.strength != PART or not names_goods(word):
        return False
    names = [plain(draft.catalogue.products[i].name) for i in draft.catalogue.bits(good.mask)]
    return all(not name.endswith(word) and not name.startswith(word) for name in names)


def replace(draft: Draft, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
    """馒头2改3 sets a number; 蓝莓换成树莓 swaps; 改成 in front of products says the whole order anew."""
    if not goods:
        exchanged(draft, op, atoms)
        return
    op.claimed = True
    first = goods[0]
    before = [i for i in draft.items if i.op != st.REPLACE]
    if first.kind == "Q" and (len(goods) == 1 or goods[1].kind != "P" or before):
        if len(goods) > 1 and goods[1].kind == "P" and closer(draft, goods):
            swap_or_renew(draft, op, goods, before)
            return
        draft.number(first, st.SET, False)
        draft.plain(goods[1:], st.PLAIN)
        return
    swap_or_renew(draft, op, goods, before)


def exchanged(draft: Draft, op: Atom, atoms: list[Atom]) -> None:
    """米饭换馒头: one thing for another, neither of them in the list, is how a meal should be."""
    left = next((a for a in draft.current if a.end == op.start and a.kind in ("TEXT", "P")), None)
    right = atoms[0] if atoms and atoms[0].start == op.end and atoms[0].kind == "TEXT" else None
    if right is None and draft.text[op.start : op.end] in _AMENDS and not draft.items:
        op.claimed, draft.mode = True, st.REPLACE  # 打错了，是芒果2箱
        return
    if right is None or (left is not None and left.claimed):
        return
    for atom in (left or op, op, right):
        atom.claimed = True
    draft.out.notes.append(((left or op).start, right.end))


def closer(draft: Draft, goods: list[Atom]) -> bool:
    """改成2盒草莓: the number is nearer to the product behind it."""
    return not draft.text[goods[0].end : goods[1].start].strip()


def swap_or_renew(draft: Draft, op: Atom, goods: list[Atom], before: list[Item]) -> None:
    count = len(draft.items)
    draft.plain(goods, st.PLAIN)
    new = draft.items[count:]
    if not new:
        return
    beside = before and before[-1].clause == draft.clause and draft.text[op.end : op.end + 1] not in ":,;"
    if beside and len(new) == 1:
        old = before[-1]
        new[0].op = st.SWAP
        new[0].swap_to = Item(old.op, old.mask, old.amount, old.start, old.end)
        draft.items.remove(old)
        return
    if before and before[-1].op == st.DROP:
        return  # 肠粉不要了，换叉烧包1: one for the other, the rest stays
    for item in new:
        item.op = st.REPLACE
    if before:
        for item in before:
            draft.items.remove(item)
    draft.mode = st.REPLACE


def cancel(draft: Draft, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
    """取消草莓 and 草莓不要了 drop one product, 取消1份 subtracts, 不要辣 is a wish, alone it withdraws all."""
    word = draft.text[op.start : op.end]
    texts = [
        a
        for a in atoms
        if a.kind in ("TEXT", "U", "TIME") and any(c.isalnum() for c in draft.text[a.start : a.end])
    ]
    if draft.waiting_mask:
        # 其他不要: what was not named is not wanted, which goes without saying.
        draft.waiting_mask, op.claimed = 0, True
        draft.plain(goods, draft.mode)
        return
    following = next((a for a in atoms if a.kind not in ("SP", "FILL", "COLON", "DASH", "DOT")), None)
    soft = word in SOFT_CANCELS
    before = open_before(draft, op)
    if soft and following is not None and following in texts:
        told = wish(atoms)
        draft.out.notes.append((explained_from(draft, op), told[-1].end))
        for atom in (op, *told):
            atom.claimed = True
        draft.plain([g for g in goods if not g.claimed], draft.mode)
        return
    part = following if soft and following is not None and following.kind == "P" else None
    if part is not None and part.strength == PART and len(goods) == 1 and not before:
        same = [i for i in draft.items if i.mask == part.mask and i.op != st.DROP]
        if same and same[-1].end < op.start:
            draft.out.notes.append((op.start, part.end))  # 鸡蛋面 不要鸡蛋
            op.claimed = part.claimed = True
            return
    left = word_before(draft, op)
    if left is not None and not before and not _WITHDRAWS.search(draft.text[left.start : op.end]):
        # 香菜不要: the wish stands in front.
        draft.out.notes.append((left.start, op.end))
        left.claimed = op.claimed = True
        draft.plain(goods, draft.mode)
        return
    op.claimed = True
    if before and not (goods and goods[0].kind == "Q" and goods[0].start - op.end <= 1):
        for item in before:
            item.op = st.DROP
        draft.plain(goods, draft.mode)
    elif goods and goods[0].kind == "Q" and len(goods) == 1 and goods[0].value.unit:
        draft.number(goods[0], st.SUBTRACT, False)
    elif goods and any(g.kind == "P" for g in goods):
        cancel_named(draft, goods)
    elif goods and goods[0].kind == "Q":
        draft.number(goods[0], st.SUBTRACT, False)
    else:
        draft.cancel_all(op.start, op.end)


_AMENDS = ("打错了", "写错了", "更正", "更改", "修改", "改一下", "改下", "纠正", "订正", "重新报")
SOFT_CANCELS = ("不要", "别要", "不订", "别订", "不需要", "不用了", "不来了", "唔要", "唔订")
"""Words that may be about a trait."""
_WITHDRAWS = re.compile(
    r"(?:我的|订单|接龙|这单|这个|那个|全部|今天|本周|这次|临时|有事|出差|意思|抱歉|对不起).*|^(?!.*(?:不|别)).*(?:取消|撤|退|作废)"
)
"""不好意思取消了, 我的取消: what stands in front of the word is no wish."""


def wish(atoms: list[Atom]) -> list[Atom]:
    """不要辣 肥牛卷2: the wish ends at the gap in front of the next product."""
    for k, atom in enumerate(atoms[:-1]):
        behind = atoms[k + 1]
        if (
            k
            and atom.kind == "SP"
            and behind.kind == "P"
            and (behind.strength > 1 or behind.end - behind.start > 1)
        ):
            return atoms[:k]
    return atoms


def cancel_named(draft: Draft, goods: list[Atom]) -> None:
    count = len(draft.items)
    draft.plain(goods, st.PLAIN)
    for item in draft.items[count:]:
        item.op = st.SUBTRACT if item.amount is not None else st.DROP


def open_before(draft: Draft, op: Atom) -> list[Item]:
    """Products without a number right before the word, in its clause."""
    found: list[Item] = []
    for item in reversed(draft.items):
        if item.clause != draft.clause or item.amount is not None or item.op == st.DROP:
            break
        if any(c.isalnum() for c in draft.text[item.end : op.start] if not found):
            between = draft.text[item.end : op.start].strip()
            if between not in ("都", "的", "也", "就", "先", "了", "全", "全都"):
                break
        found.append(item)
    return found


def explained_from(draft: Draft, op: Atom) -> int:
    """1份不要茄子: in a campaign of one product the number in front belongs to the wish."""
    number = draft.numbers[-1][0] if draft.numbers else None
    if (
        draft.catalogue.single
        and number is not None
        and number.end == op.start
        and (len(draft.numbers) > 1 or draft.items)
    ):
        draft.numbers.pop()
        return number.start
    return op.start


def word_before(draft: Draft, op: Atom) -> Atom | None:
    for atom in draft.current:
        between = draft.text[atom.end : op.start]
        if (
            atom.end <= op.start
            and atom.kind in ("TEXT", "U")
            and between in ("", "都", "全", "也", "的", "就")
            and any(c.isalnum() for c in draft.text[atom.start : atom.end])
        ):
            return atom
    return None


def each(draft: Draft, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
    """各N reaches the products listed just before without a number, else those listed behind, else all."""
    number = goods[0] if goods and goods[0].kind == "Q" else None
    if (
        number is None
        and (
            op.kind == "ONEEACH"
            or (not goods and draft.text[op.start : op.end] in ("各", "分别", "均", "各自", "样样"))
        )
        and op.kind == "ONEEACH"
    ):
        draft.plain(goods, draft.mode)
        return
    op.claimed = True
    amount = number.value if number is not None else None
    if number is not None:
        number.claimed = True
        goods = goods[1:]
    end = number.end if number is not None else op.end
    targets = draft.open_run()
    told = atoms[0] if atoms and atoms[0].start == op.end else None
    if targets and amount is None and not goods and told is not None and told.kind in ("TEXT", "P"):
        draft.out.notes.append((op.start, atoms[-1].end))  # K1+K2 都要M码
        for atom in atoms:
            atom.claimed = True
    if not targets and draft.items and draft.items[-1].each and not _said(draft.items[-1].amount):
        targets = [i for i in draft.items if i.each and not _said(i.amount)]
    if targets:
        give_each(draft, targets, amount, op.start, end)
        draft.plain(goods, draft.mode)
        return
    listed = [g for g in goods if g.kind == "P"]
    if listed and not any(g.kind == "Q" for g in goods):
        count = len(draft.items)
        draft.plain(goods, draft.mode)
        give_each(draft, draft.items[count:], amount, op.start, end)
        return
    if draft.numbers and draft.numbers[-1][0].end == op.start and amount is None:
        # 两套都要: how many of the list are meant is not said, unless it is all of them.
        several = draft.numbers.pop()[0]
        if several.value.amount == len(draft.catalogue.products):
            draft.book_all(draft.catalogue.everything, None, several.start, end)
        else:
            draft.out.issues.append(("ambiguous_product", several.start, end, draft.catalogue.everything))
        draft.plain(goods, draft.mode)
        return
    stranger = word_before(draft, op)
    if stranger is not None and not stranger.claimed:
        # 包子各2: each of something that is not in the list.
        stranger.claimed = True
        draft.out.issues.append(("unknown_product", stranger.start, end, draft.catalogue.everything))
        draft.plain(goods, draft.mode)
        return
    if draft.pointed:
        draft.pointed = False
        return
    mask = draft.catalogue.everything
    if draft.waiting_mask:
        mask, draft.waiting_mask = draft.waiting_mask, 0
    draft.book_all(mask, amount, op.start, end)
    draft.plain(goods, draft.mode)


def give_each(draft: Draft, targets: list[Item], amount: Amount | None, start: int, end: int) -> None:
    """Gives every target the amount; an open one (口红各1) stands for all that it can mean."""
    open_masks = [t.mask for t in targets if t.mask & (t.mask - 1)]
    if len(targets) > 1 and open_masks:
        for shared in open_masks:
            rest = [t for t in targets if t.mask != shared]
            narrowed = [t.mask & shared for t in rest]
            if rest and all(m and not m & (m - 1) for m in narrowed):
                for target, mask in zip(rest, narrowed, strict=True):
                    target.mask = mask
                draft.items = [i for i in draft.items if not (i in targets and i.mask == shared)]
                targets = rest
                break
    for target in targets:
        narrow(draft, target, targets)
        target.each, target.amount_at = True, start
        target.amount = amount if amount is not None else Amount(Decimal(1))
        target.end = max(target.end, end)
        if target.mask & (target.mask - 1):
            bits = draft.catalogue.bits(target.mask)
            at = draft.items.index(target)
            target.mask = 1 << bits[0]
            for bit in bits[1:]:
                at += 1
                draft.items.insert(
                    at,
                    Item(
                        target.op,
                        1 << bit,
                        target.amount,
                        target.start,
                        end,
                        clause=draft.clause,
                        each=True,
                        amount_at=start,
                    ),
                )


def narrow(draft: Draft, target: Item, targets: list[Item]) -> None:
    """白 in M码 黑白各1, L in 白M、L各1: what the neighbours have in common settles what is open."""
    if not target.mask & (target.mask - 1):
        return
    for other in targets:
        if other is not target and not other.mask & (other.mask - 1):
            alike = draft.catalogue.alike(draft.catalogue.bits(other.mask)[0], target.mask)
            if alike and not alike & (alike - 1):
                target.mask = alike
                return
    for other in targets:
        for part in other.parts:
            narrowed = target.mask & part
            if other is not target and narrowed and not narrowed & (narrowed - 1):
                target.mask = narrowed
                return


def everything(draft: Draft, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
    """全要: every product; after a list (草莓橙子全要) those of the list. 全部切片 is a wish."""
    op.claimed = True
    told = atoms[0] if atoms and atoms[0].start == op.end and atoms[0].kind == "TEXT" and not goods else None
    if told is not None and any(c.isalnum() for c in draft.text[told.start : told.end]):
        draft.out.notes.append((op.start, told.end))
        told.claimed = True
        return
    number = goods[0] if goods and goods[0].kind == "Q" else None
    amount = number.value if number is not None else None
    if number is not None:
        number.claimed = True
        goods = goods[1:]
    end = number.end if number is not None else op.end
    targets = draft.open_run()
    if targets:
        give_each(draft, targets, amount, op.start, end)
    elif goods and all(g.kind == "P" for g in goods) and not draft.items:
        count = len(draft.items)
        draft.plain(goods, draft.mode)
        give_each(draft, draft.items[count:], amount, op.start, end)
        return
    else:
        word = draft.text[op.start : op.end]
        digit = {"两": 2, "三": 3, "四": 4, "五": 5, "六": 6}.get(word[0])
        if digit is not None and digit != len(draft.catalogue.products):
            if amount is None and number is None and not _each_behind(draft, op):
                op.claimed = False
                draft.plain(goods, draft.mode)
                return
            draft.pointed = True
            draft.out.issues.append(("ambiguous_product", op.start, end, draft.catalogue.everything))
            return
        draft.book_all(draft.catalogue.everything, amount, op.start, end)
    draft.plain(goods, draft.mode)


def _each_behind(draft: Draft, op: Atom) -> bool:
    """三样各1: which three of them?"""
    behind = next((a for a in draft.current if a.start >= op.end and a.kind != "SP"), None)
    return behind is not None and behind.kind in ("EACH", "ONEEACH")


def others(draft: Draft, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
    """其他各1: all that are not named; 除了草莓各1: all but those."""
    op.claimed = True
    named = 0
    if op.kind == "EXCEPT":
        for good in goods:
            if good.kind == "P":
                named |= good.mask
                good.claimed = True
        for atom in atoms:
            if atom.kind == "TEXT" and draft.text[atom.start : atom.end] in ("外", "以外", "之外", "外面"):
                atom.claimed = True
    else:
        for item in draft.items:
            named |= item.mask
    mask = (draft.waiting_mask or draft.catalogue.everything) & ~named
    number = next((g for g in goods if g.kind == "Q"), None)
    if number is not None:
        number.claimed = True
        draft.book_all(mask, number.value, op.start, number.end)
    else:
        draft.waiting_mask = mask


def refer(draft: Draft, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
    """同上, 同3, 和李姐一样: the products of another entry. With goods behind it (我也要2盒草莓) it is no reference."""
    word = draft.text[op.start : op.end]
    if op.kind == "REF" and word.startswith(("我也要", "我也来")) and word[-1] in "要来" and goods:
        op.claimed = True
        draft.plain(goods, draft.mode)
        return
    op.claimed = True
    if op.kind == "REF" and word in ("一样的", "同款", "同样") and draft.items:
        return
    target: str | int | None = op.value if op.kind in ("REFNO", "REFNAME") else None
    draft.extra.append(Step(st.REFER, start=op.start, end=op.end, target=target))
    if goods and goods[0].kind == "Q" and goods[0].value.amount == 1 and len(goods) == 1:
        goods[0].claimed = True
        return
    del atoms
    draft.plain(goods, draft.mode)


def vague(draft: Draft, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
    """羊肉多来点: how much is not said."""
    del atoms
    op.claimed = True
    last = draft.items[-1] if draft.items else None
    if last is not None and last.amount is None and last.clause == draft.clause:
        last.issue = "missing_qty"
        draft.plain(goods, draft.mode)
    elif goods and goods[0].kind == "P":
        count = len(draft.items)
        draft.plain(goods, draft.mode)
        if len(draft.items) > count and draft.items[count].amount is None:
            draft.items[count].issue = "missing_qty"
    else:
        op.claimed = False
        draft.plain(goods, draft.mode)


def _said(amount: Amount | None) -> bool:
    """Whether the amount stands in the text; 全要 alone says none."""
    return amount is not None and amount.digits != ""
