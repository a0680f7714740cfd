"""Words of the console. Load with {% load console %}."""

from django import template

from kaituan.console import words

register = template.Library()


@register.filter
def told(value: object, kind: str) -> str:
    """{{ claim.reason|told:"claim_reason" }}"""
    return words.told(kind, value)
