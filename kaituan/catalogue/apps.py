from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "kaituan.catalogue"
    label = "catalogue"
