"""Which handlers an event has: topic -> functions of the owning folders' `notices.py`, called in this order.

A handler takes the OutboxMessage, runs after the event's commit and may run twice. Imports are static, so
that one can jump from here to what happens. A topic that nobody needs to hear of has no line.
"""

from kaituan.aftersales import notices as aftersales
from kaituan.fulfilment import notices as fulfilment
from kaituan.notices.relay import Handlers
from kaituan.payments import campaign_notices as campaigns
from kaituan.people import notices as people
from kaituan.settlement.persons import persons_were_merged

HANDLERS: Handlers = {
    "leader_appointed": (people.leader_was_appointed,),
    "tier_changed": (people.tier_was_changed,),
    "persons_merged": (persons_were_merged,),
    "campaign_opened": (campaigns.campaign_was_opened,),
    "campaign_extended": (campaigns.campaign_was_changed,),
    "window_extended": (campaigns.campaign_was_changed,),
    "price_lowered": (campaigns.campaign_was_changed,),
    "price_raised": (campaigns.campaign_was_changed,),
    "offer_stopped": (campaigns.campaign_was_changed,),
    "offer_withdrawn": (campaigns.campaign_was_changed,),
    "pickup_moved": (campaigns.campaign_was_changed, fulfilment.pickup_date_was_moved),
    "campaign_cancelled": (campaigns.campaign_was_cancelled,),
    "campaign_closed": (fulfilment.campaign_was_closed,),
    "minimum_not_met": (fulfilment.minimum_was_not_met,),
    "campaign_changed_after_cut_off": (fulfilment.campaign_changed_after_cut_off,),
    "purchase_order_sent": (fulfilment.purchase_order_went_out,),
    "purchase_order_moved": (fulfilment.purchase_order_went_out,),
    "purchase_order_confirmed": (fulfilment.purchase_order_was_confirmed,),
    "line_short": (fulfilment.line_went_short,),
    "goods_arrived": (fulfilment.goods_have_arrived,),
    "goods_handed_over": (fulfilment.goods_were_handed_over,),
    "goods_unclaimed": (fulfilment.order_at_the_counter_changed,),
    "hand_over_undone": (fulfilment.order_at_the_counter_changed,),
    "claim_opened": (aftersales.claim_was_opened,),
    "claim_granted": (aftersales.claim_was_decided,),
    "claim_refused": (aftersales.claim_was_decided,),
}
