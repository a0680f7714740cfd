"""The components of docs/design-language.md as filters and tags. Load with {% load kaituan %}."""

import itertools
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django import template
from django.core.paginator import Page
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from kaituan.people import masking
from kaituan.people.models import PayeeAccount
from kaituan.people.payees import payee_words
from kaituan.web import charts, clock, formats

register = template.Library()

TONES = ("", "leaf", "honey", "brick", "full")
"""Of chips and notices: nothing special, done, waits, refused; `full` is a plain chip with a filled bead."""
BEAD_STATES = ("", "waiting", "done", "lost")


def _now(context: Context) -> datetime:
    """The page's `now` if the view gave one, else the clock of all pages."""
    return context.get("now") or clock.now()


# ---- values ----


@register.filter
def money(fen: int | None) -> SafeString | str:
    """{{ order.due_fen|money }} -> ¥39.<small>90</small>"""
    return "" if fen is None else formats.money_html(fen)


@register.filter
def money_signed(fen: int | None) -> SafeString | str:
    """As money, with + before what is received and a colour of its own for each sign."""
    if fen is None:
        return ""
    tone = "plus" if fen > 0 else "minus" if fen < 0 else ""
    return format_html('<span class="{}">{}</span>', tone, formats.money_html(fen, plus=True))


@register.filter
def money_text(fen: int | None) -> str:
    """Plain ¥39.90 for attributes, buttons in attributes, and text to copy."""
    return "" if fen is None else formats.money_text(fen)


@register.filter
def plain_yuan(fen: int) -> str:
    """1234 -> `12.34`, -5 -> `-0.05`, 123456 -> `1,234.56`: a column of a printed sheet, whose head says yuan."""
    sign, yuan, cents = formats.money_parts(fen)
    return f"{sign}{yuan}.{cents}"


@register.filter
def rate(rate_bp: int) -> str:
    """Basis points as per cent: 1000 -> 10%"""
    return formats.rate_text(rate_bp)


@register.filter
def masked_phone(phone: str) -> str:
    return masking.mask_phone(phone)


@register.filter
def masked_name(name: str) -> str:
    """For every public page: 张*"""
    return masking.mask_name(name)


@register.filter
def payee(account: PayeeAccount | None) -> str:
    """Where a leader is paid to, by its last digits: 工商银行 尾号 1234"""
    return payee_words(account) if account is not None else "–"


@register.filter
def weekday(day: date) -> str:
    return formats.weekday(day)


@register.simple_tag
def price(fen: int, per: str = "", was: int | None = None) -> SafeString:
    """A price in its colour, the unit beside it: {% price offer.price_fen per=offer.sale_unit %}"""
    unit = format_html('<span class="per"> / {}</span>', per) if per else ""
    old = format_html(' <s class="was">{}</s>', formats.money_html(was)) if was else ""
    return format_html('<span class="price">{}{}{}</span>', formats.money_html(fen), unit, old)


@register.simple_tag
def quantity(steps: int, unit: str = "", steps_per_unit: int = 1) -> str:
    """{% quantity line.quantity unit=offer.sale_unit steps_per_unit=variant.steps_per_sale_unit %}"""
    return formats.quantity_text(steps, steps_per_unit=steps_per_unit, unit=unit)


@register.simple_tag(takes_context=True)
def when(context: Context, moment: datetime | None) -> SafeString | str:
    """Today 18:30, Fri 20:00, Nov 28 20:00: the station's time, the full one in the title."""
    return "" if moment is None else formats.moment_html(moment, now=_now(context))


@register.simple_tag(takes_context=True)
def day(context: Context, on: date | None) -> SafeString | str:
    return "" if on is None else formats.day_html(on, now=_now(context))


@register.simple_tag(takes_context=True)
def left(context: Context, until: datetime) -> str:
    """How long is left: 3 h 20 min. Empty once it is past."""
    return formats.left_text(until, now=_now(context))


