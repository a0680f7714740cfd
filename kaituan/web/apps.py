from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "kaituan.web"
    label = "web"
