"""The one ASGI application: raw routes first, Django behind them."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kaituan.config.settings")

from django.core.wsgi import get_wsgi_application

django_application = get_wsgi_application()

# What follows needs the models, which are there once Django is set up.
from kaituan.intake.behind import Behind  # noqa: E402
from kaituan.intake.pages import Pages  # noqa: E402
from kaituan.intake.router import Application  # noqa: E402

PAGES: Pages = {}
"""Path with `{listing}` -> its renderer, for pages that are the same for everybody (`intake/pages.py`)."""

application = Application(django=Behind(django_application), pages=PAGES)
