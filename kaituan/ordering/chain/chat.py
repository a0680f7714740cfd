"""Chat messages: which of them order something, and which ask, chat, announce or tally."""

import re

from . import vocabulary
from .announcements import is_offer, is_price_list, prices_told
from .layout import Message, RawEntry
from .lexer import Lexer
from .normalise import Source


def chat_entry(message: Message, source: Source, lexer: Lexer) -> RawEntry | None:
    """A chat message as one entry of its sender; None when it orders nothing."""
    pieces = [(line.start, line.end) for line in message.lines if line.text]
    if not pieces:
        return None
    entry = RawEntry(None, pieces, sender=message.sender, chat=True, quoted=message.quoted)
    text = entry.text(source)
    if len(text) > 300:
        return None
    return entry if is_order_message(text, message, lexer) else None


_CHATTER = re.compile(
    r"收到了|已收到|好吃|上次|上周|昨天|坏了|烂了|坏的|还没到|到了吗|发货|什么时候|几点|多少钱|怎么|为什么|哪里|退款|售后|推荐|便宜|太贵|不错|好甜|新鲜吗|看起来|图片|拍的|发现|听说|以前|之前买|吃完|吃了|记上|已登记|登记|已加|加好了|记好|统计|合计|总计|共计|到货|截单|接龙|还剩|剩下|还差|成团|开团|库存|来了"
)
_WANTS = re.compile(r"要|来|加|订|定|买|拿|报|接|\+|改|换|取消|退|不要|同|一样|减|补|份|嚟|x|\*")
_NOTICE = re.compile(r"要的|有要|谁要|大家|需要的|想要的|各位|@所有|截单|接龙|价|/|一份$|团")


def is_order_message(text: str, message: Message, lexer: Lexer) -> bool:
    """A chat message orders when it names goods or a number, does not ask, and is not an announcement."""
    tokens = lexer.tokens(text)
    kinds = {t.kind for t in tokens}
    if vocabulary.TALLY.match(text):
        return False
    if not kinds & {"P", "Q", "CANCEL", "REF", "REFNO", "REFNAME", "ALL", "EACH", "PAID"}:
        return False
    leader = "团长" in message.sender or "群主" in message.sender
    if vocabulary.QUESTION.search(text) and not (
        "P" in kinds
        and "Q" in kinds
        and re.search(r"可以吗|行吗|行不|好吗|可以不|吗$", text)
        and _WANTS.search(text)
    ):
        return False
    if is_price_list(text, lexer) or (is_offer(text, lexer) and (leader or prices_told(text, lexer) > 0)):
        return False
    if "MONEY" in kinds and (leader or _NOTICE.search(text)) and "PAID" not in kinds:
        return False
    if _CHATTER.search(text) and not re.search(r"我要|再来|再加|我来|改成|取消|\+\d", text):
        return False
    if leader:
        residue = [
            t
            for t in tokens
            if t.kind in ("TEXT", "TIME") and any(c.isalnum() for c in text[t.start : t.end])
        ]
        if residue or (not re.search(r"我|自己|\+\d", text) and not kinds & {"P"}):
            return False
    return True
