"""One entry (or chat message) to a Statement: tokens, head, then clause by clause what is ordered.

The rules by their words: 各 and 全要 in `_each` and `_all`, 改成 and 换成 in `_replace`, 取消 and 不要 in `_cancel`,
加 and 减 in `_attach`, numbers without a product in `_number_alone`, words nobody knows in `_strangers`."""

import re
from dataclasses import dataclass
from decimal import Decimal

from . import statement as st
from . import vocabulary
from .binding import pair
from .catalogue import FULL
from .goods import Atom, atoms_of
from .head import HeadReader, is_loose_room, plausible_flat
from .lexer import Lexer, Token
from .quantities import WEIGHTS_G, Amount, in_unit
from .statement import Statement, Step

_OPS = frozenset(
    {
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
    }
)
_EDGE = frozenset({"SEP", "NL", "LP", "RP"})
_OP_NAMES = {"ADD": st.ADD, "SUB": st.SUBTRACT, "REPL": st.SET}
_STRUCK = re.compile(r"~~(.+?)~~|--(?=\S)([^-\n]{2,60}?)--")
_ASKING = re.compile(
    r"还有吗|还有没|有吗|有没有|多少钱|几块|怎么卖|有货吗|什么价|能买吗|还能|还可以|好吃吗|新鲜吗|甜吗|几斤一|多重|多大|哪里"
)
_TOGETHER = re.compile(r"我(?:和|跟|与|、)[^,，。;\s\d]{1,6}?(?:都|一起|两个人|各)")
_STOPS = " \n,;。)]、!+./~([|…:"
LONGEST = 1500
"""Characters of one entry that are read; nobody orders in more, and the rest is asked about."""


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


