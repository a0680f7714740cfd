"""What every template knows beside its own page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from kaituan.web.preferences import preferences_of


def page(request: HttpRequest) -> dict[str, Any]:
    """`preferences` (theme, elder, language), the languages to choose from, whether this is a demo."""
    return {
        "preferences": preferences_of(request),
        "languages": [(code, NAMES_OF_LANGUAGES[code]) for code, _ in settings.LANGUAGES],
        "demo": settings.DEMO,
    }


# Each in its own words: who looks for their language cannot read the others.
NAMES_OF_LANGUAGES = {"zh-hans": "简体中文", "en": "English", "zh-hant": "繁體中文"}
