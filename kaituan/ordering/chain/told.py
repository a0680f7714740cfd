"""What is told about goods that are ordered already: which share of them is how, what they are named for again,
and in which case they are not wanted. All of it is a note; nothing of it orders."""

import re

from .catalogue import FULL, PART
from .draft import Draft
from .goods import Atom
from .goods_words import is_extra, is_remark, is_size
from .quantities import WEIGHTS_G, Amount

_PORTION = re.compile(r"(?:分|分成|分装成?|切成?|剁成?|拆成?|装成?|每[天周日次人家]?|其中|里面)$")
"""分两袋, 每份一斤, 其中一箱要甜的: the number behind tells how what is ordered is shared out."""


_GIFT = re.compile(r"(?:^|.)(?:送|搭|饶|赠|多给|给)(?:一?[点些根棵个把两几]|几[根棵个])?$")


def gifts(draft: Draft, atoms: list[Atom]) -> None:
    """送根葱, 多给点葱: asked for on top, not ordered; 其中一个小的免票 tells about a part of what is ordered."""
    for k, atom in enumerate(atoms):
        back = k - 1
        while back > 0 and atoms[back].kind == "FILL" and atoms[back].end == atoms[back + 1].start:
            back -= 1  # 送个橙子
        before = atoms[back] if k else None
        if (
            atom.kind == "P"
            and not atom.claimed
            and before is not None
            and before.kind == "TEXT"
            and before.end == atoms[back + 1].start
            and not _amount_behind(atoms, k)
            and _GIFT.search(draft.text[before.start : atom.start])
        ):
            draft.out.notes.append((before.start, atom.end))
            before.claimed = atom.claimed = True
        counted = draft.items or draft.numbers or any(a.kind == "Q" for a in atoms[:k])
        if counted and atom.kind == "TEXT" and not atom.claimed and draft.text.startswith("其中", atom.start):
            draft.out.notes.append((atom.start, atoms[-1].end))
            for told in atoms[k:]:
                told.claimed = True
            return


_NOT_NOW = re.compile(r"上次|还没|吃完|用完|不买|先不|暂不|下次|下周|下回|以后|改天|还有剩|没喝完")
_HEFT = re.compile(r"\s?(?:的|左右|以上|以下|上下|/|重|起|大小|规格)|\)")


def not_now(draft: Draft, atoms: list[Atom]) -> None:
    """枸杞上次的还没吃完, 枸杞看下周: goods without an amount, and words that say when rather than how; asked about."""
    for k, atom in enumerate(atoms):
        if atom.kind != "P" or atom.claimed or _amount_behind(atoms, k) or (k and atoms[k - 1].kind == "Q"):
            continue
        stop = k + 1
        while (
            stop < len(atoms)
            and atoms[stop].kind in ("TEXT", "FILL", "TIME", "CANCEL")
            and atoms[stop].end > atom.end
        ):
            stop += 1
        words = draft.text[atom.end : atoms[stop - 1].end]
        if atoms[stop - 1] is not atom and atoms[k + 1].start == atom.end and _NOT_NOW.search(words):
            draft.out.issues.append(("unclear", atom.start, atoms[stop - 1].end, atom.mask))
            for told in atoms[k:stop]:
                told.claimed = True


def heft(draft: Draft, atoms: list[Atom]) -> None:
    """4只 3两左右的: how heavy each should be, of goods that are sold by the piece."""
    measures = draft.catalogue.measures
    for k, atom in enumerate(atoms):
        if atom.kind != "Q" or atom.claimed or atom.value.unit not in WEIGHTS_G or atom.value.sign:
            continue
        if not _HEFT.match(draft.text, atom.end):
            continue
        whole = next((a for a in reversed(atoms[:k]) if a.kind == "P"), None)
        mask = whole.mask if whole is not None else draft.items[-1].mask if draft.items else 0
        counted = any(a.kind == "Q" for a in atoms[:k]) or (
            whole is None and draft.items and draft.items[-1].amount
        )
        pieces = all(not measures[i].loose_g and not measures[i].pack_g for i in draft.catalogue.bits(mask))
        if mask and counted and pieces:
            stop = k + 1
            while (
                stop < len(atoms)
                and atoms[stop].kind in ("TEXT", "FILL")
                and atoms[stop].start == atoms[stop - 1].end
            ):
                stop += 1
            draft.out.notes.append((atom.start, atoms[stop - 1].end))
            for told in atoms[k:stop]:
                told.claimed = True


