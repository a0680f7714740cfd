"""What people call the rules that pay."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

RULE_WORDS: Mapping[str, str | Promise] = {
    "sale": _("Sale commission"),
    "service": _("Hand-over fee"),
    "differential": _("Tier difference"),
    "peer": _("Peer bonus"),
    "team_ladder": _("Team ladder"),
    "dividend": _("Dividend"),
    "correction": _("Correction"),
}


def rule_words(rule: str) -> str:
    """The words for a rule; its name where there are none, so that nothing is hidden."""
    return str(RULE_WORDS.get(rule, rule))
