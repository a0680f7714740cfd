"""What a campaign promises to its sellers (帮卖), held against what its goods bring in.

How much a promise may cost is the commission plan's matter, and `commission/` stands above this folder. It leaves its
judge here when the program starts, so that no door through which a promise can become too dear has to remember it.
"""

from collections.abc import Mapping
from typing import Protocol

from kaituan.campaigns.models import Campaign, Offer


class Judge(Protocol):
    """Raises RateRefused, with the worst case in its sentence, where the promise passes the line cap or the margin."""

    def __call__(
        self, *, campaign: Campaign, sale_rate_bp: int, prices_fen: Mapping[int, int] | None
    ) -> None: ...


_judges: list[Judge] = []


def judged_by(judge: Judge) -> None:
    """Let this judge decide from now on; called once, by `commission.apps`."""
    _judges[:] = [judge]


def highest_promise_bp(campaign: Campaign) -> int | None:
    """The dearest rate that sellers of the campaign count on: the one for helpers and those of its listings, the
    withdrawn ones too, whose orders stand. None where everybody earns by the plan."""
    rates = [campaign.help_sell_rate_bp, *campaign.listings.values_list("sale_rate_bp", flat=True)]
    return max((rate_bp for rate_bp in rates if rate_bp is not None), default=None)


def require_rate_bearable(*, campaign: Campaign, sale_rate_bp: int | None) -> None:
    """Refuse a rate that the goods of the campaign cannot bear; a draft is judged when it is published, for only then
    its costs and its plan are known. Raises RateRefused."""
    if sale_rate_bp is not None and campaign.plan_version:
        _judge(campaign, sale_rate_bp)


def require_promises_bearable(*, campaign: Campaign) -> None:
    """Refuse a campaign one of whose promises its goods cannot bear. Raises RateRefused."""
    require_rate_bearable(campaign=campaign, sale_rate_bp=highest_promise_bp(campaign))


def require_price_bearable(*, offer: Offer, price_fen: int) -> None:
    """Refuse a lower price at which what was promised would pass the cap or the margin of the goods. A higher one
    makes no promise dearer. Raises RateRefused."""
    campaign = offer.campaign
    sale_rate_bp = highest_promise_bp(campaign)
    if sale_rate_bp is not None and campaign.plan_version and price_fen < offer.price_fen:
        _judge(campaign, sale_rate_bp, {offer.pk: price_fen})


def _judge(campaign: Campaign, sale_rate_bp: int, prices_fen: Mapping[int, int] | None = None) -> None:
    [judge] = _judges
    judge(campaign=campaign, sale_rate_bp=sale_rate_bp, prices_fen=prices_fen)
