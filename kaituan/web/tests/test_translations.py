"""The catalogues are fresh and whole; the tool finds words where they are."""

import pytest

from kaituan.web import translations

FOLDERS = translations.folders_with_words()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_catalogues_are_fresh_and_whole(folder):
    """No msgid without Chinese, none fuzzy, zh_Hant and the .mo as bin/messages would build them."""
    assert translations.check(folder) == []


def test_the_same_words_say_the_same_everywhere():
    assert translations.contradictions() == []


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An app of its own, in a package of its own."""
    package = tmp_path / "shop"
    app = package / "till"
    (app / "templates").mkdir(parents=True)
    monkeypatch.setattr(translations, "PACKAGE", package)
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    return app


def write(folder, name: str, text: str) -> None:
    (folder / name).write_text(text)


def translate(folder, said: str, chinese: str) -> None:
    path = folder / "locale/zh_Hans/LC_MESSAGES/django.po"
    path.write_text(
        path.read_text().replace(f'msgid "{said}"\nmsgstr ""', f'msgid "{said}"\nmsgstr "{chinese}"')
    )


def test_words_are_found_in_templates_and_code(folder):
    write(
        folder, "views.py", 'from x import gettext as _\n_("From code")\nngettext("one", "%(n)d many", 2)\n'
    )
    write(
        folder,
        "templates/a.html",
        "<p>\n    {% trans 'In a tag' %} it's\n  {% blocktrans count n=3 %}{{ n }} box{% plural %}{{ n }} boxes"
        '{% endblocktrans %}\n{% trans "Open" context "shop" %}{% with a=_("Inside") %}{% endwith %}</p>',
    )
    found = {translations._key(message) for message in translations.collected(folder) if message.id}
    assert found == {
        (None, "From code"),
        (None, ("one", "%(n)d many")),
        (None, "In a tag"),
        (None, ("%(n)s box", "%(n)s boxes")),
        ("shop", "Open"),
        (None, "Inside"),
    }


def test_what_has_no_chinese_is_listed_with_its_place(folder):
    write(folder, "templates/a.html", '{% trans "Paid" %}')
    assert translations.update(folder) == ["shop/till/templates/a.html: no Chinese for 'Paid'"]


def test_a_translation_stays_through_updates_and_gives_the_traditional(folder):
    write(folder, "templates/a.html", '{% trans "Campaign" %}')
    translations.update(folder)
    translate(folder, "Campaign", "开团")
    assert translations.update(folder) == []
    assert translations.check(folder) == []
    assert 'msgstr "開團"' in (folder / "locale/zh_Hant/LC_MESSAGES/django.po").read_text()
    write(folder, "templates/b.html", '{% trans "Campaign" %}{% trans "New" %}')
    assert translations.update(folder) == ["shop/till/templates/b.html: no Chinese for 'New'"]
    assert 'msgstr "开团"' in (folder / "locale/zh_Hans/LC_MESSAGES/django.po").read_text()


def test_a_change_by_hand_that_was_not_built_is_stale(folder):
    write(folder, "templates/a.html", '{% trans "Campaign" %}')
    translations.update(folder)
    translate(folder, "Campaign", "开团")
    assert "shop/till/locale/zh_Hant/LC_MESSAGES/django.mo is not fresh".replace(
        "shop", "shop"
    ) in translations.check(folder)


def test_lost_placeholders_are_found(folder):
    write(folder, "views.py", '_("%(count)d left")')
    translations.update(folder)
    translate(folder, "%(count)d left", "剩下")
    assert translations.update(folder) == [
        "shop/till/views.py: other placeholders in the Chinese of '%(count)d left'"
    ]


def test_words_known_elsewhere_are_taken_over_and_contradictions_told(folder):
    write(folder, "views.py", '_("Paid")')
    translations.update(folder)
    translate(folder, "Paid", "已付款")
    other = folder.parent / "desk"
    other.mkdir()
    write(other, "views.py", '_("Paid")')
    assert translations.update(other) == []
    assert translations.contradictions() == []
    path = other / "locale/zh_Hans/LC_MESSAGES/django.po"
    path.write_text(path.read_text().replace("已付款", "付了"))
    assert len(translations.contradictions()) == 1
