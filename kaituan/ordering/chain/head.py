"""Who an entry is from: name, room, phone, address, found among its tokens before anything is counted.

The name is what stands first and means nothing else. A product word inside it stays a name when the order
follows behind (草莓妈 橙子2), and is an order when nothing does (何姐草莓2)."""

import re
from dataclasses import dataclass, field

from . import nicknames, places
from .goods_words import names_goods
from .lexer import FULL, LABEL, Lexer, Style, Token
from .normalise import circled_value
from .quantities import Amount
from .rooms import ENDS_CHUNK, is_loose_room, place_after, place_prefix, rooms

GAPS = frozenset({"SP", "SEP", "NL", "PAUSE", "SLASH", "COLON", "DASH", "DOT", "PLUS"})
_ORDERING = frozenset("要来订定买拿加改减退补报点")
_NOT_A_NAME = frozenset(
    {"FILL", "POLITE", "ADD", "CANCEL", "REF", "EACH", "ALL", "UNSURE", "COND", "VAGUE", "REPL", "SUB"}
)


@dataclass(slots=True)
class Head:
    """Spans are in the entry's plain text; (0, 0) is absent. used: tokens that are spoken for."""

    name: tuple[int, int] = (0, 0)
    room: tuple[int, int] = (0, 0)
    address: tuple[int, int] = (0, 0)
    phone: str = ""
    tail: str = ""
    used: set[int] = field(default_factory=set)


