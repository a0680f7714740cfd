"""From records to entries: which numbered lines are entries and which a menu, a tally or a list inside an
entry; which lines without a number continue the entry above, name another member, or order nothing."""

import itertools
import re
from dataclasses import dataclass, field

from . import places, vocabulary
from .announcements import from_the_leader, is_price_list, praises, prices_told
from .entry import read_entry
from .layout import Line, Message, RawEntry, Record, records, runs_of, trimmed
from .lexer import FULL, Lexer, Token
from .normalise import Source, squash
from .quantities import read_quantity
from .statement import PLAIN, Statement
from .write import WrittenLines


@dataclass(slots=True)
class Block:
    """One copy of a chain: its heading and its entries, in order."""

    heading: str = ""
    entries: list[RawEntry] = field(default_factory=list)
    headed: bool = False
    below: str = ""
    sender: str = ""


_SKIPPED = frozenset(
    {"SP", "SEP", "NL", "PAUSE", "COLON", "DASH", "DOT", "SLASH", "LP", "RP", "FILL", "PLUS"}
)
_BEGINS_NO_NAME = frozenset(
    [
        "LABEL",
        "ADD",
        "SUB",
        "REPL",
        "COND",
        "CANCEL",
        "TIME",
        "EACH",
        "ALL",
        "PHONE",
        "ADDRESS",
        "PAID",
        "UNPAID",
        "LP",
        "MONEY",
        "UNSURE",
    ]
)
_RULES = re.compile(
    r"请|务必|截单|自提|配送|送货|到货|发货|起送|包邮|满\d|付款|售后|退换|不接受|注意|须|备注|统一|每人|限购|地址|联系|接龙|预定|预订|下单|取货|团长|拍照|保质|冷藏|产地|时间|不含|快递|不退|不换|包赔|包退|先付|截止|概不|谢绝|请勿|必须|先到先得"
)
_TALLIED = re.compile(r"合计|总计|共计|统计|汇总|小计|累计|总共|一共|共|total|sum|剩|库存|还有")


