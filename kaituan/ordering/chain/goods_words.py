# ruff: noqa: E501
"""Words that name goods wherever they stand: what such a word means is sold somewhere, though not in this campaign.

荔枝 or 酸奶 in a chain about apples is something that a member wants, not a remark; 放门口 is a remark. The list holds
what neighbours order from each other. A word counts as goods when all of it is such a name, with or without an
ordinary quality in front (甜玉米, 冷冻水饺) or behind."""

import re

from . import vocabulary

_NAMES = """
    苹果 香蕉 梨 雪梨 香梨 鸭梨 皇冠梨 桃 桃子 水蜜桃 黄桃 油桃 蟠桃 李子 杏 杏子 枣 冬枣 红枣 大枣 蜜枣 葡萄 提子 青提 红提 黑提 阳光玫瑰 草莓 蓝莓 树莓 桑葚 车厘子
    樱桃 荔枝 龙眼 桂圆 芒果 菠萝 凤梨 菠萝蜜 榴莲 山竹 火龙果 百香果 猕猴桃 奇异果 石榴 柚子 蜜柚 西柚 橙子 脐橙 血橙 冰糖橙 果冻橙 桔子 橘子 砂糖橘 沙糖桔 丑橘 耙耙柑
    粑粑柑 沃柑 贡柑 柑子 柠檬 青柠 金桔 西瓜 哈密瓜 甜瓜 香瓜 羊角蜜 木瓜 椰子 椰青 牛油果 无花果 杨梅 枇杷 杨桃 莲雾 释迦 红毛丹 人参果 番石榴 芭乐 甘蔗 圣女果 小番茄
    千禧 柿子 山楂 橄榄 雪莲果 燕窝果 刺梨 黑莓 羊奶果 水果 果切 果篮
    白菜 大白菜 娃娃菜 青菜 小青菜 上海青 鸡毛菜 油菜 菜心 生菜 油麦菜 菠菜 空心菜 苋菜 茼蒿 芹菜 西芹 韭菜 韭黄 蒜苔 蒜苗 香菜 葱 小葱 大葱 洋葱 姜 生姜 大蒜 蒜头 辣椒 青椒 尖椒
    小米椒 彩椒 茄子 番茄 西红柿 黄瓜 冬瓜 南瓜 贝贝南瓜 丝瓜 苦瓜 葫芦 西葫芦 佛手瓜 豆角 四季豆 豇豆 毛豆 荷兰豆 豌豆 蚕豆 豆芽 土豆 红薯 紫薯 地瓜 蜜薯 山药 铁棍山药 芋头 莲藕 藕 萝卜 白萝卜
    胡萝卜 玉米 甜玉米 糯玉米 花菜 花椰菜 西兰花 包菜 卷心菜 紫甘蓝 秋葵 芦笋 竹笋 冬笋 春笋 莴笋 茭白 荸荠 马蹄 百合 蘑菇 香菇 平菇 金针菇 杏鲍菇 口蘑 木耳 银耳 茶树菇 菌菇 海带
    紫菜 海苔 裙带菜 豆腐 豆干 豆皮 千张 腐竹 油豆腐 豆浆 豆腐乳 腐乳 粉丝 粉条 粉皮 凉皮 魔芋 面筋 蔬菜 净菜 野菜 荠菜 香椿
    鸡蛋 土鸡蛋 鸭蛋 咸鸭蛋 皮蛋 松花蛋 鹌鹑蛋 鹅蛋 卤蛋 茶叶蛋 猪肉 五花肉 前腿肉 后腿肉 里脊 里脊肉 排骨 肋排 大排 筒骨 猪蹄 猪脚 猪肝 猪肚 猪耳朵 猪头肉 大肠 肥肠 瘦肉 肉馅 肉末 腊肉 腊肠 香肠 火腿
    火腿肠 培根 午餐肉 牛肉 牛腩 牛腱 牛腱子 牛排 牛肉卷 牛筋 牛肚 牛尾 牛骨 肥牛 羊肉 羊排 羊腿 羊蝎子 羊肉卷 鸡 土鸡 老母鸡 母鸡 公鸡 乌鸡 三黄鸡 童子鸡 鸡腿 鸡翅 鸡翅根 鸡翅中 鸡爪 凤爪 鸡胸 鸡胸肉 鸡胗 鸡肝 鸡架 鸡块
    鸡排 炸鸡 烤鸡 烧鸡 白切鸡 盐焗鸡 口水鸡 鸭 鸭子 土鸭 老鸭 烤鸭 板鸭 盐水鸭 酱鸭 鸭腿 鸭翅 鸭脖 鸭掌 鸭舌 鸭架 鸭血 鸭胗 鹅 烧鹅 鸽子 乳鸽 兔子 兔肉 兔头 牛杂 羊杂 肉丸 牛肉丸 鱼丸 虾丸 虾滑 贡丸 丸子 肉松 肉脯 牛肉干
    猪肉脯 肉干 鱼 鱼头 鱼片 草鱼 鲫鱼 鲤鱼 鲈鱼 黑鱼 鳜鱼 桂鱼 黄鱼 大黄鱼 小黄鱼 带鱼 鲳鱼 三文鱼 金枪鱼 鳕鱼 龙利鱼 巴沙鱼 鳗鱼 鱿鱼 墨鱼 章鱼 八爪鱼 秋刀鱼 多宝鱼 鱼干 小鱼干 虾 大虾 对虾 基围虾 白虾 明虾 虾仁 虾皮 小龙虾
    龙虾 皮皮虾 螃蟹 大闸蟹 梭子蟹 帝王蟹 蟹棒 花甲 花蛤 蛤蜊 蛏子 生蚝 扇贝 鲍鱼 海参 海蜇 田螺 螺蛳 甲鱼 牛蛙 泥鳅 黄鳝 海鲜 鱼豆腐 蟹柳 火锅底料
    牛奶 鲜奶 鲜牛奶 纯牛奶 酸奶 老酸奶 奶粉 羊奶 奶酪 芝士 黄油 奶油 炼乳 奶皮子 豆奶 燕麦奶 椰奶 酸酸乳 优酸乳 养乐多 冰淇淋 冰激凌 雪糕 冰棍 果冻 布丁 双皮奶 面包 吐司 贝果 可颂 牛角包 法棍 欧包 餐包 三明治 糖葫芦 冰糖葫芦
    汉堡 披萨 蛋糕 小蛋糕 生日蛋糕 芝士蛋糕 千层 蛋挞 泡芙 瑞士卷 蛋卷 麻薯 雪媚娘 青团 月饼 绿豆糕 桂花糕 发糕 年糕 米糕 马蹄糕 萝卜糕 糕点 点心 桃酥 饼干 曲奇 威化 薯片 薯条 爆米花 辣条 锅巴 瓜子 花生 花生米 核桃 腰果 开心果
    巴旦木 夏威夷果 碧根果 松子 杏仁 板栗 栗子 坚果 每日坚果 果干 芒果干 葡萄干 话梅 蜜饯 糖果 软糖 硬糖 巧克力 棒棒糖 口香糖 牛轧糖 冰糖 红糖 白糖 糖 阿胶 阿胶糕 燕窝 枸杞 蜂蜜 花茶 零食
    大米 米 小米 糯米 黑米 糙米 五常大米 面粉 面条 挂面 方便面 泡面 拉面 热干面 意面 米线 米粉 螺蛳粉 酸辣粉 河粉 凉粉 黑凉粉 年糕片 水饺 饺子 速冻水饺 锅贴 煎饺 蒸饺 馄饨 云吞 抄手 汤圆 元宵 包子 肉包 菜包 小笼包 奶黄包 豆沙包 叉烧包 流沙包
    馒头 花卷 烧卖 烧麦 春卷 手抓饼 葱油饼 烧饼 煎饼 烙饼 肉夹馍 油条 麻团 粽子 肉粽 饭团 寿司 八宝饭 八宝粥 粥 盒饭 便当 炒饭 炒面 炒粉 燕麦 麦片 藕粉 芝麻糊 杂粮 绿豆 红豆 黄豆 黑豆 薏米 芝麻 银耳羹 杂粮粥
    食用油 花生油 菜籽油 玉米油 大豆油 橄榄油 芝麻油 香油 茶油 猪油 油 盐 酱油 生抽 老抽 醋 陈醋 料酒 蚝油 豆瓣酱 辣椒酱 番茄酱 沙拉酱 花生酱 果酱 老干妈 辣椒油 花椒 胡椒粉 鸡精 味精 五香粉 咖喱 酸菜 泡菜 榨菜 咸菜 萝卜干 梅干菜 调料
    矿泉水 纯净水 桶装水 苏打水 可乐 雪碧 芬达 果汁 橙汁 椰汁 酸梅汤 奶茶 咖啡 豆浆粉 绿茶 红茶 乌龙茶 普洱 龙井 茶叶 白茶 啤酒 红酒 白酒 葡萄酒 黄酒 米酒 果酒 鸡尾酒 饮料 汽水 功能饮料
    纸巾 抽纸 卷纸 卫生纸 湿巾 湿纸巾 厨房纸 洗脸巾 卫生巾 尿不湿 纸尿裤 洗衣液 洗衣粉 洗衣凝珠 柔顺剂 洗洁精 洁厕灵 消毒液 消毒水 酒精 洗手液 洗发水 洗发露 沐浴露 护发素 牙膏 牙刷 肥皂 香皂 洗面奶 面膜 面霜 护手霜 碘伏 创可贴 棉签 热狗 走地鸡 清远鸡 飞饼 和牛 防晒霜 口红
    口罩 手套 一次性手套 一次性筷子 垃圾袋 保鲜膜 保鲜袋 拖把 抹布 毛巾 浴巾 电池 灯泡 充电宝 数据线 花洒 杯子 保温杯 碗 盘子 筷子 锅 炒锅 菜刀 砧板 雨伞 雨衣 袜子 内裤 内衣 T恤 裤子 裙子 外套 毛衣 羽绒服 童装 睡衣 拖鞋 鞋 鞋子 凉鞋 帽子 围巾
    枕头 被子 床单 四件套 凉席 毛毯 鲜花 玫瑰 百合花 康乃馨 向日葵 绿萝 多肉 盆栽 蝴蝶兰 水仙 富贵竹 猫粮 狗粮 猫砂 玩具 绘本 蚊香 花露水 暖宝宝 快递盒 春联 对联 红包袋
    早餐 午餐 晚餐 夜宵 下午茶 早饭 午饭 晚饭
    milk bread toast bagel eggs egg apple apples banana bananas butter cheese yogurt coffee tea rice beef pork chicken salmon shrimp cake cookies cookie croissant croissants
    muffin muffins donut donuts juice water beer wine
"""
GOODS = frozenset(_NAMES.split())
"""Whole names; one character ones count only beside a number."""

