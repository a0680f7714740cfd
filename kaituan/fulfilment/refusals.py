"""Why something on the way from the cut-off to the hand-over cannot be done. Each message is one sentence
for the person who asked, in their language: what happened, to which thing, and what to do."""


class FulfilmentRefused(Exception):
    """Base of all refusals of this folder; nothing was changed."""


class NotYours(FulfilmentRefused):
    """The one who asks may not see or change this."""


class CutOffRefused(FulfilmentRefused):
    """The campaign is in a state that cannot be cut off."""


class PurchasingRefused(FulfilmentRefused):
    """The purchase order has already gone past this step, or not come to it."""


class ReceivingRefused(FulfilmentRefused):
    """What was counted cannot be taken down (any more)."""


class SharingRefused(FulfilmentRefused):
    """The goods cannot be shared out now."""


class ArrivalRefused(FulfilmentRefused):
    """The goods cannot be said to have arrived."""


class HandOverRefused(FulfilmentRefused):
    """The goods cannot be handed over, or a hand-over not be undone."""


class StillUnpaid(HandOverRefused):
    """Take the money first, or say that you know. unpaid_fen: order id -> fen that are missing."""

    def __init__(self, message: str, *, unpaid_fen: dict[int, int]) -> None:
        super().__init__(message)
        self.unpaid_fen = unpaid_fen
