"""What the documents say is true: links lead somewhere, commands exist, examples run, figures were measured."""

import doctest
import importlib
import importlib.util
import json
import pkgutil
import re
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest
import typer.main

from kaituan.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
READMES = ("README.md", "README.zh.md")
PICTURES = ROOT / "docs" / "tour"

FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"\w[\w.-]*(/[\w.*-]+)*/?")
COMMAND = re.compile(r"(?:^|[\s/`])kaituan ((?:[a-z][a-z-]* ?)+|--?[a-z-]+)")
OPTION = re.compile(r"(?<=\s)--[a-z][a-z-]*")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def code(path: Path) -> list[str]:
    """Each piece of code of a page: the lines of its blocks, then what stands between backticks."""
    text = path.read_text(encoding="utf-8")
    return [line for block in FENCE.findall(text) for line in block.splitlines()] + CODE.findall(prose(path))


def load_script(name: str):
    loader = SourceFileLoader(f"bin_{name}", str(ROOT / "bin" / name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_and_pictures_are_there(page):
    targets = [target for target in LINK.findall(prose(page)) if not re.match(r"[a-z]+:", target)]
    lost = [t for t in targets if not (page.parent / t.partition("#")[0]).exists()]
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_are_there(page):
    """`bin/check`, `ordering/chain/`: from the root, from kaituan/, or from the folder a page is about."""
    roots = (ROOT, ROOT / "kaituan", ROOT / "kaituan" / "web", ROOT / "kaituan" / "web" / "templates")
    named = {
        piece.split(" ")[0]
        for piece in CODE.findall(prose(page))
        if "/" in piece.split(" ")[0].strip("/") and PATH.fullmatch(piece.split(" ")[0])
    }
    patterns = {path for path in named if not any(any(root.glob(path.rstrip("/"))) for root in roots)}
    assert patterns == set()


def commands() -> dict[str, set[str]]:
    """Every command of the program, such as "jielong read", with its options."""
    found: dict[str, set[str]] = {}

    def walk(command, name: str) -> None:
        options = {option for parameter in command.params for option in parameter.opts}
        found[name] = options | {"--help"}
        for child, below in getattr(command, "commands", {}).items():
            walk(below, f"{name} {child}".strip())

    walk(typer.main.get_command(app), "")
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_their_options_exist(page):
    known = commands()
    unknown = []
    for piece in code(page):
        for match in COMMAND.finditer(piece):
            words = match.group(1).split()
            if words[0].startswith("-"):
                command, rest = "", piece[match.start(1) - 1 :]
            else:
                command = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
                rest = piece[match.end(1) - 1 :].split("&&")[0]
            if command not in known:
                unknown.append(command)
                continue
            unknown += [f"{command} {o}" for o in OPTION.findall(f" {rest}") if o not in known[command]]
    assert unknown == []


def test_the_variables_of_the_manual_are_those_that_the_program_reads():
    """All of them but those that are set by the program itself (KAITUAN_DEMO ...) or for developers."""
    manual = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    told = set(re.findall(r"KAITUAN_[A-Z_]+", manual))
    read = {
        name
        for path in (ROOT / "kaituan").rglob("*.py")
        if "tests" not in path.parts
        for name in re.findall(r"\"(KAITUAN_[A-Z_]+)\"", path.read_text(encoding="utf-8"))
    }
    own = {"KAITUAN_DEMO", "KAITUAN_POOL", "KAITUAN_HASHED_FILES", "KAITUAN_PARENT_PID", "KAITUAN_DEBUG"}
    assert told == read - own


def test_the_tables_of_figures_are_what_was_measured():
    done = subprocess.run(
        [sys.executable, "bin/figures", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_missed_target_is_said_and_a_missing_figure_too(tmp_path, monkeypatch):
    figures = load_script("figures")
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    missed = {"figure": "a paste", "value": 2.504, "unit": "s", "floor": 0.01, "ratio": 250.4, "target": 2}
    assert figures.row({**missed, "met": False}, figures.ENGLISH) == (
        "| a paste | 2.5 s | 0.01 s | 250.4 | 2 s: **missed** |"
    )
    assert figures.row({**missed, "met": True}, figures.CHINESE).endswith("| 2 s |")
    for words in (figures.ENGLISH, figures.CHINESE):
        assert figures.section("rush", words).endswith(words.missing.format(name="rush"))
    result = {"day": "2026-11-05", "machine": "2 × loom", "load": 6.2, "figures": [{**missed, "met": False}]}
    for busy in (True, False):
        (tmp_path / "rush.json").write_text(json.dumps({**result, "busy": busy}), encoding="utf-8")
        said = figures.section("rush", figures.ENGLISH)
        assert "| a paste | 2.5 s |" in said
        assert "Measured on 2026-11-05 on 2 × loom." in said
        assert ("load 6.2" in said) is busy


def test_both_readmes_show_all_pictures_of_the_tour():
    taken = {path.name for path in PICTURES.glob("*.webp")}
    for name in READMES:
        shown = re.findall(r"\(docs/tour/([^)]+)\)", (ROOT / name).read_text(encoding="utf-8"))
        assert len(shown) == len(set(shown))
        assert set(shown) == taken


def test_the_pictures_are_small():
    sizes = {path.name: path.stat().st_size for path in PICTURES.glob("*.webp")}
    assert len(sizes) >= 16
    assert {name for name, size in sizes.items() if size > 120_000} == set()
    assert sum(sizes.values()) < 1_500_000


@pytest.mark.parametrize("package", ["kaituan.money", "kaituan.people"])
def test_examples_run(package):
    tried = 0
    found = importlib.import_module(package)
    for module in pkgutil.walk_packages(found.__path__, f"{package}."):
        if not re.search(r"\.(tests|migrations|management)\b", module.name):
            outcome = doctest.testmod(importlib.import_module(module.name))
            assert outcome.failed == 0, module.name
            tried += outcome.attempted
    assert tried > 0, f"{package} shows no example"
