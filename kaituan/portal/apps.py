from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "kaituan.portal"
    label = "portal"
