"""The translation tool behind bin/messages: collect msgids, keep the .po files, build 繁體, compile.

Needs the development dependencies (OpenCC); the site itself reads only the compiled .mo files.
"""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import opencc
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

PACKAGE = Path(__file__).resolve().parent.parent
ROOT = PACKAGE.parent
SOURCE, DERIVED = "zh_Hans", "zh_Hant"
SKIPPED = {"tests", "migrations", "locale", "static", "__pycache__"}
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# Dates in the files would make every run a change and every merge a conflict.
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)
PLACEHOLDER = re.compile(r"%\((\w+)\)[sdf]|\{(\w*)\}|%[sd]")

Key = tuple[str | None, str | tuple[str, ...]]


def folders_with_words() -> list[Path]:
    """The folders of kaituan/ that have msgids or still have a catalogue."""
    folders = [path for path in sorted(PACKAGE.iterdir()) if path.is_dir() and path.name not in SKIPPED]
    return [folder for folder in folders if _po(folder, SOURCE).exists() or len(collected(folder))]


def _po(folder: Path, locale: str) -> Path:
    return folder / "locale" / locale / "LC_MESSAGES" / "django.po"


def _key(message: Message) -> Key:
    return (message.context, message.id if isinstance(message.id, str) else tuple(message.id))


