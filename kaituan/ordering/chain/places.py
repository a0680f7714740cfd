# ruff: noqa: E501
"""Where a member lives or sits and how to reach them: rooms, desks, phones and their tails, addresses."""

import re

_CN = r"[一二三四五六七八九十百]{1,3}"
_N = rf"(?:\d{{1,4}}|{_CN})"
_BUILDING = rf"(?:(?:\d{{1,4}}|{_CN}|[a-z]\d{{0,2}}|[东南西北甲乙丙丁])\s?(?:号楼|号院|#楼|栋楼|栋|幢|座|号(?=-?\d{{3,4}}(?!\d|\.\d))|号(?=\d{{1,2}}-\d)|号(?=-?\d{{1,4}}(?:室|房|-))|号(?=\s?{_N}单元)|#(?=-?\d)|弄))"
_PHASE = rf"(?:{_N}|[a-z东南西北])(?:期|区|苑|组团)"
_ENTRANCE = rf"(?:{_N}|[东西南北中甲乙丙丁])\s?(?:单元|门(?![口卫岗]))"
_FLAT = r"\d{2,5}[a-z]?(?!\d|\.\d)(?:\s?(?:号房|室|房|户))?"
_UNITS_AFTER = (
    r"(?!(?:斤|公斤|千克|kg|g\b|克|两|份|盒|箱|袋|包|瓶|罐|桶|个|只|条|件|套|支|枝|把|束|串|块|片|张|板|提|本|元|点|岁|楼|层|号(?!楼|房|院|室)|月|日))(?!(?:(?<=\D\d)|(?<=\D\d\d))[:.]\d)"
    r"(?!\s(?:斤|份|盒|箱|袋|瓶|个|只|条|件|元)(?![\u4e00-\u9fff]))"
)

ROOM = re.compile(
    "|".join(
        (
            # 一期5号803, 2期26-703, 1期-12-205, 3区5栋2单元501
            rf"{_PHASE}\s?-?(?:{_BUILDING}[\s\-/]?)?(?:{_ENTRANCE}[\s\-/]?)?(?:\d{{1,3}}-)?(?:\d{{1,3}}-)?{_FLAT}",
            rf"{_PHASE}\s?-?{_BUILDING}(?:[\s\-/]?{_ENTRANCE})?",
            # 3号楼2单元501, 2栋 2单元 202, 3#502, 3栋502室, a座1203
            rf"{_BUILDING}[\s\-/,]{{0,2}}{_ENTRANCE}[\s\-/,]{{0,2}}{_FLAT}{_UNITS_AFTER}",
            rf"{_BUILDING}[\s\-/,]?(?:\d{{1,2}}-)?{_FLAT}{_UNITS_AFTER}",
            rf"{_BUILDING}(?:{_ENTRANCE})?[一二三四五六七八九][零〇一二三四五六七八九]{{2,3}}(?:室|房)?",
            rf"{_BUILDING}\s?{_ENTRANCE}",
            rf"{_BUILDING}\s?{_N}(?:楼|层|f(?![a-z]))(?:\s?[a-z](?![a-z0-9])室?)?",
            rf"{_BUILDING}\s?\d{{1,2}}[a-h](?![a-z0-9])室?",
            _BUILDING,
            rf"{_ENTRANCE}[\s\-/]?{_FLAT}{_UNITS_AFTER}",
            _ENTRANCE,
            # 8-2-1501, 3-502, a3-1203, 12-3
            rf"[a-z]?\d{{1,4}}-\d{{1,3}}-\d{{1,4}}[a-z]?(?:室|房)?(?!\d|-\d|\.\d|[a-z]){_UNITS_AFTER}",
            rf"[a-z]?\d{{1,3}}(?:-|#|/(?=\d{{3,4}}))\d{{1,4}}[a-z]?(?:室|房)?(?!\d|-\d|\.\d|[a-z]){_UNITS_AFTER}",
            r"(?:apt|room|rm|flat|unit|bldg|building|no)\.?\s?#?\s?[a-z]?\d{1,5}[a-z]?(?:\s?-\s?\d{1,4})?",
            r"\d{2,5}[a-z]?\s?(?:号房|室|房)",
            r"\d{1,5}\s?(?:号?会议室|号?办公室|教室|病房|宿舍|寝室|号?铺|诊室|机房|号?包间)",
            r"(?:门牌号?|房号|房间号?|室号)\s?[a-z]?\d{2,5}(?:-\d{1,4})?",
            # desks, floors, areas
            r"[a-z]-\d{2,4}(?!\d|-\d|\.\d|[a-z])",
            r"商铺\s?\d{1,4}号?",
            rf"(?:\d{{1,2}}|{_CN})(?:楼|层)(?:会议室|茶水间|办公室|大厅|前台)",
            r"(?:[a-z]?\d{1,3}(?:楼|f|层)\s?)?(?:工位|座位|卡位|工号)\s?[a-z]?-?\d{1,5}(?:-\d{1,4})?",
            r"(?:[a-z]区?|\d{1,2}区)?-?\d{1,3}(?:号桌|桌|工位|座位|号位|号工位|号座)",
            rf"(?:\d{{1,2}}|{_CN})(?:楼|f(?![a-z])|层(?![饼糕肉酥蛋]))(?:[\s\-]?[a-z]?\d{{1,4}}{_UNITS_AFTER})?(?:[东南西北]区|前台|茶水间)?",
            r"(?:[a-z]\d{0,2}|[东南西北])区(?:[东南西北]?门岗?|大门|大堂|前台|-?\d{1,4}(?:号桌|桌|号)?|[a-z]\d+)?",
            r"(?:[东南西北]|[a-z])门(?:岗)?(?![口])",
        )
    )
)

