"""States, channels, reasons and kinds as the staff read them."""

import json
from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from kaituan.commission.plan import Change
from kaituan.settlement.rule_words import RULE_WORDS
from kaituan.web.formats import money_text, rate_text

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
    "campaign": {
        "draft": _("draft"),
        "scheduled": _("scheduled"),
        "open": _("Open"),
        "closed": _("Cut off"),
        "cancelled": _("called off"),
    },
    "purchase_order": {
        "draft": _("to send"),
        "sent": pgettext_lazy("purchase order", "sent"),
        "seen": _("seen"),
        "confirmed": _("confirmed"),
        "received": _("received"),
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
        "taken_back": _("taken back"),
    },
    "order": {
        "pending": _("unpaid"),
        "confirmed": _("ordered"),
        "cancelled": _("cancelled"),
        "released": _("not paid in time"),
    },
    "rule": RULE_WORDS,
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
        "not_counted": _("not counted yet"),
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
        "help_rate_promised": _("Rate promised to help-sellers"),
    },
    "access": {
        "view_person": _("Looked at a person"),
        "view_payee_account": _("Looked at a payee account"),
        "export_pickup_list": _("Printed a pickup list"),
        "export_leader_income": _("Exported leaders' income"),
    },
}


TONES: Mapping[str, Mapping[str, str]] = {
    "campaign": {"open": "leaf", "scheduled": "honey", "cancelled": "brick"},
    "purchase_order": {"draft": "honey", "received": "leaf"},
    "claim": {"granted": "leaf", "refused": "brick"},
}
"""The colour of a state's chip: leaf is done or well, honey waits, brick is refused; the others have none."""

CHANGES: Mapping[str, str | Promise] = {
    "price": _("Change the price"),
    "stop": _("Stop the goods"),
    "move": _("Move the pickup day"),
    "extend": _("Take orders longer"),
    "cancel": _("Call it off"),
}
"""What can be changed of a published group buy."""


def told(kind: str, value: object) -> str:
    """The words for a stored value; the value itself where there are none, so that nothing is hidden."""
    return str(WORDS[kind].get(str(value), value))


def event_words(kind: str, details: Mapping[str, Any]) -> str:
    """What happened to a group buy, with the rate that was promised to sellers if it was about one."""
    words, rate_bp = told("event", kind), details.get("sale_rate_bp")
    if kind == "help_rate_promised":
        return f"{words} {rate_text(rate_bp) if rate_bp else gettext('by the plan')}"
    return f"{words} · {rate_text(rate_bp)}" if rate_bp else words


def change_heading(kind: str) -> str:
    """What a page that looks before a change is headed with; `kind` is as it was typed."""
    return str(CHANGES.get(kind, _("Look before you change")))


PARTS: Mapping[str, str | Promise] = {
    **WORDS["rule"],
    **WORDS["tier"],
    "tiers": _("Tiers"),
    "base": _("reckoned on"),
    "paid": _("what was paid"),
    "margin": _("the margin"),
    "category_rates_bp": _("by category"),
    "rate_bp": _("rate"),
    "fen_per_line": _("per line"),
    "brackets": _("brackets"),
    "pool_bp": _("share of all turnover"),
    "weight": _("divided by"),
    "territory": _("turnover of each one's territory"),
    "equal": _("equal shares"),
    "guards": pgettext_lazy("plan", "Limits"),
    "line_cap_bp": _("at most, of a line"),
    "paid_depth": _("steps that are paid"),
}
"""What the parts of a commission plan are called."""


def change_words(change: Change) -> tuple[str, str, str]:
    """A difference between two plans in words: where, what it was, what it is."""
    where = " · ".join(str(PARTS.get(step, step)) for step in change.path if step != "rates_bp")
    return where, _value_words(change.path, change.old), _value_words(change.path, change.new)


def _value_words(path: tuple[str, ...], value: Any) -> str:
    if value is None:
        return gettext("off")
    if value == {}:
        return gettext("on")
    if isinstance(value, int) and any(step.endswith("_bp") for step in path):
        return rate_text(value)
    if isinstance(value, int) and path[-1].startswith("fen"):
        return money_text(value)
    if isinstance(value, str):
        return str(PARTS.get(value, value))
    return json.dumps(value, ensure_ascii=False)
