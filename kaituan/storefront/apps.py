from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    name = "kaituan.storefront"
    label = "storefront"
