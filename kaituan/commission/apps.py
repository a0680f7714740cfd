from django.apps import AppConfig


class CommissionConfig(AppConfig):
    name = "kaituan.commission"
    label = "commission"
