"""{% load portal %}"""

from django import template

from kaituan.aftersales.models import Claim

register = template.Library()


@register.filter
def claim_reason(code: str) -> str:
    """`short_weight` as people say it."""
    return str(dict(Claim.Reason.choices).get(code, code))


@register.filter
def of_unit(amount: str, unit: str) -> str:
    """`40 × 5斤`, but `84 盒`: a unit that starts with a digit is told apart, as everywhere."""
    return f"{amount} × {unit}" if unit[:1].isdigit() else f"{amount} {unit}"
