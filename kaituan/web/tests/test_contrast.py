"""Every pair of tokens that carries words, or draws what can be pressed, reaches WCAG AA in light and dark."""

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parent.parent / "static/kaituan/tokens.css").read_text()

WORDS = 4.5
SHAPES = 3.0
GROUNDS = ("ground", "card", "well")
PAIRS = [
    *[(ink, ground, WORDS) for ink in ("ink", "quiet") for ground in GROUNDS],
    *[(ink, ground, WORDS) for ink in ("price", "leaf", "honey", "brick") for ground in ("ground", "card")],
    *[(f"on-{tone}", tone, WORDS) for tone in ("primary", "leaf", "honey", "brick")],
    *[(f"on-{tone}-soft", f"{tone}-soft", WORDS) for tone in ("primary", "leaf", "honey", "brick")],
    ("on-primary", "primary-pressed", WORDS),
    ("ground", "ink", WORDS),
    ("ink", "honey-soft", WORDS),
    ("ink", "brick-soft", WORDS),
    ("ink", "leaf-soft", WORDS),
    ("quiet", "honey-soft", WORDS),
    ("quiet", "brick-soft", WORDS),
    ("edge", "ground", SHAPES),
    ("edge", "card", SHAPES),
    ("primary", "ground", SHAPES),
    ("leaf", "card", SHAPES),
    ("honey", "card", SHAPES),
]


def block(selector: str) -> dict[str, str]:
    """The colours that the first rule with this selector sets."""
    body = TOKENS.split(f"{selector} {{", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", body))


LIGHT = block(":root")
DARK = block(':root[data-theme="dark"]')


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_itself():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_contrast(theme: str, ink: str, ground: str, least: float):
    colours = LIGHT if theme == "light" else DARK
    assert contrast(colours[ink], colours[ground]) >= least


def test_dark_is_the_same_by_the_device_and_by_choice():
    assert block(':root:not([data-theme="light"])') == DARK


def test_dark_changes_every_colour_that_light_names():
    assert DARK.keys() == LIGHT.keys()


def test_colours_stand_in_the_tokens_only():
    """Paper is black on white by its own short list; nothing else names a colour."""
    for path in (Path(__file__).parent.parent / "static/kaituan").glob("*.css"):
        if path.name not in ("tokens.css", "print.css"):
            assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgb\(", path.read_text()), path.name
