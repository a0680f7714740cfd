"""What people are told, in words: kind of notice -> title, body, and a text to copy into the chat.

A notice keeps ids, numbers, codes and dates; the words are made when it is shown, in the reader's
language. A placeholder is filled from the data by its name: `{campaign}` from `campaign_id` (its name is
looked up), `{amount}` from `amount_fen` (as yuan), `{closes_at}` and `{pickup_on}` as local time and date,
anything else as it stands (codes that have a word in TERMS as that word).

To add a kind: one line here, its Chinese in web/locale, and a `tell` in the handler that knows of it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from string import Formatter
from typing import Any

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kaituan.money.fen import format_yuan

Text = str | Promise
Names = Mapping[tuple[str, int], str]
"""("campaign", 12) -> its title, in whatever detail the reader may see it."""

UNKNOWN_NAME = "…"


@dataclass(frozen=True)
class Wording:
    """title: up to some 12 words. body: what happened and what to do. chat: public text, so no name, room or
    phone in it; empty where nothing belongs into the chat."""

    title: Text
    body: Text
    chat: Text = ""

    @cached_property
    def placeholders(self) -> frozenset[str]:
        # The English original: a translation may leave a placeholder out, never add one.
        parts = [part._args[0] if isinstance(part, Promise) else part for part in self._texts]  # type: ignore[attr-defined]
        return frozenset(
            name for part in parts for _text, name, _spec, _conv in Formatter().parse(part) if name
        )

    def missing_in(self, data: Mapping[str, Any]) -> set[str]:
        """Placeholders that `data` cannot fill."""
        return {p for p in self.placeholders if not {p, f"{p}_id", f"{p}_fen"} & data.keys()}

    @property
    def _texts(self) -> tuple[Text, Text, Text]:
        return self.title, self.body, self.chat


@dataclass(frozen=True)
class Words:
    """A notice in the language in force."""

    title: str
    body: str
    chat: str


WORDINGS: dict[str, Wording] = {
    # Orders and their money, to the member.
    "order_placed": Wording(
        _("You joined: number {follow_number}"),
        _("{campaign}: your order for {due} is in. Your number is {follow_number}."),
    ),
    "order_keyed_in": Wording(
        _("{leader} ordered for you: number {follow_number}"),
        _("{campaign}: an order for {due} was entered for you. Is something wrong? Tell your leader."),
    ),
    "order_to_pay": Wording(
        _("{amount} still to pay"),
        _("{campaign}, number {follow_number}: please pay {amount} by {pay_by_at} to keep the goods."),
    ),
    "order_amended": Wording(
        _("Your order was changed"),
        _("{campaign}, number {follow_number}: your order now comes to {due}."),
    ),
    "order_cancelled": Wording(
        _("Your order was cancelled"),
        _("{campaign}, number {follow_number}: the order is cancelled. What you paid goes back to you."),
    ),
    "order_released": Wording(
        _("Your order was released"),
        _("{campaign}, number {follow_number}: it was not paid in time, so the goods went back on sale."),
    ),
    "payment_received": Wording(
        _("Payment received: {amount}"),
        _("{campaign}, number {follow_number}: we have received {amount}. Thank you."),
    ),
    "refund_due": Wording(
        _("Refund on its way: {amount}"),
        _("{campaign}, number {follow_number}: {amount} goes back the way it was paid."),
    ),
    "refund_sent": Wording(
        _("Refunded: {amount}"),
        _("{campaign}, number {follow_number}: {amount} has gone back the way it was paid."),
    ),
    "refund_failed": Wording(
        _("A refund did not go through: {amount}"),
        _("{campaign}, number {follow_number}: send {amount} again or turn it into balance."),
    ),
    "refund_to_hand_back": Wording(
        _("Please give back {amount} in cash"),
        _("{campaign}, number {follow_number}: give back {amount} and tap “given back”."),
    ),
    "payment_unmatched": Wording(
        _("A payment matches no order: {amount}"),
        _("{amount} came in without an order. Match it or return it."),
    ),
    "payment_returned": Wording(
        _("Returned: {amount}"), _("Your payment of {amount} matched no order and went back to you.")
    ),
    # What happens to a campaign, to everybody in it.
    "campaign_opened": Wording(
        _("Open now: {campaign}"),
        _("{campaign} takes orders until {closes_at}. Pickup on {pickup_on}."),
        _("[{campaign}] is open! Order until {closes_at}, pick up on {pickup_on}."),
    ),
    "campaign_extended": Wording(
        _("{campaign} goes on a little longer"),
        _("The minimum is not reached yet: orders are taken until {closes_at}."),
        _("[{campaign}] The minimum is not reached yet: order until {closes_at}."),
    ),
    "window_extended": Wording(
        _("Open longer: {campaign}"),
        _("{campaign} takes orders until {closes_at}. Pickup on {pickup_on}."),
        _("[{campaign}] stays open longer: order until {closes_at}, pick up on {pickup_on}."),
    ),
    "campaign_closed": Wording(
        _("Cut off: {campaign}"),
        _("{orders} orders over {amount} are final. The purchase orders go out now."),
        _("[{campaign}] is closed with {orders} orders. Pickup on {pickup_on}."),
    ),
    "campaign_cancelled": Wording(
        _("Called off: {campaign}"),
        _("{campaign} does not take place. Everything paid goes back to you."),
        _("[{campaign}] does not take place. Everything paid goes back."),
    ),
    "minimum_not_met": Wording(
        _("Not enough orders: {offer}"),
        _("{campaign}: {offer} did not reach its minimum and is taken out. What you paid for it goes back."),
        _("[{campaign}] {offer} did not reach its minimum and is taken out; refunds are on their way."),
    ),
    "price_lowered": Wording(
        _("Cheaper now: {offer}"),
        _("{campaign}: {offer} went from {old} to {new}. The difference goes back to you."),
        _("[{campaign}] {offer} now costs {new}; who paid more gets the difference back."),
    ),
    "price_raised": Wording(
        _("New price: {offer}"),
        _("{campaign}: {offer} went from {old} to {new}. Your order stays at the old price."),
        _("[{campaign}] {offer} costs {new} from now on; earlier orders keep their price."),
    ),
    "offer_stopped": Wording(
        _("No longer sold: {offer}"),
        _("{campaign}: {offer} takes no more orders. What was ordered stands."),
        _("[{campaign}] {offer} takes no more orders; what was ordered stands."),
    ),
    "offer_withdrawn": Wording(
        _("Taken out: {offer}"),
        _("{campaign}: {offer} cannot be delivered. What you paid for it goes back to you."),
        _("[{campaign}] {offer} cannot be delivered; refunds are on their way."),
    ),
    "pickup_moved": Wording(
        _("New pickup date: {pickup_on}"),
        _("{campaign}: pickup moves from {old_on} to {pickup_on}."),
        _("[{campaign}] Pickup moves from {old_on} to {pickup_on}."),
    ),
    # Goods.
    "shortage": Wording(
        _("Less arrived: {offer}"),
        _("{campaign}, number {follow_number}: not all of {offer} arrived. {amount} goes back to you."),
        _("[{campaign}] Not all of {offer} arrived; refunds are on their way."),
    ),
    "arrived": Wording(
        _("Ready for pickup: number {follow_number}"),
        _("{campaign}: your goods are at {pickup_point}. Say number {follow_number} or show your code."),
        _("[{campaign}] The goods are at {pickup_point}. Please pick up with your number."),
    ),
    "arrived_for_leader": Wording(
        _("Arrived: {campaign}"),
        _("The goods of {campaign} are at {pickup_point}: {orders} orders to hand over."),
        _("[{campaign}] The goods are at {pickup_point}. Please pick up with your number."),
    ),
    "handed_over": Wording(
        _("Picked up: number {follow_number}"),
        _("{campaign}: something not as it should be? Tell us until {claims_until_at}."),
    ),
    "unclaimed_soon": Wording(
        _("Still waiting for you: number {follow_number}"),
        _("{campaign}: your goods at {pickup_point} count as picked up after {unclaimed_at}."),
        _("[{campaign}] Some goods are still at {pickup_point}. Please pick up before {unclaimed_at}."),
    ),
    "goods_unclaimed": Wording(
        _("Counts as picked up: number {follow_number}"),
        _("{campaign}: nobody came for your goods in time. Please ask your leader."),
    ),
    "hand_over_undone": Wording(
        _("Not picked up after all: number {follow_number}"),
        _("{campaign}: a hand-over was entered by mistake and taken back. Your goods still wait for you."),
    ),
    # Claims.
    "claim_opened": Wording(
        _("New claim: {offer}"),
        _("{campaign}, number {follow_number}: {amount} is asked for. Please decide."),
    ),
    "claim_granted": Wording(
        _("Claim granted: {amount}"), _("{campaign}: {amount} for {offer} goes back to you.")
    ),
    "claim_refused": Wording(
        _("Claim refused: {offer}"), _("{campaign}: your claim was refused. Open it to read why.")
    ),
    # Leaders.
    "leader_appointed": Wording(
        _("You are a leader now"), _("Welcome! Open your first group buy in two minutes.")
    ),
    "tier_changed": Wording(_("Your tier: {tier}"), _("From {effective_at} your tier is {tier}.")),
    "payee_account_added": Wording(
        _("Where you are paid was entered"),
        _(
            "{payee_account}, on {entered_at}. Was it you? If not: enter your own account at once and tell the"
            " platform. Nothing is paid before somebody has checked the account."
        ),
    ),
    "payee_account_changed": Wording(
        _("Where you are paid was changed"),
        _(
            "New on {entered_at}: {payee_account}. Was it you? If not: enter your own account at once and tell the"
            " platform. Nothing is paid there before somebody has checked it."
        ),
    ),
    "payee_account_checked": Wording(
        _("Your payee account is accepted"), _("{payee_account} was checked: it can be paid to.")
    ),
    "payee_account_refused": Wording(
        _("Your payee account was not accepted"),
        _("{payee_account} cannot be paid to. Open it to read why, and enter an account again."),
    ),
    "statement_ready": Wording(
        _("Your statement: {amount}"), _("{amount} was settled. Tap any amount to see where it comes from.")
    ),
    "withdrawal_requested": Wording(_("Withdrawal to approve: {amount}"), _("{leader} asks for {amount}.")),
    "withdrawal_approved": Wording(_("Withdrawal approved"), _("Your withdrawal of {amount} is approved.")),
    "withdrawal_refused": Wording(
        _("Withdrawal refused"), _("Your withdrawal of {amount} was refused. Open it to read why.")
    ),
    "withdrawal_paid": Wording(
        _("Paid out: {paid}"), _("Of your withdrawal of {amount}, {netted} was netted and {paid} paid out.")
    ),
    "withdrawal_failed": Wording(
        _("Payout came back: {amount}"),
        _("Your payout of {amount} did not arrive and is in your balance again. Open it to read why."),
    ),
    "dispute_opened": Wording(
        _("{leader} asks about an amount"), _("{leader} does not agree with a statement. Please answer.")
    ),
    "dispute_answered": Wording(
        _("Your question was answered"), _("Open your statement to read the answer about the amount.")
    ),
    "dispute_granted": Wording(
        _("You were right: {amount} more"),
        _("{amount} more comes with your next statement. Open the old one to read the answer."),
    ),
    "correction_proposed": Wording(
        _("Correction to confirm: {amount}"), _("{leader} is to be paid {amount} more. Please look at it.")
    ),
    "correction_declined": Wording(
        _("Correction not confirmed: {amount}"),
        _("{leader} is not to be paid {amount} more. Open the question to read why."),
    ),
    "remittance_announced": Wording(
        _("Remittance to confirm: {amount}"), _("{leader} says that {amount} was sent.")
    ),
    "remittance_confirmed": Wording(_("Remittance arrived"), _("We have received your {amount}. Thank you.")),
    "remittance_refused": Wording(
        _("Remittance not found"), _("Your {amount} did not arrive. Open it to read why.")
    ),
    # Suppliers.
    "purchase_order_sent": Wording(
        _("New purchase order {number}"),
        _("Please look at purchase order {number} and confirm the quantities."),
    ),
    "purchase_order_moved": Wording(
        _("Another day for {number}"),
        _("The goods of purchase order {number} are wanted on {arrives_on}."),
    ),
    "purchase_order_changed": Wording(
        _("Changed: {number}"),
        _("Less is needed than purchase order {number} asked for. Open it to see what."),
    ),
    "purchase_order_confirmed": Wording(
        _("Confirmed: {number}"), _("{supplier} confirmed purchase order {number}.")
    ),
    "supplier_claim": Wording(
        _("A claim on your goods: {offer}"), _("{amount} was granted for {offer} and is deducted.")
    ),
    "supplier_paid": Wording(_("Paid: {amount}"), _("{amount} was paid to you. Open it to see for what.")),
}

TERMS: dict[str, Text] = {
    "host": _("Host"),
    "captain": _("Captain"),
    "partner": _("Partner"),
    "": _("none"),
}


def named_ids(notices: Iterable[Mapping[str, Any]]) -> dict[str, set[int]]:
    """What the data of some notices speaks of, for one look-up each: {"campaign": {12, 13}, ...}."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for data in notices:
        for key, value in data.items():
            if key.endswith("_id") and isinstance(value, int):
                found[key.removesuffix("_id")].add(value)
    return dict(found)


def words(*, kind: str, data: Mapping[str, Any], names: Names) -> Words:
    """The words of a notice in the language in force. A name that is missing shows as an ellipsis."""
    wording = WORDINGS[kind]
    values = dict(_shown(key, value, names) for key, value in data.items())
    title, body, chat = (str(part).format_map(values) if part else "" for part in wording._texts)
    return Words(title, body, chat)


def _shown(key: str, value: Any, names: Names) -> tuple[str, str]:
    if key.endswith("_id"):
        return key.removesuffix("_id"), names.get((key.removesuffix("_id"), value), UNKNOWN_NAME)
    if key.endswith("_fen"):
        return key.removesuffix("_fen"), f"¥{format_yuan(value)}"
    if key.endswith("_at"):
        local = timezone.localtime(datetime.fromisoformat(value))
        return key, f"{formats.date_format(local, 'MONTH_DAY_FORMAT')} {local:%H:%M}"
    if key.endswith("_on"):
        return key, formats.date_format(date.fromisoformat(value), "MONTH_DAY_FORMAT")
    return key, str(TERMS.get(value, value) if isinstance(value, str) else value)
