from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "kaituan.console"
    label = "console"