def told_amounts(draft: Draft, atoms: list[Atom]) -> None:
    """空桶1个带走, 分开两袋装: a number inside a remark, when every product before has its own."""
    if draft.catalogue.single or any(a.kind in ("U",) for a in atoms):
        return
    start = 0
    while start < len(atoms):
        end = start
        while end < len(atoms) and atoms[end].kind in ("TEXT", "Q", "FILL", "TIME") and (
            end == start or atoms[end].start == atoms[end - 1].end
        ):  # fmt: skip
            end += 1
        run = atoms[start:end]
        start = max(end, start + 1)
        while run and run[0].kind == "Q":
            run = run[1:]
        if len(run) < 2 or not any(a.kind == "Q" for a in run):
            continue
        before = [a.kind for a in atoms if a.end <= run[0].start]
        if is_size(draft.text[run[0].start : run[0].end]):
            continue
        waiting = before.count("P") > before.count("Q") or any(
            a.kind == "P" and a.start >= run[-1].end for a in atoms
        )
        ends = next((a.kind for a in reversed(run) if a.kind != "FILL"), "")
        tail = ends == "TEXT" or (run[0].kind == "TEXT" and ends == "Q")
        words = [draft.text[a.start : a.end] for a in run if a.kind == "TEXT"]
        if (
            waiting
            or not tail
            or not any(is_remark(w, counted=True) or _PORTION.search(w) or is_extra(w) for w in words)
        ):
            continue
        if not draft.items and not before.count("P"):
            continue
        draft.out.notes.append((run[0].start, run[-1].end))
        for atom in run:
            atom.claimed = True


def said_again(draft: Draft, atoms: list[Atom]) -> None:
    """奶茶2罐，奶茶要原味: a product that is ordered already, named again with words behind it, is told about."""
    ordered = draft.catalogue.everything if draft.catalogue.single and draft.numbers else 0
    for item in draft.items:
        if item.amount is not None and not item.mask & (item.mask - 1):
            ordered |= item.mask
    k = 0
    while k < len(atoms):
        atom = atoms[k]
        if atom.kind != "P" or atom.claimed:
            k += 1
            continue
        counted = k + 1 < len(atoms) and atoms[k + 1].kind in ("Q", "SP") and _amount_behind(atoms, k)
        if counted:
            ordered |= atom.mask if not atom.mask & (atom.mask - 1) else 0
        stop = k + 1
        while stop < len(atoms) and atoms[stop].kind not in ("SP", "PAUSE", "PLUS", "SLASH"):
            stop += 1
        start = k
        while start and atoms[start - 1].kind == "FILL" and atoms[start - 1].end == atoms[start].start:
            start -= 1
        if not counted and ordered & atom.mask and _tells(draft, atoms[start:stop], atom):
            draft.out.notes.append((atoms[start].start, atoms[stop - 1].end))
            for told in atoms[start:stop]:
                told.claimed = True
        k = stop if not counted else k + 1


def _amount_behind(atoms: list[Atom], k: int) -> bool:
    behind = next((a for a in atoms[k + 1 :] if a.kind not in ("SP", "COLON")), None)
    return behind is not None and behind.kind == "Q"


