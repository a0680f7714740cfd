"""The terms of a campaign as somebody types them, and what is wrong with them. Pure: no database, no clock."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from kaituan.campaigns.models import Campaign
from kaituan.campaigns.refusals import Problem
from kaituan.money.fen import MAX_FEN, line_amount_fen

PLENTY_UNITS = 100_000
"""Sale units in a private pool when the leader says that there is enough: goods are bought after the cut-off."""
MAX_OFFERS = 60
MAX_STEPS = 10**12
MAX_PRICE_FEN = 100_000_000
"""A million yuan: dearer than anything that neighbours buy, and what is computed with it stays within 64 bits."""
HELP_SELL_RATE_BP = range(1, 5_001)
"""What may be promised for 帮卖: from a hundredth of a percent to half of what is paid."""
PAYMENT_MINUTES = range(5, 7 * 24 * 60 + 1)
EXTEND_HOURS = range(1, 7 * 24 + 1)
CLAIM_WINDOW_HOURS = range(1, 30 * 24 + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Everything of a campaign but its offers; fields as in `models.Campaign`."""

    title: str
    opens_at: datetime
    closes_at: datetime
    pickup_on: date
    story: str = ""
    pickup_hours: str = ""
    payment_minutes: int = 30
    prepaid_only: bool = False
    minimum_fen: int = 0
    minimum_policy: str = Campaign.MinimumPolicy.REFUND
    extend_hours: int = 24
    claim_window_hours: int = 48
    open_to_helpers: bool = True
    help_sell_rate_bp: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTerms:
    """One variant in the campaign. Quantities in base steps.

    price_fen: per sale unit; None takes the suggested price. code, title: empty takes the next letter and the
    product's name. draws: (pool, its steps per step of the offer), for bundles or a certain shared pool.
    private_quantity: a pool of its own with so much. Without either the fullest shared pool of the variant.
    """

    variant_id: int
    price_fen: int | None = None
    code: str = ""
    title: str = ""
    quota_quantity: int | None = None
    per_person_quantity: int | None = None
    minimum_quantity: int = 0
    draws: tuple[tuple[int, int], ...] = ()
    private_quantity: int | None = None


def terms_of(campaign: Campaign) -> Terms:
    """The terms of a campaign, to be shown in a form or cloned."""
    return Terms(**{name: getattr(campaign, name) for name in Terms.__dataclass_fields__})


def storing_problems(*, terms: Terms, offers: Sequence[OfferTerms]) -> list[Problem]:
    """What cannot even be kept as a draft."""
    return [*_terms_problems(terms), *_offers_problems(offers)]


def _terms_problems(terms: Terms) -> Iterator[Problem]:
    if len(terms.title) > 100:
        yield Problem("title", _("The title is longer than 100 characters."))
    if terms.closes_at <= terms.opens_at:
        yield Problem("closes_at", _("The cut-off comes after the opening."))
    if terms.payment_minutes not in PAYMENT_MINUTES:
        yield Problem("payment_minutes", _("The time to pay is from 5 minutes to 7 days."))
    if terms.extend_hours not in EXTEND_HOURS:
        yield Problem("extend_hours", _("A window is extended by 1 to 168 hours."))
    if terms.claim_window_hours not in CLAIM_WINDOW_HOURS:
        yield Problem("claim_window_hours", _("The claim window is from 1 hour to 30 days."))
    if not 0 <= terms.minimum_fen <= MAX_FEN:
        yield Problem("minimum_fen", _("A minimum is 0 or more."))
    if terms.minimum_policy not in Campaign.MinimumPolicy.values:
        yield Problem("minimum_policy", _("A minimum that is not met means refund, or extend once."))
    if terms.help_sell_rate_bp is not None and terms.help_sell_rate_bp not in HELP_SELL_RATE_BP:
        yield Problem("help_sell_rate_bp", _("A help-sell rate is more than 0 and at most 50 %."))


def _offers_problems(offers: Sequence[OfferTerms]) -> Iterator[Problem]:
    if len(offers) > MAX_OFFERS:
        yield Problem("offers", _("A group buy has at most %(count)d offers.") % {"count": MAX_OFFERS})
    codes: set[str] = set()
    for index, offer in enumerate(offers):
        at = f"offers.{index}"
        if offer.price_fen is not None and not 0 <= offer.price_fen <= MAX_PRICE_FEN:
            yield Problem(f"{at}.price_fen", _("A price is 0 or more, and a million yuan at most."))
        if offer.code and offer.code.casefold() in codes:
            yield Problem(f"{at}.code", _("The code %(code)s stands twice.") % {"code": offer.code})
        codes.add(offer.code.casefold())
        if len(offer.code) > 12 or any(c.isspace() for c in offer.code):
            yield Problem(f"{at}.code", _("A code is at most 12 characters without spaces."))
        for name in ("quota_quantity", "per_person_quantity", "private_quantity"):
            value = getattr(offer, name)
            if value is not None and not 0 < value <= MAX_STEPS:
                yield Problem(f"{at}.{name}", _("A limit is 1 or more; leave it empty for none."))
        if not 0 <= offer.minimum_quantity <= MAX_STEPS:
            yield Problem(f"{at}.minimum_quantity", _("A minimum is 0 or more."))
        if offer.quota_quantity is not None and offer.minimum_quantity > offer.quota_quantity:
            yield Problem(f"{at}.minimum_quantity", _("The minimum is more than may be sold."))
        if offer.draws and offer.private_quantity is not None:
            yield Problem(
                f"{at}.private_quantity", _("An offer has a pool of its own or shares one, not both.")
            )
        if any(steps < 1 for _pool, steps in offer.draws):
            yield Problem(f"{at}.draws", _("An offer draws at least one step on its pool."))


def window_problems(*, terms: Terms, now: datetime) -> list[Problem]:
    """What keeps terms from being published at `now`; dates of business are local."""
    problems = []
    if not terms.title.strip():
        problems.append(Problem("title", _("The group buy needs a title.")))
    if terms.closes_at <= now:
        problems.append(Problem("closes_at", _("The cut-off has passed: choose a later one.")))
    if terms.pickup_on < timezone.localdate(terms.closes_at):
        problems.append(Problem("pickup_on", _("The pickup date is before the cut-off.")))
    return problems


def cost_fen_of(*, purchase_price_fen: int, steps_per_purchase_unit: int, price_quantity: int) -> int:
    """Purchase cost of `price_quantity` base steps, when a purchase unit holds `steps_per_purchase_unit` of them.

    Half a fen up, as every line is rounded: a box of 12 for ¥50.00 makes one piece ¥4.17.
    """
    return line_amount_fen(
        price_fen=purchase_price_fen, price_quantity=steps_per_purchase_unit, quantity=price_quantity
    )


CODE_LETTERS = "ABCDEFHJKMNPQRSTUVWYZ"
"""Not X (times), G and L (grams, litres), I and O (one, nought): in a chat `A1 G2` could mean something else."""


def next_code(taken: Iterable[str]) -> str:
    """The first of A, B … Z, AA, AB … that is free."""
    used = {code.casefold() for code in taken}
    pairs = (first + second for first in CODE_LETTERS for second in CODE_LETTERS)
    return next(code for code in (*CODE_LETTERS, *pairs) if code.casefold() not in used)
