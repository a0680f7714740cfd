from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "kaituan.people"
    label = "people"
