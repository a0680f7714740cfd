"""The charts of the rush: orders per second as buyers and offers grow, with the floor beside it. Plain SVG."""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 760, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 56, 44
COLOURS = ("#cf4a30", "#8f877b", "#2f8f5b")
"""Of the series in turn, told apart on a light and on a dark ground."""
STYLE = """
text { font-family: system-ui, sans-serif; fill: #6d655b }
.ground { fill: #fffdf9 } .title { fill: #2b2620 } .grid { stroke: #e7e0d6 }
@media (prefers-color-scheme: dark) {
  text { fill: #b9afa3 } .ground { fill: #1d1915 } .title { fill: #f3ede4 } .grid { stroke: #3a342d }
}
"""


def chart(*, title: str, x_name: str, y_name: str, series: dict[str, Sequence[tuple[int, float]]]) -> str:
    """Lines over an x axis on which every x has a place of its own. series: name -> (x, y)."""
    places = sorted({x for points in series.values() for x, _ in points})
    top = max(y for points in series.values() for _, y in points) * 1.08
    step = _round_step(top / 5)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-size="12">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="22" font-size="15" font-weight="600">{escape(title)}</text>',
        f'<text x="{LEFT}" y="{TOP - 12}">{escape(y_name)}</text>',
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">{escape(x_name)}</text>',
    ]

    def at_x(x: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (places.index(x) / max(1, len(places) - 1))

    def at_y(y: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / top

    for n in range(int(top / step) + 1):
        y = at_y(n * step)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{n * step:,.0f}</text>')
    for x in places:
        parts.append(f'<text x="{at_x(x):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{x:,}</text>')
    for (name, points), colour in zip(series.items(), COLOURS, strict=False):
        line = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts += [
            f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3.5" fill="{colour}"/>' for x, y in points
        ]
        # Each name stands at the right end of its line, above it.
        x, y = points[-1]
        parts.append(
            f'<text x="{at_x(x):.1f}" y="{at_y(y) - 10:.1f}" text-anchor="end" style="fill:{colour}"'
            f' font-weight="600">{escape(name)}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, not below `rough`."""
    power = 1.0
    while power * 10 <= rough:
        power *= 10
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
