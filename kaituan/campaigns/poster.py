"""The poster of a listing: 1080 x 1440, the thread of the chain with a bead per product, and a QR code to join.

Colours are those of the tokens (web/); texts are Chinese like the chat's, see `sharing.py`.
"""

import colorsys
import io

import segno
from django.core.files.storage import default_storage
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps, UnidentifiedImageError

from kaituan.campaigns.poster_fonts import EMOJI_PX, Faces, Font, find_faces, font
from kaituan.campaigns.sharing import Shared, SharedOffer, day_text, moment_text
from kaituan.money.fen import format_yuan

WIDTH, HEIGHT = 1080, 1440
SCALE = 2
"""Drawn twice as large and shrunk: Pillow draws circles without smoothing them."""
GROUND, CARD, INK, QUIET = "#FBF8F3", "#FFFFFF", "#231F1A", "#6B6259"
PRIMARY, LINES, WASH = "#C8431F", "#E9E2D8", "#F7E4DA"
MARGIN = 72
THREAD_X = MARGIN + 28
ROWS = 5
"""Products shown; with more the last row says how many others there are."""
FOOTER_TOP = 1010

Colour = str | tuple[int, int, int]


def poster_png(shared: Shared) -> bytes:
    """A PNG to send into the chat. Without a Chinese font on the machine: the QR code, the codes and the prices."""
    canvas = _Canvas()
    faces = find_faces()
    if faces is None:
        _draw_without_chinese(canvas, shared)
    else:
        _draw(_Typed(canvas, faces), shared)
    return canvas.png()


