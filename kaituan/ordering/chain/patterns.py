# ruff: noqa: E501
"""The fixed forms that the lexer knows: times, money, references, measures, and where each can begin."""

import re

from . import vocabulary
from .goods_words import STARTS_WITH_A_NUMERAL
from .quantities import NUMERAL, UNIT

TIME = re.compile(
    r"(?:今天|明天|后天|大后天|今晚|明晚|今早|明早|周末|早上|晚上|上午|下午|中午|傍晚|凌晨|夜里|下班|上班|(?:下|本|这)?(?:周|星期|礼拜)[一二三四五六日天末]|工作日|节假日|月底)"
    r"|\d{1,2}\s?[:：]\s?[0-5]\d(?:\s?[-~到至]\s?\d{1,2}[:：][0-5]\d)?(?:am|pm)?"
    r"|(?!一点(?![钟半前后左之以来取到送]))(?:\d{1,2}|[一二三四五六七八九十]{1,3})\s?(?:[-~到至]\s?(?:\d{1,2}|[一二三四五六七八九十]{1,3})\s?)?(?:点钟|点半|点(?:\d{1,2}分?)?(?!的|心|点)|时(?![令蔬]))(?:左右|前后|以后|之后|之前|以前|前|后|多)?"
    r"|(?:20\d\d)[年\-/.]\d{1,2}[月\-/.]\d{1,2}[日号]?"
    r"|\d{1,2}月\d{1,2}[日号]?"
    r"|\d{1,2}[号日](?=早|晚|上午|下午|中午|来|取|到|后|前|之|再|回|送|发|下班|拿|以)"
    r"|(?:\d{1,2}/\d{1,2})(?=再|来|取|到|后|前|之|拿|号|日|\s?(?:来|取|到|拿)|送|发)"
    r"|\d{1,2}\s?(?:am|pm)(?![a-z])|\d{1,3}\s?(?:分钟|小时|个月|岁|折|%|度|公里)|\d{1,3}(?:天(?!然)|年(?!糕)|月(?!饼)|日(?![期式本常]))"
)
MONEY = re.compile(
    r"(?P<head>共计|总共|合计|总计|一共|共付|共|计|总价|总额|金额|小计|应付|实付|总|=(?=\s?\d{2}|\s?\d\.))?\s?[:：]?\s?"
    r"(?:(?P<sign>[¥$]|rmb)\s?(?P<a>\d{1,6}(?:\.\d{1,2})?)(?:\s?(?:元|块钱|块))?"
    r"|(?P<b>\d{1,6}(?:\.\d{1,2})?)\s?(?P<word>元钱|元|块钱|圆(?![子葱白规形])|rmb|yuan|米金)"
    rf"|(?P<c>\d{{1,6}}(?:\.\d{{1,2}})?)\s?(?P<kuai>块)"
    rf"|(?![13]/[24]\s?斤)(?P<d>\d{{1,6}}(?:\.\d{{1,2}})?)(?P<per>(?:元|块)?\s?/\s?\d*(?:{UNIT}))"
    rf"|(?<=[共计总额付价])\s?(?P<e>\d{{1,6}}(?:\.\d{{1,2}})?)(?!\s?{UNIT}|\d|样|种|款))"
    rf"(?P<tail>\s?(?:/\s?|一|每|1)(?:{UNIT}))?"
)
MONEY_START = frozenset("共总合一计小应实金=¥$r0123456789")
LABEL = re.compile(
    "(" + "|".join(sorted((re.escape(w) for w in vocabulary.LABEL), key=len, reverse=True)) + r")\s?[:：]\s?"
)
BRACKETED_LABEL = re.compile(r"[\[(](备注|姓名|房号|电话|地址|数量|商品)[\])]")
LATIN = re.compile(r"[a-z][a-z'’.&]*")
DIGITS = re.compile(r"\d+(?:\.\d+)?")
SEPARATORS = {",": "SEP", "，": "SEP", "、": "PAUSE", ";": "SEP", "；": "SEP", "。": "SEP", "!": "SEP", "|": "SEP", "~": "SEP", "…": "SEP", "?": "SEP", ":": "COLON", "/": "SLASH", "+": "PLUS", "&": "PLUS", "-": "DASH", "\n": "NL", " ": "SP", "\t": "SP",
               "(": "LP", "[": "LP", "<": "LP", "{": "LP", ")": "RP", "]": "RP", ">": "RP", "}": "RP", "_": "SP", "·": "SP", "•": "SP", "\\": "SEP", '"': "SP", "“": "SP", "”": "SP", "「": "SP", "」": "SP", "*": "SP", ".": "DOT", "@": "SP", "#": "SP", "=": "COLON", "^": "SP", "’": "SP", "‘": "SP", "'": "SP"}  # fmt: skip

REF_NUMBER = re.compile(
    r"(?:同|照|抄|学|复制|same as )\s?第?\s?(?:#|no\.?)?(\d{1,3})(?!\d|[-#栋号幢]\d|号楼)(?:号|楼|位|#)?(?:的|那个|那位)?(?:一样的?|一致|相同)?"
    r"|(?:跟|和|与)\s?第?\s?(?:#|no\.?)?(\d{1,3})(?:号|楼|位|#)?\s?(?:的|那个|那位)?\s?(?:一样的?|一致|相同|同款)"
)
REF_NAME = re.compile(
    r"(?:同|跟|和|与|照|抄|学)\s?([^\s,，。;；、()\n]{1,12}?)\s?(?:的|家|家的|买的|订的)?(?:一模一样|一样的?(?![一二两三\d半各])|一致|相同|同款|那样|的来|来一份一样的)"
    r"|same as ([a-z][a-z ]{0,15})"
)

