"""Words of the console. Load with {% load console %}."""

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from kaituan.campaigns.models import CampaignEvent
from kaituan.console import words
from kaituan.people.access import staff_roles
from kaituan.people.models import StaffRole
from kaituan.web import clock
from kaituan.web.templatetags.kaituan import chip

register = template.Library()
ALL = frozenset(StaffRole.Role.values)


@register.filter
def told(value: object, kind: str) -> str:
    """{{ claim.reason|told:"claim_reason" }}"""
    return words.told(kind, value)


@register.filter
def event_words(event: CampaignEvent) -> str:
    """{{ event|event_words }}: what happened to a group buy."""
    return words.event_words(event.kind, event.details)


@register.simple_tag
def state_chip(kind: str, value: str) -> SafeString:
    """{% state_chip "campaign" campaign.status %}: the words for a state, in its colour."""
    return chip(words.told(kind, value), words.TONES[kind].get(value, ""))


@register.simple_tag(takes_context=True)
def office_roles(context: Context) -> frozenset[str]:
    """What the visitor may act as; an administrator as everything. For links: the doors themselves stand at the
    views."""
    held = staff_roles(context["request"].user, now=clock.now())
    return ALL if StaffRole.Role.ADMIN in held else held
