from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "kaituan.demo"
    label = "demo"
