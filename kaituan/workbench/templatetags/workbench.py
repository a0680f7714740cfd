"""Words of the leaders' pages. Load with {% load workbench %}."""

from django import template
from django.utils.safestring import SafeString

from kaituan.settlement import rule_words
from kaituan.web.templatetags.kaituan import chip
from kaituan.workbench.words import STATES

register = template.Library()
register.filter("rule_words", rule_words.rule_words)


@register.simple_tag
def state_chip(kind: str, value: str) -> SafeString:
    """{% state_chip "withdrawal" withdrawal.status %}: the words for a state, in its colour; the value itself where
    there are none, so that nothing is hidden."""
    words, tone = STATES[kind].get(value, (value, ""))
    return chip(str(words), tone)