LOOSE_ROOM = re.compile(r"[a-z]?[1-9]\d{2,3}[a-z]?(?![\d.a-z])")
"""1502: a room when it stands where a room stands, else a number."""

DEPARTMENT = re.compile(
    r"(?<![^\s\-/(,:、.])(?:[\u4e00-\u9fff]{2,3}[部组科](?![分队门长落件的])|(?![送放到在去拿上下同楼])[\u4e00-\u9fff]{2,3}(?<!号)(?:楼|大厦)|it部?|hr部?|行政|财务|人事|市场|销售|技术|研发|运营|业务|客服|法务|采购|设计)(?=$|[\s\-/),])"
)
"""业务部, IT部, 行政: a part of an office, in front of a name or behind it."""

ROOM_TAIL = re.compile(
    r"\s?(?:工位|大堂|大厅|前台|会议室|茶水间|办公室|门岗|[\u4e00-\u9fff]{2}部)(?=$|[\s\-/),:])"
)
"""12楼研发部, D座大堂: what belongs to the room before it."""

AREA = re.compile(r"[a-z]\d{1,2}(?![\d.a-z])")
"""H1: an area or a desk when no product has such a code."""

PHONE = re.compile(r"(?:\+?86[\s\-]?)?(1[3-9]\d[\s\-]?\d{4}[\s\-]?\d{4})(?!\d)")
TAIL = re.compile(
    r"(?:手机号?|电话|联系电话|tel|phone)?\s?(?:尾号是?|尾数|后四位|后4位|末四位|末4位|尾四位|尾4位|后四|后4|尾|ending(?: in)?)\s?[:：]?\s?(\d{4})(?!\d)"
    r"|(?:手机号?|电话|tel|phone)\s?[:：]?\s?\*{0,7}(\d{4})(?!\d)"
    r"|(?:1[3-9]\d)?[*]{4,8}(\d{4})(?!\d)"
    r"|(?<!\d)(\d{4})\s?\(?(?:尾号|手机尾号)\)?"
)

_PLACE_CHARS = r"[\u4e00-\u9fff0-9a-z\-#]"
ADDRESS = re.compile(
    rf"[\u4e00-\u9fff]{{2,8}}(?:省|自治区|市)\s?{_PLACE_CHARS}{{0,30}}?(?:路|街|道|巷|弄|村|镇|乡|胡同|里|苑|园|小区|城|厦|广场|区|县)[^\s,，。;；:：()（）\n]{{0,40}}"
    rf"|[\u4e00-\u9fff]{{2,8}}(?:区|县)[\u4e00-\u9fff]{{1,10}}(?:路|街|大道|巷|弄|村|镇)\d{{1,5}}[^\s,，。;；:：()（）\n]{{0,40}}"
    rf"|[\u4e00-\u9fff]{{2,8}}(?:路|街|大道|巷|胡同)\d{{1,5}}(?:弄\d{{1,4}})?号[^\s,，。;；:：()（）\n]{{0,30}}"
)

_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛阎段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷曲盛冉蓝路游辛靳欧阳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)
_KIN = re.compile(
    r"(?:姐|哥|嫂|叔|姨|婶|妈|妈妈|爸|爸爸|爷爷|奶奶|阿姨|叔叔|老师|先生|女士|太太|太|小姐|大爷|大妈|大姐|大哥|师傅|医生|总|妹|弟|宝|婆|公|娘|伯|同学|经理)$"
)


def person_like(text: str) -> bool:
    """Whether a short word looks like somebody's name rather than a place."""
    if _KIN.search(text) or text[:1] in "小老阿大" or (len(text) in (2, 3) and text[0] == text[1]):
        return True
    return 2 <= len(text) <= 3 and text[0] in _SURNAMES


def is_kin(text: str) -> bool:
    """王姐, 朵朵妈: a word that ends the way people are called."""
    return bool(_KIN.search(text))


def room_of_nickname(nickname: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """3-802阿珂, 1602, 502老齐: the spans of the room and of the name that remains, in the plain form of a nickname."""
    found = ROOM.match(nickname) or re.match(r"[1-9]\d{2,3}(?=$|[\s\-_]|[\u4e00-\u9fff])", nickname)
    if found and any(c.isdigit() for c in found[0]):
        return found.span(), (found.end(), len(nickname))
    for found in ROOM.finditer(nickname):
        if found.end() == len(nickname.rstrip(")]")) and len(re.findall(r"\d", found[0])) >= 3:
            return found.span(), (0, found.start())
    return None
