"""Whether a campaign and its offers have reached their minimum, and what follows if not. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OfferStanding:
    """One offer at the cut-off. Quantities in base steps; turnover_fen: what its standing lines come to, net."""

    offer_id: int
    sold_quantity: int
    minimum_quantity: int
    turnover_fen: int
    is_stopped: bool = False

    @property
    def is_short(self) -> bool:
        return self.sold_quantity < self.minimum_quantity


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows. At most one of: extend, refund everything, refund some offers; none when all is reached.

    short_offer_ids: offers below their minimum, in the order given. missing_fen: what the campaign lacks.
    """

    extends: bool = False
    refunds_all: bool = False
    refunded_offer_ids: tuple[int, ...] = ()
    short_offer_ids: tuple[int, ...] = ()
    missing_fen: int = 0

    @property
    def is_met(self) -> bool:
        return not (self.extends or self.refunds_all or self.refunded_offer_ids)


def decide(*, minimum_fen: int, may_extend: bool, offers: Sequence[OfferStanding]) -> Verdict:
    """What follows from the minimums of a campaign and of its offers.

    may_extend: the policy says to extend once, and that has not happened yet. An offer that is stopped or that
    nobody wants is no reason to extend: more time would not fill it. Taking offers out lowers the turnover, and
    may so bring the campaign below its own minimum.
    """
    if not any(offer.sold_quantity for offer in offers) and not may_extend:
        return Verdict(missing_fen=minimum_fen)
    short = [offer for offer in offers if offer.is_short]
    missing_fen = max(0, minimum_fen - _turnover(offers))
    short_ids = tuple(offer.offer_id for offer in short)
    hopeful = [offer for offer in short if offer.sold_quantity and not offer.is_stopped]
    if may_extend and (missing_fen or hopeful):
        return Verdict(extends=True, short_offer_ids=short_ids, missing_fen=missing_fen)
    refunded = tuple(offer.offer_id for offer in short if offer.sold_quantity)
    left_fen = _turnover(offer for offer in offers if offer.offer_id not in refunded)
    if left_fen < minimum_fen:
        return Verdict(refunds_all=True, short_offer_ids=short_ids, missing_fen=minimum_fen - left_fen)
    return Verdict(refunded_offer_ids=refunded, short_offer_ids=short_ids)


def _turnover(offers: Iterable[OfferStanding]) -> int:
    return sum(offer.turnover_fen for offer in offers)
