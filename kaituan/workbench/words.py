"""States as a leader reads them, each with the colour of its chip: leaf is done or well, honey waits, brick is
refused; the others have none."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

STATES: Mapping[str, Mapping[str, tuple[str | Promise, str]]] = {
    "trouble": {
        "paid_not_ordered": (_("paid, not ordered"), "brick"),
        "not_ordered": (_("in the chain, not ordered"), "honey"),
        "changed": (_("the chain has changed"), "honey"),
        "gone": (_("gone from the chain"), "honey"),
        "not_paid": (_("not paid"), "honey"),
        "says_paid": (_("says paid: look and confirm"), "honey"),
        "no_door": (_("no room"), ""),
    },
    "chain_change": {
        "new": (_("new"), "leaf"),
        "changed": (_("changed"), "honey"),
        "withdrawn": (_("takes it back"), "brick"),
    },
    "withdrawal": {
        "requested": (_("to be approved"), "honey"),
        "approved": (pgettext_lazy("withdrawal", "on its way"), "honey"),
        "paid": (_("paid"), "leaf"),
        "refused": (_("not paid"), "brick"),
        "failed": (_("sent back by the bank"), "brick"),
        "taken_back": (pgettext_lazy("withdrawal", "taken back"), ""),
    },
    "remittance": {
        "announced": (_("being looked for"), "honey"),
        "confirmed": (_("arrived"), "leaf"),
        "refused": (_("not found"), "brick"),
    },
}