class _Canvas:
    """A picture addressed in poster pixels, kept `SCALE` times as large."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), GROUND)
        self.draw = ImageDraw.Draw(self.image)

    def box(
        self, left: float, top: float, right: float, bottom: float, *, fill: Colour, radius: float = 0
    ) -> None:
        corners = [round(v * SCALE) for v in (left, top, right, bottom)]
        self.draw.rounded_rectangle(corners, round(radius * SCALE), fill=fill)

    def ring(self, x: float, y: float, radius: float, *, fill: Colour, outline: Colour, width: float) -> None:
        corners = [round(v * SCALE) for v in (x - radius, y - radius, x + radius, y + radius)]
        self.draw.ellipse(corners, fill=fill, outline=outline, width=round(width * SCALE))

    def line(self, x: float, top: float, bottom: float, *, fill: Colour, width: float) -> None:
        self.draw.line(
            [x * SCALE, top * SCALE, x * SCALE, bottom * SCALE], fill=fill, width=round(width * SCALE)
        )

    def text(
        self, x: float, y: float, text: str, typeface: Font, *, fill: Colour, anchor: str = "ls"
    ) -> None:
        self.draw.text((x * SCALE, y * SCALE), text, font=typeface, fill=fill, anchor=anchor)

    def paste(
        self, picture: Image.Image, x: float, y: float, width: float, height: float, *, radius: float
    ) -> None:
        """A picture cropped to fill a box with round corners."""
        size = (round(width * SCALE), round(height * SCALE))
        mask = Image.new("L", size, 0)
        corners = [0, 0, size[0] - 1, size[1] - 1]
        ImageDraw.Draw(mask).rounded_rectangle(corners, round(radius * SCALE), fill=255)
        filled = ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
        self.image.paste(filled, (round(x * SCALE), round(y * SCALE)), mask)

    def shadow(self, left: float, top: float, right: float, bottom: float, *, radius: float) -> None:
        """The one soft shadow, under a card that is drawn next."""
        around = 48
        size = (round((right - left + 2 * around) * SCALE), round((bottom - top + 2 * around) * SCALE))
        mask = Image.new("L", size, 0)
        corners = [around * SCALE, around * SCALE, size[0] - around * SCALE, size[1] - around * SCALE]
        ImageDraw.Draw(mask).rounded_rectangle(corners, round(radius * SCALE), fill=44)
        mask = mask.filter(ImageFilter.GaussianBlur(14 * SCALE))
        at = (round((left - around) * SCALE), round((top - around + 10) * SCALE))
        self.image.paste(Image.new("RGB", size, QUIET), at, mask)

    def qr(self, url: str, x: float, y: float, size: float) -> None:
        """A QR code no larger than `size`, its modules whole pixels of the poster so that cameras see them sharp."""
        code = segno.make(url, error="m", micro=False)
        modules = [list(row) for row in code.matrix]
        pixels = int(size) // len(modules)
        shift = (size - pixels * len(modules)) // 2
        for row, cells in enumerate(modules):
            for column, is_dark in enumerate(cells):
                if is_dark:
                    left, top = x + shift + column * pixels, y + shift + row * pixels
                    # To the last pixel of the module, not one further: rectangles include their far edge.
                    far = 1 / SCALE
                    self.box(left, top, left + pixels - far, top + pixels - far, fill=INK)

    def png(self) -> bytes:
        written = io.BytesIO()
        small = self.image.resize((WIDTH, HEIGHT), Image.Resampling.BOX)
        small.save(written, "PNG", optimize=True)
        return written.getvalue()


class _Typed:
    """A canvas with fonts: measures, wraps and sets lines of text."""

    def __init__(self, canvas: _Canvas, faces: Faces) -> None:
        self.canvas = canvas
        self.faces = faces

    def face(self, size: float, *, bold: bool = False) -> Font:
        return font(self.faces.bold if bold else self.faces.regular, round(size * SCALE))

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        return self.face(size, bold=bold).getlength(text) / SCALE

    def set(
        self, x: float, y: float, text: str, size: float, *, fill: Colour = INK, bold: bool = False,
        anchor: str = "ls",
    ) -> float:  # fmt: skip
        """Set one line on its baseline; answers where it ends."""
        self.canvas.text(x, y, text, self.face(size, bold=bold), fill=fill, anchor=anchor)
        return x + self.width(text, size, bold=bold)

    def lines(self, text: str, size: float, width: float, most: int, *, bold: bool = False) -> list[str]:
        """The text in at most so many lines; Chinese breaks anywhere, what does not fit ends in an ellipsis."""
        lines = [""]
        for char in " ".join(text.split()):
            if self.width(lines[-1] + char, size, bold=bold) <= width:
                lines[-1] += char
            else:
                lines.append(char.strip())
        if len(lines) > most:
            last = lines[most - 1]
            while last and self.width(last + "…", size, bold=bold) > width:
                last = last[:-1]
            lines = [*lines[: most - 1], last + "…"]
        return lines

    def balanced(self, text: str, size: float, width: float, most: int, *, bold: bool = False) -> list[str]:
        """As `lines`, but of about one length each, so that no last sign stands alone."""
        lines = self.lines(text, size, width, most, bold=bold)
        if len(lines) > 1 and not lines[-1].endswith("…"):
            narrow = self.width("".join(lines), size, bold=bold) / len(lines) + size
            even = self.lines(text, size, min(narrow, width), most, bold=bold)
            if len(even) == len(lines) and not even[-1].endswith("…"):
                return even
        return lines


def _draw(page: _Typed, shared: Shared) -> None:
    canvas = page.canvas
    top = _heading(page, shared)
    shown = list(shared.offers[:ROWS])
    more = len(shared.offers) - len(shown)
    if more:
        shown, more = shown[:-1], more + 1
    rows = len(shown) + bool(more)
    height = min(340.0, (FOOTER_TOP - 28 - top) / max(1, rows))
    # The thread runs on behind everything: the chain goes on where the poster ends.
    canvas.line(THREAD_X, 0, HEIGHT, fill=LINES, width=5)
    canvas.ring(THREAD_X, MARGIN + 44, 14, fill=PRIMARY, outline=GROUND, width=0)
    if rows == 1:
        _hero(page, shown[0], top, FOOTER_TOP - 40)
    else:
        for index, offer in enumerate(shown):
            _row(page, offer, top + index * height, height)
    if more:
        middle = top + (len(shown) + 0.5) * height
        canvas.ring(THREAD_X, middle, 14, fill=GROUND, outline=PRIMARY, width=4)
        page.set(THREAD_X + 64, middle, f"还有 {more} 样好货，扫码看全部", 34, fill=QUIET, anchor="lm")
    _footer(page, shared)


def _heading(page: _Typed, shared: Shared) -> float:
    """Who sells and what it is called; answers where the products begin."""
    left, width = THREAD_X + 64, WIDTH - MARGIN - THREAD_X - 64
    page.set(left, MARGIN + 44, f"{shared.leader_name} 开团啦", 34, fill=PRIMARY, bold=True, anchor="lm")
    size = 76 if page.width(shared.title, 76, bold=True) <= width else 60
    baseline: float = MARGIN + 88 + size
    for line in page.balanced(shared.title, size, width, 2, bold=True):
        page.set(left, baseline, line, size, bold=True)
        baseline += size * 1.28
    return baseline - size * 1.28 + 52


def _bead(page: _Typed, offer: SharedOffer, middle: float) -> None:
    page.canvas.ring(THREAD_X, middle, 33, fill=PRIMARY, outline=GROUND, width=5)
    page.set(THREAD_X, middle - 1, offer.code[:2], 27, fill=CARD, bold=True, anchor="mm")


def _hero(page: _Typed, offer: SharedOffer, top: float, bottom: float) -> None:
    """One product alone: its picture as wide as the page."""
    left, right = THREAD_X + 64, WIDTH - MARGIN
    titles = page.balanced(offer.title, 54, right - left, 2)
    height = bottom - top - 118 - len(titles) * 70
    _bead(page, offer, top + height / 2)
    _tile(page, offer, left, top, right - left, height)
    baseline = top + height + 78
    for line in titles:
        page.set(left, baseline, line, 54)
        baseline += 70
    _price(page, offer, left, baseline + 22, 80)


def _row(page: _Typed, offer: SharedOffer, top: float, height: float) -> None:
    size = min(280.0, height - 26)
    middle = top + height / 2
    _bead(page, offer, middle)
    _tile(page, offer, THREAD_X + 64, middle - size / 2, size, size)
    left = THREAD_X + 64 + size + 36
    width = WIDTH - MARGIN - left
    title_size, price_size = (46, 66) if height > 180 else (38, 52)
    titles = page.balanced(offer.title, title_size, width, 2 if height > 150 else 1)
    block = len(titles) * title_size * 1.3 + price_size * 1.15
    baseline = middle - block / 2 + title_size
    for line in titles:
        page.set(left, baseline, line, title_size)
        baseline += title_size * 1.3
    _price(page, offer, left, baseline + price_size * 1.15 - title_size - 4, price_size)


def _price(page: _Typed, offer: SharedOffer, x: float, baseline: float, size: float) -> None:
    """¥39.90 /5斤: whole yuan large, fen small, the unit quiet beside it."""
    yuan, fen = format_yuan(offer.price_fen).split(".")
    x = page.set(x, baseline, "¥", size * 0.6, fill=PRIMARY, bold=True)
    x = page.set(x + 3, baseline, yuan, size, fill=PRIMARY, bold=True)
    if fen != "00":
        x = page.set(x, baseline, f".{fen}", size * 0.6, fill=PRIMARY, bold=True)
    note = f"/ {offer.unit}" + (f"　每人限{offer.limit}" if offer.limit else "")
    page.set(x + 14, baseline, note, max(26, size * 0.5), fill=QUIET)


def _tile(page: _Typed, offer: SharedOffer, x: float, y: float, width: float, height: float) -> None:
    """The picture; else the emoji, if the machine has a font for it; else the first character; on a soft colour."""
    canvas = page.canvas
    size = min(width, height)
    radius = min(36.0, size * 0.16)
    picture = _picture(offer.picture_path)
    if picture is not None:
        canvas.paste(picture, x, y, width, height, radius=radius)
        return
    colour = _soft(offer.tile_hue, 0.91, 0.62)
    canvas.box(x, y, x + width, y + height, fill=colour, radius=radius)
    middle_x, middle_y = x + width / 2, y + height / 2
    glyph = _emoji(offer.emoji, page.faces, ground=colour)
    if glyph is not None:
        wide = round(size * 0.58 * SCALE)
        glyph = ImageOps.contain(glyph, (wide, wide), Image.Resampling.LANCZOS)
        corner = (round(middle_x * SCALE) - glyph.width // 2, round(middle_y * SCALE) - glyph.height // 2)
        canvas.image.paste(glyph, corner)
        return
    first = next((c for c in offer.title if c.isalnum()), "·")
    page.set(
        middle_x, middle_y, first, size * 0.46, fill=_soft(offer.tile_hue, 0.36, 0.5), bold=True, anchor="mm"
    )


def _picture(path: str) -> Image.Image | None:
    if not path:
        return None
    try:
        with default_storage.open(path) as stored:
            return Image.open(io.BytesIO(stored.read())).convert("RGB")
    except (OSError, UnidentifiedImageError):
        # The poster is worth more than one picture that was moved away.
        return None


def _emoji(emoji: str, faces: Faces, *, ground: tuple[int, int, int]) -> Image.Image | None:
    """One colour glyph on its ground, cropped to what is drawn; None when this machine cannot draw it."""
    if not emoji or faces.emoji is None:
        return None
    # Drawn on its own colour: edges blended with a transparent ground would leave a dark fringe.
    glyph = Image.new("RGB", (EMOJI_PX * 2, EMOJI_PX * 2), ground)
    try:
        # Without a shaping engine a joined emoji falls apart: its first sign stands for it.
        typeface = font((faces.emoji, 0), EMOJI_PX)
        ImageDraw.Draw(glyph).text((20, 20), emoji[0], font=typeface, embedded_color=True)
    except (OSError, ValueError):
        return None
    drawn = ImageChops.difference(glyph, Image.new("RGB", glyph.size, ground)).getbbox()
    return glyph.crop(drawn) if drawn else None


def _soft(hue: int, lightness: float, saturation: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hls_to_rgb(hue / 360, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _footer(page: _Typed, shared: Shared) -> None:
    """Until when, when and where to fetch it, and the code to scan."""
    canvas = page.canvas
    left, right, bottom = MARGIN - 20, WIDTH - MARGIN + 20, HEIGHT - 64
    canvas.shadow(left, FOOTER_TOP, right, bottom, radius=36)
    canvas.box(left, FOOTER_TOP, right, bottom, fill=CARD, radius=36)
    side = bottom - FOOTER_TOP - 108
    code_left = right - side - 44
    canvas.qr(shared.url, code_left, FOOTER_TOP + 40, side)
    page.set(code_left + side / 2, bottom - 36, "扫一扫，加入接龙", 26, fill=QUIET, anchor="mm")
    x = left + 48
    value_x, width = x + 84, code_left - left - 48 - 84 - 36
    day, moment = day_text(shared.pickup_on), moment_text(shared.closes_at)
    facts = (
        ("截单", [moment]),
        ("提货", [day, shared.pickup_hours] if shared.pickup_hours else [day]),
        ("地点", page.balanced(shared.point_name, 34, width, 2, bold=True)),
    )
    lines = sum(len(values) for _label, values in facts)
    y = (FOOTER_TOP + bottom) / 2 - (lines * 45 + (len(facts) - 1) * 24) / 2 + 34
    for label, values in facts:
        page.set(x, y, label, 28, fill=QUIET)
        for value in values:
            page.set(value_x, y, value, 34, bold=True)
            y += 45
        y += 24


def _draw_without_chinese(canvas: _Canvas, shared: Shared) -> None:
    """Only what can be set in Latin letters (not even ¥); a box for every other sign would be worse than none."""
    side = 720
    canvas.box((WIDTH - side) / 2 - 60, 120, (WIDTH + side) / 2 + 60, side + 240, fill=CARD, radius=36)
    canvas.qr(shared.url, (WIDTH - side) / 2, 180, side)
    plain = ImageFont.load_default(40 * SCALE)
    assert isinstance(plain, ImageFont.FreeTypeFont)
    canvas.text(
        WIDTH / 2, side + 320, shared.url, plain.font_variant(size=30 * SCALE), fill=QUIET, anchor="mm"
    )
    for index, offer in enumerate(shared.offers[:8]):
        x, y = MARGIN + 60 + (index % 2) * 460, side + 410 + (index // 2) * 76
        canvas.text(x, y, f"{offer.code}   {format_yuan(offer.price_fen)}", plain, fill=PRIMARY, anchor="lm")