OLD_NEW = re.compile(
    r"(原(?:来|先|定|订|本|是)*(?=\s?[\d一二两三四五六七八九十半]))|(现(?:在|改|要|为|成)*(?=\s?[\d一二两三四五六七八九十半]))"
)
WITHOUT = re.compile(r"(没有?|无|缺)[^\s,;。()\d]{1,7}?(?:就|的话|则|换|可以换|可换)")
STARTS_COUNTED = re.compile(rf"\s?(?:x\s?)?(?:\d{{1,2}}|[一二两三四五六七八九十半])\s?{UNIT}|x\d")
ADJECTIVES = frozenset("肥瘦大小甜熟生嫩硬软脆辣淡咸酸快早晚厚薄干湿鲜好细粗长短高低热冷浓轻重满")
GETS = re.compile(r"[整称割搞弄薅捎](?=\s?(?:\d|[一二两三四五六七八九十半俩仨]))")
"""整俩, 称2斤: a verb of getting, in front of an amount."""
STARTS_AMOUNT = re.compile(r"[\d一二两三四五六七八九十半]")

REF_KNOWN = re.compile(r"(?:同|跟|照|抄|学)\s?([^\s,，。;；、()\n]{1,10}?)(?:的|家)?(?=$|[\s,，。;；、()])")
BEFORE_UNIT = re.compile(rf"(?:[x*+\-]\s?)?{NUMERAL}")
MEASURED = re.compile(
    r"(?:身高|体重|腰围|胸围|臀围|脚长|年龄|鞋码|尺码|裤长|衣长|臂长|度数|净高)\s?[:：]?\s?\d+(?:\.\d+)?\s?(?:cm|kg|厘米|公分|公斤|斤|岁|码|度|米)?|\d米\d{1,2}|[一二三四五六七八九]分[糖甜熟]|[三五七八]成熟|spf\s?\d+\+*|pa\+{2,}"
)
"""身高165, SPF50: a measure of somebody or of the goods; never an amount."""
MINUS = re.compile(r"\d{1,2}-(?:\d(?!\d|-)|\d{1,2}-\d{1,4}|\d{3,4}(?!\d))")
DOOR_BEHIND = re.compile(r"-(?:\d{1,2}-){0,2}\d{3,4}(?!\d|\.)|-\d{1,2}-\d")
PAID_APART = re.compile(r"已\s+[付转](?:\s?款|\s?账)?(?![一半])")
TOTAL = re.compile(r"(?:一共|总共|共计|合计|总计|共)\s?:?\s?(?=[\d一二两三四五六七八九十])")
"""共3份: how many pieces it all comes to."""
HALVES = re.compile(rf"一半(?!{UNIT})")
"""一半切片一半切块: a share, no number."""
HANDLE = re.compile(r"[a-z][a-z0-9.]*_[a-z0-9_]+")
"""peter_2021: one name."""
ORDINAL = re.compile(r"第(?:\d{1,3}|[一二三四五六七八九十]{1,3})[次回天批期轮波排单年]?")
DAY = re.compile(r"(?:[12]?\d|3[01])[号日](?!\d{2}|[楼#\-])")
"""8号: what is no code and no building is a day, never eight of something."""
FIRST: dict[str, int] = {}
for _word in vocabulary.WORDS:
    FIRST[_word[0]] = max(FIRST.get(_word[0], 0), len(_word))


SIMPLE = {c: k for c, k in SEPARATORS.items() if c not in "([<{+-*/#.~=:@"}
LABEL_START = frozenset(word[0] for word in vocabulary.LABEL)
TIME_START = frozenset("今明后大周早晚上下中傍凌夜本这星礼工节月0123456789一二三四五六七八九十")
HOUSEHOLD_START = frozenset("一全两二三四五六七八九0123456789")
GOODS_NUMERALS = frozenset(word[0] for word in STARTS_WITH_A_NUMERAL)
NUMERALS = frozenset("零〇一二两三四五六七八九十百廿卅壹贰叁肆伍陆柒捌玖拾佰弍弎俩仨半斤公")
STARTS = (
    frozenset(FIRST) | MONEY_START | LABEL_START | TIME_START | HOUSEHOLD_START | NUMERALS
    | frozenset("中.商双身体腰胸臀脚年鞋尺裤衣臂度净整称割搞弄薅捎前头开上下最第手电联尾后末*([+-#x东南西北甲乙丙丁工座卡门房室同照抄学复跟和与没无缺转原现①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳")
)  # fmt: skip
"""Characters at which something other than plain text can begin, besides Latin letters, digits and products."""
PLAIN_NUMBER = re.compile(
    r"\d+\s?(?:$|(?<=\d)[,、;。!)\n]|(?<=\s)(?![号#栋幢座楼弄期区苑组单门室房户层桌工卡位点时年月日分小天个岁折%度次米公元块圆会办教病宿寝铺诊机/\-~:.到至a-zx*¥$人口]|\d)"
    r"|(?<=\d)(?![号#栋幢座楼弄期区苑组单门室房户层桌工卡位点时年月日分小天个岁折%度次米公元块圆钱会办教病宿寝铺诊机/\-~:.到至a-z\d\s¥$人口]))"
)
"""A number behind which no room, time or money can go on: most quantities, passed over quickly."""
POSTAL = re.compile(r"省|市|自治区|区[\u4e00-\u9fff]{1,10}(?:路|街|道)|县|路\d|街\d|道\d|巷\d|胡同\d|弄\d")