class EntryReader:
    """Reads one entry. Reused for none: it holds the state of its entry."""

    def __init__(self, text: str, lexer: Lexer, *, sender: bool = False, heading: str = "") -> None:
        self.raw, self.lexer, self.sender, self.heading = text, lexer, sender, heading
        self.catalogue = lexer.catalogue
        self.items: list[Item] = []
        self.numbers: list[tuple[Atom, str, int, bool]] = []
        self.fronted: list[Item] = []
        self.extra: list[Step] = []
        self.clause = 0
        self.mode = st.PLAIN
        self.replacing = False
        self.doubt = False

    def read(self) -> Statement:
        text, struck = self._strike(self.raw[:LONGEST])
        self.text = text
        self.tokens = self.lexer.tokens(text)
        head = HeadReader(text, self.tokens, self.lexer, sender=self.sender).read()
        self.out = Statement(text, head)
        if len(self.raw) > LONGEST:
            self.out.issues.append(("unclear", LONGEST - 1, LONGEST, 0))
        if found := _TOGETHER.search(text):
            self.doubt = True
            self.out.issues.append(("unclear", found.start(), found.end(), 0))
        for clause in self._clauses():
            self.clause += 1
            self._clause(clause)
        if struck and not self.items and not self.numbers:
            self._cancel_all(0, len(text))
        self._finish()
        return self.out

    @staticmethod
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

    # Clauses

    def _clauses(self) -> list[list[tuple[int, Token]]]:
        """Unused tokens between commas, line ends and brackets; conditions are cut off as notes."""
        clauses: list[list[tuple[int, Token]]] = [[]]
        used = self.out.head.used
        for i, token in enumerate(self.tokens):
            if token.kind in _EDGE:
                clauses.append([])
                if token.kind == "LP":
                    clauses[-1].append((i, token))
            elif i not in used:
                clauses[-1].append((i, token))
            elif clauses[-1] and clauses[-1][-1][1].kind != "SP":
                clauses[-1].append((i, Token("SP", token.start, token.end)))
        return self._without_conditions(
            [
                c
                for c in clauses
                if any(t.kind not in ("SP", "DASH", "DOT", "COLON", "LP", "SLASH") for _, t in c)
            ]
        )

    def _without_conditions(self, clauses: list[list[tuple[int, Token]]]) -> list[list[tuple[int, Token]]]:
        """没有的话换蓝莓, 缺货就不要了: from the condition to the end of its clause is a note."""
        kept = []
        carry = False
        for clause in clauses:
            at = next((k for k, (_, t) in enumerate(clause) if t.kind == "COND"), None)
            if carry and at is None:
                if not (self._is_order(clause) and clause[0][1].kind == "P"):
                    self._note(clause)
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
            self._note(clause[start:])
            tail = [t for _, t in clause[at + 1 :] if t.kind not in ("SP", "FILL")]
            carry = not tail or (len(tail) == 1 and self.text[tail[0].start : tail[0].end] in ("的话", "话"))
            if start:
                kept.append(clause[:start])
        return kept

    def _is_order(self, clause: list[tuple[int, Token]]) -> bool:
        kinds = [t.kind for _, t in clause]
        return "P" in kinds and "Q" in kinds

    def _note(self, clause: list[tuple[int, Token]]) -> None:
        if clause:
            self.out.notes.append((clause[0][1].start, clause[-1][1].end))

    # One clause

    def _clause(self, tokens: list[tuple[int, Token]]) -> None:
        in_brackets = tokens[0][1].kind == "LP" or tokens[0][1].depth > 0
        tokens = [(i, t) for i, t in tokens if t.kind != "LP"]
        if not tokens:
            return
        atoms = atoms_of(tokens, self.text, self.catalogue, self.heading)
        self._current = atoms
        self._marks(atoms)
        if self._asks(atoms):
            return
        atoms = self._uncertain(atoms)
        if not atoms:
            return
        self._prices(atoms)
        if in_brackets and self._variants(atoms):
            return
        if in_brackets and self._breakdown(atoms):
            return
        before = len(self.items)
        self._segments(atoms, in_brackets=in_brackets)
        self._strangers(atoms)
        self._leftover_notes(atoms, before)

    def _marks(self, atoms: list[Atom]) -> None:
        """Paid, unpaid, deposit; a number right behind 已付 is money."""
        out = self.out
        for k, atom in enumerate(atoms):
            if atom.kind not in ("PAID", "UNPAID", "DEPOSIT"):
                continue
            atom.claimed = True
            if atom.kind == "PAID":
                out.paid = True
            else:
                out.unpaid = True
                out.notes.append((atom.start, atom.end))
            near = self._next(atoms, k, 1)
            if near is not None and self._money_of(near) is not None:
                if atom.kind == "PAID":
                    out.paid_sums.append((self._money_of(near) or 0, near.start, near.end))
                near.claimed = True
                continue
            near = self._next(atoms, k, -1)
            if (
                near is not None
                and near.kind in ("Q", "MONEY")
                and self._money_of(near, behind=True) is not None
                and atom.kind == "PAID"
            ):
                out.paid_sums.append((self._money_of(near) or 0, near.start, near.end))
                near.claimed = True

    def _next(self, atoms: list[Atom], k: int, step: int) -> Atom | None:
        k += step
        while 0 <= k < len(atoms) and atoms[k].kind in ("SP", "COLON", "FILL"):
            k += step
        return atoms[k] if 0 <= k < len(atoms) and not atoms[k].claimed else None

    def _money_of(self, atom: Atom, *, behind: bool = False) -> int | None:
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

    def _asks(self, atoms: list[Atom]) -> bool:
        """草莓还有吗: a question orders nothing."""
        words = self.text[atoms[0].start : atoms[-1].end + 1]
        if not vocabulary.QUESTION.search(words):
            return False
        if _ASKING.search(words) or not any(a.kind in ("P", "Q") for a in atoms):
            if any(a.kind == "P" for a in atoms):
                self.out.question = True
            self.out.notes.append((atoms[0].start, atoms[-1].end))
            for atom in atoms:
                atom.claimed = True
            return True
        return False

    def _uncertain(self, atoms: list[Atom]) -> list[Atom]:
        """可能, 待定, 或: what the doubt is about is asked, not booked. Returns the atoms that stay certain."""
        at = next((k for k, a in enumerate(atoms) if a.kind == "UNSURE"), None)
        if at is None:
            return atoms
        goods = [a for a in atoms if a.kind in ("P", "Q", "U")]
        words = self.text[atoms[at].start : atoms[at].end]
        either = words in ("或", "或者", "还是", "要么")
        if either and not goods:
            return atoms
        if not goods:
            return self._doubt_alone(atoms, at)
        start = self._doubt_from(atoms, at)
        doubtful = atoms[start:]
        mask = 0
        for atom in doubtful:
            mask |= atom.mask
            atom.claimed = True
        reason = "unclear"
        if either:
            reason = "ambiguous_product" if sum(a.kind == "P" for a in doubtful) > 1 else "ambiguous_qty"
        self.out.issues.append((reason, doubtful[0].start, doubtful[-1].end, mask))
        return atoms[:start]

    def _doubt_alone(self, atoms: list[Atom], at: int) -> list[Atom]:
        """待定 without a product: a doubt about all that is ordered, unless it names what it is about (颜色待定)."""
        words = [
            a
            for a in atoms
            if a.kind in ("TEXT", "TIME") and any(c.isalnum() for c in self.text[a.start : a.end])
        ]
        for atom in atoms:
            atom.claimed = True
        self.out.notes.append((atoms[0].start, atoms[-1].end))
        if words and words[0].start < atoms[at].start and not self.catalogue.single:
            if vocabulary.NOTE_HINTS.search(self.text[words[0].start : words[0].end]):
                return []
        self.doubt = True
        self.out.issues.append(("unclear", atoms[at].start, atoms[at].end, 0))
        return []

    def _doubt_from(self, atoms: list[Atom], at: int) -> int:
        """Where the doubt begins: 草莓再看看 is about 草莓, 可能要草莓2 about what follows, 2或3盒 about both."""
        goods_after = any(a.kind in ("P", "Q", "U") for a in atoms[at + 1 :])
        start = at
        either = self.text[atoms[at].start : atoms[at].end] in ("或", "或者", "还是", "要么")
        if goods_after and not either:
            return start
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

    def _prices(self, atoms: list[Atom]) -> None:
        """19.9 behind a product is its price; 39.9的 without one names the product."""
        products = [a for a in atoms if a.kind == "P"]
        for k, atom in enumerate(atoms):
            if atom.claimed or atom.kind not in ("Q", "MONEY"):
                continue
            fen = self._money_of(atom)
            if fen is None:
                continue
            after = atoms[k + 1] if k + 1 < len(atoms) else None
            names_it = after is not None and self.text[after.start : after.start + 1] in ("的", "那")
            decimal = atom.kind == "MONEY" or atom.value.amount % 1 != 0
            loose = any(
                self.catalogue.measures[i].loose_g for a in products for i in self.catalogue.bits(a.mask)
            )
            if (
                (names_it or (decimal and not products))
                and (mask := self.catalogue.by_price(fen))
                and self._sum_unlikely(atom)
            ):
                atom.kind, atom.mask, atom.strength, atom.parts = "P", mask, 2, (mask,)
                near = self._next(atoms, k, -1)
                if near is not None and near.kind == "P" and near.mask & mask:
                    near.mask &= mask
                    atom.kind, atom.claimed = "SP", True
            elif (
                atom.kind == "MONEY"
                or (decimal and not loose)
                or (decimal and self._is_price_of(fen, products))
            ):
                self.out.sums.append((fen, atom.start, atom.end))
                atom.kind, atom.claimed = "SP", True
        self._whole_prices(atoms)

    def _sum_unlikely(self, atom: Atom) -> bool:
        """An amount of money orders nothing when products were named already or it is called a sum."""
        return not self.items and not self.numbers and not (atom.kind == "MONEY" and atom.strength)

    def _is_price_of(self, fen: int, products: list[Atom]) -> bool:
        return any(
            self.catalogue.products[i].price_fen == fen for a in products for i in self.catalogue.bits(a.mask)
        )

    def _whole_prices(self, atoms: list[Atom]) -> None:
        """Of two numbers behind a product, the one that is its price (or price times the other) is money."""
        numbers = [a for a in atoms if a.kind == "Q" and not a.claimed]
        products = [a for a in atoms if a.kind == "P"]
        for number in numbers:
            fen = self._money_of(number)
            if fen is None or fen % 100:
                continue
            product = max((p for p in products if p.end <= number.start), key=lambda p: p.end, default=None)
            if product is None or product.mask & (product.mask - 1):
                continue
            price = self.catalogue.products[self.catalogue.bits(product.mask)[0]].price_fen
            others = [
                n.value.amount
                for n in numbers
                if n is not number and n.value.amount is not None and product.end <= n.start
            ]
            near_price = bool(price) and abs(price - fen) < 100
            if others and (near_price or any(abs(price * n - fen) < 100 for n in others)) and fen >= 500:
                self.out.sums.append((fen, number.start, number.end))
                number.kind, number.claimed = "SP", True
            elif not others and near_price and fen >= 1000:
                if fen >= 3000 or self.lexer.style.prices_follow:
                    self.out.sums.append((fen, number.start, number.end))
                    number.kind, number.claimed = "SP", True
                else:
                    self.out.issues.append(("ambiguous_qty", product.start, number.end, product.mask))
                    product.kind = number.kind = "SP"
                    product.claimed = number.claimed = True

    def _variants(self, atoms: list[Atom]) -> bool:
        """1（原味+咸蛋黄）: the bracket tells which of the product before it, one of each."""
        last = self.items[-1] if self.items else None
        products = [a for a in atoms if a.kind == "P"]
        if last is None or last.issue:
            return False
        if self._options(atoms, last):
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
        self.items.remove(last)
        return False

    def _options(self, atoms: list[Atom], last: Item) -> bool:
        """8（抹茶/黑芝麻）: flavours which the list does not know are a note about the product before."""
        if any(
            a.kind == "Q" or (a.kind == "P" and (a.strength == FULL or a.mask & last.mask)) for a in atoms
        ):
            return False
        if not any(a.kind in ("P", "U") for a in atoms) or any(a.kind in _OPS for a in atoms):
            return False
        self.out.notes.append((atoms[0].start, atoms[-1].end))
        for atom in atoms:
            atom.claimed = True
        return True

    def _breakdown(self, atoms: list[Atom]) -> bool:
        """（1份少饭，1份白米饭）: a bracket with amounts but no product explains, it does not order."""
        if any(a.kind in ("P", "U") and (a.end - a.start > 1 or a.strength == FULL) for a in atoms) or not (
            self.items or self.numbers
        ):
            return False
        texts = [
            a
            for a in atoms
            if a.kind in ("TEXT", "TIME") and any(c.isalnum() for c in self.text[a.start : a.end])
        ]
        if not texts or any(a.kind in ("CANCEL", "REPL", "SUB", "ADD") and a is atoms[0] for a in atoms):
            return False
        if (
            any(a.kind == "Q" for a in atoms)
            and not self.catalogue.single
            and not vocabulary.NOTE_HINTS.search(self.text[atoms[0].start : atoms[-1].end])
        ):
            return False
        self.out.notes.append((atoms[0].start, atoms[-1].end))
        for atom in atoms:
            atom.claimed = True
        return True

    # Segments between the words that change something

    def _segments(self, atoms: list[Atom], *, in_brackets: bool) -> None:
        op: Atom | None = None
        part: list[Atom] = []
        for atom in atoms:
            if atom.kind in _OPS and not atom.claimed:
                self._segment(op, part, in_brackets)
                op, part = atom, []
            else:
                part.append(atom)
        self._segment(op, part, in_brackets)

    def _segment(self, op: Atom | None, atoms: list[Atom], in_brackets: bool) -> None:
        """One operation word with the products and numbers behind it."""
        goods = [a for a in atoms if a.kind in ("P", "Q", "U") and not a.claimed]
        if op is None:
            self._plain(goods, st.PLAIN if in_brackets else self.mode, in_brackets=in_brackets)
            return
        handlers = {
            "ADD": self._attach, "SUB": self._attach, "REPL": self._replace, "CANCEL": self._cancel,
            "EACH": self._each, "ONEEACH": self._each, "ALL": self._all, "OTHERS": self._others, "EXCEPT": self._others,
            "REF": self._refer, "REFNO": self._refer, "REFNAME": self._refer, "VAGUE": self._vague,
        }  # fmt: skip
        handlers[op.kind](op, atoms, goods)

    def _plain(
        self, goods: list[Atom], op: str, *, in_brackets: bool = False, touching: bool = False
    ) -> None:
        """Products with their numbers. A number in a bracket belongs to the product just before it."""
        del touching
        blocks: list[list[Atom]] = [[]]
        for atom in goods:
            if atom.kind == "U":
                blocks.append([])
            else:
                if blocks[-1] and self._blocked(blocks[-1][-1], atom):
                    blocks.append([])
                blocks[-1].append(atom)
        for block in blocks:
            for product, number in pair(block, self.text, self.catalogue.measures):
                if product is not None:
                    self._add_item(product, number, op)
                elif number is not None:
                    self._number(number, op, in_brackets)

    def _blocked(self, left: Atom, right: Atom) -> bool:
        """Whether unknown words stand between two atoms: 苹果 和 香菜 2."""
        between = self.text[left.end : right.start]
        if not any(c.isalnum() for c in between):
            return False
        for token in self.tokens:
            if token.start >= left.end and token.end <= right.start and token.kind == "TEXT":
                word = self.text[token.start : token.end]
                if (
                    not vocabulary.NOTE_HINTS.search(word)
                    and any(c.isalnum() for c in word)
                    and not re.fullmatch(r"[大份装款们家]+", word)
                ):
                    return True
        return False

    def _add_item(self, product: Atom, number: Atom | None, op: str) -> None:
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
        mask = self._with_context(product, counted=number is not None)
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

    def _with_context(self, product: Atom, *, counted: bool) -> int:
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

    def _number(self, number: Atom, op: str, in_brackets: bool) -> None:
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
        glued = self._runs_on(number)
        if sign == "+" and number.start and self.text[number.start - 1].isdigit():
            self._one_plus_one(number, last)
            return
        if (
            op in (st.ADD, st.SUBTRACT, st.SET)
            and last is not None
            and not glued
            and last.clause >= self.clause - 1
        ):
            if self._continue_last(last, number, op):
                return
        self.numbers.append((number, op, self.clause, glued))

    def _one_plus_one(self, number: Atom, last: Item | None) -> None:
        """1+1: two, or one and one for free?"""
        number.claimed = True
        if last is not None:
            last.issue = "ambiguous_qty"
        else:
            start = self.numbers.pop()[0].start if self.numbers else number.start
            self.out.issues.append(("ambiguous_qty", start, number.end, 0))

    def _continue_last(self, last: Item, number: Atom, op: str) -> bool:
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

    # 加 减

    def _attach(self, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
        """加, 再, 补 add and 减, 少 subtract, what follows or the product just before."""
        op.claimed = True
        name = _OP_NAMES[op.kind]
        if self.catalogue.single and len(goods) == 1 and goods[0].kind == "Q" and self._runs_on(goods[0]):
            # 加一个黑凉粉, 另1份换菜: in a campaign of one product this tells more about it.
            self.out.notes.append((op.start, atoms[-1].end))
            for atom in atoms:
                atom.claimed = True
            return
        if goods:
            self._plain(goods, name)
            self.mode = name if name == st.ADD else self.mode
            return
        del atoms
        last = self.items[-1] if self.items else None
        if (
            last is not None
            and last.amount is None
            and last.clause == self.clause
            and self.text[last.end : op.start].strip() == ""
        ):
            last.op = name
        else:
            op.claimed = False

    # 改成 换成

    def _replace(self, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
        """馒头2改3 sets a number; 蓝莓换成树莓 swaps; 改成 in front of products says the whole order anew."""
        del atoms
        if not goods:
            return
        op.claimed = True
        first = goods[0]
        before = [i for i in self.items if i.op != st.REPLACE]
        if first.kind == "Q" and (len(goods) == 1 or goods[1].kind != "P" or before):
            if len(goods) > 1 and goods[1].kind == "P" and self._closer(goods):
                self._swap_or_renew(op, goods, before)
                return
            self._number(first, st.SET, False)
            self._plain(goods[1:], st.PLAIN)
            return
        self._swap_or_renew(op, goods, before)

    def _closer(self, goods: list[Atom]) -> bool:
        """改成2盒草莓: the number is nearer to the product behind it."""
        return not self.text[goods[0].end : goods[1].start].strip()

    def _swap_or_renew(self, op: Atom, goods: list[Atom], before: list[Item]) -> None:
        count = len(self.items)
        self._plain(goods, st.PLAIN)
        new = self.items[count:]
        if not new:
            return
        beside = before and before[-1].clause == self.clause and self.text[op.end : op.end + 1] not in ":,;"
        if beside and len(new) == 1:
            old = before[-1]
            new[0].op = st.SWAP
            new[0].swap_to = Item(old.op, old.mask, old.amount, old.start, old.end)
            if old.amount is None:
                self.items.remove(old)
            return
        for item in new:
            item.op = st.REPLACE
        if before:
            for item in before:
                self.items.remove(item)
        self.mode = st.REPLACE

    # 取消 不要

    def _cancel(self, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
        """取消草莓 and 草莓不要了 drop one product, 取消1份 subtracts, 不要辣 is a wish, alone it withdraws all."""
        word = self.text[op.start : op.end]
        texts = [
            a
            for a in atoms
            if a.kind in ("TEXT", "U", "TIME") and any(c.isalnum() for c in self.text[a.start : a.end])
        ]
        if self._waiting_mask:
            # 其他不要: what was not named is not wanted, which goes without saying.
            self._waiting_mask, op.claimed = 0, True
            self._plain(goods, self.mode)
            return
        following = next((a for a in atoms if a.kind not in ("SP", "FILL", "COLON", "DASH", "DOT")), None)
        soft = word in ("不要", "别要", "不订", "别订", "不需要", "不用了", "不来了")
        before = self._open_before(op)
        if following is not None and following in texts and (soft or not goods):
            if soft or self.catalogue.single or not before:
                if soft:
                    end = atoms[-1].end
                    self.out.notes.append((self._explained_from(op), end))
                    for atom in (op, *atoms):
                        atom.claimed = True
                    return
        left = self._word_before(op)
        if left is not None and not before:
            # 香菜不要: the wish stands in front.
            self.out.notes.append((left.start, op.end))
            left.claimed = op.claimed = True
            self._plain(goods, self.mode)
            return
        op.claimed = True
        if before and not (goods and goods[0].kind == "Q" and goods[0].start - op.end <= 1):
            for item in before:
                item.op = st.DROP
            self._plain(goods, self.mode)
        elif goods and goods[0].kind == "Q" and len(goods) == 1 and goods[0].value.unit:
            self._number(goods[0], st.SUBTRACT, False)
        elif goods and any(g.kind == "P" for g in goods):
            self._cancel_named(goods)
        elif goods and goods[0].kind == "Q":
            self._number(goods[0], st.SUBTRACT, False)
        else:
            self._cancel_all(op.start, op.end)

    def _cancel_named(self, goods: list[Atom]) -> None:
        count = len(self.items)
        self._plain(goods, st.PLAIN)
        for item in self.items[count:]:
            item.op = st.SUBTRACT if item.amount is not None else st.DROP

    def _open_before(self, op: Atom) -> list[Item]:
        """Products without a number right before the word, in its clause."""
        found: list[Item] = []
        for item in reversed(self.items):
            if item.clause != self.clause or item.amount is not None or item.op == st.DROP:
                break
            if any(c.isalnum() for c in self.text[item.end : op.start] if not found):
                between = self.text[item.end : op.start].strip()
                if between not in ("都", "的", "也", "就", "先", "了", "全", "全都"):
                    break
            found.append(item)
        return found

    def _explained_from(self, op: Atom) -> int:
        """1份不要茄子: in a campaign of one product the number in front belongs to the wish."""
        number = self.numbers[-1][0] if self.numbers else None
        if self.catalogue.single and number is not None and number.end == op.start and (len(self.numbers) > 1 or self.items):
            self.numbers.pop()
            return number.start
        return op.start

    def _word_before(self, op: Atom) -> Atom | None:
        for atom in self._atoms_now:
            between = self.text[atom.end : op.start]
            if (
                atom.kind == "TEXT"
                and between in ("", "都", "全", "也", "的", "就")
                and any(c.isalnum() for c in self.text[atom.start : atom.end])
            ):
                return atom
        return None

    @property
    def _atoms_now(self) -> list[Atom]:
        return self._current

    def _cancel_all(self, start: int, end: int) -> None:
        """Everything said so far and before is withdrawn."""
        self.items = [i for i in self.items if i.op == st.DROP]
        self.numbers.clear()
        self.items.clear()
        self.extra.append(Step(st.CANCEL, start=start, end=end))

    # 各 全要 其他

    def _each(self, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
        """各N reaches the products listed just before without a number, else those listed behind, else all."""
        number = goods[0] if goods and goods[0].kind == "Q" else None
        if number is None and (
            op.kind == "ONEEACH"
            or (not goods and self.text[op.start : op.end] in ("各", "分别", "均", "各自", "样样"))
        ):
            if op.kind == "ONEEACH":
                self._plain(goods, self.mode)
                return
        op.claimed = True
        amount = number.value if number is not None else None
        if number is not None:
            number.claimed = True
            goods = goods[1:]
        end = number.end if number is not None else op.end
        targets = self._open_run()
        if not targets and self.items and self.items[-1].each and not _said(self.items[-1].amount):
            targets = [i for i in self.items if i.each and not _said(i.amount)]
        if targets:
            self._give_each(targets, amount, op.start, end)
            self._plain(goods, self.mode)
            return
        listed = [g for g in goods if g.kind == "P"]
        if listed and not any(g.kind == "Q" for g in goods):
            count = len(self.items)
            self._plain(goods, self.mode)
            self._give_each(self.items[count:], amount, op.start, end)
            return
        mask = self.catalogue.everything
        if self._waiting_mask:
            mask, self._waiting_mask = self._waiting_mask, 0
        self._book_all(mask, amount, op.start, end)
        self._plain(goods, self.mode)

    _waiting_mask = 0
    _current: list[Atom] = []

    def _open_run(self) -> list[Item]:
        """The unbroken list of products without a number that ends here."""
        run: list[Item] = []
        for item in reversed(self.items):
            if item.amount is not None or item.each or item.op == st.DROP or item.clause < self.clause - 3:
                break
            run.append(item)
        return run[::-1]

    def _give_each(self, targets: list[Item], amount: Amount | None, start: int, end: int) -> None:
        """Gives every target the amount; an open one (口红各1) stands for all that it can mean."""
        open_masks = [t.mask for t in targets if t.mask & (t.mask - 1)]
        if len(targets) > 1 and open_masks:
            for shared in open_masks:
                rest = [t for t in targets if t.mask != shared]
                narrowed = [t.mask & shared for t in rest]
                if rest and all(m and not m & (m - 1) for m in narrowed):
                    for target, mask in zip(rest, narrowed, strict=True):
                        target.mask = mask
                    self.items = [i for i in self.items if not (i in targets and i.mask == shared)]
                    targets = rest
                    break
        for target in targets:
            self._narrow(target, targets)
            target.each, target.amount_at = True, start
            target.amount = amount if amount is not None else Amount(Decimal(1))
            target.end = max(target.end, end)
            if target.mask & (target.mask - 1):
                bits = self.catalogue.bits(target.mask)
                at = self.items.index(target)
                target.mask = 1 << bits[0]
                for bit in bits[1:]:
                    at += 1
                    self.items.insert(
                        at,
                        Item(
                            target.op,
                            1 << bit,
                            target.amount,
                            target.start,
                            end,
                            clause=self.clause,
                            each=True,
                            amount_at=start,
                        ),
                    )

    @staticmethod
    def _narrow(target: Item, targets: list[Item]) -> None:
        """白 in M码 黑白各1: what the neighbours have in common settles what is open."""
        if not target.mask & (target.mask - 1):
            return
        for other in targets:
            for part in other.parts:
                narrowed = target.mask & part
                if other is not target and narrowed and not narrowed & (narrowed - 1):
                    target.mask = narrowed
                    return

    def _book_all(self, mask: int, amount: Amount | None, start: int, end: int) -> None:
        for bit in self.catalogue.bits(mask):
            self.items.append(
                Item(self.mode, 1 << bit, amount, start, end, clause=self.clause, each=True, amount_at=start)
            )

    def _all(self, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
        """全要: every product; after a list (草莓橙子全要) those of the list."""
        del atoms
        op.claimed = True
        number = goods[0] if goods and goods[0].kind == "Q" else None
        amount = number.value if number is not None else None
        if number is not None:
            number.claimed = True
            goods = goods[1:]
        end = number.end if number is not None else op.end
        targets = self._open_run()
        if targets:
            self._give_each(targets, amount, op.start, end)
        elif goods and all(g.kind == "P" for g in goods) and not self.items:
            count = len(self.items)
            self._plain(goods, self.mode)
            self._give_each(self.items[count:], amount, op.start, end)
            return
        else:
            word = self.text[op.start : op.end]
            digit = {"两": 2, "三": 3, "四": 4, "五": 5, "六": 6}.get(word[0])
            if digit is not None and digit != len(self.catalogue.products):
                if amount is None and number is None:
                    op.claimed = False
                    self._plain(goods, self.mode)
                    return
                self.out.issues.append(("ambiguous_product", op.start, end, self.catalogue.everything))
                return
            self._book_all(self.catalogue.everything, amount, op.start, end)
        self._plain(goods, self.mode)

    def _others(self, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
        """其他各1: all that are not named; 除了草莓各1: all but those."""
        op.claimed = True
        named = 0
        if op.kind == "EXCEPT":
            for good in goods:
                if good.kind == "P":
                    named |= good.mask
                    good.claimed = True
            for atom in atoms:
                if atom.kind == "TEXT" and self.text[atom.start : atom.end] in ("外", "以外", "之外"):
                    atom.claimed = True
        else:
            for item in self.items:
                named |= item.mask
        mask = self.catalogue.everything & ~named
        number = next((g for g in goods if g.kind == "Q"), None)
        if number is not None:
            number.claimed = True
            self._book_all(mask, number.value, op.start, number.end)
        else:
            self._waiting_mask = mask

    # 同上

    def _refer(self, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
        """同上, 同3, 和李姐一样: the products of another entry. With goods behind it (我也要2盒草莓) it is no reference."""
        word = self.text[op.start : op.end]
        if op.kind == "REF" and word.startswith(("我也要", "我也来")) and word[-1] in "要来" and goods:
            op.claimed = True
            self._plain(goods, self.mode)
            return
        op.claimed = True
        if op.kind == "REF" and word in ("一样的", "同款", "同样") and self.items:
            return
        target: str | int | None = op.value if op.kind in ("REFNO", "REFNAME") else None
        self.extra.append(Step(st.REFER, start=op.start, end=op.end, target=target))
        if goods and goods[0].kind == "Q" and goods[0].value.amount == 1 and len(goods) == 1:
            goods[0].claimed = True
            return
        del atoms
        self._plain(goods, self.mode)

    def _vague(self, op: Atom, atoms: list[Atom], goods: list[Atom]) -> None:
        """羊肉多来点: how much is not said."""
        del atoms
        op.claimed = True
        last = self.items[-1] if self.items else None
        if last is not None and last.amount is None and last.clause == self.clause:
            last.issue = "missing_qty"
            self._plain(goods, self.mode)
        elif goods and goods[0].kind == "P":
            count = len(self.items)
            self._plain(goods, self.mode)
            if len(self.items) > count and self.items[count].amount is None:
                self.items[count].issue = "missing_qty"
        else:
            op.claimed = False
            self._plain(goods, self.mode)

    # What is left over in the clause

    def _strangers(self, atoms: list[Atom]) -> None:
        """A word nobody knows beside a number, or one that ends like food, is a product not in the list."""
        for k, atom in enumerate(atoms):
            if atom.kind == "U" and not atom.claimed:
                self._unknown(atom, atoms, k)
            elif atom.kind == "TEXT" and not atom.claimed and not self.catalogue.single:
                word = self.text[atom.start : atom.end].strip()
                if self._stranger(word, atoms, k):
                    self._unknown(atom, atoms, k)

    def _unknown(self, atom: Atom, atoms: list[Atom], k: int) -> None:
        atom.claimed = True
        mask = atom.mask or self.catalogue.near(self.text[atom.start : atom.end])
        self.out.issues.append(("unknown_product", atom.start, atom.end, mask))
        for near in (self._beside(atoms, k, 1), self._beside(atoms, k, -1)):
            if near is not None and any(n[0] is near for n in self.numbers):
                self.numbers = [n for n in self.numbers if n[0] is not near]
                near.claimed = True
                return

    def _beside(self, atoms: list[Atom], k: int, step: int) -> Atom | None:
        k += step
        while 0 <= k < len(atoms) and atoms[k].kind in ("SP", "FILL", "COLON", "ADD"):
            k += step
        return atoms[k] if 0 <= k < len(atoms) and atoms[k].kind == "Q" else None

    def _stranger(self, word: str, atoms: list[Atom], k: int) -> bool:
        letters = [c for c in word if c.isalpha()]
        if not letters or len(word) > 10 or vocabulary.NOTE_HINTS.search(word):
            return False
        waiting = [n[0] for n in self.numbers]
        near = [self._beside(atoms, k, 1), self._beside(atoms, k, -1)]
        if any(n is not None and n in waiting for n in near):
            return len(letters) > 1 or word[-1] in vocabulary.GOODS_ENDINGS
        return 2 <= len(word) <= 5 and word[-1] in vocabulary.GOODS_ENDINGS

    def _leftover_notes(self, atoms: list[Atom], before: int) -> None:
        """Words that ordered nothing are a note, as written, without the polite ones at its ends."""
        del before
        waiting = {id(n[0]) for n in self.numbers}
        run: list[Atom] = []
        for atom in [*atoms, None]:
            counted = (
                atom is not None and atom.kind == "Q" and id(atom) in waiting and not self._explains(atom)
            )
            if atom is not None and not atom.claimed and not counted and atom.kind not in ("P",):
                run.append(atom)
                continue
            self._flush(run)
            run = []

    def _explains(self, atom: Atom) -> bool:
        """In a campaign of one product, a second number with words behind it explains the first."""
        if not self.catalogue.single:
            return False
        first = self.numbers[0][0] if self.numbers else None
        if (first is atom and not self.items) or not self._runs_on(atom):
            return False
        self.numbers = [n for n in self.numbers if n[0] is not atom]
        if first is not None and self._runs_on(first) and not self.items and self.text[atom.start - 1] not in "中另(":
            # 一份多饭，一份正常: one of each kind, or one that is told about twice?
            self.out.issues.append(("ambiguous_qty", first.start, atom.end, self.catalogue.everything))
        return True

    def _runs_on(self, atom: Atom) -> bool:
        """Whether words touch the number from behind: 1份少饭."""
        return bool(self.text[atom.end : atom.end + 1].strip(_STOPS))

    def _flush(self, run: list[Atom]) -> None:
        while (
            run
            and run[0].kind == "FILL"
            and not (len(run) > 1 and run[1].start == run[0].end and run[1].kind == "TEXT")
        ):
            run.pop(0)
        while run and run[0].kind in ("SP", "POLITE", "COLON", "DASH", "DOT", "PAUSE", "PLUS", "SLASH"):
            run.pop(0)
        while run and run[-1].kind in ("SP", "POLITE", "COLON", "DASH", "DOT", "PAUSE", "PLUS", "SLASH"):
            run.pop()
        words = [
            a
            for a in run
            if a.kind
            in ("TEXT", "TIME", "CANCEL", "ADD", "REPL", "COND", "ONEEACH", "OTHERS", "VAGUE", "SUB", "EACH")
        ]
        if words and any(c.isalnum() for a in words for c in self.text[a.start : a.end]):
            self.out.notes.append((run[0].start, run[-1].end))

    # The end: items and lonely numbers become steps

    def _finish(self) -> None:
        self._number_alone()
        if self.doubt:
            for item in self.items:
                item.issue = item.issue or "unclear"
        order: list[tuple[int, Step]] = [(s.start, s) for s in self.extra]
        for item in self.items:
            order.append((item.start, self._step(item)))
        order.sort(key=lambda pair_: pair_[0])
        self.out.steps = [step for _, step in order]
        if (
            self.out.steps
            and self.out.steps[0].op == st.CANCEL
            and all(s.op == st.PLAIN for s in self.out.steps[1:])
        ):
            # 赵琪（已退）草莓1: said of the whole entry before its goods are named.
            self.out.steps = self.out.steps[:1]
        if self.out.unpaid:
            self.out.paid = False

    def _number_alone(self) -> None:
        """Numbers that found no product: the only one in the campaign, its counter, a column, else a question."""
        numbers, self.numbers = self.numbers, []
        columns = self.lexer.style.columns
        plain_numbers = [n for n in numbers if n[0].value.bare]
        if columns and not self.items and len(plain_numbers) == len(numbers) == len(columns):
            for (atom, _, clause, _), product in zip(numbers, columns, strict=True):
                if atom.value.amount:
                    self.items.append(
                        Item(
                            st.PLAIN,
                            1 << product,
                            atom.value,
                            atom.start,
                            atom.end,
                            clause=clause,
                            amount_at=atom.start,
                        )
                    )
            return
        taken: Amount | None = None
        for atom, op, clause, glued in numbers:
            if self._is_sum(atom):
                continue
            mask = self._mask_of_number(atom.value)
            if op != st.PLAIN or (self.catalogue.single and taken is None and not self.items):
                taken = atom.value if op == st.PLAIN else taken
                mask = (
                    self.catalogue.everything
                    if self.catalogue.single
                    else (mask if mask and not mask & (mask - 1) else 0)
                )
                self.items.append(
                    Item(op, mask, atom.value, atom.start, atom.end, clause=clause, amount_at=atom.start)
                )
            elif self.catalogue.single:
                same = self.items[-1].amount if self.items else taken
                told = glued or self.text[max(0, atom.start - 1) : atom.start].strip(_STOPS)
                if same is not None and atom.value.amount != same.amount and not told:
                    self.items[-1].issue = "ambiguous_qty"
                elif told:
                    self.out.notes.append((atom.start, min(len(self.text), atom.end + 6)))
            elif mask and not mask & (mask - 1) and not glued_to_text(self.text, atom):
                self.items.append(
                    Item(op, mask, atom.value, atom.start, atom.end, clause=clause, amount_at=atom.start)
                )
            elif self.items and atom.value.bare:
                last = self.items[-1]
                last.issue = last.issue or "ambiguous_qty"
                self.out.issues.append(("ambiguous_qty", atom.start, atom.end, last.mask))
            else:
                self.out.issues.append(
                    ("ambiguous_product", atom.start, atom.end, mask or self.catalogue.everything)
                )

    def _mask_of_number(self, amount: Amount) -> int:
        """The products meant by a counter alone."""
        if self.catalogue.single:
            return self.catalogue.everything
        if not amount.unit or amount.unit == "份":
            return 0
        mask = self.catalogue.by_counter(amount.unit)
        if not mask and amount.unit in WEIGHTS_G:
            mask = sum(1 << i for i, m in enumerate(self.catalogue.measures) if m.loose_g)
        return mask

    def _is_sum(self, atom: Atom) -> bool:
        """A lonely number that is the price of what is ordered, or a door that nobody else claimed."""
        fen = self._money_of(atom)
        if fen is None or fen < 1000 or not self.items:
            return False
        total = 0
        for item in self.items:
            if not item.mask or item.mask & (item.mask - 1):
                return False
            index = self.catalogue.bits(item.mask)[0]
            qty = in_unit(item.amount, self.catalogue.measures[index]) if item.amount else 1
            if qty is None:
                return False
            total += int(qty * self.catalogue.products[index].price_fen)
            if abs(self.catalogue.products[index].price_fen - fen) < 100:
                total = fen
                break
        if total and abs(total - fen) < 100 * max(1, len(self.items)):
            self.out.sums.append((fen, atom.start, atom.end))
            return True
        token = Token("Q", atom.start, atom.end, atom.value)
        digits = self.text[atom.start : atom.end].strip()
        if (is_loose_room(token, self.text) or len(digits) >= 3) and digits.isdigit():
            if plausible_flat(digits) and not self.out.head.room[1]:
                self.out.head.room = (atom.start, atom.end)
                return True
            if len(digits) == 3 or len(digits) == 4:
                self.out.head.room = self.out.head.room if self.out.head.room[1] else (atom.start, atom.end)
                return True
        return False

    def _step(self, item: Item) -> Step:
        """An item with its product and unit settled, or with the reason why it is not."""
        bits = self.catalogue.bits(item.mask) if item.mask else []
        if len(bits) > 1 and item.amount is not None and item.amount.unit not in ("", "份"):
            # 冰糖橙5斤, 牛奶1箱: the unit fits only one of them.
            fitting = [b for b in bits if in_unit(item.amount, self.catalogue.measures[b]) is not None]
            bits = fitting if len(fitting) == 1 else bits
        product = bits[0] if len(bits) == 1 else None
        if item.op == st.SWAP and item.swap_to is not None:
            return self._swap_step(item, product)
        if item.issue:
            return Step(item.op, product, item.amount, None, item.issue, item.mask, item.start, item.end)
        if len(bits) > 1:
            return Step(
                item.op, None, item.amount, None, "ambiguous_product", item.mask, item.start, item.end
            )
        if product is None:
            return Step(item.op, None, item.amount, None, "", 0, item.start, item.end)
        if item.op == st.DROP:
            return Step(item.op, product, start=item.start, end=item.end)
        measure = self.catalogue.measures[product]
        if item.amount is None:
            if measure.loose_g:
                return Step(item.op, product, None, None, "missing_qty", item.mask, item.start, item.end)
            return Step(item.op, product, Amount(Decimal(1), "", "", ""), 1, "", 0, item.start, item.end)  # type: ignore[arg-type]
        if item.amount.amount == 0:
            return Step(st.DROP, product, start=item.start, end=item.end)
        qty = in_unit(item.amount, measure)
        issue = "" if qty is not None else "ambiguous_qty" if item.amount.amount is None else "unit_mismatch"
        return Step(item.op, product, item.amount, qty, issue, item.mask, item.start, item.end)

    def _swap_step(self, item: Item, product: int | None) -> Step:
        assert item.swap_to is not None
        old_bits = self.catalogue.bits(item.swap_to.mask)
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
        qty = None
        if item.amount is not None:
            qty = in_unit(item.amount, self.catalogue.measures[product])
            if qty is None:
                return Step(st.SWAP, old, item.amount, None, "unit_mismatch", item.mask, start, end, product)
        return Step(
            st.SWAP, old, item.amount, qty, "", 0, item.start if qty is not None else start, end, product
        )


def _said(amount: Amount | None) -> bool:
    """Whether the amount stands in the text; 全要 alone says none."""
    return amount is not None and amount.digits != ""


def glued_to_text(text: str, atom: Atom) -> bool:
    """Whether a word runs on right behind the number: 3个人."""
    return bool(re.match(r"[\u4e00-\u9fff]", text[atom.end : atom.end + 1]))
