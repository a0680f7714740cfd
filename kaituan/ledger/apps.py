from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "kaituan.ledger"
    label = "ledger"
