"""Which handlers an event has: topic -> functions of the owning folders' `notices.py`, called in this order.

A handler takes the OutboxMessage, runs after the event's commit and may run twice. Imports are static, so
that one can jump from here to what happens. A topic that nobody needs to hear of has no line.
"""

from kaituan.notices.relay import Handlers
from kaituan.payments import campaign_notices as campaigns
from kaituan.people import notices as people

HANDLERS: Handlers = {
    "leader_appointed": (people.leader_was_appointed,),
    "tier_changed": (people.tier_was_changed,),
    "campaign_opened": (campaigns.campaign_was_opened,),
    "campaign_extended": (campaigns.campaign_was_changed,),
    "window_extended": (campaigns.campaign_was_changed,),
    "price_lowered": (campaigns.campaign_was_changed,),
    "price_raised": (campaigns.campaign_was_changed,),
    "offer_stopped": (campaigns.campaign_was_changed,),
    "offer_withdrawn": (campaigns.campaign_was_changed,),
    "pickup_moved": (campaigns.campaign_was_changed,),
    "campaign_cancelled": (campaigns.campaign_was_cancelled,),
}
