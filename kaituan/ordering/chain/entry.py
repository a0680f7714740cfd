"""One entry (or chat message) to a Statement: tokens, head, then clause by clause what is ordered.

The rules by their words are in `operations` (各 全要 改成 取消 加 同上), `remarks` (doubts, notes, unknown words),
`told` (一份微辣一份不辣, 奶茶要原味), `rows` (numbers under columns),
`prices` (money) and `steps` (numbers left alone, units)."""

import re

from . import operations, remarks, told
from .draft import OPERATIONS, Draft
from .goods import Atom, atoms_of
from .head import HeadReader
from .lexer import Lexer, Token
from .prices import prices
from .rows import row_of_numbers
from .statement import PLAIN, Statement
from .steps import finish

_EDGE = frozenset({"SEP", "NL", "LP", "RP"})
_STRUCK = re.compile(r"~~(.+?)~~")
_TOGETHER = re.compile(r"我(?:和|跟|与|、)[^,，。;\s\d]{1,6}?(?:都|一起|两个人|各)")
LONGEST = 1500
"""Characters of one entry that are read; nobody orders in more, and the rest is asked about."""


def read_entry(raw: str, lexer: Lexer, *, sender: bool = False, heading: str = "") -> Statement:
    """What the plain text of one entry says. sender: it is a chat message, whose author is known already."""
    text, struck = _strike(raw[:LONGEST])
    tokens = lexer.tokens(text)
    out = Statement(text, HeadReader(text, tokens, lexer, sender=sender).read())
    draft = Draft(text, tokens, lexer, out, heading)
    if len(raw) > LONGEST:
        out.issues.append(("unclear", LONGEST - 1, LONGEST, 0))
    if found := _TOGETHER.search(text):
        draft.doubt = True
        out.issues.append(("unclear", found.start(), found.end(), 0))
    for clause in _clauses(draft):
        draft.clause += 1
        _clause(draft, clause)
    if struck and not draft.items and not draft.numbers:
        draft.cancel_all(0, len(text))
    finish(draft)
    return out


def _strike(text: str) -> tuple[str, bool]:
    """~~struck out~~: gone. When all of it is struck the entry is withdrawn but keeps its name."""
    if "~~" not in text:
        return text, False
    found = list(_STRUCK.finditer(text))
    if not found:
        return text, False
    rest = _STRUCK.sub("", text)
    if not any(c.isalnum() for c in rest):
        return text.replace("~~", "  ").rstrip() + " 取消", False
    for match in found:
        text = text[: match.start()] + " " * (match.end() - match.start()) + text[match.end() :]
    return text, True


def _clauses(draft: Draft) -> list[list[tuple[int, Token]]]:
    """Unused tokens between commas, line ends and brackets; conditions are cut off as notes."""
    clauses: list[list[tuple[int, Token]]] = [[]]
    used = draft.out.head.used
    for i, token in enumerate(draft.tokens):
        if token.kind in _EDGE:
            clauses.append([])
            if token.kind == "LP":
                clauses[-1].append((i, token))
        elif i not in used:
            clauses[-1].append((i, token))
        elif clauses[-1] and clauses[-1][-1][1].kind != "SP":
            clauses[-1].append((i, Token("SP", token.start, token.end)))
    return _without_conditions(
        draft,
        [
            c
            for c in clauses
            if any(t.kind not in ("SP", "DASH", "DOT", "COLON", "LP", "SLASH") for _, t in c)
        ],
    )


