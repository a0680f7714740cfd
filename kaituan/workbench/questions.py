"""The chain reader's questions in the leader's words."""

from django.utils.translation import gettext as _


def question_text(reason: str) -> str:
    """One short question for each reason the reader may have."""
    texts = {
        "ambiguous_product": _("Which of the goods is meant?"),
        "unknown_product": _("This is not in the list: what is meant?"),
        "missing_qty": _("How much of it?"),
        "ambiguous_qty": _("How many: this can be read in two ways."),
        "unit_mismatch": _("It is not sold in this amount: how many?"),
        "repeat": _("Asked for twice: one more, or the same?"),
        "dropped": _("The line is gone from the newer copy: does it still count?"),
        "bad_reference": _("It points to a line that is itself open: what is meant?"),
        "no_order": _("Nothing is ordered here: what is meant?"),
        "amount_mismatch": _("The amount of money does not fit the goods."),
        "which_member": _("Which of your members is this?"),
    }
    return texts.get(reason, _("Please look: what is meant?"))
