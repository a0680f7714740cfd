"""Small charts as SVG: one idea each, labelled directly, readable in grey. No styles inside: the CSP allows none."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

SPARK_WIDTH, SPARK_HEIGHT = 120, 32


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its size, the words beside it, and whether it is the one the chart is about."""

    label: str
    value: int
    text: str
    told: bool = False


def as_bars(rows: Sequence[Bar | Sequence[object]]) -> list[Bar]:
    """Rows as Bar, or as (label, value, text) or (label, value, text, told)."""
    bars = []
    for row in rows:
        if isinstance(row, Bar):
            bars.append(row)
        else:
            label, value, text, *told = row
            bars.append(Bar(str(label), int(str(value)), str(text), bool(told and told[0])))
    return bars


def sparkline(values: Sequence[int], *, label: str) -> SafeString:
    """A line of the values with its last point marked; `label` says in words what it shows."""
    if not values:
        return format_html('<span class="quiet">{}</span>', "–")
    low, high = min(0, *values), max(values)
    span = max(1, high - low)
    step = SPARK_WIDTH / max(1, len(values) - 1)
    points = [
        (round(i * step, 1), round(SPARK_HEIGHT - 3 - (value - low) * (SPARK_HEIGHT - 6) / span, 1))
        for i, value in enumerate(values)
    ]
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    x, y = points[-1]
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path d="{}"/><path class="last" d="M{} {}h0"/></svg>',
        SPARK_WIDTH,
        SPARK_HEIGHT,
        label,
        path,
        x,
        y,
    )


def lying_bars(rows: Sequence[Bar | Sequence[object]], *, label: str) -> SafeString:
    """A bar per row, widest = largest value; label on the left, words on the right."""
    bars = as_bars(rows)
    largest = max((bar.value for bar in bars), default=0) or 1
    items = format_html_join(
        "",
        '<li class="{}"><span class="label one-line">{}</span>'
        '<svg aria-hidden="true"><rect width="{}%" height="12" rx="6"/></svg>'
        '<span class="value">{}</span></li>',
        (
            ("told" if bar.told else "", bar.label, max(0, bar.value) * 1000 // largest / 10, bar.text)
            for bar in bars
        ),
    )
    return format_html('<ul class="bars" aria-label="{}">{}</ul>', label, items)


def columns(rows: Sequence[Bar | Sequence[object]], *, label: str, height: int = 150) -> SafeString:
    """Standing bars, one per row, for days and weeks. Words stand over the told bar, or else the largest."""
    bars = as_bars(rows)
    if not bars:
        return format_html('<p class="quiet">{}</p>', label)
    largest = max(bar.value for bar in bars) or 1
    if not any(bar.told for bar in bars):
        top = max(range(len(bars)), key=lambda i: bars[i].value)
        bars = [Bar(b.label, b.value, b.text, i == top) for i, b in enumerate(bars)]
    slot = 100 / len(bars)
    room = height - 44
    every = -(-len(bars) // 8)
    parts = []
    for i, bar in enumerate(bars):
        tall = max(2, max(0, bar.value) * room // largest) if bar.value else 0
        middle = round(slot * (i + 0.5), 2)
        parts.append(
            (
                " told" if bar.told else "",
                round(slot * (i + 0.18), 2),
                22 + room - tall,
                round(slot * 0.64, 2),
                tall,
                f"{bar.label}: {bar.text}",
                _texts(bar, middle=middle, top=22 + room - tall, foot=height - 4, name=i % every == 0),
            )
        )
    drawn = format_html_join(
        "",
        '<rect class="bar{}" x="{}%" y="{}" width="{}%" height="{}" rx="3"><title>{}</title></rect>{}',
        parts,
    )
    return format_html(
        '<svg height="{}" role="img" aria-label="{}">'
        '<line class="base" x1="0" x2="100%" y1="{}" y2="{}"/>{}</svg>',
        height,
        label,
        22 + room,
        22 + room,
        drawn,
    )


def _texts(bar: Bar, *, middle: float, top: int, foot: int, name: bool) -> SafeString:
    """The words above a told bar, with a line down to it, and the name under it; all inside the picture.

    The words stand above all bars, so that no neighbour runs into them.
    """
    anchor = "start" if middle < 8 else "end" if middle > 92 else "middle"
    over = (
        format_html(
            '<line class="lead" x1="{}%" x2="{}%" y1="16" y2="{}"/>'
            '<text class="told" x="{}%" y="11" text-anchor="{}">{}</text>',
            middle,
            middle,
            top,
            min(100, middle + 4) if anchor == "end" else max(0, middle - 4) if anchor == "start" else middle,
            anchor,
            bar.text,
        )
        if bar.told
        else ""
    )
    under = (
        format_html('<text x="{}%" y="{}" text-anchor="middle">{}</text>', middle, foot, bar.label)
        if name
        else ""
    )
    return format_html("{}{}", over, under)