_QUALITY = (
    r"(?:新鲜|冷冻|速冻|冰鲜|有机|农家|散养|正宗|本地|进口|国产|手工|现做|自制|五香|麻辣|香辣|原味|无糖|低脂|全脂|脱脂|儿童|宝宝|老人|家用|一次性|"
    r"[大小红黄绿青白黑紫粉甜酸苦辣香鲜干湿老嫩生熟冻冰热土野糯脆软硬咸卤酱烤炸蒸煎炒烧腊腌])"
)
_QUALIFIED = re.compile(rf"{_QUALITY}{{1,2}}(?P<name>.+)$")
_ENDED = re.compile(r"(?P<name>.+?)(?:子|儿|仔)$")

_SAME = """
    番茄/西红柿 土豆/马铃薯/洋芋 红薯/地瓜/番薯 猕猴桃/奇异果 圣女果/小番茄/千禧果 包菜/卷心菜/圆白菜/莲花白 菜花/花菜/花椰菜 西兰花/西蓝花 馄饨/云吞 水饺/饺子 香菜/芫荽 牛油果/鳄梨 桔子/橘子
    黄瓜/青瓜 玉米/苞米 鲜牛奶/鲜奶 抽纸/纸抽 洗洁精/洗碗精 皮蛋/松花蛋 冰淇淋/冰激凌 三文鱼/鲑鱼 吐司/土司 披萨/比萨 巧克力/朱古力 花生米/花生仁 豇豆/长豆角
"""
SYNONYMS = tuple(tuple(group.split("/")) for group in _SAME.split())
"""Two names of one thing: who sells 番茄 knows what 西红柿 is."""

