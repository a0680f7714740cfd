"""Everything that changes money, under one name each; the modules beside this one hold them by subject."""

from kaituan.payments.order_changes import (
    amend_order,
    cancel_order,
    cancel_orders,
    recognise_lines,
    release_unpaid,
)
from kaituan.payments.receipts import (
    Success,
    Taken,
    gateway_succeeded,
    gateway_succeeded_many,
    leader_receives,
    leader_receives_many,
    match_payment,
    open_intent,
    pay_from_balance,
    record_unmatched,
    return_payment,
    undo_leader_receipt,
)
from kaituan.payments.refunds import (
    hand_back,
    mark_returned_by_hand,
    refund_to_balance,
    send_due_refunds,
    send_refund,
    settle_differences,
)
from kaituan.payments.refusals import AlreadyDone, NothingToPay, PaymentRefused
from kaituan.payments.remittances import (
    announce_remittance,
    confirm_remittance,
    leader_held_fen,
    refuse_remittance,
)

__all__ = [
    "AlreadyDone",
    "NothingToPay",
    "PaymentRefused",
    "Success",
    "Taken",
    "amend_order",
    "announce_remittance",
    "cancel_order",
    "cancel_orders",
    "confirm_remittance",
    "gateway_succeeded",
    "gateway_succeeded_many",
    "hand_back",
    "leader_held_fen",
    "leader_receives",
    "leader_receives_many",
    "mark_returned_by_hand",
    "match_payment",
    "open_intent",
    "pay_from_balance",
    "recognise_lines",
    "record_unmatched",
    "refund_to_balance",
    "refuse_remittance",
    "release_unpaid",
    "return_payment",
    "send_due_refunds",
    "send_refund",
    "settle_differences",
    "undo_leader_receipt",
]
