from django.apps import AppConfig


class AftersalesConfig(AppConfig):
    name = "kaituan.aftersales"
    label = "aftersales"
