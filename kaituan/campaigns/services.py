"""Everything that changes a campaign before its cut-off, under one name each; the modules hold them by subject.

Changes of a published campaign that move money are `payments.campaign_changes`.
"""

from kaituan.campaigns.drafts import Clone, clone_campaign, discard_draft, edit_draft, open_draft
from kaituan.campaigns.listings import create_listing, withdraw_listing
from kaituan.campaigns.publishing import (
    DraftCheck,
    check_draft,
    close_campaign,
    extend_once,
    open_due,
    publish,
)
from kaituan.campaigns.queries import unmet_minimums
from kaituan.campaigns.refusals import BadTerms, CampaignRefused, MoveNotAllowed, VersionChanged
from kaituan.campaigns.terms import OfferTerms, Terms

__all__ = [
    "BadTerms",
    "CampaignRefused",
    "Clone",
    "DraftCheck",
    "MoveNotAllowed",
    "OfferTerms",
    "Terms",
    "VersionChanged",
    "check_draft",
    "clone_campaign",
    "close_campaign",
    "create_listing",
    "discard_draft",
    "edit_draft",
    "extend_once",
    "open_draft",
    "open_due",
    "publish",
    "unmet_minimums",
    "withdraw_listing",
]
