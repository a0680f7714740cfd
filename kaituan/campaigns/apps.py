from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "kaituan.campaigns"
    label = "campaigns"
