"""{% load storefront %}"""

from typing import Any

from django import template

from kaituan.notices import queries as notices

register = template.Library()


@register.simple_tag
def unread_count(user: Any) -> int:
    """How many notices the visitor has not read, for the bell; asked only where the bell is shown."""
    return notices.unread_count(person_id=user.person_id) if user.is_authenticated else 0
