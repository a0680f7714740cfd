# ruff: noqa: E501
"""Chat exports: WeChat, LINE, WhatsApp, QQ, and plain `昵称: text`. Who said what, quotations taken out."""

import re
from collections.abc import Callable

from . import vocabulary
from .layout import Line, Message
from .normalise import Source

_DATE = r"(?:20\d\d\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}日?|\d{1,2}[-/月]\d{1,2}日?|昨天|今天|前天|星期[一二三四五六日天]|周[一二三四五六日])"
_CLOCK = r"(?:上午|下午|早上|晚上|中午|凌晨|am|pm)?\s?\d{1,2}:\d{2}(?::\d{2})?\s?(?:am|pm)?"
_STAMP = rf"(?:{_DATE}\s*,?\s*(?:{_CLOCK})?|{_CLOCK})"

_NAME_STAMP = re.compile(rf"^(?P<name>\S.{{0,29}}?)(?P<gap>\s+){_STAMP}$")
_STAMP_NAME_LINE = re.compile(rf"^{_DATE}\s+{_CLOCK}\s+(?P<name>[^:]{{1,30}}?)(?:\(\d{{5,12}}\)|<[^>]+>)?$")
_LINE_APP = re.compile(rf"^{_CLOCK}\t(?P<name>[^\t]{{1,30}})\t(?P<text>.*)$")
_BRACKET_STAMP = re.compile(rf"^\[\s?{_STAMP}\s?\]\s?(?P<name>[^:]{{1,30}}?):\s?(?P<text>.*)$")
_DASH_STAMP = re.compile(rf"^{_DATE},?\s+{_CLOCK}\s?-\s?(?P<name>[^:]{{1,30}}?):\s?(?P<text>.*)$")
_STAMP_NAME_TEXT = re.compile(rf"^(?:\(?{_STAMP}\)?)\s+(?P<name>[^:\s]{{1,20}}):\s*(?P<text>.*)$")
_NAME_STAMP_TEXT = re.compile(rf"^(?P<name>[^:\s(]{{0,19}}[^:\s(\d])\s*\(?{_CLOCK}\)?\s*:\s*(?P<text>.*)$")
_NAME_ALONE = re.compile(r"^(?P<name>[^\s:][^:]{0,19}):$")
_NAME_TEXT = re.compile(
    r"^(?P<name>(?:\d{3,4}(?=[\u4e00-\u9fff])|[^\s:,。;()\d#])[^:,。;()]{0,14}?)\s?:\s?(?P<text>\S.*)$"
)
_LEADING_STAMP = re.compile(rf"^(?:{_DATE}\s+{_CLOCK}|{_CLOCK})\s+(?=\S)")

_NO_NAME = re.compile(
    r"接龙|截单|截止|时间|到货|自提|取货|发货|配送|开始$|结束|价格|备注|注意|菜单|格式|例[:子如]|^例$|示例|统计|合计|总计|地址|电话|方式|规格|产地|付款|单价|说明|内容|商品|活动|预订|运费|提示|要求|主题|"
    r"地点|名称|收货|收件|姓名|数量|房号|联系|品名|规则|须知|通知|公告|改成?$|更正|星期|周[一二三四五六日]$|今[天日晚早]|明[天日早晚]|\d月|^\W*$|^[\d.\s]+$|^每|备选|主食|小菜|小计|^总[价计共额]|^共|已付|转账|^改|^加[一二两\d]|^补|^减|^退|款$|团$|接$|^原[来价]|^现[在价]|^(?:上午|下午|晚上|早上)$"
)
_SYSTEM = re.compile(
    r"^(?:[-—–=\s]*(?:20\d\d\D\d{1,2}\D\d{1,2}日?|以下为新消息|以上是.*历史消息)?[-—–=\s]*|.*(?:聊天记录如下|撤回了一条消息|加入了?群聊|退出了?群聊|邀请.{0,20}加入|修改群名|拍了拍|开启了|收回訊息|收回讯息|已收回|messages? (?:deleted|and calls).*|this message was deleted).*"
    r"|\[(?:图片|表情|动画表情|语音|视频|文件|链接|位置|名片|小程序|贴图|照片|photo|sticker|image|video)\].*|<(?:media omitted|附件|图片).*|(?:20\d\d[./年-]\d{1,2}[./月-]\d{1,2}日?)\s?(?:\(?(?:星期|周)?[一二三四五六日天]\)?)?)$"
)
_NUMBERED = re.compile(r"\d{1,3}[.、)]|\d+$")
_RULE_OFF = re.compile(r"^[-—–=]{4,}$")
_QUOTE_LINE = re.compile(r"^(?:-\s?){4,}$|^[-—–]{6,}$")
_QUOTED = re.compile(r"^[「『\"“](?P<who>[^:」』]{1,20}):(?P<what>.*?)[」』\"”]?$")
_QUOTING = re.compile(
    r"^(?:引用|回复|回覆|reply to)\s?@?(?P<who>[^:]{1,20}?)\s?(?:的消息|的讯息)?\s?:\s?(?P<what>.*)$"
)
_OPEN_QUOTE = re.compile(r"^[「『]")


