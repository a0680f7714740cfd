"""Tier rules in words: what a figure is called, and how its value is written."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kaituan.commission.tier_rules import AT_MOST, Check, Judgement
from kaituan.money.fen import format_yuan

FIGURE_NAMES = {
    "own_turnover_fen": gettext_lazy("Own turnover"),
    "team_turnover_fen": gettext_lazy("Team turnover"),
    "group_members": gettext_lazy("Members in my groups"),
    "groups_owned": gettext_lazy("Groups"),
    "claim_rate_bp": gettext_lazy("Lines with a granted claim"),
    "on_time_rate_bp": gettext_lazy("Handed over on time"),
}
"""What each figure is called where people read it."""
REASON_LENGTH = 200


def value_words(figure: str, value: int | None) -> str:
    """A value with its unit: 1234.50 yuan, 97.5%, 86."""
    if value is None:
        return _("nothing yet")
    if figure.endswith("_fen"):
        return _("%(amount)s yuan") % {"amount": format_yuan(value)}
    if figure.endswith("_bp"):
        whole, rest = divmod(value, 100)
        return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"
    return str(value)


def check_words(check: Check) -> str:
    """One condition in words: 'Own turnover 1200.00 yuan (at least 1000.00 yuan)'."""
    words = (
        _("%(figure)s %(value)s (at most %(limit)s)")
        if check.figure in AT_MOST
        else _("%(figure)s %(value)s (at least %(limit)s)")
    )
    return words % {
        "figure": FIGURE_NAMES[check.figure],
        "value": value_words(check.figure, check.value),
        "limit": value_words(check.figure, check.limit),
    }


def reason_words(*, number: int, kind: str, judgement: Judgement) -> str:
    """Why a tier changed, for the row that changed it: the conditions that were met, or those that were not."""
    wanted = [check for check in judgement.checks if check.is_met == (kind == "promoted")]
    words = (
        _("By tier rules %(number)d, in %(days)d days: %(conditions)s")
        if kind == "promoted"
        else _("By tier rules %(number)d, not kept in %(days)d days: %(conditions)s")
    )
    conditions = "; ".join(map(check_words, wanted))
    values = {"number": number, "days": judgement.window_days, "conditions": conditions}
    text = words % values
    return text if len(text) <= REASON_LENGTH else text[: REASON_LENGTH - 1] + "…"
