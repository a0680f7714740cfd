from django.apps import AppConfig


class SettlementConfig(AppConfig):
    name = "kaituan.settlement"
    label = "settlement"
