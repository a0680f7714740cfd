"""Everything in a clause that is not goods: paid, questions, doubts, brackets, notes, and words nobody knows."""

import re

from . import places, vocabulary
from .catalogue import FULL
from .draft import OPERATIONS, Draft, Item
from .goods import Atom
from .goods_words import is_extra, is_remark, is_size, names_goods

_ASKING = re.compile(
    r"还有吗|还有没|有吗|有没有|多少钱|几块|怎么卖|有货吗|什么价|能买吗|还能|还可以|好吃吗|新鲜吗|甜吗|几斤一|多重|多大|哪里|有冇|几钱|几多钱|点卖"
)
_STOPS = " \n,;。)]、!+./~([|…:"


def marks(draft: Draft, atoms: list[Atom]) -> None:
    """Paid, unpaid, deposit; a number right behind 已付 is money."""
    out = draft.out
    for k, atom in enumerate(atoms):
        if atom.kind not in ("PAID", "UNPAID", "DEPOSIT"):
            continue
        atom.claimed = True
        if atom.kind == "PAID":
            out.paid = True
        else:
            out.unpaid = True
            out.notes.append((atom.start, atom.end))
        near = draft.neighbour(atoms, k, 1)
        if near is not None and near.kind == "Q" and draft.catalogue.single and too_little(draft, near):
            continue  # 已付 2: two of them, not two yuan
        if near is not None and draft.money_of(near) is not None:
            if atom.kind == "PAID":
                out.paid_sums.append((draft.money_of(near) or 0, near.start, near.end))
            near.claimed = True
            continue
        near = draft.neighbour(atoms, k, -1)
        if (
            near is not None
            and near.kind in ("Q", "MONEY")
            and draft.money_of(near, behind=True) is not None
            and atom.kind == "PAID"
        ):
            out.paid_sums.append((draft.money_of(near) or 0, near.start, near.end))
            near.claimed = True


def too_little(draft: Draft, atom: Atom) -> bool:
    """Whether a number is far below the price, so that it cannot be what was paid."""
    fen = draft.money_of(atom)
    return fen is not None and not draft.numbers and 0 < 3 * fen < draft.catalogue.products[0].price_fen


def asks(draft: Draft, atoms: list[Atom]) -> bool:
    """草莓还有吗: a question orders nothing."""
    words = draft.text[atoms[0].start : atoms[-1].end + 1]
    if not vocabulary.QUESTION.search(words) or any(a.kind == "UNSURE" for a in atoms):
        return False
    if _ASKING.search(words) or not any(a.kind in ("P", "Q") for a in atoms):
        if draft.catalogue.single or any(a.kind == "P" for a in atoms):
            draft.out.question = True
        draft.out.notes.append((atoms[0].start, atoms[-1].end))
        for atom in atoms:
            atom.claimed = True
        return True
    return False


def uncertain(draft: Draft, atoms: list[Atom]) -> list[Atom]:
    """可能, 待定, 或: what the doubt is about is asked, not booked. Returns the atoms that stay certain."""
    at = next((k for k, a in enumerate(atoms) if a.kind == "UNSURE"), None)
    if at is None:
        return atoms
    goods = [a for a in atoms if a.kind in ("P", "Q", "U")]
    words = draft.text[atoms[at].start : atoms[at].end]
    either = words in ("或", "或者", "还是", "要么")
    if either and not goods:
        return atoms
    if not goods:
        return doubt_alone(draft, atoms, at)
    last = max((k for k, a in enumerate(atoms[:at]) if a.kind in ("P", "Q", "U")), default=-1)
    if last >= 0 and not either and _TRAITS.search(draft.text[atoms[last].end : atoms[at].start]):
        draft.out.notes.append((atoms[last].end, atoms[-1].end))  # 车牌晚点报
        for atom in atoms[last + 1 :]:
            atom.claimed = True
        return atoms[: last + 1]
    start = doubt_from(draft, atoms, at)
    doubtful = atoms[start:]
    mask = 0
    for atom in doubtful:
        mask |= atom.mask
        atom.claimed = True
    reason = "unclear"
    if either:
        reason = "ambiguous_product" if sum(a.kind == "P" for a in doubtful) > 1 else "ambiguous_qty"
    draft.out.issues.append((reason, doubtful[0].start, doubtful[-1].end, mask))
    return atoms[:start]


def pointing(draft: Draft, atoms: list[Atom]) -> list[Atom]:
    """前三样各1, 第二个来2份: which goods that points at is asked, with all that follows in the clause."""
    at = next((k for k, a in enumerate(atoms) if a.kind == "POINT"), None)
    if at is None:
        return atoms
    counted = any(a.kind in ("Q", "EACH", "ONEEACH", "ALL") for a in atoms[at:])
    if not counted and len(atoms) > at + 1 and atoms[at + 1].kind in ("TEXT", "TIME"):
        atoms[at].kind = "TEXT"  # 放第一个柜子
        return atoms
    for atom in atoms[at:]:
        atom.claimed = True
    draft.out.issues.append(("ambiguous_product", atoms[at].start, atoms[-1].end, draft.catalogue.everything))
    return atoms[:at]


