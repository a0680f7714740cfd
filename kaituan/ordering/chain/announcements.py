"""What is said to everybody: lines that tell prices, and messages that invite to order. Nobody's order."""

import re

from .lexer import Lexer, Token

_BETWEEN = frozenset({"SP", "COLON", "LP", "DASH", "FILL", "DOT"})
INVITES = re.compile(
    r"要的|有要|谁要|大家|需要的|想要的|各位|@所有|截单|接龙|价|/|一份$|团|开始|起订|到货|下单|报名|回复?\+|\+1|\+数量"
)


def prices_told(text: str, lexer: Lexer) -> int:
    """How many goods in the text have their own price behind them: 红糖馒头12 where it costs 12."""
    count = 0
    goods: Token | None = None
    for token in lexer.tokens(text):
        if token.kind == "P":
            goods = token
        elif token.kind in ("Q", "MONEY") and goods is not None:
            count += _is_price(token, goods.value, lexer)
            unit_first = token.kind == "Q" and token.value.amount == 1 and token.value.unit
            goods = goods if unit_first else None
        elif token.kind not in _BETWEEN:
            goods = goods if token.kind == "TEXT" and token.end - token.start <= 2 else None
    return count


def _is_price(token: Token, mask: int, lexer: Lexer) -> bool:
    if token.kind == "MONEY":
        fen = int(token.value)
    elif token.value.amount is None or token.value.unit or token.value.sign:
        return False
    else:
        fen = int(token.value.amount * 100)
    prices = [lexer.catalogue.products[i].price_fen for i in lexer.catalogue.bits(mask)]
    return fen >= 300 and any(
        price and (price == fen or (fen >= 1000 and abs(price - fen) < 100)) for price in prices
    )


def is_price_list(text: str, lexer: Lexer) -> bool:
    """山东特产 扒鸡39 烧饼15: at least two goods with their prices, and hardly any other amount."""
    told = prices_told(text, lexer)
    if told < 2:
        return False
    tokens = lexer.tokens(text)
    if any(t.kind in ("PAID", "PHONE", "TAIL", "CANCEL") for t in tokens):
        return False
    counted = sum(1 for t in tokens if t.kind == "Q" and t.value.amount is not None and t.value.amount < 100)
    return counted <= 2 * told


def is_offer(text: str, lexer: Lexer) -> bool:
    """古早味蛋糕一盒150，要的+1: a price and an invitation."""
    return (
        bool(INVITES.search(text))
        and prices_told(text, lexer) > 0
        and "PAID" not in {t.kind for t in lexer.tokens(text)}
    )


_CONTACT_US = re.compile(r"有事.{0,4}(?:联系|找)|咨询|私聊我|联系我")
_WHEN = re.compile(r"周[一二三四五六日天末]|[今明后]天|\d点|截|到货|现包|登记")
_LEADER = re.compile(r"(?:团长|群主|店家|老板娘?)[^\s:]{0,6}:")
_SAID_BY = re.compile(r"[^\s:]{1,8}:\s?\S")
_PRAISE = re.compile(
    r"(?:好|真|很|太|超|挺|特别)(?:甜|好吃|新鲜|香|大|赞|不错)|好吃|不错|坏了|烂了|坏的|涨价|降价|卖完|卖光|没有了|没了|缺货|断货|到了|收到|没付款的|没付的|未付款的|还没付的"
)
_WANTED = re.compile(r"要|来|加|订|\+|[xX*]\s?\d|份|减|退|改|换成|不要|的话|就")


def praises(text: str) -> bool:
    """草莓好甜啊, 草莓卖完了: talk about goods in which nobody wants any."""
    return bool(_PRAISE.search(text)) and not _WANTED.search(text)


def from_the_leader(text: str, tokens: list[Token]) -> bool:
    """请备好零钱, 有事联系我, 娟姐：周四现包: said to everybody below an entry, not part of it."""
    goods = any(t.kind in ("P", "Q") for t in tokens)
    if praises(text) or (not goods and "请" in text) or _CONTACT_US.search(text) or _LEADER.match(text):
        return True
    said = _SAID_BY.match(text) and tokens and tokens[0].kind != "LABEL"
    return bool(said and _WHEN.search(text) and not any(t.kind == "P" for t in tokens))
