from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "kaituan.notices"
    label = "notices"