STARTS_WITH_A_NUMERAL = tuple(
    sorted((n for n in GOODS if n[0] in "一二三四五六七八九十百千两" and len(n) > 1), key=lambda n: -len(n))
)
"""三明治, 八宝饭, 千张: their first character counts nothing."""


def names_goods(word: str, *, counted: bool = False) -> bool:
    """Whether a whole word is the name of something sold. counted: a number stands beside it, so 梨 is enough."""
    if counted and word in ("礼盒", "礼包"):
        return True
    return (len(word) > 1 or counted) and any(form in GOODS for form in (word, *_stripped(word)))


def _stripped(word: str) -> list[str]:
    """The word without a quality in front or a suffix behind: 甜玉米, 鸭梨儿."""
    return [found["name"] for pattern in (_QUALIFIED, _ENDED) if (found := pattern.match(word))]


_TELLING = re.compile(
    r"少|多|不|别|免|去|换|加|减|带|送|要|配|放|留|给|帮|代|替|分|切|剁|打|绞|斩|每|其中|里面|都|麻烦|先|再|另|用|做|拌|当|煮|炖|煲|涮|熬|飞|走|无|没|忌|微|"
    r"特|重|清|选|挑|拿|取|等|和|跟|配|全|最|很|太|更|稍|尽量|今[天晚早]|明[天晚早]|后天|周[一二三四五六日末]|早上|晚上|上午|下午|中午|下班|到|在|我|你|他|她|自|请|如|若|想|帮忙|记得"
)
"""How a remark begins: 少饭, 换白粥, 要甜的."""
_COOKING = re.compile(
    r"(?:做|打成|打|绞|剁|切|斩|炖|煲|包|煮|蒸|涮|烧|煎|炒|炸|熬|腌|灌|红烧|清蒸|白灼|油炸|泡酒|榨汁|祭祖|拜|斩件)[^\d]{0,6}$"
)

