"""The poster: its size, a code that leads to the listing, and what it does where fonts or pictures are missing."""

import dataclasses
import io
from datetime import date

import pytest
import segno
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from kaituan.campaigns import poster, poster_fonts
from kaituan.campaigns.sharing import Shared, SharedOffer
from tests.factories import NOON

URL = "https://kaituan.example/g/abcdefgh2345/"


def shared(count=3, **fields):
    offers = tuple(
        SharedOffer(
            code="ABCDEFH"[i], title=f"赣南脐橙{i}号", unit="5斤", price_fen=3990 + i, tile_hue=i * 50
        )
        for i in range(count)
    )
    return Shared(
        **{
            "title": "周五水果团",
            "leader_name": "王姐",
            "point_name": "翠成馨园",
            "closes_at": NOON,
            "pickup_on": date(2026, 10, 2),
            "pickup_hours": "16:00-19:00",
            "url": URL,
            "offers": offers,
            **fields,
        }
    )


def drawn(of):
    return Image.open(io.BytesIO(poster.poster_png(of))).convert("RGB")


def read_code(image, *, area):
    """The dark modules found in `area`, as a matrix of the size that the link's code has."""
    matrix = [list(row) for row in segno.make(URL, error="m", micro=False).matrix]
    dark = image.crop(area).convert("L").point(lambda v: 255 if v < 128 else 0)
    left, top, right, _bottom = dark.getbbox()
    pixels = (right - left) // len(matrix)
    assert (right - left) == pixels * len(matrix)
    found = [
        [
            int(dark.getpixel((left + (c + 0.5) * pixels, top + (r + 0.5) * pixels)) > 0)
            for c in range(len(matrix))
        ]
        for r in range(len(matrix))
    ]
    return found, matrix, pixels


with_fonts = pytest.mark.skipif(poster_fonts.find_faces() is None, reason="no Chinese font on this machine")


@with_fonts
@pytest.mark.parametrize("count", [0, 1, 2, 5, 7])
def test_it_has_one_size_whatever_is_sold(count):
    image = drawn(shared(count))
    assert image.size == (1080, 1440)
    assert image.getpixel((3, 3)) == (0xFB, 0xF8, 0xF3)


@with_fonts
def test_the_code_leads_to_the_listing_in_whole_pixels_with_white_around_it():
    found, wanted, pixels = read_code(drawn(shared()), area=(700, 1015, 1020, 1315))
    assert found == wanted
    assert pixels >= 7


@with_fonts
def test_another_listing_has_another_code_and_another_title_another_picture():
    assert drawn(shared()).tobytes() != drawn(shared(url=URL + "x")).tobytes()
    assert drawn(shared()).tobytes() != drawn(shared(title="周六水果团")).tobytes()
    assert drawn(shared()).tobytes() == drawn(shared()).tobytes()


@with_fonts
def test_long_names_stay_within_the_margins():
    offers = tuple(
        SharedOffer(
            code="A", title="特级农家散养五谷杂粮土鸡蛋礼盒装" * 4, unit="30枚礼盒", price_fen=999_999_00
        )
        for _ in range(3)
    )
    image = drawn(shared(offers=offers, title="国庆中秋双节同庆囤货专场" * 6, point_name="某某小区东门" * 8))
    right = image.crop((1010, 0, 1080, 960)).getcolors(maxcolors=10_000)
    assert [colour for _count, colour in right] == [(0xFB, 0xF8, 0xF3)]


@with_fonts
def test_a_product_shows_its_picture_and_a_lost_one_its_first_sign(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    picture = io.BytesIO()
    Image.new("RGB", (300, 200), (0, 90, 200)).save(picture, "PNG")
    name = default_storage.save("products/x.png", ContentFile(picture.getvalue()))
    [offer] = shared(1).offers
    hero = (600, 500)
    with_picture = drawn(shared(offers=(dataclasses.replace(offer, picture_path=name),)))
    assert with_picture.getpixel(hero) == (0, 90, 200)
    lost = drawn(shared(offers=(dataclasses.replace(offer, picture_path="products/gone.png"),)))
    assert lost.tobytes() == drawn(shared(1)).tobytes()


@with_fonts
def test_without_a_colour_font_the_first_sign_stands_for_the_emoji(monkeypatch):
    faces = dataclasses.replace(poster_fonts.find_faces(), emoji=None)
    monkeypatch.setattr(poster, "find_faces", lambda: faces)
    [offer] = shared(1).offers
    with_emoji = shared(offers=(dataclasses.replace(offer, emoji="🍊"),))
    assert drawn(with_emoji).tobytes() == drawn(shared(1)).tobytes()


def test_without_a_chinese_font_there_is_still_the_code(monkeypatch):
    monkeypatch.setattr(poster, "find_faces", lambda: None)
    image = drawn(shared(7))
    assert image.size == (1080, 1440)
    found, wanted, _pixels = read_code(image, area=(140, 140, 940, 940))
    assert found == wanted


def test_a_font_that_is_nowhere_is_not_found(monkeypatch, tmp_path):
    monkeypatch.setattr(poster_fonts, "FONT_FOLDERS", (tmp_path, tmp_path / "none"))
    poster_fonts.find_faces.cache_clear()
    try:
        assert poster_fonts.find_faces() is None
    finally:
        poster_fonts.find_faces.cache_clear()
