from django.apps import AppConfig


class WorkbenchConfig(AppConfig):
    name = "kaituan.workbench"
    label = "workbench"
