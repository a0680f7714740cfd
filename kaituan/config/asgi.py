"""The one ASGI application: raw routes first, Django behind them."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kaituan.config.settings")

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

django_application = get_wsgi_application()

if not (settings.SECRET_KEY_IS_SAFE or settings.DEBUG):
    # Whoever has read the source would sign passes with it.
    raise ImproperlyConfigured(
        "Set KAITUAN_SECRET_KEY, 32 characters at least, or begin with `kaituan serve`."
    )

# What follows needs the models, which are there once Django is set up.
from kaituan.intake.behind import Behind  # noqa: E402
from kaituan.intake.campaign_pages import PRIVATE_COOKIES, campaign_renderer  # noqa: E402
from kaituan.intake.pages import Pages  # noqa: E402
from kaituan.intake.router import Application  # noqa: E402

PAGES: Pages = {"/g/{listing}/": campaign_renderer(django_application)}
"""Path with `{listing}` -> its renderer, for pages that are the same for everybody (`intake/pages.py`)."""

application = Application(django=Behind(django_application), pages=PAGES, private_cookies=PRIVATE_COOKIES)
