"""What a campaign refuses, each reason with its name. The message is one sentence (or several) for the reader."""

from collections.abc import Iterable
from dataclasses import dataclass


class CampaignRefused(Exception):
    """The change cannot be made; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a draft. field: `closes_at`, or `offers.2.price_fen` for the third offer."""

    field: str
    message: str


class BadTerms(CampaignRefused):
    """The terms cannot stand. problems: each with its field, to be shown by it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problem.message for problem in self.problems))


class VersionChanged(CampaignRefused):
    """Somebody has changed the campaign since it was looked at."""


class MoveNotAllowed(CampaignRefused):
    """The campaign cannot become that from what it is."""


class ListingRefused(CampaignRefused):
    """This leader cannot list this campaign in this group."""


class RateRefused(CampaignRefused):
    """A 帮卖 rate outside its range, or promised by somebody who may not."""


class ChangeRefused(CampaignRefused):
    """A change of a published campaign that cannot be made, or that would change nothing."""
