"""The one ASGI application: raw routes first, Django behind them."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kaituan.config.settings")

application = get_asgi_application()
