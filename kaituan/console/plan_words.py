"""What one plan changed of another, each change small enough to be said in words."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from kaituan.commission.finding_words import finding_words
from kaituan.commission.guard import Finding
from kaituan.commission.plan import Change
from kaituan.console.words import change_words, told
from kaituan.web.formats import money_text, rate_text

Words = tuple[str, str, str]


def noticed(finding: Finding) -> tuple[str, str]:
    """A finding of the guard as the tone of a notice and its words."""
    return ("brick" if finding.severity == "refused" else "honey"), finding_words(finding)


def words_of(change: Change) -> Iterator[Words]:
    """A change as (what, before, after); a part that came or went as a whole, figure by figure."""
    for part in _parts(change):
        if part.path[-1] in ("brackets", "tiers"):
            where, *_values = change_words(Change(part.path, None, None))
            yield where, _list_words(part.path[-1], part.old), _list_words(part.path[-1], part.new)
        else:
            yield change_words(part)


def _parts(change: Change) -> Iterator[Change]:
    whole = change.new if change.old is None else change.old
    # Both sides are whole only where nothing is nested below; an empty part says no more than on or off.
    if not isinstance(whole, dict) or not whole:
        yield change
        return
    for key, value in whole.items():
        if value is not None:
            old, new = (None, value) if change.old is None else (value, None)
            yield from _parts(Change((*change.path, str(key)), old, new))


def _list_words(name: str, value: Any) -> str:
    """Tiers by their names; brackets as 'from ¥10,000.00: 1%'."""
    if value is None:
        return _("off")
    if name == "tiers":
        return _(", ").join(told("tier", tier) for tier in value) or "–"
    words = _("from %(amount)s: %(rate)s")
    return _("; ").join(
        words % {"amount": money_text(threshold), "rate": rate_text(rate_bp)} for threshold, rate_bp in value
    )