def _tells(draft: Draft, chunk: list[Atom], product: Atom) -> bool:
    """Whether what touches a product is a wish about it: 要小包装的, 不要切, 要冰的; not 不要了, 再加."""
    kinds = [a.kind for a in chunk]
    if product.strength == PART and product.end - product.start == 1 and kinds[1:2] in (["SUB"], ["VAGUE"]):
        return "Q" not in kinds  # 饭少一点
    if any(
        kind in ("Q", "SUB", "REPL", "EACH", "ONEEACH", "ALL", "UNSURE", "PAID", "MONEY") for kind in kinds
    ):
        return False
    if product.strength == PART and product.end - product.start == 1:
        if (
            draft.text[product.end : product.end + 1] == "的"
            or draft.text[product.start - 1 : product.start] == "要"
        ):
            return True
        return "TEXT" in kinds and ("FILL" in kinds or "CANCEL" in kinds)  # 鱼要活的
    plain = kinds[1:] and set(kinds[1:]) == {"FILL"} and chunk[-1].end - product.end > 2  # 要新鲜的
    return bool(plain or "TEXT" in kinds) and all(not a.mask or a is product for a in chunk)


def shares(draft: Draft, atoms: list[Atom]) -> None:
    """黄焖鸡x2 一份微辣一份不辣: amounts with words behind them that share out what was ordered just before."""
    for k, atom in enumerate(atoms):
        if (
            atom.kind != "Q"
            or atom.claimed
            or not atom.value.unit
            or atom.value.sign
            or atom.value.amount is None
        ):
            continue
        if k and atoms[k - 1].kind not in ("SP", "PAUSE"):
            continue
        behind = atoms[k + 1] if k + 1 < len(atoms) else None
        if behind is None or behind.start != atom.end or behind.kind not in ("TEXT", "CANCEL", "FILL", "U"):
            continue
        whole = _ordered_before(draft, atoms[:k])
        if (
            whole is None
            or whole.amount is None
            or whole.amount < 2
            or whole.unit not in ("", "份", atom.value.unit)
        ):
            continue
        stop = next(
            (n for n in range(k + 1, len(atoms)) if atoms[n].kind == "P" and atoms[n - 1].kind == "SP"),
            len(atoms),
        )
        part = atoms[k:stop]
        if _shared_out(draft, part, whole):
            draft.out.notes.append((part[0].start, part[-1].end))
            for told in part:
                told.claimed = True
            return


def _ordered_before(draft: Draft, atoms: list[Atom]) -> Amount | None:
    """The amount ordered last, in this clause or in the one before."""
    for n in range(len(atoms) - 1, -1, -1):
        if atoms[n].kind == "Q" and any(a.kind == "P" for a in atoms[max(0, n - 2) : n + 3]):
            return atoms[n].value if isinstance(atoms[n].value, Amount) else None
    if any(a.kind in ("P", "Q") for a in atoms):
        return None
    if draft.items and draft.items[-1].clause >= draft.clause - 1:
        return draft.items[-1].amount
    return draft.numbers[-1][0].value if draft.numbers else None


def _shared_out(draft: Draft, part: list[Atom], whole: Amount) -> bool:
    amounts = [a.value.amount for a in part if a.kind == "Q" and a.value.unit]
    if any(a is None for a in amounts) or sum(amounts) > (whole.amount or 0):
        return False
    if any(
        a.kind in ("ADD", "SUB", "REPL", "EACH", "REF", "PAID") or (a.kind == "P" and a.strength == FULL)
        for a in part
    ):
        return False
    if len(amounts) > 1 and sum(amounts) == whole.amount:
        return True
    words = [draft.text[a.start : a.end] for a in part if a.kind == "TEXT"]
    wishes = any(a.kind == "CANCEL" for a in part)
    return wishes or (bool(words) and is_remark(words[0], counted=True)) or words[:1] in (["是"], ["其中"])


def conditional(draft: Draft, atoms: list[Atom]) -> bool:
    """小于1斤的就不要了: what holds in some case only withdraws nothing."""
    at = next((k for k, a in enumerate(atoms) if a.kind == "CANCEL"), None)
    if at is None or not draft.text[: atoms[at].start].rstrip().endswith("就"):
        return False
    if not any(a.kind in ("TEXT", "Q") for a in atoms[:at] if draft.text[a.start : a.end] != "就"):
        return False
    draft.out.notes.append((atoms[0].start, atoms[-1].end))
    for atom in atoms:
        atom.claimed = True
    return True