_SIZES = re.compile(
    r"(?:\d{0,2}x{0,4}[sml]|\d{2,3}|均|f|[大中小加]|加大|特大)码(?:的|号)?|\d{0,2}x{0,4}[sml]号?|(?:身高|体重|脚长|腰围).*|spf.*|\d米\d{0,2}|\d+(?:\.\d+)?(?:英?寸|厘米|cm|米)"
)


def is_size(word: str) -> bool:
    """M码, 2XL, 均码, 身高165: how the goods should be, never an amount and never goods."""
    return bool(_SIZES.fullmatch(word.replace(" ", "")))


_EXTRAS = re.compile(
    r"(?:礼品袋|餐具|手套|吸管|纸袋)$|(?:盒|袋|箱|瓶|罐|孩|妻|儿|房|院|车|样|桌|椅|被|杯|刀|叉|筷)子$|勺$|手提袋$"
)


def is_extra(word: str) -> bool:
    """两副手套, 礼品袋: what comes along with goods, unless it is sold itself."""
    return bool(_EXTRAS.search(word))


_WITHOUT = re.compile(r"[走飞免去少多加][^\d]{1,4}$")
"""走葱, 飞青, 多汤."""


def is_remark(word: str, *, counted: bool = False) -> bool:
    """Whether an unknown word tells how, when or where, rather than names something else that is wanted.

    counted: a number stands beside it; then 汤圆 and 冷冻水饺 are goods although 汤 and 冷冻 are words of remarks.
    """
    if names_goods(word, counted=counted):
        return False
    if counted and word[-1:] in vocabulary.GOODS_ENDINGS and not _TELLING.match(word):
        return False
    return bool(
        vocabulary.NOTE_HINTS.search(word) or _COOKING.match(word) or (not counted and _WITHOUT.match(word))
    )
