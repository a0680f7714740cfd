"""Static files that carry their hash in their name: made once, found by every page and script, kept for good."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.core.files.storage import storages
from django.test import Client

from kaituan.web import static_files
from kaituan.web.static_files import HashedStorage, prepare


@pytest.fixture
def storage(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path / "static"
    return HashedStorage()


def test_each_name_carries_the_hash_of_its_content(storage):
    assert prepare(storage) is True
    url = storage.url("kaituan/base.css")
    assert re.fullmatch(r"/static/kaituan/base\.[0-9a-f]{12}\.css", url)
    hashed = storage.path(url.removeprefix("/static/"))
    with open(hashed) as made, open(finders.find("kaituan/base.css")) as own:
        assert made.read().split("/* ")[1:3] == own.read().split("/* ")[1:3]
    assert storage.exists(url.removeprefix("/static/") + ".gz")


def test_scripts_import_each_other_by_hashed_names(storage):
    prepare(storage)
    script = storage.path(storage.url("kaituan/page.js").removeprefix("/static/"))
    with open(script) as file:
        assert re.search(r'from "\./say\.[0-9a-f]{12}\.js"', file.read())


def test_the_second_time_there_is_nothing_to_do_until_a_file_changes(storage, monkeypatch):
    prepare(storage)
    assert prepare(HashedStorage()) is False
    monkeypatch.setattr(static_files, "WAY_OF_MAKING", "another")
    assert prepare(HashedStorage()) is True


def test_an_interrupted_making_is_begun_again(storage, monkeypatch):
    def breaks(*_args, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(HashedStorage, "post_process", breaks)
        with pytest.raises(KeyboardInterrupt):
            prepare(storage)
    assert prepare(HashedStorage()) is True


def test_a_file_that_nobody_brings_does_not_break_the_page(storage):
    prepare(storage)
    assert storage.url("nobody/brings.css") == "/static/nobody/brings.css"


@pytest.mark.django_db
def test_pages_name_them_and_browsers_may_keep_them_for_good(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path / "static"
    settings.WHITENOISE_USE_FINDERS = False
    settings.STORAGES = {
        **settings.STORAGES, "staticfiles": {"BACKEND": "kaituan.web.static_files.HashedStorage"}
    }  # fmt: skip
    prepare(storages["staticfiles"])
    visitor = Client()
    page = visitor.get("/sign-in/").content.decode()
    names = re.findall(r'/static/[^"#]+', page)
    assert len(names) > 10
    for name in names:
        answer = visitor.get(name, headers={"accept-encoding": "gzip"})
        assert answer.status_code == 200, name
        assert "immutable" in answer["Cache-Control"], name
        answer.close()