def _without_conditions(
    draft: Draft, clauses: list[list[tuple[int, Token]]]
) -> list[list[tuple[int, Token]]]:
    """没有的话换蓝莓, 缺货就不要了: from the condition to the end of its clause is a note."""
    kept = []
    carry = False
    for clause in clauses:
        at = next((k for k, (_, t) in enumerate(clause) if t.kind == "COND"), None)
        if carry and at is None:
            if not (_is_order(draft, clause) and clause[0][1].kind == "P"):
                _note(draft, clause)
                carry = False
                continue
            carry = False
        if at is None:
            kept.append(clause)
            continue
        start = at
        while (
            start
            and clause[start - 1][1].kind in ("TEXT",)
            and clause[start - 1][1].end == clause[start][1].start
        ):
            start -= 1
        if (
            start
            and clause[start - 1][1].kind == "P"
            and clause[start - 1][1].end == clause[start][1].start
            and not any(t.kind == "Q" for _, t in clause[start:])
        ):
            start -= 1
        elif (
            start and clause[start - 1][1].kind == "P" and clause[start - 1][1].end == clause[start][1].start
        ):
            # 红枣要是有新货也要一袋: goods on a condition.
            goods = clause[start - 1][1]
            draft.out.issues.append(("unclear", goods.start, clause[-1][1].end, goods.value))
            start -= 1
        stop = next(
            (k for k in range(at, len(clause)) if clause[k][1].kind in ("PAID", "UNPAID", "DEPOSIT")),
            len(clause),
        )
        _note(draft, clause[start:stop])
        tail = [t for _, t in clause[at + 1 :] if t.kind not in ("SP", "FILL")]
        carry = not tail or (len(tail) == 1 and draft.text[tail[0].start : tail[0].end] in ("的话", "话"))
        kept += [part for part in (clause[:start], clause[stop:]) if part]
    return kept


def _is_order(draft: Draft, clause: list[tuple[int, Token]]) -> bool:
    kinds = [t.kind for _, t in clause]
    return "P" in kinds and "Q" in kinds


def _note(draft: Draft, clause: list[tuple[int, Token]]) -> None:
    if clause:
        draft.out.notes.append((clause[0][1].start, clause[-1][1].end))


def _clause(draft: Draft, tokens: list[tuple[int, Token]]) -> None:
    in_brackets = tokens[0][1].kind == "LP" or tokens[0][1].depth > 0
    tokens = [(i, t) for i, t in tokens if t.kind != "LP"]
    if not tokens:
        return
    atoms = atoms_of(tokens, draft.text, draft.catalogue, draft.heading)
    draft.current = atoms
    remarks.marks(draft, atoms)
    if remarks.asks(draft, atoms):
        return
    atoms = remarks.pointing(draft, remarks.uncertain(draft, atoms))
    if not atoms:
        return
    if told.conditional(draft, atoms):
        return
    for atom in atoms:
        if atom.kind == "TOTAL":
            draft.totals.append(atom)
            atom.claimed = True
    row_of_numbers(draft, atoms)
    prices(draft, atoms)
    if in_brackets and remarks.variants(draft, atoms):
        return
    if in_brackets and remarks.breakdown(draft, atoms):
        return
    if not in_brackets:
        told.shares(draft, atoms)
        told.gifts(draft, atoms)
        told.not_now(draft, atoms)
        told.said_again(draft, atoms)
    told.heft(draft, atoms)
    told.told_amounts(draft, atoms)
    _segments(draft, atoms, in_brackets=in_brackets)
    remarks.strangers(draft, atoms)
    remarks.leftover_notes(draft, atoms)


def _segments(draft: Draft, atoms: list[Atom], *, in_brackets: bool) -> None:
    op: Atom | None = None
    part: list[Atom] = []
    for atom in atoms:
        if atom.kind in OPERATIONS and not atom.claimed:
            _segment(draft, op, part, in_brackets)
            op, part = atom, []
        else:
            part.append(atom)
    _segment(draft, op, part, in_brackets)


def _segment(draft: Draft, op: Atom | None, atoms: list[Atom], in_brackets: bool) -> None:
    """One operation word with the products and numbers behind it."""
    goods = [a for a in atoms if a.kind in ("P", "Q", "U") and not a.claimed]
    if op is None:
        draft.plain(goods, PLAIN if in_brackets else draft.mode, in_brackets=in_brackets)
        return
    _HANDLERS[op.kind](draft, op, atoms, goods)


_HANDLERS = {
    "ADD": operations.attach, "SUB": operations.attach, "REPL": operations.replace, "CANCEL": operations.cancel,
    "EACH": operations.each, "ONEEACH": operations.each, "ALL": operations.everything, "OTHERS": operations.others,
    "EXCEPT": operations.others, "REF": operations.refer, "REFNO": operations.refer, "REFNAME": operations.refer,
    "VAGUE": operations.vague,
}  # fmt: skip
