"""What is known while one entry is read: its products with and without numbers, and numbers without products."""

from dataclasses import dataclass, field

from . import statement as st
from .binding import pair
from .catalogue import FULL, Catalogue
from .goods import Atom
from .goods_words import is_remark, is_size
from .head import Head
from .lexer import Lexer, Token
from .quantities import WEIGHTS_G, Amount, in_unit
from .statement import Statement, Step

_STOPS = " \n,;。)]、!+./~([|…:"
_FILLERS = frozenset("大份装款们家")


OPERATIONS = frozenset(
    [
        "ADD",
        "SUB",
        "REPL",
        "CANCEL",
        "EACH",
        "ONEEACH",
        "ALL",
        "OTHERS",
        "EXCEPT",
        "REF",
        "REFNO",
        "REFNAME",
        "VAGUE",
    ]
)
"""The kinds of tokens that begin a new operation."""


@dataclass(slots=True)
class Item:
    """A product (mask) with or without an amount, on its way to a Step."""

    op: str
    mask: int
    amount: Amount | None
    start: int
    end: int
    strength: int = FULL
    issue: str = ""
    parts: tuple[int, ...] = ()
    clause: int = 0
    amount_at: int = -1
    swap_to: "Item | None" = None
    each: bool = False
    glued: bool = False


def joined(pairs: list[tuple[Atom | None, Atom | None]], text: str) -> list[tuple[Atom | None, Atom | None]]:
    """雨衣1蓝: what touches the number from behind may say which one is meant."""
    out: list[tuple[Atom | None, Atom | None]] = []
    for product, number in pairs:
        before, amount = out[-1] if out else (None, None)
        if before is not None and amount is not None and product is not None and number is None:
            both = before.mask & product.mask
            if both and before.mask & (before.mask - 1) and product.start == amount.end > before.end:
                before.mask, before.parts = both, (*before.parts, product.mask)
                product.claimed = True
                continue
        out.append((product, number))
    return out