def messages_of(source: Source, lines: list[Line], is_goods: Callable[[str], bool]) -> list[Message]:
    """The paste as messages. No headers found: one message without a sender, time stamps cut off."""
    kinds = [_header(line.text, source, line) for line in lines]
    for k, kind in enumerate(kinds):
        if kind and kind[0] in ("inline", "alone") and is_goods(source.text[kind[1][0] : kind[1][1]].strip()):
            kinds[k] = None  # 草莓：2盒 is a tally, not somebody called 草莓
    strong = sum(1 for k in kinds if k and k[0] == "sure")
    alone = sum(1 for k in kinds if k and k[0] == "alone")
    inline = sum(1 for k in kinds if k and k[0] == "inline")
    maybe = sum(1 for k in kinds if k and k[0] == "maybe")
    accepted = {"sure"} if strong else set()
    if maybe >= 2 or (maybe and strong):
        accepted.add("maybe")
    if alone >= 2 and not strong:
        accepted.add("alone")
    if inline >= 2 and not strong and not alone:
        accepted.add("inline")
    if not accepted:
        kept = [
            line
            for line in lines
            if not _SYSTEM.match(line.text) or _RULE_OFF.match(line.text) or not line.text
        ]
        return [_unquoted(Message("", [_unstamped(line) for line in kept]))]
    return _split(source, lines, kinds, accepted)


def _split(
    source: Source,
    lines: list[Line],
    kinds: list[tuple[str, tuple[int, int], tuple[int, int]] | None],
    accepted: set[str],
) -> list[Message]:
    out = [Message("")]
    for line, kind in zip(lines, kinds, strict=True):
        if kind and kind[0] in accepted:
            name = source.written(*kind[1]).strip("\"'“”")
            out.append(Message(name))
            if kind[2][0] < kind[2][1]:
                start, end = kind[2]
                out[-1].lines.append(Line(start, end, source.text[start:end]))
        elif not _SYSTEM.match(line.text) or not line.text:
            out[-1].lines.append(line)
    return [_unquoted(m) for m in out if m.lines]


def _header(text: str, source: Source, line: Line) -> tuple[str, tuple[int, int], tuple[int, int]] | None:
    """(how sure, span of the name, span of the text) when the line begins a message."""
    if not text or len(text) > 400:
        return None
    for pattern, sure in (
        (_LINE_APP, "sure"), (_BRACKET_STAMP, "sure"), (_DASH_STAMP, "sure"), (_STAMP_NAME_LINE, "sure"), (_NAME_STAMP, "name"),
        (_STAMP_NAME_TEXT, "sure"), (_NAME_STAMP_TEXT, "sure"), (_NAME_ALONE, "alone"), (_NAME_TEXT, "inline"),
    ):  # fmt: skip
        found = pattern.match(text)
        if found is None:
            continue
        name = found["name"].strip()
        door = (
            pattern is _NAME_STAMP
            and re.fullmatch(r"\d{3,4}", name)
            and re.search(_DATE, text[found.end("name") :])
        )
        if not name or (pattern is not _LINE_APP and _NUMBERED.match(name) and not door):
            continue
        if (
            _NO_NAME.search(name)
            and not door
            and pattern in (_NAME_STAMP, _NAME_ALONE, _NAME_TEXT, _STAMP_NAME_LINE)
        ):
            continue
        if sure == "name":
            sure = "sure" if len(found["gap"]) > 1 or re.search(_DATE, text[found.end("name") :]) else "maybe"
            if re.search(r"[,。!;?]", name):
                continue
        if pattern is _STAMP_NAME_LINE and not text.endswith((")", ">")):
            sure = "maybe"
        if sure == "inline" and (name in vocabulary.LABEL or vocabulary.STOP_NAMES.search(name)):
            continue
        span = (line.start + found.start("name"), line.start + found.start("name") + len(found["name"]))
        body = (line.start + found.start("text"), line.end) if "text" in pattern.groupindex else (0, 0)
        return sure, span, body
    return None


def _unstamped(line: Line) -> Line:
    """22:15 收到: a time in front of a line says nothing about it."""
    found = _LEADING_STAMP.match(line.text)
    if found is None:
        return line
    return Line(line.start + found.end(), line.end, line.text[found.end() :])


def _unquoted(message: Message) -> Message:
    """A quoted message is not said again: the quotation goes, the answer stays."""
    kept: list[Line] = []
    inside = False
    for line in message.lines:
        text = line.text
        if inside:
            inside = not text.endswith(("」", "』"))
            continue
        if text.startswith(">") and len(text) > 1:
            continue
        if found := _QUOTING.match(text):
            message.quoted = found["who"].strip()
            continue
        if _OPEN_QUOTE.match(text):
            if found := _QUOTED.match(text):
                message.quoted = found["who"].strip()
            inside = not text.rstrip().endswith(("」", "』"))
            closing = max(text.rfind("」"), text.rfind("』"))
            rest = text[closing + 1 :].strip() if closing > 0 else ""
            if rest:
                inside = False
                start = line.start + text.rfind(rest)
                kept.append(Line(start, line.end, rest))
            continue
        if _QUOTED.match(text) and text[0] in '"“' and text.endswith(('"', "”")):
            continue
        if _QUOTE_LINE.match(text) and message.sender:
            continue
        kept.append(line)
    message.lines = kept
    return message
