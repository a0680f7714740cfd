"""How values are written for people."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation

from kaituan.web import formats

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # Sunday 12:00 in the station


@pytest.fixture(params=["en", "zh-hans"])
def language(request):
    with translation.override(request.param):
        yield request.param


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "¥0.00"), (5, "¥0.05"), (3990, "¥39.90"), (12345678, "¥123,456.78"), (-1280, "−¥12.80")],
)
def test_money_text(fen: int, text: str):
    assert formats.money_text(fen) == text


def test_money_has_small_cents_and_a_plus_only_when_asked():
    assert formats.money_html(3990) == '<span class="money"><i>¥</i>39.<small>90</small></span>'
    assert formats.money_html(3990, plus=True).startswith('<span class="money">+<i>')
    assert "+" not in formats.money_html(0, plus=True)


@pytest.mark.parametrize(
    ("rate_bp", "text"),
    [(0, "0%"), (1000, "10%"), (125, "1.25%"), (150, "1.5%"), (5, "0.05%"), (-1000, "−10%")],
)
def test_rates(rate_bp: int, text: str):
    assert formats.rate_text(rate_bp) == text


@pytest.mark.parametrize(
    ("steps", "per", "unit", "text"),
    [(750, 500, "斤", "1.5 斤"), (2, 1, "5斤", "2 × 5斤"), (3, 1, "盒", "3 盒"), (10, 1, "", "10")],
)
def test_quantities(steps: int, per: int, unit: str, text: str):
    assert formats.quantity_text(steps, steps_per_unit=per, unit=unit).replace("\xa0", " ") == text


@pytest.mark.parametrize(
    ("away", "english", "chinese"),
    [
        (timedelta(hours=6, minutes=30), "Today 18:30", "今天 18:30"),
        (timedelta(hours=12), "Tomorrow 00:00", "明天 00:00"),
        (timedelta(hours=-13), "Yesterday 23:00", "昨天 23:00"),
        (timedelta(days=5, hours=8), "Fri 20:00", "周五 20:00"),
        (timedelta(days=-2), "Nov 20 12:00", "11月20日 12:00"),
        (timedelta(days=7), "Nov 29 12:00", "11月29日 12:00"),
        (timedelta(days=60), "Jan 21, 2027 12:00", "2027年1月21日 12:00"),
    ],
)
def test_moments_are_named_in_the_stations_time(language, away, english, chinese):
    said = formats.moment_text(NOON + away, now=NOON).replace("\xa0", " ")
    assert said == (english if language == "en" else chinese)


def test_the_full_time_stands_in_the_title():
    with translation.override("zh-hans"):
        assert 'title="2026-11-22 12:00 周日"' in formats.moment_html(NOON, now=NOON)


def test_days_say_their_weekday_once(language):
    tuesday, tomorrow = (formats.day_html(date(2026, 11, d), now=NOON) for d in (24, 23))
    if language == "en":
        assert (">Tue<" in tuesday, ">Tomorrow (Mon)<" in tomorrow) == (True, True)
    else:
        assert (">周二<" in tuesday, ">明天（周一）<" in tomorrow) == (True, True)


@pytest.mark.parametrize(
    ("left", "english", "chinese"),
    [
        (timedelta(0), "", ""),
        (timedelta(hours=-1), "", ""),
        (timedelta(seconds=1), "1 min", "1 分钟"),
        (timedelta(hours=5, minutes=20), "5 h 20 min", "5 小时 20 分钟"),
        (timedelta(hours=2), "2 h", "2 小时"),
        (timedelta(days=1, minutes=3), "1 day", "1 天"),
        (timedelta(days=3, hours=4, minutes=5), "3 days 4 h", "3 天 4 小时"),
    ],
)
def test_time_left(language, left, english, chinese):
    said = formats.left_text(NOON + left, now=NOON).replace("\xa0", " ")
    assert said == (english if language == "en" else chinese)