class ChainReader:
    """Cuts one message into blocks of entries. The lexer tells goods from names."""

    def __init__(self, source: Source, lexer: Lexer) -> None:
        self.source, self.lexer = source, lexer
        self._written = WrittenLines(lexer.catalogue.products)

    def read(self, message: Message) -> list[Block]:
        found = records(message.lines, self._goods_at, self._written.read)
        runs = list(runs_of(found))
        entries_per_run = [[r for r in run if r.kind == "entry"] for run in runs]
        keys = [{self._who(r) for r in entries} for entries in entries_per_run]
        blocks: list[Block] = []
        heading: list[str] = []
        menus = self._menus(runs, entries_per_run, keys)
        block = Block(sender=message.sender)
        for i, run in enumerate(runs):
            entries = entries_per_run[i]
            inside = bool(blocks and blocks[-1].entries) and entries and self._inner_list(entries, blocks[-1])
            if inside:
                self._extend(blocks[-1], run)
                continue
            if menus[i]:
                heading += [self._text(r) for r in run]
                for record in run:
                    if record.kind in ("line",) and blocks and blocks[-1].entries:
                        blocks[-1].below += "\n" + self._text(record)
                continue
            block = Block(sender=message.sender)
            self._fill(block, run, heading, has_numbers=bool(entries))
            if block.entries or block.headed:
                heading = [] if block.entries else heading
                blocks.append(block)
            elif not blocks:
                heading.append(block.heading)
        return [b for b in blocks if b.entries]

    def _menus(
        self, runs: list[list[Record]], entries: list[list[Record]], keys: list[set[str]]
    ) -> list[bool]:
        """Which runs are menus, looked at from the end: a run that shares names with a later one is a copy."""
        flags = [False] * len(runs)
        later: set[str] = set()
        last = True
        for i in range(len(runs) - 1, -1, -1):
            if not entries[i]:
                continue
            next_headed = i + 1 < len(runs) and runs[i + 1][0].kind == "head"
            started = any(entries[k] for k in range(i)) and runs[i][0].kind != "head"
            listed = self._told_menu(runs[i], [r for run in runs[:i] for r in run])
            flags[i] = self._is_menu(
                entries[i], last, next_headed and not listed, bool(keys[i] & later), started
            )
            if not flags[i]:
                later |= keys[i]
                last = False
        return flags

    def _told_menu(self, run: list[Record], before: list[Record]) -> bool:
        """菜单： above the numbers, or an example below them."""
        first = next((k for k, r in enumerate(run) if r.kind == "entry"), 0)
        above = [r for r in (*before[-2:], *run[:first]) if r.kind in ("line", "head")]
        said = any(_MENU.search(self._text(r)) for r in above[-2:])
        return said or any(r.kind == "example" for r in run[first:])

    def _goods_at(self, text: str, at: int, *, strict: bool = False) -> bool:
        # 007 after a circled number is somebody, when goods follow behind a gap.
        if (nickname := re.match(r"\d{3,}\s+", text[at:])) and self._goods_at(
            text, at + nickname.end(), strict=True
        ):
            return False
        return self._goods_behind(text, at, strict=strict)

    def _goods_behind(self, text: str, at: int, *, strict: bool) -> bool:
        """Whether goods stand right behind a number; not strict: or an amount, as behind a circled code."""
        while at < len(text) and text[at] == " ":
            at += 1
        if at >= len(text):
            return False
        amount = read_quantity(text, at, len(text))
        if amount is not None and amount[1].unit and amount[0] < len(text):
            at = amount[0]
        match = self.lexer.catalogue.name_at(text, at, len(text))
        if match is not None and match.strength == FULL:
            return True
        return not strict and bool(
            re.match(
                r"[x*+]?\s?\d+(?![\d\-#f号栋幢座楼室单]|\s?[f楼])|[一二两三四五六七八九十][份盒箱袋个]|各|加|[①-⑳]",
                text[at : at + 6],
            )
        )

    # Small looks at one line

    def _text(self, record: Record) -> str:
        return self.source.text[record.start : record.end].strip()

    def _who(self, record: Record) -> str:
        return squash(self._text(record)[:4])

    def tokens(self, text: str) -> list[Token]:
        return self.lexer.tokens(text if len(text) <= 200 else text[:200])

    def _goods_first(self, record: Record) -> bool:
        """Whether the line begins with a product and has nobody's name."""
        text = self._text(record)
        tokens = [t for t in self.tokens(text) if t.kind not in _SKIPPED]
        if tokens and tokens[0].kind == "Q" and len(tokens) > 1 and tokens[1].kind == "P":
            tokens = tokens[1:]
        if not tokens or tokens[0].kind != "P":
            return False
        first = tokens[0]
        return first.strength == FULL or first.end - first.start > 1 or first.strength == 2

    def _pure_item(self, record: Record) -> bool:
        """Products and amounts, nothing else."""
        text = self._text(record)
        tokens = [t for t in self.tokens(text) if t.kind not in _SKIPPED]
        return self._goods_first(record) and all(
            t.kind in ("P", "Q", "MONEY", "TIME", "EACH") for t in tokens
        )

    def _inner_list(self, entries: list[Record], block: Block) -> bool:
        """1）粉丝2 2）香菇1斤 below a name: a list inside that entry."""
        if any(r.ready is not None for r in entries):
            return False
        last = block.entries[-1]
        if not all(self._pure_item(r) for r in entries):
            return False
        statement = read_entry(last.text(self.source), self.lexer)
        return not statement.orders and not statement.issues

    def _extend(self, block: Block, run: list[Record]) -> None:
        for record in run:
            if record.kind in ("entry", "line") and record.end > record.start:
                block.entries[-1].pieces.append(trimmed(self.source, record.start, record.end))

    def _is_menu(
        self, entries: list[Record], is_last: bool, next_headed: bool, shared: bool, started: bool
    ) -> bool:
        """A numbered list of goods, dishes or rules rather than of members."""
        if any(r.ready is not None for r in entries):
            return False
        texts = [self._text(r) for r in entries if self._text(r)]
        if not texts:
            return False
        goods = sum(1 for r in entries if self._text(r) and self._goods_first(r))
        priced = sum(
            1 for t in texts if any(x.kind == "MONEY" for x in self.tokens(t)) or self._price_tail(t)
        )
        tallied = sum(1 for t in texts if _TALLIED.search(t))
        if goods * 10 >= len(texts) * 6:
            if priced * 2 >= len(texts) or not is_last or tallied * 2 >= len(texts):
                return True
            if started:
                return True
        if is_last or shared:
            return False
        rules = sum(1 for t in texts if _RULES.search(t))
        if rules * 2 >= len(texts) > 1 and not any(self._asks_for(t) for t in texts):
            return True
        if next_headed:
            return False
        if rules * 2 > len(texts):
            return True
        counted = sum(
            1
            for t in texts
            if any(
                x.kind in ("ROOM", "PHONE", "PAID", "CANCEL", "REF")
                or (x.kind == "Q" and not self._price_like(x))
                for x in self.tokens(t)
            )
        )
        return counted * 4 <= len(texts)

    def _asks_for(self, text: str) -> bool:
        """Whether a numbered line can be an order rather than a rule: 周四前接龙 and 不退不换 cannot."""
        return any(
            t.kind in ("P", "ROOM", "PHONE", "PAID") or (t.kind == "Q" and not self._price_like(t))
            for t in self.tokens(text)
        )

    @staticmethod
    def _price_like(token: Token) -> bool:
        amount = token.value.amount if token.value is not None else None
        return amount is not None and token.value.bare and (amount >= 10 or amount % 1 != 0)

    def _price_tail(self, text: str) -> bool:
        """橙子 39.9: a product with its own price behind it."""
        tokens = [t for t in self.tokens(text) if t.kind not in _SKIPPED]
        for left, right in itertools.pairwise(tokens):
            if left.kind == "P" and right.kind == "Q" and right.value.bare and right.value.amount is not None:
                fen = int(right.value.amount * 100)
                if (
                    any(
                        abs(self.lexer.catalogue.products[i].price_fen - fen) < 100
                        for i in self.lexer.catalogue.bits(left.value)
                    )
                    and fen >= 300
                ):
                    return True
        return False

    # Lines to entries

    def _fill(
        self,
        block: Block,
        run: list[Record],
        heading: list[str],
        *,
        has_numbers: bool,
    ) -> None:
        gap = closed = False
        current: RawEntry | None = None
        inner = 0
        heads = [*heading]
        style = ""
        for record in run:
            if record.kind == "blank":
                gap = True
                continue
            if record.kind in ("head", "example", "menu"):
                block.headed = block.headed or record.kind == "head"
                heads.append(self._text(record))
                if record.kind == "head":
                    current = None
                continue
            span = trimmed(self.source, record.start, record.end)
            text = self.source.text[span[0] : span[1]]
            if record.kind == "entry":
                if record.ready is not None:
                    current = RawEntry(record.seq, [(record.start, record.end)])
                    current.ready = record.ready
                    block.entries.append(current)
                    gap = closed = False
                    continue
                if current is not None and self._belongs_inside(record, current, style, inner):
                    inner = record.seq or 0
                    current.pieces.append(span)
                    continue
                gap = closed = False
                inner = 0
                if not text or vocabulary.EXAMPLE_ENTRY.search(text) or self._rule_line(text):
                    current = None
                    continue
                style = record.style
                current = RawEntry(record.seq, [span])
                block.entries.append(current)
                continue
            current, closed = self._loose_line(
                block, text, span, current, heads, gap=gap, closed=closed, numbered=has_numbers
            )
            gap = False
        block.heading = "\n".join(heads)

    def _rule_line(self, text: str) -> bool:
        """A long numbered line of rules: nobody's entry."""
        if len(text) < 16 or not _RULES.search(text) or not vocabulary.CLOSING.search(text[:12] + text[-12:]):
            return False
        return not any(t.kind in ("P", "Q", "ROOM", "PHONE") for t in self.tokens(text))

    def _belongs_inside(self, record: Record, current: RawEntry, style: str, inner: int) -> bool:
        """A numbered line of goods under an entry that has named nothing yet, or one that goes on with such a list."""
        if record.ready is not None or not self._pure_item(record):
            return False
        if inner and record.seq == inner + 1:
            return True
        if record.seq == (current.seq or 0) + 1 and record.style == style:
            return False
        statement = read_entry(current.text(self.source), self.lexer)
        bare = not statement.orders and not statement.issues
        return bare and (record.seq == 1 or record.style != style)

    def _loose_line(
        self,
        block: Block,
        text: str,
        span: tuple[int, int],
        current: RawEntry | None,
        heads: list[str],
        *,
        gap: bool,
        closed: bool,
        numbered: bool,
    ) -> tuple[RawEntry | None, bool]:
        """A line without a number."""
        if not text:
            return current, closed
        if _RULE_OFF.match(text):
            return current, True
        if vocabulary.TALLY.match(text) and (gap or current is None or not self._is_amount_line(text)):
            block.below += "\n" + text
            return (current if not gap else None), True
        if _COUNTING.search(text) and not any(t.kind in ("P", "Q") for t in self.tokens(text)):
            block.below += "\n" + text
            return current, True
        if (found := _ABOUT_NUMBER.match(text)) and found[1] not in self.lexer.catalogue.codes:
            told = next((e for e in reversed(block.entries) if e.seq == int(found[1])), None)
            if told is not None and told.ready is None:
                told.pieces.append((span[0] + found.end(), span[1]))
                return current, closed
        if (told := self._paid_by(text, block)) is not None:
            told.pieces.append(span)
            return current, closed
        if self._begins_form(text, current):
            block.entries.append(RawEntry(None, [span]))
            return block.entries[-1], False
        if is_price_list(text, self.lexer) and (current is None or gap or text in heads):
            (heads.append(text) if not block.entries else None)
            return None, closed
        member = self._member(text, before_numbers=numbered and not block.entries, nameless=not numbered)
        if member and not (closed and not member.name):
            entry = RawEntry(None, [span])
            block.entries.append(entry)
            return entry, closed
        if current is None or closed:
            (heads.append(text) if not block.entries else None)
            block.below += "\n" + text if block.entries else ""
            return None if gap else current, closed
        tokens = [t for t in self.tokens(text) if t.kind not in _SKIPPED]
        if from_the_leader(text, tokens):
            block.below += "\n" + text
            return (None if gap else current), closed
        ordering = any(
            t.kind in ("P", "Q", "ROOM", "PHONE", "TAIL", "ADDRESS", "LABEL", "PAID", "UNPAID", "CANCEL")
            for t in tokens
        )
        if (vocabulary.CLOSING.search(text) and not self._pure_line(tokens)) or (gap and not ordering):
            block.below += "\n" + text
            return (None if gap else current), closed
        if not tokens or all(t.kind == "POLITE" for t in tokens):
            return current, closed
        if vocabulary.QUESTION.search(text) and (
            gap or ("Q" not in {t.kind for t in tokens} and _ASKS.search(text))
        ):
            return current, True
        current.pieces.append(span)
        return current, closed

    def _paid_by(self, text: str, block: Block) -> RawEntry | None:
        """@王姐 已付 below the entry of somebody else: it is hers."""
        found = _SAYS_PAID.match(text)
        if found is None or found[1] not in self.lexer.style.people:
            return None
        rest = [t for t in self.tokens(text[found.end() :]) if t.kind not in _SKIPPED]
        if not rest or any(t.kind not in ("PAID", "POLITE", "MONEY") for t in rest):
            return None
        return next(
            (
                e
                for e in reversed(block.entries)
                if e.ready is None and e.text(self.source).lstrip("@ ").startswith(found[1])
            ),
            None,
        )

    def _begins_form(self, text: str, current: RawEntry | None) -> bool:
        """姓名：王姐, where no entry has begun or the one above tells its name already."""
        first = self.tokens(text)[0]
        if first.kind != "LABEL" or first.value != "name" or not text[first.end :].strip():
            return False
        above = "" if current is None else current.text(self.source)
        return current is None or any(t.kind == "LABEL" and t.value == "name" for t in self.tokens(above))

    @staticmethod
    def _pure_line(tokens: list[Token]) -> bool:
        return bool(tokens) and all(t.kind in ("P", "Q", "PHONE", "ROOM", "TAIL", "LABEL") for t in tokens)

    def _is_amount_line(self, text: str) -> bool:
        kinds = {t.kind for t in self.tokens(text) if t.kind not in _SKIPPED}
        return bool(kinds) and kinds <= {"MONEY", "Q", "PAID", "TEXT"} and len(text) <= 10

    def _member(self, text: str, *, before_numbers: bool, nameless: bool = False) -> Statement | None:
        """Another member's order in a line without a number: a name and something that is ordered."""
        if (
            len(text) > 80
            or vocabulary.STOP_NAMES.match(text)
            or vocabulary.TALLY.match(text)
            or text[0] in "(（+-*"
        ):
            return None
        if praises(text):
            return None
        first = self.tokens(text)[0]
        if first.kind == "Q" and not (nameless and _DOOR_FIRST.match(text)):
            return None
        if first.kind in _BEGINS_NO_NAME:
            return None
        if before_numbers and prices_told(text, self.lexer):
            return None  # D 例汤5: a line of the menu
        statement = read_entry(text, self.lexer)
        name = statement.name.strip()
        if (
            not name
            and statement.head.room[1]
            and nameless
            and statement.orders
            and all(s.qty for s in statement.steps)
        ):
            return statement
        if not name or len(name) > 16 or not statement.orders:
            return None
        if vocabulary.STOP_NAMES.search(name) or (_VERBS.match(name) and not places.is_kin(name)):
            return None
        goods = self.lexer.catalogue.name_at(name, 0, len(name))
        if goods is not None and goods.end == len(name):
            return None
        if any(s.issue in ("unknown_product",) for s in statement.steps) or (
            statement.sums and before_numbers
        ):
            return None
        closing = vocabulary.CLOSING.search(_TO_PAY.sub("", text))
        if closing or vocabulary.QUESTION.search(text) or _TITLE.search(text):
            return None
        clean = not statement.notes and not statement.issues and all(s.qty for s in statement.steps)
        if (
            not clean
            and not places.person_like(name)
            and vocabulary.NOTE_HINTS.search(name)
            and len(name) > 3
        ):
            return None
        firm = [s for s in statement.steps if s.product is not None or s.amount is not None or s.op != PLAIN]
        if not firm:
            return None
        counted = any(s.op != PLAIN or (s.amount is not None and s.amount.digits) for s in statement.steps)
        if not counted and not places.person_like(name):
            return None
        if before_numbers and (
            statement.notes or statement.issues or not all(s.qty for s in statement.steps)
        ):
            return None
        return statement


