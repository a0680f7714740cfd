from django.apps import AppConfig


class OrderingConfig(AppConfig):
    name = "kaituan.ordering"
    label = "ordering"
