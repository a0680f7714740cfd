from django.apps import AppConfig


class CommissionConfig(AppConfig):
    name = "kaituan.commission"
    label = "commission"

    def ready(self) -> None:
        from kaituan.campaigns.promises import judged_by
        from kaituan.commission.promises import require_bearable

        judged_by(require_bearable)