# ---- marks ----


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of static/kaituan/icons.svg; with a label it is read out, without it is decoration."""
    told = (
        format_html('role="img" aria-label="{}"', label) if label else format_html('aria-hidden="{}"', "true")
    )
    return format_html(
        '<svg class="icon" {}><use href="{}#{}"/></svg>', told, static("kaituan/icons.svg"), name
    )


@register.simple_tag
def chip(words: str, tone: str = "") -> SafeString:
    """A status: a small bead and a word. Tones: "", leaf, honey, brick, full."""
    if tone not in TONES:
        raise template.TemplateSyntaxError(f"chip has no tone {tone!r}: use one of {TONES}.")
    return format_html('<span class="chip {}">{}</span>', tone, words)


@register.inclusion_tag("web/parts/bead.html")
def bead(number: int | str, state: str = "", mine: bool = False, size: str = "") -> dict[str, Any]:
    """A follow number on its bead. States: "", waiting, done, lost. Sizes: "", big, xl."""
    if state not in BEAD_STATES:
        raise template.TemplateSyntaxError(f"bead has no state {state!r}: use one of {BEAD_STATES}.")
    classes = " ".join(
        filter(None, [state, "mine" if mine else "", {"big": "follow", "xl": "follow xl"}.get(size)])
    )
    return {"number": number, "classes": classes, "done": state == "done"}


@register.simple_tag
def tile(
    product: Any = None, size: str = "", emoji: str = "", hue: int = 30, picture: str = ""
) -> SafeString:
    """The picture of a product, or its emoji on its soft colour. Sizes: s, "", l, full."""
    if product is not None:
        emoji, hue = product.emoji, product.tile_hue
        picture = product.picture.url if product.picture else ""
    shade = hue % 360 // 15 * 15
    if picture:
        inside = format_html('<img src="{}" alt="" loading="lazy" decoding="async">', picture)
    else:
        inside = format_html("{}", emoji or "🧺")
    return format_html('<span class="tile {} hue-{}" aria-hidden="true">{}</span>', size, shade, inside)


# ---- the thread ----


@register.inclusion_tag("web/parts/chain_entry.html")
def chain_entry(
    number: int, name: str, items: str, state: str = "", mine: bool = False, at: str = "", href: str = ""
) -> dict[str, Any]:
    """One order on the thread: <li>. `name` is masked already where the page is public."""
    return {
        "number": number, "name": name, "items": items, "state": state, "mine": mine, "at": at, "href": href,
        "done": state == "done",
    }  # fmt: skip


@register.inclusion_tag("web/parts/chain_next.html")
def chain_next(number: int, words: str, href: str = "") -> dict[str, Any]:
    """The free bead at the end of the thread: the number that the next order will get."""
    return {"number": number, "words": words, "href": href}


@register.inclusion_tag("web/parts/chain_template.html")
def chain_template() -> dict[str, Any]:
    """What chain.js clones for each order that arrives; stands once in a live thread."""
    return {}


@register.inclusion_tag("web/parts/day_thread.html")
def day_thread(steps: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """The campaign's day: steps of (words, state[, small words]); state is done, now or "" (still to come)."""
    return {"steps": [(step[0], step[1], step[2] if len(step) > 2 else "") for step in steps]}


