"""The pieces, drawn: what each promises to whoever uses it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.paginator import Paginator
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory

from kaituan.web import charts

WEB = Path(__file__).parent.parent
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def draw(source: str, **context) -> str:
    return Template("{% load kaituan %}" + source).render(Context({"now": NOW, **context}))


def test_names_in_a_chain_are_text_never_html():
    drawn = draw("{% chain_entry 3 name items %}", name="<b>林</b>", items="<script>")
    assert "<b>" not in drawn
    assert "&lt;b&gt;林" in drawn
    assert "<script>" not in drawn


def test_my_bead_is_filled_and_a_handed_over_one_is_ticked():
    mine = draw('{% chain_entry 3 "林" "草莓" mine=True %}')
    done = draw('{% chain_entry 3 "林" "草莓" state="done" %}')
    assert 'class="bead  mine"' in mine
    assert re.search(r'class="icon tick"[^>]* hidden', mine)
    assert not re.search(r'class="icon tick"[^>]* hidden', done)


def test_a_misspelt_state_is_told_to_the_author():
    with pytest.raises(TemplateSyntaxError, match="no state 'payed'"):
        draw('{% bead 3 state="payed" %}')
    with pytest.raises(TemplateSyntaxError, match="no tone 'red'"):
        draw('{% chip "x" "red" %}')


def test_a_price_says_its_unit_and_what_it_was():
    drawn = draw('{% price 3990 per="盒" was=4590 %}')
    assert "39.<small>90</small>" in drawn
    assert "/ 盒" in drawn
    assert '<s class="was">' in drawn


def test_a_tile_takes_the_nearest_hue_class_there_is():
    css = (WEB / "static/kaituan/components.css").read_text()
    for hue in (0, 14, 15, 359, 360, 725):
        shade = re.search(r"hue-(\d+)", draw("{% tile emoji='🍊' hue=hue %}", hue=hue))
        assert f".hue-{shade[1]} " in css


def test_every_icon_that_a_template_names_is_drawn():
    drawn = set(re.findall(r'id="([a-z]+)"', (WEB / "static/kaituan/icons.svg").read_text()))
    package = WEB.parent
    asked = {
        name
        for path in package.glob("*/templates/**/*.html")
        for name in re.findall(r'{% icon "([a-z-]+)"', path.read_text())
    }
    assert asked
    assert asked <= drawn


def test_a_stepper_is_a_number_field_without_a_script():
    drawn = draw('{% stepper "q-3" value=2 label="脐橙" maximum=5 price_fen=2980 %}')
    assert 'type="number"' in drawn
    assert 'name="q-3"' in drawn
    assert 'max="5"' in drawn
    assert drawn.count("needs-script") == 2


def test_pages_keep_the_filters_of_the_address():
    request = RequestFactory().get("/orders/?q=林&page=2")
    drawn = draw("{% pages page %}", page=Paginator(range(100), 20).get_page(2), request=request)
    assert 'href="?q=%E6%9E%97&amp;page=3" rel="next"' in drawn
    assert '<span aria-current="page">2</span>' in drawn


def test_one_page_needs_no_links():
    assert draw("{% pages page %}", page=Paginator(range(3), 20).get_page(1)).strip() == ""


def test_a_sheet_opens_without_a_script():
    drawn = draw('{% sheet "选择" %}<p>里面</p>{% endsheet %}')
    assert drawn.startswith('<details class="sheet"><summary class="button plain">选择</summary>')
    assert "<p>里面</p>" in drawn


def test_the_last_step_of_a_trace_is_the_amount():
    drawn = draw("{% trace steps %}", steps=[("订单", "¥79.80"), ("你得到", "¥7.98")])
    assert drawn.count('class="sum"') == 1
    assert drawn.index('class="sum"') > drawn.index("订单")


class TestCharts:
    def test_bars_are_in_proportion_to_the_largest(self):
        drawn = charts.lying_bars([("甲", 50, "50"), ("乙", 25, "25"), ("丙", 0, "0")], label="订单")
        assert re.findall(r'rect width="([\d.]+)%"', drawn) == ["100.0", "50.0", "0.0"]

    def test_words_are_escaped(self):
        assert "<i>" not in charts.lying_bars([("<i>", 1, "<i>")], label="<i>")
        assert "<i>" not in charts.columns([("<i>", 1, "<i>")], label="<i>")

    def test_nothing_and_zeros_are_drawn_too(self):
        assert charts.columns([], label="空") == '<p class="quiet">空</p>'
        assert 'height="0"' in charts.columns([("一", 0, "0"), ("二", 0, "0")], label="零")
        assert charts.sparkline([], label="空")
        assert "NaN" not in charts.sparkline([0], label="一个")

    def test_the_told_column_alone_has_words(self):
        drawn = charts.columns([("一", 5, "five"), ("二", 9, "nine", True), ("三", 7, "seven")], label="x")
        assert drawn.count('<text class="told"') == 1
        assert ">nine</text>" in drawn
        assert 'class="bar told"' in drawn
