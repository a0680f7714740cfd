from django.apps import AppConfig


class FulfilmentConfig(AppConfig):
    name = "kaituan.fulfilment"
    label = "fulfilment"
