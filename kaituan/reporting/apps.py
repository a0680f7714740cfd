from django.apps import AppConfig


class ReportingConfig(AppConfig):
    name = "kaituan.reporting"
    label = "reporting"