_TRAITS = re.compile(
    r"颜色|口味|味道|时间|日期|地址|房号|几点|哪天|什么时候|取货?|送货?|自提|尺码|码数|大小|花色|图案|款式?|刻字|贺卡|写什么|谁来|怎么|车牌|发票|包装|切法|辣度|甜度|做法"
)
"""颜色待定: what is open is not what is ordered."""


def doubt_alone(draft: Draft, atoms: list[Atom], at: int) -> list[Atom]:
    """待定 without a product: a doubt about all that is ordered, unless it names what it is about (颜色待定)."""
    words = [
        a
        for a in atoms
        if a.kind in ("TEXT", "TIME") and any(c.isalnum() for c in draft.text[a.start : a.end])
    ]
    for atom in atoms:
        atom.claimed = True
    draft.out.notes.append((atoms[0].start, atoms[-1].end))
    named = words and words[0].start < atoms[at].start and not draft.catalogue.single
    if named and _TRAITS.search(draft.text[atoms[0].start : atoms[at].start]):
        return []
    draft.doubt = True
    draft.out.issues.append(("unclear", atoms[at].start, atoms[at].end, 0))
    return []


def doubt_from(draft: Draft, atoms: list[Atom], at: int) -> int:
    """Where the doubt begins: 草莓再看看 is about 草莓, 可能要草莓2 about what follows, 2或3盒 about both."""
    goods_after = any(a.kind in ("P", "Q", "U") for a in atoms[at + 1 :])
    start = at
    either = draft.text[atoms[at].start : atoms[at].end] in ("或", "或者", "还是", "要么")
    if goods_after and not either:
        k = start - 1
        while k >= 0 and atoms[k].kind in ("SP", "FILL"):
            k -= 1
        first = next(a for a in atoms[at + 1 :] if a.kind in ("P", "Q", "U"))
        return k if k >= 0 and atoms[k].kind in ("P", "U") and first.kind == "Q" else start  # 苹果最多2箱
    while (
        start
        and atoms[start - 1].kind in ("SP", "FILL", "TEXT", "COLON", "DASH")
        and atoms[start - 1].kind != "SEP"
    ):
        start -= 1
    if start and atoms[start - 1].kind == "Q":
        start -= 1
    while start and atoms[start - 1].kind in ("SP", "FILL"):
        start -= 1
    if start and atoms[start - 1].kind in ("P", "U"):
        start -= 1
    return start


def variants(draft: Draft, atoms: list[Atom]) -> bool:
    """1（原味+咸蛋黄）: the bracket tells which of the product before it, one of each."""
    last = draft.items[-1] if draft.items else None
    products = [a for a in atoms if a.kind == "P"]
    if last is None or last.issue:
        return False
    if options(draft, atoms, last):
        return True
    if not products or not last.mask & (last.mask - 1):
        return False
    if any(a.kind not in ("P", "Q", "SP", "PLUS", "PAUSE", "SLASH") for a in atoms):
        return False
    if not all(a.mask & last.mask for a in products):
        return False
    for atom in products:
        atom.mask &= last.mask
    if last.amount is not None and len(products) == 1 and not any(a.kind == "Q" for a in atoms):
        last.mask = products[0].mask
        return True
    draft.items.remove(last)
    return False


def options(draft: Draft, atoms: list[Atom], last: Item) -> bool:
    """8（抹茶/黑芝麻）: flavours which the list does not know are a note about the product before."""
    if any(a.kind == "Q" or (a.kind == "P" and (a.strength == FULL or a.mask & last.mask)) for a in atoms):
        return False
    if not any(a.kind in ("P", "U") for a in atoms) or any(a.kind in OPERATIONS for a in atoms):
        return False
    draft.out.notes.append((atoms[0].start, atoms[-1].end))
    for atom in atoms:
        atom.claimed = True
    return True


def breakdown(draft: Draft, atoms: list[Atom]) -> bool:
    """（1份少饭，1份白米饭）: a bracket with amounts but no product explains, it does not order."""
    if any(a.kind in ("P", "U") and (a.end - a.start > 1 or a.strength == FULL) for a in atoms) or not (
        draft.items or draft.numbers
    ):
        return False
    texts = [
        a
        for a in atoms
        if a.kind in ("TEXT", "TIME") and any(c.isalnum() for c in draft.text[a.start : a.end])
    ]
    if not texts or any(a.kind in ("CANCEL", "REPL", "SUB", "ADD") and a is atoms[0] for a in atoms):
        return False
    if (
        any(a.kind == "Q" for a in atoms)
        and not draft.catalogue.single
        and not vocabulary.NOTE_HINTS.search(draft.text[atoms[0].start : atoms[-1].end])
    ):
        return False
    draft.out.notes.append((atoms[0].start, atoms[-1].end))
    for atom in atoms:
        atom.claimed = True
    return True


