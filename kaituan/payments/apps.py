from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "kaituan.payments"
    label = "payments"
