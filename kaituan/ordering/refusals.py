"""What the order core's refusals say to a person."""

from django.utils.translation import gettext as _

from kaituan.campaigns.models import Offer
from kaituan.money.quantities import format_units
from kaituan.ordering.core import Answer, Outcome, StockRefused


def refusal_text(*, answer: Answer) -> str:
    """One sentence for an order that was not placed: what happened, to what, what to do. Empty if it was."""
    if answer.outcome in (Outcome.SOLD_OUT, Outcome.LIMIT_REACHED):
        return _shortage_text(answer)
    texts = {
        Outcome.CLOSED: _("Ordering has ended: the group buy is cut off."),
        Outcome.NOT_OPEN_YET: _("The group buy has not opened yet."),
        Outcome.CHANGED: _("The group buy has changed: look at it again, then order."),
        Outcome.NOT_LISTED: _("This group does not sell this group buy."),
        Outcome.STOPPED: _("One of the goods is no longer on sale."),
        Outcome.INVALID: _("Choose at least one of the goods, each with a quantity."),
        Outcome.PREPAID_ONLY: _("This group buy must be paid when ordering."),
    }
    return texts.get(answer.outcome, "")


def stock_refusal_text(*, refusal: StockRefused) -> str:
    """As `refusal_text`, for an amendment that was refused."""
    return _shortage_text(
        Answer(refusal.outcome, offer_id=refusal.offer_id, left_quantity=refusal.left_quantity)
    )


def _shortage_text(answer: Answer) -> str:
    assert answer.offer_id is not None, "a shortage names what is short"
    offer = Offer.objects.get(pk=answer.offer_id)
    return shortage_text(
        outcome=answer.outcome, title=offer.title, sale_unit=offer.sale_unit,
        price_quantity=offer.price_quantity, left_quantity=answer.left_quantity or 0,
    )  # fmt: skip


def shortage_text(
    *, outcome: Outcome, title: str, sale_unit: str, price_quantity: int, left_quantity: int
) -> str:
    """What is short and how much of it could still be had. left_quantity: base steps."""
    left = format_units(left_quantity, steps_per_unit=price_quantity)
    values = {"title": title, "left": left, "unit": sale_unit}
    if outcome == Outcome.LIMIT_REACHED:
        if left == "0":
            return _("You already have as much of %(title)s as one person may have.") % values
        return _("One person may have only %(left)s more × %(unit)s of %(title)s.") % values
    if left == "0":
        return _("%(title)s is sold out.") % values
    return _("Only %(left)s × %(unit)s of %(title)s are left.") % values
