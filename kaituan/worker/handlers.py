"""Which handlers an event has: topic -> functions of the owning folders' `notices.py`, called in this order.

A handler takes the OutboxMessage, runs after the event's commit and may run twice. Imports are static, so
that one can jump from here to what happens.
"""

from kaituan.aftersales import notices as aftersales
from kaituan.aftersales import photos
from kaituan.fulfilment import notices as fulfilment
from kaituan.notices.relay import Handlers
from kaituan.payments import campaign_notices as campaigns
from kaituan.payments import notices as payments
from kaituan.people import notices as people
from kaituan.settlement import notices as settlement
from kaituan.settlement.persons import persons_were_merged

HANDLERS: Handlers = {
    # people
    "leader_appointed": (people.leader_was_appointed,),
    "tier_changed": (people.tier_was_changed,),
    "payee_account_set": (people.payee_account_was_set,),
    "payee_account_checked": (people.payee_account_was_decided,),
    "payee_account_refused": (people.payee_account_was_decided,),
    "persons_merged": (persons_were_merged,),
    "person_deleted": (photos.person_was_deleted,),
    # campaigns
    "campaign_opened": (campaigns.campaign_was_opened,),
    "campaign_extended": (campaigns.campaign_was_changed,),
    "window_extended": (campaigns.campaign_was_changed,),
    "price_lowered": (campaigns.campaign_was_changed,),
    "price_raised": (campaigns.campaign_was_changed,),
    "offer_stopped": (campaigns.campaign_was_changed,),
    "offer_withdrawn": (campaigns.campaign_was_changed,),
    "pickup_moved": (fulfilment.pickup_date_was_moved, campaigns.campaign_was_changed),
    "campaign_cancelled": (campaigns.campaign_was_cancelled,),
    # orders and their money
    "orders_placed": (payments.orders_were_placed,),
    "order_amended": (payments.order_was_amended,),
    "order_cancelled": (payments.order_was_withdrawn,),
    "order_released": (payments.order_was_withdrawn,),
    "order_paid": (payments.order_was_paid,),
    "refund_decided": (payments.refund_was_decided,),
    "refund_failed": (payments.refund_has_failed,),
    "payment_unmatched": (payments.payment_came_unmatched,),
    "return_due": (payments.payment_goes_back,),
    "remittance_announced": (payments.remittance_was_announced,),
    "remittance_decided": (payments.remittance_was_decided,),
    # goods
    "campaign_closed": (fulfilment.campaign_was_closed,),
    "minimum_not_met": (fulfilment.minimum_was_not_met,),
    "campaign_changed_after_cut_off": (fulfilment.campaign_changed_after_cut_off,),
    "purchase_order_sent": (fulfilment.purchase_order_went_out,),
    "purchase_order_moved": (fulfilment.purchase_order_went_out,),
    "purchase_order_confirmed": (fulfilment.purchase_order_was_confirmed,),
    "purchase_order_received": (settlement.payables_may_have_changed,),
    "line_short": (fulfilment.line_went_short,),
    "goods_arrived": (fulfilment.goods_have_arrived,),
    "goods_handed_over": (fulfilment.goods_were_handed_over,),
    "hand_over_undone": (fulfilment.order_at_the_counter_changed,),
    "goods_unclaimed": (fulfilment.order_at_the_counter_changed,),
    # claims
    "claim_opened": (aftersales.claim_was_opened,),
    "claim_granted": (aftersales.claim_was_decided, settlement.payables_may_have_changed),
    "claim_refused": (aftersales.claim_was_decided,),
    # earnings
    "statement_ready": (settlement.statement_is_ready,),
    "dispute_opened": (settlement.dispute_was_opened,),
    "dispute_answered": (settlement.dispute_was_answered,),
    "correction_proposed": (settlement.correction_was_proposed,),
    "correction_declined": (settlement.correction_was_declined,),
    "withdrawal_requested": (settlement.withdrawal_was_requested,),
    "withdrawal_approved": (settlement.withdrawal_was_decided,),
    "withdrawal_refused": (settlement.withdrawal_was_decided,),
    "withdrawal_paid": (settlement.withdrawal_was_decided,),
    "withdrawal_failed": (settlement.withdrawal_was_decided,),
    "supplier_paid": (settlement.supplier_was_paid,),
}

SILENT = frozenset(
    {
        "campaign_published",  # Told when it opens.
        "claim_withdrawn",  # The member's own doing; the leader finds one question fewer.
        "goods_shared_out",  # Each line that goes short is told as `line_short`.
        "listing_created",  # The leader's own doing.
        "listing_withdrawn",
        "withdrawal_taken_back",  # The leader's own doing; the cashier finds one fewer to approve.
    }
)
"""Events that nobody is told of, each for its reason; for those who build on the outbox (the API's webhooks)."""