def _words(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def _said(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


# ---- 1. collect ----


def collected(folder: Path) -> Catalog:
    """Every msgid of the folder, with the files it stands in (no line numbers: they change too often)."""
    catalog = Catalog(locale=SOURCE, creation_date=NO_DATE, revision_date=NO_DATE, fuzzy=False)
    for path in _files(folder):
        name = path.relative_to(folder.parent.parent).as_posix()
        for _line, ids, comments, context in _extract(path):
            catalog.add(ids, locations=[(name, 0)], auto_comments=comments, context=context)
    return catalog


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        read = path.suffix == ".py" or (path.suffix in (".html", ".txt") and "templates" in inside)
        if read and not SKIPPED.intersection(inside):
            yield path


def _extract(path: Path) -> Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    text = path.read_text()
    if path.suffix != ".py":
        if not settings.configured:
            settings.configure(USE_I18N=True)
        # The tokenizer reads what is left of the template as Python, so it must not see an indentation.
        text = "\n".join(line.lstrip() for line in templatize(text, origin=str(path)).splitlines())
    source = io.BytesIO(text.encode())
    for line, ids, comments, context in extract("python", source, KEYWORDS, comment_tags=("Translators:",)):
        # One line of a template with no words in it yields an empty msgid: the header's own.
        if ids not in ("", ("",)):
            yield line, ids, comments, context


# ---- 2. the Chinese by hand ----


def load(folder: Path, locale: str) -> Catalog:
    path = _po(folder, locale)
    if not path.exists():
        return Catalog(locale=locale, creation_date=NO_DATE, revision_date=NO_DATE, fuzzy=False)
    with path.open("rb") as file:
        catalog = read_po(file, locale=locale, abort_invalid=True)
    catalog.creation_date = catalog.revision_date = NO_DATE
    catalog.fuzzy = False
    return catalog


def refreshed(folder: Path) -> Catalog:
    """The zh_Hans catalogue as it should be: today's msgids with the translations there are."""
    known = {_key(message): message for message in load(folder, SOURCE) if message.id}
    elsewhere = _memory(without=folder)
    catalog = collected(folder)
    for message in catalog:
        if not message.id:
            continue
        if (old := known.get(_key(message))) is not None:
            message.string = old.string
            message.flags |= old.flags & {"fuzzy"}
            message.user_comments = old.user_comments
        elif (words := elsewhere.get(_key(message))) is not None:
            message.string = words
        _shape(message)
    return catalog


def _shape(message: Message) -> None:
    """Chinese has one plural form: a string for one msgid, a tuple of one for two."""
    if isinstance(message.id, str):
        message.string = _words(message)[0] if _words(message) else ""
    else:
        message.string = (_words(message) or ("",))[:1]


def _memory(*, without: Path) -> dict[Key, str | tuple[str, ...]]:
    memory: dict[Key, str | tuple[str, ...]] = {}
    for path in sorted(PACKAGE.glob(f"*/locale/{SOURCE}/LC_MESSAGES/django.po")):
        folder = path.parents[3]
        if folder != without:
            for message in load(folder, SOURCE):
                if message.id and message.string and any(_words(message)):
                    string = message.string
                    memory.setdefault(_key(message), string if isinstance(string, str) else tuple(string))
    return memory


# ---- 3. 繁體 ----


def traditional(catalog: Catalog) -> Catalog:
    """The same catalogue in Traditional Chinese."""
    convert = opencc.OpenCC("s2twp").convert
    made = Catalog(locale=DERIVED, creation_date=NO_DATE, revision_date=NO_DATE, fuzzy=False)
    for message in catalog:
        if message.id and any(_words(message)) and not message.fuzzy:
            words = tuple(convert(word) for word in _words(message))
            made.add(
                message.id,
                words[0] if isinstance(message.id, str) else words,
                locations=message.locations,
                context=message.context,
            )
    return made


# ---- 4. files ----


def po_bytes(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=110, sort_output=True, include_lineno=False, ignore_obsolete=True)
    kept = [
        line
        for line in buffer.getvalue().decode().splitlines()
        if not re.match(
            r'#( |$)|#, fuzzy$|"(Project-Id|Report|POT-|PO-Rev|Last-|Language-Team|Generated-By)', line
        )
        or "#, fuzzy" in line
    ]
    return ("\n".join(kept).strip() + "\n").encode()


def mo_bytes(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def _built(folder: Path) -> dict[Path, bytes]:
    """Path -> content of the four files as they should be."""
    source = refreshed(folder)
    derived = traditional(source)
    files = {}
    for locale, catalog in ((SOURCE, source), (DERIVED, derived)):
        po = _po(folder, locale)
        files[po] = po_bytes(catalog)
        files[po.with_suffix(".mo")] = mo_bytes(catalog)
    return files


def update(folder: Path) -> list[str]:
    """Write the folder's catalogues; returns what is left to translate, each with its place."""
    files = _built(folder)
    if not len(refreshed(folder)):
        for path in files:
            path.unlink(missing_ok=True)
        return []
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
    return untranslated(folder)


def check(folder: Path) -> list[str]:
    """What is not as bin/messages would leave it, and what is left to translate."""
    if not len(collected(folder)) and not _po(folder, SOURCE).exists():
        return []
    stale = [
        f"{path.relative_to(ROOT)} is not fresh"
        for path, content in _built(folder).items()
        if not path.exists() or path.read_bytes() != content
    ]
    return stale + untranslated(folder)


def untranslated(folder: Path) -> list[str]:
    """One sentence per msgid of today that has no Chinese, a fuzzy one, or one with other placeholders."""
    found = []
    for message in refreshed(folder):
        if not message.id:
            continue
        place = message.locations[0][0] if message.locations else folder.name
        if not all(_words(message)):
            found.append(f"{place}: no Chinese for {_said(message)!r}")
        elif message.fuzzy:
            found.append(f"{place}: fuzzy: {_said(message)!r}")
        elif placeholders(_words(message)[0]) != placeholders(_last(message)):
            found.append(f"{place}: other placeholders in the Chinese of {_said(message)!r}")
    return found


def _last(message: Message) -> str:
    """The plural of two msgids: it has every placeholder, where the singular may say `one`."""
    return message.id if isinstance(message.id, str) else message.id[-1]


def placeholders(text: str) -> set[str]:
    return {match.group(0) for match in PLACEHOLDER.finditer(text)}


def contradictions() -> list[str]:
    """The same msgid translated in two ways: the site would show one of them, whichever app comes first."""
    seen: dict[Key, tuple[tuple[str, ...], str]] = {}
    found = []
    for path in sorted(PACKAGE.glob(f"*/locale/{SOURCE}/LC_MESSAGES/django.po")):
        folder = path.parents[3]
        for message in load(folder, SOURCE):
            if not message.id or not any(_words(message)):
                continue
            words, where = seen.setdefault(_key(message), (_words(message), folder.name))
            if words != _words(message):
                found.append(
                    f"{_said(message)!r} is {words[0]!r} in {where} and {_words(message)[0]!r} in {folder.name}: "
                    "choose one, or tell them apart with a context"
                )
    return found
