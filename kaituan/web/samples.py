"""What the style page shows: made-up people and goods, in the words real ones use."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from kaituan.web import clock
from kaituan.web.forms import YuanField


class SampleForm(forms.Form):
    """Of the style page: one field of each kind."""

    name = forms.CharField(label=gettext_lazy("Name in the group"), max_length=20)
    phone = forms.CharField(
        label=gettext_lazy("Phone number"),
        help_text=gettext_lazy("Only the person who hands over your goods sees it."),
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "tel"}),
        min_length=11,
    )
    amount = YuanField(label=gettext_lazy("Amount"), max_fen=5_000)
    point = forms.ChoiceField(
        label=gettext_lazy("Pickup point"),
        choices=[("a", "幸福里小区 3 号门岗"), ("b", "学院路 6 号院 便利店")],
    )
    pays = forms.ChoiceField(
        label=gettext_lazy("How would you like to pay?"),
        choices=[("wechat", "微信支付"), ("balance", "余额 ¥128.50"), ("cash", "取货时付现金")],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, widget=forms.Textarea({"rows": 3}))
    photo = forms.FileField(label=gettext_lazy("Photo"), required=False)
    agree = forms.BooleanField(label=gettext_lazy("Tell me when the goods arrive"), required=False)


BROKEN_INPUT = {"name": "林阿姨", "phone": "1380013", "amount": "12.505", "point": "a", "pays": "balance"}

LONGEST_NAME = "云南高原红富士苹果 脆甜多汁 孕妇儿童可食 净重5斤装（约12至15个 单果直径75毫米以上 坏果包赔）"


def _product(name: str, emoji: str, hue: int) -> SimpleNamespace:
    return SimpleNamespace(name=name, emoji=emoji, tile_hue=hue, picture="")


def context(now: datetime | None = None) -> dict[str, Any]:
    now = now or clock.now()
    return {
        "now": now,
        "later": now + timedelta(hours=5, minutes=20),
        "friday": now + timedelta(days=4),
        "long_ago": now - timedelta(days=400),
        "pickup_on": timezone.localtime(now).date() + timedelta(days=2),
        "products": products(),
        "chain": chain(),
        "day_steps": day_steps(),
        "trace_steps": trace_steps(),
        "tab_items": [
            ("all", _("All"), "?", 86),
            ("unpaid", _("Unpaid"), "?tab=unpaid", 3),
            ("paid", _("Paid"), "?tab=paid", 83),
        ],
        "turnover": turnover(),
        "by_point": by_point(),
        "spark": [12, 18, 14, 22, 19, 31, 28, 34],
        "rows": rows(now),
        "page": Paginator(range(300), 20).get_page(4),
        "hues": [
            (emoji, hue) for hue, emoji in zip(range(0, 360, 30), "🍓🍊🍌🍋🥬🥦🐟🫐🍇🍆🥩🍑", strict=True)
        ],
    }


def products() -> list[dict[str, Any]]:
    return [
        {
            "of": _product("丹东红颜草莓 3斤装", "🍓", 350),
            "fen": 3990,
            "was": 4590,
            "per": "盒",
            "sold": 32,
            "quota": 50,
        },
        {
            "of": _product("赣南脐橙", "🍊", 30),
            "fen": 2980,
            "was": None,
            "per": "5斤",
            "sold": 118,
            "quota": 300,
        },
        {
            "of": _product(LONGEST_NAME, "🍎", 5),
            "fen": 123990,
            "was": None,
            "per": "份",
            "sold": 9,
            "quota": 10,
        },
        {
            "of": _product("散养土鸡蛋 30枚", "🥚", 45),
            "fen": 3650,
            "was": None,
            "per": "盘",
            "sold": 60,
            "quota": 60,
        },
    ]


def chain() -> list[dict[str, Any]]:
    return [
        {"number": 1, "name": "林*", "items": "草莓 ×2，脐橙 5斤 ×1", "state": "done", "at": "08:02"},
        {
            "number": 2,
            "name": "周*",
            "items": "脐橙 5斤 ×3",
            "state": "done",
            "mine": True,
            "at": "08:05",
        },
        {"number": 3, "name": "小**", "items": "草莓 ×1", "state": "lost", "at": "08:09"},
        {"number": 12, "name": "欧**", "items": "土鸡蛋 ×1，草莓 ×1，脐橙 5斤 ×2，红富士 ×1", "at": "09:40"},
        {"number": 32, "name": "王*", "items": "草莓 ×2", "state": "waiting", "at": "12:18"},
        {"number": 128, "name": "陈*", "items": "草莓 ×1", "mine": True, "at": "18:31"},
    ]


def day_steps() -> list[tuple[str, str, str]]:
    return [
        (pgettext("campaign", "Open"), "done", "08:00"),
        (_("Cut-off"), "done", "20:00"),
        (_("Arrived"), "now", "16:10"),
        (_("Handed over"), "", ""),
        (_("Settled"), "", ""),
    ]


def trace_steps() -> list[tuple[str, str, str, str]]:
    return [
        ("跟团号 32 · 王阿姨", "¥79.80", "赣南脐橙 5斤 ×2，实付", "#order"),
        ("自营销售佣金", "10%", "合伙人方案 2026-11，第 1 条", "#rule"),
        ("售后扣回", "−¥1.20", "坏果退款 ¥12.00 × 10%", "#claim"),
        ("你得到", "¥6.78", "计入 11 月结算", ""),
    ]


def turnover() -> list[tuple[Any, ...]]:
    days = ["11-09", "11-10", "11-11", "11-12", "11-13", "11-14", "11-15", "11-16", "11-17", "11-18", "11-19", "11-20",
            "11-21", "11-22"]  # fmt: skip
    fen = [812_300, 640_000, 1_280_450, 930_200, 702_000, 1_105_000, 1_340_900, 760_000, 812_000, 990_500, 1_010_000,
           1_204_000, 1_466_000, 986_400]  # fmt: skip
    return [(d, f, f"¥{f // 100:,}", d == "11-22") for d, f in zip(days, fen, strict=True)]


def by_point() -> list[tuple[Any, ...]]:
    return [
        ("幸福里小区 3 号门岗", 48, "48 单", True),
        ("学院路 6 号院 便利店", 31, "31 单"),
        ("望京西园四区", 17, "17 单"),
        ("回龙观龙腾苑", 0, "0 单"),
    ]


def rows(now: datetime) -> list[dict[str, Any]]:
    people = [
        ("王阿姨", "幸福里小区 3 号门岗", 7980, "leaf", _("Paid"), ""),
        ("林晓月", "幸福里小区 3 号门岗", 3990, "honey", _("Waiting for payment"), "honey"),
        ("3号楼周叔", "学院路 6 号院 便利店", 12960, "leaf", _("Paid"), ""),
        ("陈老师", "望京西园四区", 2980, "", _("Handed over"), ""),
        ("李先生", "望京西园四区", 123990, "brick", _("Refund failed"), "brick"),
        ("赵小米", "回龙观龙腾苑", 3650, "leaf", _("Paid"), ""),
        ("孙奶奶", "幸福里小区 3 号门岗", 6630, "leaf", _("Paid"), ""),
        ("吴先生", "学院路 6 号院 便利店", 5960, "leaf", _("Paid"), ""),
    ]
    return [
        {
            "number": number, "name": name, "phone": f"138001{number:05d}", "point": point, "fen": fen, "tone": tone,
            "status": status, "row": row, "at": now - timedelta(minutes=17 * number),
        }
        for number, (name, point, fen, tone, status, row) in enumerate(people, start=1)
    ]  # fmt: skip