@dataclass(slots=True)
class Draft:
    """The state of one entry on its way to a Statement. current: the atoms of the clause that is being read.

    numbers: (atom, operation, clause, whether words touch it from behind). waiting_mask: the products
    that 其他 or 除了 left for the 各 to come. other_goods: names of goods in a campaign of one other product.
    """

    text: str
    tokens: list[Token]
    lexer: Lexer
    out: Statement
    heading: str = ""
    items: list[Item] = field(default_factory=list)
    numbers: list[tuple[Atom, str, int, bool]] = field(default_factory=list)
    extra: list[Step] = field(default_factory=list)
    current: list[Atom] = field(default_factory=list)
    clause: int = 0
    mode: str = st.PLAIN
    doubt: bool = False
    waiting_mask: int = 0
    pointed: bool = False
    totals: list[Atom] = field(default_factory=list)
    other_goods: list[tuple[int, int]] = field(default_factory=list)

    @property
    def catalogue(self) -> Catalogue:
        return self.lexer.catalogue

    @property
    def head(self) -> Head:
        return self.out.head

    def neighbour(self, atoms: list[Atom], k: int, step: int) -> Atom | None:
        k += step
        while 0 <= k < len(atoms) and atoms[k].kind in ("SP", "COLON", "FILL"):
            k += step
        return atoms[k] if 0 <= k < len(atoms) and not atoms[k].claimed else None

    def money_of(self, atom: Atom, *, behind: bool = False) -> int | None:
        """Fen when the atom can be an amount of money, else None."""
        if atom.kind == "MONEY":
            return int(atom.value)
        if (
            atom.kind != "Q"
            or not isinstance(atom.value, Amount)
            or not atom.value.bare
            or atom.value.amount is None
        ):
            return None
        if not self.text[atom.start : atom.end].strip()[:1].isdigit():
            return None
        whole = atom.value.amount == atom.value.amount.to_integral_value()
        if behind and whole and atom.value.amount < 30:
            return None
        return int(atom.value.amount * 100)

    def is_price_of(self, fen: int, products: list[Atom]) -> bool:
        return any(
            self.catalogue.products[i].price_fen == fen for a in products for i in self.catalogue.bits(a.mask)
        )

    def plain(self, goods: list[Atom], op: str, *, in_brackets: bool = False) -> None:
        """Products with their numbers. A number in a bracket belongs to the product just before it."""
        blocks: list[list[Atom]] = [[]]
        for atom in goods:
            if atom.kind == "U":
                blocks.append([])
            else:
                if blocks[-1] and self.blocked(blocks[-1][-1], atom):
                    blocks.append([])
                blocks[-1].append(atom)
        for block in blocks:
            for product, number in joined(pair(block, self.text, self.catalogue.measures), self.text):
                if product is not None:
                    self.add_item(product, number, op)
                elif number is not None:
                    self.number(number, op, in_brackets)

    def blocked(self, left: Atom, right: Atom) -> bool:
        """Whether unknown words stand between two atoms: 苹果 和 香菜 2."""
        between = self.text[left.end : right.start]
        if not any(c.isalnum() for c in between):
            return False
        for token in self.tokens:
            if token.start >= left.end and token.end <= right.start and token.kind == "TEXT":
                word = self.text[token.start : token.end]
                if (
                    not is_remark(word, counted=right.kind == "Q")
                    and not is_size(word)
                    and any(c.isalnum() for c in word)
                    and not set(word) <= _FILLERS
                ):
                    return True
        return False

    def add_item(self, product: Atom, number: Atom | None, op: str) -> None:
        amount = number.value if number is not None else None
        if amount is not None and amount.sign == "-" and op == st.PLAIN:
            op = st.SUBTRACT
        elif (
            amount is not None
            and amount.sign == "+"
            and op == st.PLAIN
            and number is not None
            and number.start > product.start
        ):
            op = st.ADD
        start = min(product.start, number.start) if number is not None else product.start
        end = max(product.end, number.end) if number is not None else product.end
        product.claimed = True
        if number is not None:
            number.claimed = True
        mask = self.with_context(product, counted=number is not None)
        self.items.append(
            Item(
                op,
                mask,
                amount,
                start,
                end,
                product.strength,
                parts=product.parts,
                clause=self.clause,
                amount_at=number.start if number else -1,
            )
        )

    def with_context(self, product: Atom, *, counted: bool) -> int:
        """L2 after 白色 M1: what is left open is narrowed by the parts of the product before."""
        mask = product.mask
        if not counted or not mask & (mask - 1) or not self.items:
            return mask
        previous = self.items[-1]
        for part in (previous.mask if previous.amount is None else 0, *previous.parts[:-1]):
            narrowed = mask & part
            if narrowed and not narrowed & (narrowed - 1):
                if previous.amount is None and previous.mask & (previous.mask - 1):
                    self.items.remove(previous)
                return narrowed
        return mask

    def number(self, number: Atom, op: str, in_brackets: bool) -> None:
        """A number without a product in its segment."""
        last = self.items[-1] if self.items else None
        if in_brackets and last is not None and last.amount is None and last.clause >= self.clause - 1:
            last.amount, last.end, number.claimed = number.value, number.end, True
            last.amount_at = number.start
            return
        if (
            in_brackets
            and last is not None
            and last.amount is not None
            and number.value.amount == last.amount.amount
        ):
            number.claimed = True
            return
        sign = number.value.sign
        if sign == "-" and op == st.PLAIN:
            op = st.SUBTRACT
        elif sign == "+" and op == st.PLAIN:
            op = st.ADD
        glued = self.runs_on(number)
        if op == st.PLAIN and last is not None and not glued and self.answers(last, number):
            number.claimed = True
            last.amount, last.end, last.amount_at = number.value, number.end, number.start
            return
        if op == st.PLAIN and last is not None and last.amount is not None and self.sized(number):
            op = st.ADD  # K1 M码1件、L码1件: one more, in another size
        if sign == "+" and number.start and self.text[number.start - 1].isdigit():
            self.one_plus_one(number, last)
            return
        if (
            op in (st.ADD, st.SUBTRACT, st.SET)
            and last is not None
            and not glued
            and last.clause >= self.clause - 1
        ) and self.continue_last(last, number, op):
            return
        self.numbers.append((number, op, self.clause, glued))

    def sized(self, number: Atom) -> bool:
        """Whether a size stands right in front of a number."""
        return any(
            t.kind == "TEXT" and t.end == number.start and is_size(self.text[t.start : t.end])
            for t in self.tokens
        )

    def answers(self, last: Item, number: Atom) -> bool:
        """苹果，1箱: the amount of the product before the comma, when that one alone waits for an amount."""
        if last.amount is not None or last.clause == self.clause or len(self.open_run()) != 1 or self.numbers:
            return False
        bits = self.catalogue.bits(last.mask)
        if len(bits) != 1 or in_unit(number.value, self.catalogue.measures[bits[0]]) is None:
            return False
        touching = not self.text[last.end : number.start].strip(" ,:;\n")
        return bool(number.value.unit) or (touching and (number.value.amount or 0) < 100)

    def one_plus_one(self, number: Atom, last: Item | None) -> None:
        """1+1: two, or one and one for free?"""
        number.claimed = True
        if last is not None:
            last.issue = "ambiguous_qty"
        else:
            start = self.numbers.pop()[0].start if self.numbers else number.start
            self.out.issues.append(("ambiguous_qty", start, number.end, 0))

    def continue_last(self, last: Item, number: Atom, op: str) -> bool:
        """草莓 加1, 馒头2改3: the number is about the product before the word."""
        number.claimed = True
        if last.amount is None:
            last.op, last.amount, last.end, last.amount_at = op, number.value, number.end, number.start
        else:
            self.items.append(
                Item(
                    op,
                    last.mask,
                    number.value,
                    number.start,
                    number.end,
                    last.strength,
                    clause=self.clause,
                    amount_at=number.start,
                )
            )
        return True

    def cancel_all(self, start: int, end: int) -> None:
        """Everything said so far and before is withdrawn."""
        self.items = [i for i in self.items if i.op == st.DROP]
        self.numbers.clear()
        self.items.clear()
        self.extra.append(Step(st.CANCEL, start=start, end=end))

    def open_run(self) -> list[Item]:
        """The unbroken list of products without a number that ends here."""
        run: list[Item] = []
        for item in reversed(self.items):
            if item.amount is not None or item.each or item.op == st.DROP or item.clause < self.clause - 3:
                break
            run.append(item)
        return run[::-1]

    def book_all(self, mask: int, amount: Amount | None, start: int, end: int) -> None:
        for bit in self.catalogue.bits(mask):
            self.items.append(
                Item(self.mode, 1 << bit, amount, start, end, clause=self.clause, each=True, amount_at=start)
            )

    def runs_on(self, atom: Atom) -> bool:
        """Whether words touch the number from behind: 1份少饭, but not 1碗吧."""
        if not self.text[atom.end : atom.end + 1].strip(_STOPS):
            return False
        return not any(a.start == atom.end and a.kind in ("FILL", "POLITE") for a in self.current)

    def mask_of_number(self, amount: Amount) -> int:
        """The products meant by a counter alone."""
        if self.catalogue.single:
            return self.catalogue.everything
        if not amount.unit or amount.unit == "份":
            return 0
        mask = self.catalogue.by_counter(amount.unit)
        if not mask and amount.unit in WEIGHTS_G:
            mask = sum(1 << i for i, m in enumerate(self.catalogue.measures) if m.loose_g)
        return mask
