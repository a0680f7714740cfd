"""A row of numbers under a heading that announces the columns: 姓名 橙子 草莓 / 王姐 2 1; 0 is none."""

import itertools

from . import statement as st
from .draft import Draft, Item
from .goods import Atom


def row_of_numbers(draft: Draft, atoms: list[Atom]) -> None:
    """Books as many bare numbers side by side as there are columns: 0 0 2 1 酱油要小瓶的."""
    columns = draft.lexer.style.columns
    if not columns or draft.items or draft.numbers:
        return
    numbers = list(itertools.takewhile(lambda a: a.kind in ("Q", "SP", "SLASH", "PAUSE", "DASH"), atoms))
    numbers = [a for a in numbers if a.kind == "Q"]
    if len(numbers) == len(columns) and all(a.value.bare for a in numbers):
        book_row(draft, numbers)


def book_row(draft: Draft, numbers: list[Atom]) -> None:
    """The n-th number for the product of the n-th column."""
    for atom, product in zip(numbers, draft.lexer.style.columns, strict=True):
        atom.claimed = True
        if atom.value.amount:
            draft.items.append(
                Item(
                    st.PLAIN,
                    1 << product,
                    atom.value,
                    atom.start,
                    atom.end,
                    clause=draft.clause,
                    amount_at=atom.start,
                )
            )
