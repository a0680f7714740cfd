"""States, channels, reasons and kinds as the staff read them."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

WORDS: Mapping[str, Mapping[str, str | Promise]] = {
    "channel": {
        "sandbox": _("Test payment"),
        "wechat_pay": _("WeChat Pay"),
        "alipay": _("Alipay"),
        "balance": _("Balance"),
        "cash": _("Cash, with the leader"),
        "wechat_transfer": _("WeChat transfer, with the leader"),
        "payment_code": _("Payment code, with the leader"),
        "bank": _("Bank"),
    },
    "claim_reason": {
        "damaged": _("Damaged"),
        "missing": _("Missing"),
        "wrong_goods": _("Wrong goods"),
        "quality": _("Poor quality"),
        "short_weight": _("Short weight"),
        "other": _("Something else"),
    },
    "claim": {
        "open": pgettext_lazy("claim", "to decide"),
        "granted": _("granted"),
        "refused": _("refused"),
        "withdrawn": _("taken back"),
    },
    "liability": {"supplier": _("The supplier"), "platform": _("The platform")},
    "remittance": {
        "announced": _("on its way"),
        "confirmed": _("arrived"),
        "refused": _("not found"),
    },
    "withdrawal": {
        "requested": _("to approve"),
        "approved": _("to pay out"),
        "paid": _("paid"),
        "refused": _("refused"),
        "failed": _("came back"),
    },
    "order": {
        "pending": _("unpaid"),
        "confirmed": _("ordered"),
        "cancelled": _("cancelled"),
        "released": _("not paid in time"),
    },
    "rule": {
        "sale": _("Sale commission"),
        "service": _("Hand-over fee"),
        "differential": _("Tier difference"),
        "peer": _("Peer bonus"),
        "team_ladder": _("Team ladder"),
        "dividend": _("Dividend"),
    },
    "tier": {"host": _("Host"), "captain": _("Captain"), "partner": _("Partner")},
    "effect": {
        "new_product": _("New product"),
        "new_variant": _("New size"),
        "price": _("New price"),
        "unchanged": _("Unchanged"),
        "unknown": _("Not known"),
        "error": _("Cannot be read"),
    },
    "outcome": {
        "less": _("less"),
        "more": _("more"),
        "none": pgettext_lazy("goods", "none"),
        "unordered": _("not ordered"),
        "as_asked": _("as asked"),
    },
    "event": {
        "campaign_drafted": _("Drafted"),
        "draft_discarded": _("Draft thrown away"),
        "campaign_published": _("Published"),
        "campaign_opened": _("Opened"),
        "campaign_closed": _("Cut off"),
        "campaign_extended": _("Extended: the minimum was not met"),
        "window_extended": _("Cut-off moved"),
        "campaign_cancelled": _("Called off"),
        "listing_created": _("Listed in a group"),
        "listing_withdrawn": _("Taken out of a group"),
        "price_lowered": _("Price lowered"),
        "price_raised": _("Price raised"),
        "offer_stopped": _("Goods stopped"),
        "offer_withdrawn": _("Goods taken out"),
        "pickup_moved": _("Pickup day moved"),
    },
    "access": {
        "view_person": _("Looked at a person"),
        "print_pickup_list": _("Printed a pickup list"),
        "export_pickup_list": _("Printed a pickup list"),
    },
}


def told(kind: str, value: object) -> str:
    """The words for a stored value; the value itself where there are none, so that nothing is hidden."""
    return str(WORDS[kind].get(str(value), value))
