"""How values are written for people: money, quantities, times, phones. Pure; the language is the active one."""

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from kaituan.money.quantities import format_units

NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def money_parts(fen: int) -> tuple[str, str, str]:
    """Sign, yuan with thousands grouped, and the two digits of fen: -123456 -> ('−', '1,234', '56')."""
    yuan, cents = divmod(abs(fen), 100)
    return (MINUS if fen < 0 else "", f"{yuan:,}", f"{cents:02d}")


def money_text(fen: int) -> str:
    """`¥39.90`: for attributes, titles and text to copy."""
    sign, yuan, cents = money_parts(fen)
    return f"{sign}¥{yuan}.{cents}"


def money_html(fen: int, *, plus: bool = False) -> SafeString:
    """¥39.<small>90</small> in tabular numerals; `plus` writes the sign of what is received too."""
    sign, yuan, cents = money_parts(fen)
    if plus and fen > 0:
        sign = "+"
    return format_html('<span class="money">{}<i>¥</i>{}.<small>{}</small></span>', sign, yuan, cents)


def rate_text(rate_bp: int) -> str:
    """Basis points as per cent: 1000 -> `10%`, 125 -> `1.25%`."""
    whole, rest = divmod(abs(rate_bp), 100)
    decimals = f".{rest:02d}".rstrip("0") if rest else ""
    return f"{MINUS if rate_bp < 0 else ''}{whole}{decimals}%"


def quantity_text(steps: int, *, steps_per_unit: int = 1, unit: str = "") -> str:
    """`1.5 斤` of 750 steps at 500 each. A unit that starts with a digit is told apart: `2 × 5斤`."""
    amount = format_units(steps, steps_per_unit=steps_per_unit)
    if not unit:
        return amount
    if unit[0].isdigit():
        return f"{amount}{NO_BREAK}×{NO_BREAK}{unit}"
    return f"{amount}{NO_BREAK}{unit}"


def day_name(day: date, *, today: date) -> str:
    """Today, tomorrow, yesterday, the weekday within six days ahead, else the date."""
    distance = (day - today).days
    near = {0: _("Today"), 1: _("Tomorrow"), -1: _("Yesterday")}
    if distance in near:
        return near[distance]
    if 1 < distance < 7:
        return weekday(day)
    if day.year == today.year:
        return date_format(day, pgettext("date format: month and day", "M j"))
    return date_format(day, pgettext("date format: year, month and day", "M j, Y"))


def weekday(day: date) -> str:
    """The short name: Fri, 周五."""
    return (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))[day.weekday()]


def moment_text(moment: datetime, *, now: datetime) -> str:
    """`Today 18:30`, `Fri 20:00`, `Nov 28 20:00`, in the station's time."""
    local = timezone.localtime(moment)
    name = day_name(local.date(), today=timezone.localtime(now).date())
    return f"{name}{NO_BREAK}{local:%H:%M}"


def moment_html(moment: datetime, *, now: datetime) -> SafeString:
    local = timezone.localtime(moment)
    full = f"{local:%Y-%m-%d %H:%M} {weekday(local.date())}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        full,
        moment_text(moment, now=now),
    )


def day_html(day: date, *, now: datetime) -> SafeString:
    """`Sat, Nov 28`: a day of business, with its weekday when the name is not one already."""
    today = timezone.localtime(now).date()
    name = day_name(day, today=today)
    if name != weekday(day):
        name = _("%(day)s (%(weekday)s)") % {"day": name, "weekday": weekday(day)}
    return format_html('<time datetime="{}">{}</time>', day.isoformat(), name)


def left_text(until: datetime, *, now: datetime) -> str:
    """How long is left, in its two largest units: `1 day 4 h`, `12 min`; empty once it is past."""
    left = until - now
    if left <= timedelta(0):
        return ""
    minutes = -(-left // timedelta(minutes=1))
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = []
    if days:
        parts.append(ngettext("%(count)d day", "%(count)d days", days) % {"count": days})
    if hours:
        parts.append(_("%(count)d h") % {"count": hours})
    if minutes and not days:
        parts.append(_("%(count)d min") % {"count": minutes})
    return NO_BREAK.join(parts)