_ASKS = re.compile(r"吗|呢$|[?？]$|好不好|多少钱|怎么|什么")
_ABOUT_NUMBER = re.compile(r"第?(\d{1,3})(?:号|楼|#)\s?(?:的|那个|那位)?\s?(?=改|换|再?加|减|取消|不要|退)")
_DOOR_FIRST = re.compile(r"[1-9]\d{2,3}(?=[\s\u4e00-\u9fff])")
_TO_PAY = re.compile(r"到货(?:后|再)?付款?")
_SAYS_PAID = re.compile(r"@?([^\s,:@]{1,10}?)[\s,:]*(?=已|付|转|✅|红包|[\s,:]+\S)")
_MENU = re.compile(r"菜单|菜品|菜式|今日菜|主菜|套餐内容|品种|商品")
_TITLE = re.compile(r"接龙|开团|团购|预[定订]|菜单|拼单|开接")
_COUNTING = re.compile(r"统计|合计|汇总|总计|共计|小计|订货单|采购单|备货单")
_RULE_OFF = re.compile(r"^[-—=_*~.·。#]{4,}$")
_VERBS = re.compile(
    r"(?:放|送|取|备注|电话|地址|要|加|改|换|给|帮|另|还|再|都|也|不|没|请|麻烦|谢|收|发|到|共|合|总|今|明|周|晚上|早上|下午|上午|其中|其他|其余|如|但|就|可以|一起|分|包|我|他|她|你|您|这|那|的|和|或|同|跟|已|先|后|全|各|每)"
)


__all__ = ["Block", "ChainReader", "Line"]
