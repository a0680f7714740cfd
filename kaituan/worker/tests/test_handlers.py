"""Every event that is announced anywhere is handled, or is silent for a stated reason."""

import re
from pathlib import Path

import kaituan
from kaituan.notices.wording import WORDINGS
from kaituan.worker.handlers import HANDLERS, SILENT

SOURCES = Path(kaituan.__file__).parent


def announced_topics():
    """Topics written out as such, in Python and in SQL; those made of a state are left to the tests beside them."""
    topics = set()
    for path in SOURCES.rglob("*.py"):
        if "tests" not in path.parts:
            topics |= set(re.findall(r'topic="([a-z_]+)"', path.read_text()))
            topics |= set(re.findall(r'_announce\(\s*"([a-z_]+)"', path.read_text()))
    for path in SOURCES.rglob("*.sql"):
        topics |= set(re.findall(r"INTO notices_outboxmessage[^']*'([a-z_]+)'", path.read_text()))
    return topics


def test_every_announced_topic_is_handled_or_silent():
    topics = announced_topics()
    assert "orders_placed" in topics
    assert "leader_appointed" in topics
    assert topics - HANDLERS.keys() - SILENT == set()


def test_what_is_silent_has_no_handler():
    assert not SILENT & HANDLERS.keys()


def test_every_wording_is_told_by_somebody():
    told = set(HANDLERS)
    for path in SOURCES.rglob("*.py"):
        if "tests" not in path.parts and path.name != "wording.py":
            told |= set(re.findall(r'"([a-z_]+)"', path.read_text()))
    made_of_states = {kind for kind in WORDINGS if kind.startswith(("remittance_", "withdrawal_"))}
    assert WORDINGS.keys() - told - made_of_states == set()