@register.inclusion_tag("web/parts/trace.html")
def trace(steps: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """Where an amount comes from: steps of (what, value[, small words[, href]]); the last one is the amount."""
    padded = [(*step, *([""] * (4 - len(step)))) for step in steps]
    return {"steps": padded}


# ---- forms ----


@register.inclusion_tag("web/parts/stepper.html")
def stepper(
    name: str,
    value: int | str = 0,
    label: str = "",
    minimum: int = 0,
    maximum: int | None = None,
    step: str = "1",
    price_fen: int | None = None,
    per: int = 1,
    steps_per_unit: int = 1,
    id: str = "",
) -> dict[str, Any]:
    """A count with one more and one less; a plain number field where there is no script.

    price_fen, per, steps_per_unit feed the running total of a <form data-total="#place">.
    """
    return {
        "name": name, "value": value, "label": label, "minimum": minimum, "maximum": maximum, "step": step,
        "price_fen": price_fen, "per": per, "steps_per_unit": steps_per_unit, "id": id,
    }  # fmt: skip


@register.inclusion_tag("web/parts/copy_button.html")
def copy_button(target: str, words: str, plain: bool = True) -> dict[str, Any]:
    """Copies the text of the element `#target`."""
    return {"target": target, "words": words, "plain": plain}


# ---- parts of a page ----


@register.simple_block_tag
def notice(content: str, tone: str = "", icon_name: str = "") -> SafeString:
    """A sentence that belongs to the page: {% notice "honey" %}...{% endnotice %}"""
    chosen = icon_name or {"leaf": "check", "brick": "alert", "honey": "clock"}.get(tone, "info")
    return format_html(
        '<div class="notice {}">{}<div class="words">{}</div></div>', tone, icon(chosen), content
    )


@register.simple_block_tag
def sheet(content: str, words: str, style: str = "button plain", id: str = "") -> SafeString:
    """Something that opens from the bottom (phone) or the side (desktop), without a script."""
    return format_html(
        '<details class="sheet"{}><summary class="{}">{}</summary><div class="panel">'
        '<button class="button quiet-button icon-only close needs-script" type="button" data-close>{}</button>'
        "{}</div></details>",
        format_html(' id="{}"', id) if id else "",
        style,
        words,
        icon("close", gettext("Close")),
        content,
    )


@register.simple_block_tag
def fold(content: str, words: str, open: bool = False) -> SafeString:
    """Something that opens in place."""
    return format_html(
        '<details class="fold"{}><summary>{}</summary>{}</details>', " open" if open else "", words, content
    )


@register.simple_block_tag
def empty(content: str, title: str, drawing: str = "thread") -> SafeString:
    """Nothing here yet: the block says what to do next. Drawings: thread, box, search, done."""
    picture = render_to_string(f"web/drawings/{drawing}.html")
    return format_html('<div class="empty">{}<h2>{}</h2>{}</div>', picture, title, content)


@register.inclusion_tag("web/parts/tabs.html")
def tabs(items: Iterable[Sequence[Any]], current: str, label: str = "") -> dict[str, Any]:
    """Items of (key, words, href[, count]); `current` is the key that is shown."""
    return {
        "items": [(*item, *([None] * (4 - len(item)))) for item in items],
        "current": current,
        "label": label,
    }


@register.inclusion_tag("web/parts/gauge.html")
def gauge(value: int, maximum: int, words: str = "", tone: str = "") -> dict[str, Any]:
    """How far: {% gauge offer.sold offer.quota "32 of 50 taken" %}"""
    return {"value": min(value, maximum), "maximum": max(1, maximum), "words": words, "tone": tone}


@register.inclusion_tag("web/parts/skeleton.html")
def skeleton(rows: int = 3, tiles: bool = False) -> dict[str, Any]:
    return {"rows": range(rows), "tiles": tiles}


@register.inclusion_tag("web/parts/pages.html", takes_context=True)
def pages(context: Context, page: Page[Any], parameter: str = "page") -> dict[str, Any]:
    """Links to the pages of a list; the other filters in the address are kept."""
    request = context.get("request")
    query = request.GET.copy() if request else None
    links: list[tuple[int | None, str]] = []
    for number in page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1):
        if isinstance(number, int):
            links.append((number, _address(query, parameter, number)))
        else:
            links.append((None, ""))
    before = _address(query, parameter, page.number - 1) if page.has_previous() else ""
    after = _address(query, parameter, page.number + 1) if page.has_next() else ""
    return {"page": page, "links": links, "before": before, "after": after}


def _address(query: Any, parameter: str, number: int) -> str:
    if query is None:
        return f"?{parameter}={number}"
    query[parameter] = str(number)
    return f"?{query.urlencode()}"


# ---- charts ----


@register.simple_tag
def sparkline(values: Sequence[int], label: str) -> SafeString:
    return charts.sparkline(values, label=label)


@register.simple_tag
def bars(rows: Sequence[Any], label: str) -> SafeString:
    """Rows of (label, value, text[, told]) as lying bars."""
    return charts.lying_bars(rows, label=label)


@register.simple_tag
def columns(rows: Sequence[Any], label: str, height: int = 150) -> SafeString:
    """Rows of (label, value, text[, told]) as standing bars."""
    return charts.columns(rows, label=label, height=height)


@register.filter
def times(count: int) -> Iterable[int]:
    """{% for i in 3|times %}"""
    return itertools.islice(itertools.count(), count)


@register.filter
def at(items: Sequence[Any], place: int) -> Any:
    """The item of a list at a place: {{ columns|at:forloop.counter0 }}"""
    return items[place]
