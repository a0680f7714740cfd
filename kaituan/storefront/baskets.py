"""What a member put into the basket: read from a form, kept in the session on the way through signing in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from kaituan.campaigns.models import Offer
from kaituan.money.fen import line_amount_fen
from kaituan.money.quantities import QuantityError, format_units, to_base_steps

MAX_UNITS = 9_999


@dataclass(frozen=True, slots=True)
class BasketLine:
    """quantity: base steps; text: the same in sale units."""

    offer: Offer
    quantity: int

    @property
    def text(self) -> str:
        return format_units(self.quantity, steps_per_unit=self.offer.price_quantity)

    @property
    def amount_fen(self) -> int:
        return line_amount_fen(
            price_fen=self.offer.price_fen, price_quantity=self.offer.price_quantity, quantity=self.quantity
        )


@dataclass(frozen=True, slots=True)
class Basket:
    """errors: offer id -> one sentence, for what could not be read."""

    lines: tuple[BasketLine, ...]
    errors: Mapping[int, str]

    @property
    def total_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)

    @property
    def quantities(self) -> dict[int, int]:
        return {line.offer.pk: line.quantity for line in self.lines}


def field_name(offer: Offer) -> str:
    return field_of(offer.pk)


def field_of(offer_id: int) -> str:
    return f"offer_{offer_id}"


def read_basket(data: Mapping[str, str], offers: Sequence[Offer]) -> Basket:
    """Quantities in sale units, as typed or stepped, from the form's `offer_ID` fields; empty means none."""
    lines, errors = [], {}
    for offer in offers:
        typed = (data.get(field_name(offer)) or "0").strip()
        try:
            units = Decimal(typed)
            if not 0 <= units <= MAX_UNITS:
                raise QuantityError
            steps = to_base_steps(units, steps_per_unit=offer.price_quantity)
        except (InvalidOperation, QuantityError):
            errors[offer.pk] = _("Enter how many you want: a whole number from 0 to 9999.")
            continue
        if steps:
            lines.append(BasketLine(offer, steps))
    return Basket(tuple(lines), errors)