def strangers(draft: Draft, atoms: list[Atom]) -> None:
    """A word nobody knows beside a number, or one that ends like food, is a product not in the list."""
    for k, atom in enumerate(atoms):
        if atom.kind == "U" and not atom.claimed:
            unknown(draft, atom, atoms, k)
        elif atom.kind == "TEXT" and not atom.claimed and draft.catalogue.single:
            word = draft.text[atom.start : atom.end].strip()
            if names_goods(word) and word not in draft.heading and draft.tokens[atom.first].depth == 0:
                draft.other_goods.append((atom.start, atom.end))
        elif atom.kind == "TEXT" and not atom.claimed and not is_size(draft.text[atom.start : atom.end]):
            word = draft.text[atom.start : atom.end].strip()
            if stranger(draft, word, atoms, k):
                unknown(draft, atom, atoms, k)


def unknown(draft: Draft, atom: Atom, atoms: list[Atom], k: int) -> None:
    atom.claimed = True
    mask = atom.mask or draft.catalogue.near(draft.text[atom.start : atom.end])
    draft.out.issues.append(("unknown_product", atom.start, atom.end, mask))
    for near in (beside(draft, atoms, k, 1), beside(draft, atoms, k, -1)):
        if near is not None and any(n[0] is near for n in draft.numbers):
            draft.numbers = [n for n in draft.numbers if n[0] is not near]
            near.claimed = True
            return


def beside(draft: Draft, atoms: list[Atom], k: int, step: int) -> Atom | None:
    k += step
    while 0 <= k < len(atoms) and atoms[k].kind in ("SP", "FILL", "COLON", "ADD"):
        k += step
    return atoms[k] if 0 <= k < len(atoms) and atoms[k].kind == "Q" else None


def stranger(draft: Draft, word: str, atoms: list[Atom], k: int) -> bool:
    """Whether an unknown word is a product nobody sells here rather than a remark or somebody (代 张奶奶)."""
    letters = [c for c in word if c.isalpha()]
    waiting = [n[0] for n in draft.numbers]
    near = [beside(draft, atoms, k, 1), beside(draft, atoms, k, -1)]
    counted = any(n is not None and n in waiting for n in near)
    if not letters or len(word) > 10 or is_remark(word, counted=counted) or is_extra(word):
        return False
    if places.is_kin(word) and not names_goods(word, counted=counted):
        return False
    if counted:
        return len(letters) > 1 or word[-1] in vocabulary.GOODS_ENDINGS
    return names_goods(word) or (2 <= len(word) <= 5 and word[-1] in vocabulary.GOODS_ENDINGS)


def leftover_notes(draft: Draft, atoms: list[Atom]) -> None:
    """Words that ordered nothing are a note, as written, without the polite ones at its ends."""
    waiting = {id(n[0]) for n in draft.numbers}
    run: list[Atom] = []
    for atom in [*atoms, None]:
        counted = atom is not None and atom.kind == "Q" and id(atom) in waiting and not explains(draft, atom)
        if atom is not None and not atom.claimed and not counted and atom.kind not in ("P",):
            run.append(atom)
            continue
        flush(draft, run)
        run = []


def explains(draft: Draft, atom: Atom) -> bool:
    """In a campaign of one product, a second number with words behind it explains the first."""
    if not draft.catalogue.single:
        return False
    first = draft.numbers[0][0] if draft.numbers else None
    if (first is atom and not draft.items) or not draft.runs_on(atom):
        return False
    draft.numbers = [n for n in draft.numbers if n[0] is not atom]
    if (
        first is not None
        and draft.runs_on(first)
        and not draft.items
        and draft.text[atom.start - 1] not in "中另("
    ):
        # 一份多饭，一份正常: one of each kind, or one that is told about twice?
        draft.out.issues.append(("ambiguous_qty", first.start, atom.end, draft.catalogue.everything))
    return True


def flush(draft: Draft, run: list[Atom]) -> None:
    while (
        run
        and run[0].kind == "FILL"
        and not (len(run) > 1 and run[1].start == run[0].end and run[1].kind == "TEXT")
    ):
        run.pop(0)
    while run and run[0].kind in ("SP", "POLITE", "COLON", "DASH", "DOT", "PAUSE", "PLUS", "SLASH"):
        run.pop(0)
    while run and run[-1].kind in ("SP", "POLITE", "COLON", "DASH", "DOT", "PAUSE", "PLUS", "SLASH"):
        if (
            run[-1].kind == "POLITE"
            and len(run) > 1
            and run[-2].kind != "SP"
            and run[-2].end == run[-1].start
        ):
            break  # 要蒸好的: part of the word before
        run.pop()
    words = [
        a
        for a in run
        if a.kind
        in ("TEXT", "TIME", "CANCEL", "ADD", "REPL", "COND", "ONEEACH", "OTHERS", "VAGUE", "SUB", "EACH")
    ]
    if words and any(c.isalnum() for a in words for c in draft.text[a.start : a.end]):
        draft.out.notes.append((run[0].start, run[-1].end))
