"""The chart of the rush: orders per second as buyers and offers grow, with the floor beside it. Plain SVG."""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 760, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 56, 44
COLOURS = {"Kaituan": "#c8452d", "floor": "#8a8378", "offers": "#2f7d4f"}


def chart(*, title: str, x_name: str, y_name: str, series: dict[str, Sequence[tuple[int, float]]]) -> str:
    """Lines over a doubling x axis. series: name -> (x, y); every x is a place of its own."""
    places = sorted({x for points in series.values() for x, _ in points})
    top = max(y for points in series.values() for _, y in points) * 1.08
    step = _round_step(top / 5)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-size="12">',
        "<style>text { font-family: system-ui, sans-serif }</style>",
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fffdf9"/>',
        f'<text x="{LEFT}" y="22" font-size="15" font-weight="600" fill="#2b2620">{escape(title)}</text>',
    ]

    def at_x(x: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (places.index(x) / max(1, len(places) - 1))

    def at_y(y: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / top

    for n in range(int(top / step) + 1):
        y = at_y(n * step)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#e7e0d6"/>')
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#6d655b">{n * step:,.0f}</text>'
        )
    for x in places:
        parts.append(
            f'<text x="{at_x(x):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#6d655b">{x:,}</text>'
        )
    parts.append(
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end" fill="#6d655b">{escape(x_name)}</text>'
    )
    parts.append(f'<text x="{LEFT}" y="{TOP - 12}" fill="#6d655b">{escape(y_name)}</text>')
    legend = WIDTH - RIGHT
    for name, points in reversed(series.items()):
        colour = COLOURS.get(name.split(",")[0], "#2f5f9e")
        line = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts += [
            f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3.5" fill="{colour}"/>' for x, y in points
        ]
        parts.append(f'<text x="{legend}" y="22" text-anchor="end" fill="{colour}">● {escape(name)}</text>')
        legend -= 16 + 7 * len(name)
    return "\n".join([*parts, "</svg>", ""])


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, not below `rough`."""
    power = 1.0
    while power * 10 <= rough:
        power *= 10
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