class HeadReader:
    """Reads the head of one entry; `sender` is known in chat messages, where no name is written."""

    def __init__(self, text: str, tokens: list[Token], lexer: Lexer, *, sender: bool) -> None:
        self.text, self.tokens, self.lexer = text, tokens, lexer
        self.style: Style = lexer.style
        self.single = lexer.catalogue.single
        self.sender = sender
        self.head = Head()
        self._consignee = (0, 0)

    def read(self) -> Head:
        self._labels_and_numbers()
        if not self.sender:
            at = self._signs_only()
            if self.head.name == (0, 0):
                at = self._skip_to_name()
            if self.head.name == (0, 0) and at < len(self.tokens):
                self.name_from(at)
            if self.head.name == (0, 0):
                nicknames.name_behind(self)
            if self.head.name == (0, 0):
                nicknames.courtesy_name(self)
            if self.head.name == (0, 0):
                nicknames.department_name(self)
            if self.head.name == (0, 0):
                self.head.name = self._consignee
        rooms(self)
        return self.head

    # Contacts that say what they are

    def _labels_and_numbers(self) -> None:
        head, tokens = self.head, self.tokens
        for i, token in enumerate(tokens):
            if token.kind == "PHONE":
                head.phone = head.phone or token.value[-11:]
                head.used.add(i)
            elif token.kind == "TAIL":
                head.tail = head.tail or token.value
                head.used.add(i)
            elif token.kind == "ADDRESS":
                head.address = head.address if head.address[1] else (token.start, token.end)
                head.used.add(i)
            elif token.kind == "LABEL":
                head.used.add(i)
                self._labelled(i, token.value)

    def _labelled(self, i: int, label: str) -> None:
        """姓名：王姐 and the like: the label tells what follows, up to the next gap."""
        stops: tuple[str, ...]
        end, stops = i + 1, ("SP", "SEP", "NL", "LP", "RP", "LABEL", "PAUSE")
        if label in ("address", "room"):
            stops = ("SEP", "NL", "RP", "LABEL", "PHONE")
        while end < len(self.tokens) and self.tokens[end].kind not in stops:
            if label == "room" and self.tokens[end].kind == "SP" and self._starts_order(end + 1):
                break
            if label == "address" and self.tokens[end].kind == "SP" and self._starts_order(end + 1):
                break
            end += 1
        if end == i + 1:
            return
        span = (self.tokens[i + 1].start, self.tokens[end - 1].end)
        if label == "name" and self.head.name == (0, 0):
            self.head.name = span
        elif label == "room" and self.head.room == (0, 0):
            self.head.room = span
        elif label == "address" and self.head.address == (0, 0):
            self.head.address = span
        elif label == "consignee":
            self._consignee = span
        elif label not in ("room", "address"):
            return
        self.head.used.update(range(i + 1, end))

    def _starts_order(self, i: int) -> bool:
        kinds = [t.kind for t in self.tokens[i : i + 2]]
        return kinds[:1] == ["P"] or kinds[:1] == ["PHONE"] or kinds == ["Q", "P"]

    # The name

    def _signs_only(self) -> int:
        """.. is a nickname too when a space follows."""
        found = re.match(r"\s*([^\w\s()\[\]，,#@+*~\-]{2,})(?=\s+\S)", self.text)
        if found and all(
            t.kind in ("DOT", "SEP", "PAUSE", "SP", "COLON") for t in self.tokens if t.end <= found.end()
        ):
            self.head.name = found.span(1)
            self.head.used.update(i for i, t in enumerate(self.tokens) if t.end <= found.end())
        return 0

    def _skip_to_name(self) -> int:
        """Rooms, phones and signs may stand before the name."""
        tokens, head = self.tokens, self.head
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if (
                at in head.used
                or token.kind in GAPS
                or (token.kind in ("PAID", "RP") and token.end - token.start == 1)
            ) or (token.kind == "ROOM" and not self._room_is_name(at)):
                at += 1
            elif self._leading_flat(at):
                head.room = (token.start, token.end)
                head.used.add(at)
                at += 1
            elif (token.kind == "LP" and self._closes_soon(at)) or (
                token.kind == "POLITE"
                and not self.text[token.start].isalnum()
                and token.end - token.start == 1
            ):
                at += 1
            else:
                break
        return at

    def _room_is_name(self, at: int) -> bool:
        """H1 or K2 first and no other name: then it is how somebody calls himself."""
        if self.tokens[at].value != "area":
            return False
        later = self.tokens[at + 1 : at + 4]
        return not any(t.kind == "TEXT" and t.start != 0 for t in later)

    def _leading_flat(self, at: int) -> bool:
        """1502 84消毒液2, 903李姐: a door number first, when something follows that can be ordered or named."""
        token = self.tokens[at]
        if not is_loose_room(token, self.text) or self.head.room[1] or at + 1 >= len(self.tokens):
            return False
        if any(t.kind == "ROOM" and t.start < token.end + 3 for t in self.tokens[:at]):
            return False
        following = self.tokens[at + 1]
        if self.text.startswith("的", token.end):
            return False  # 1983的夏天
        behind = self.tokens[at + 2] if at + 2 < len(self.tokens) else None
        if following.kind == "SP" and behind is not None and behind.kind == "ROOM" and behind.value != "area":
            return False  # 9527 23栋1803
        return (
            following.kind in ("SP", "TEXT", "SEP", "DASH", "COLON", "SLASH", "PAUSE", "POLITE", "PAID")
            or following.kind == "P"
        )

    def _closes_soon(self, at: int) -> bool:
        """(3-502) or [团长] before the name."""
        inner = [t.kind for t in self.tokens[at + 1 : at + 4]]
        return "ROOM" in inner[:1] or inner[:1] == ["PHONE"] or inner[:1] == ["TAIL"]

    def chunk_end(self, at: int) -> int:
        end = at
        while end < len(self.tokens) and (self.tokens[end].kind not in ENDS_CHUNK or self._school_class(end)):
            end += 1
        return end

    def _school_class(self, i: int) -> bool:
        """三(2)班浩浩: brackets that belong to a name."""
        around = self.text[max(0, self.tokens[i].start - 4) : self.tokens[i].end + 4]
        return self.tokens[i].kind in ("LP", "RP") and bool(
            re.search(r"[\u4e00-\u9fff\d]\(\d{1,2}\)班", around)
        )

    def name_from(self, at: int) -> None:
        """Decide how much of the first chunk is the name."""
        end = self.chunk_end(at)
        if end == at:
            return
        stop = end if nicknames.whole_nickname(self, at, end) else self.boundary(at, end)
        if stop == at:
            return
        start, last = self.tokens[at].start, self.tokens[stop - 1].end
        stop, last = self._join_next(at, stop, end, last)
        if self.text[last - 1] == "的" and self.text[start : last - 1] in self.style.people:
            last -= 1  # 王姐的改成3盒
        if self.text[start] == "的" and at and self.tokens[at - 1].kind == "ROOM" and last - start == 2:
            start = self.tokens[at - 1].start  # 七号楼的风
            self.head.used.add(at - 1)
        if self.text[start] == "的" and last - start > 2 and places.person_like(self.text[start + 1 : last]):
            start += 1  # 5号楼的刘奶奶
        self.head.name = (start, last)
        self.head.used.update(range(at, stop))
        place_after(self, stop)

    def boundary(self, at: int, end: int) -> int:
        """The first token of the chunk [at, end) that is no longer the name."""
        tokens = self.tokens
        if self._unknown_goods(at, end):
            return at
        rest_goods, rest_amounts = self.rest(end)
        for i in range(at, end):
            token = tokens[i]
            if token.kind in nicknames.FIRM:
                if (
                    token.kind == "ROOM"
                    and i > at
                    and tokens[i - 1].kind == "TEXT"
                    and place_prefix(self, at, i, end)
                ):
                    return at
                return i
            if token.kind == "DASH" and i > at and (end - i > 1 or i + 1 == end):
                if (
                    self.text_only(i + 1, end)
                    and end - i == 2
                    and tokens[i + 1].kind == "TEXT"
                    and self.text[token.start - 1].isascii()
                    and self.text[tokens[i + 1].start].isascii()
                ):
                    continue
                return i
            if token.kind == "P" and self._is_order_word(i, at, end, rest_goods, rest_amounts):
                return i
            if token.kind == "Q" and self._is_amount(i, at, end, rest_goods, rest_amounts):
                return i
            if (
                i > at
                and token.kind
                in (
                    "CANCEL",
                    "REPL",
                    "ADD",
                    "SUB",
                    "REF",
                    "EACH",
                    "UNSURE",
                    "ALL",
                    "FILL",
                    "TIME",
                    "OTHERS",
                    "COND",
                    "VAGUE",
                    "ONEEACH",
                )
                and self.is_verb(i, end)
            ):
                return i
            if i == at and token.kind in _NOT_A_NAME and self.is_verb(i, end) and not rest_goods:
                return i
            if token.kind == "PLUS" and i > at:
                return i
        return end

    def rest(self, end: int) -> tuple[bool, bool]:
        """Whether products and quantities stand behind the first chunk."""
        goods = amounts = False
        for i in range(end, len(self.tokens)):
            token = self.tokens[i]
            if token.kind == "P" and token.end - token.start + token.strength > 2:
                goods = True
            elif token.kind == "Q" and not is_loose_room(token, self.text):
                amounts = True
            elif token.kind in ("ALL", "EACH", "REF", "REFNO", "REFNAME"):
                goods = True
        return goods, amounts

    def text_only(self, start: int, end: int) -> bool:
        return all(t.kind in ("TEXT", "FILL") for t in self.tokens[start:end])

    def _is_order_word(self, i: int, at: int, end: int, rest_goods: bool, rest_amounts: bool) -> bool:
        """A product in the first chunk that is ordered rather than part of a nickname."""
        tokens = self.tokens
        token = tokens[i]
        before, after = (tokens[i - 1] if i > at else None), (tokens[i + 1] if i + 1 < end else None)
        if (
            i == at
            and self._placed(at)
            and after is not None
            and after.kind in ("Q", "ADD", "SUB", "REPL", "CANCEL", "EACH")
        ):
            return True
        if token.strength == LABEL and (
            self.text[token.start] == "#" or circled_value(self.text[token.start])
        ):
            return True  # ④, #3: nobody is called so
        if after is not None and after.kind == "Q":
            sized = isinstance(after.value, Amount) and (after.value.unit or after.value.sign)
            return bool(sized or not rest_goods or token.strength > 1 or i > at)
        if before is not None and before.kind == "Q":
            return True
        if (
            after is not None
            and after.kind in ("EACH", "ADD", "SUB", "REPL", "CANCEL", "P", "PLUS", "FILL")
            and (i > at or token.strength == FULL)
        ):
            return not rest_goods or after.kind in ("EACH", "P", "PLUS")
        if i == at and self._goods_only(at, end):
            return True
        name = self.text[tokens[at].start : token.start]
        if after is not None and after.kind not in ("Q",):
            return False
        if i == at:
            # The chunk is nothing but a product word: an order when a room stands before it or nothing after.
            return bool(self.head.room[1] or any(t.kind == "ROOM" for t in tokens[:at])) or not rest_goods
        if rest_goods:
            return (
                token.strength == FULL
                and places.person_like(name)
                and len(name) >= 2
                and tokens[end - 1] is token
                and token.end - token.start > 1
            )
        if token.end - token.start == 1 and token.strength < FULL:
            return False
        return len(name) >= 2 or (not self.single and name not in "小老阿大" and token.strength == FULL)

    def _placed(self, at: int) -> bool:
        """Whether a room stands before the first chunk."""
        return bool(self.head.room[1]) or any(t.kind == "ROOM" for t in self.tokens[:at])

    def _unknown_goods(self, at: int, end: int) -> bool:
        """黄豆2斤, 小米粥1 behind a room: a word around a product word with an amount is goods, not a name."""
        stop = next((k for k in range(at, end) if self.tokens[k].kind == "Q"), None)
        if stop is None or stop == at or not self._placed(at):
            return False
        run = self.tokens[at:stop]
        word = self.text[run[0].start : run[-1].end]
        if (
            {t.kind for t in run} == {"TEXT"}
            and not self.single
            and not self.rest(end)[0]
            and not places.person_like(word)
        ):
            amount = self.tokens[stop].value
            return names_goods(word, counted=True) or bool(amount.unit and amount.unit != "份")
        mixed = {t.kind for t in run} == {"P", "TEXT"}
        return (
            mixed
            and not places.is_kin(word)
            and (run[0].kind == "P" or all(t.kind == "TEXT" or t.strength < FULL for t in run))
        )

    def _goods_only(self, at: int, end: int) -> bool:
        """Product words and amounts alone, behind a room or joined by + (A+D 各1): nobody's name."""
        kinds = [t.kind for t in self.tokens[at:end]]
        joined = kinds[:3] == ["P", "PLUS", "P"]
        return len(kinds) > 1 and set(kinds) <= {"P", "Q", "PLUS", "EACH"} and (joined or self._placed(at))

    def _is_amount(self, i: int, at: int, end: int, rest_goods: bool, rest_amounts: bool) -> bool:
        """A number in the first chunk that counts something rather than belongs to the name."""
        tokens, token = self.tokens, self.tokens[i]
        amount: Amount = token.value
        after = tokens[i + 1] if i + 1 < end else None
        if after is not None and after.kind == "P" and (i > at or not amount.bare):
            return True
        if i == at:
            if (
                amount.bare
                and amount.amount is not None
                and self.lexer.catalogue.by_price(int(amount.amount * 100))
                and after is not None
                and self.text[after.start : after.end] in ("的", "那个", "那种")
            ):
                return True  # 88的两袋: the price says which
            if end - at == 1 and amount.bare and rest_amounts and (rest_goods or self.single):
                return False
            return bool(amount.unit and (after is None or after.kind != "TEXT")) or (
                end - at == 1 and not rest_goods
            )
        digits = self.text[token.start : token.end]
        before = self.text[tokens[at].start : token.start]
        door = self.style.doors or self._placed(at) or places.person_like(before)
        if is_loose_room(token, self.text) and not self.text[token.start - 1].isascii() and door:
            self.head.room = self.head.room if self.head.room[1] else (token.start, token.end)
            self.head.used.add(i)
            return True
        if amount.sign == "+" or (amount.sign == "x" and not self.text[token.start - 1].isascii()):
            return True
        if amount.unit:
            glued = after is not None and after.kind == "TEXT"
            return not (glued and rest_goods) and not (
                rest_goods and rest_amounts and not digits[0].isdigit()
            )
        if not digits[0].isascii():
            return False
        if rest_goods or (self.single and rest_amounts):
            return False
        return after is None and not self.text[token.start - 1].isascii()

    def is_verb(self, i: int, end: int) -> bool:
        """改成3份, 不要了, 要2盒: a word that says what to do, not a character of the name."""
        token = self.tokens[i]
        after = self.tokens[i + 1] if i + 1 < len(self.tokens) else None
        long = token.end - token.start > 1
        if token.kind == "FILL":
            word = self.text[token.start : token.end]
            return word[-1] in _ORDERING and after is not None and after.kind in ("Q", "P", "EACH", "ALL")
        if long or (token.kind in ("CANCEL",) and (after is None or after.kind in ENDS_CHUNK)):
            return token.kind != "TIME" or self.text[token.start].isdigit() or after is not None
        return after is not None and after.kind in ("Q", "P")

    def _join_next(self, at: int, stop: int, end: int, last: int) -> tuple[int, int]:
        """🍀 白芷 and Mary Ann are one name each."""
        tokens = self.tokens
        if stop != end or stop + 1 >= len(tokens) or tokens[stop].kind != "SP":
            return stop, last
        word = self.text[tokens[at].start : last]
        following = tokens[stop + 1]
        if following.kind != "TEXT":
            return stop, last
        if (
            len(word) == 1
            and following.end - following.start <= 2
            and places.is_kin(self.text[following.start : following.end])
        ):
            return stop + 2, following.end  # 何 姐
        symbols_only = not any(c.isalnum() for c in word)
        latin = word.isascii() and word.replace("'", "").replace(".", "").isalpha()
        next_word = self.text[following.start : following.end]
        next_end = self.chunk_end(stop + 1)
        if symbols_only:
            new = self.boundary(stop + 1, next_end)
            return (new, tokens[new - 1].end) if new > stop + 1 else (stop, last)
        if (
            latin
            and next_word.isascii()
            and next_word.isalpha()
            and next_end == stop + 2
            and not self.lexer.catalogue.slip(next_word)
            and not nicknames.counted_goods(self, stop + 1)
        ):
            return stop + 2, following.end
        return stop, last

    # Rooms and places
