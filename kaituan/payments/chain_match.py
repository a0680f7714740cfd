"""The three-way match: what the chain says, what is ordered, what is paid; exceptions first, each with a polite
text to copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kaituan.campaigns.models import Listing
from kaituan.money.fen import format_yuan
from kaituan.ordering.models import ChainPaste, Order
from kaituan.ordering.pasting import Change, Proposal, propose
from kaituan.ordering.queries import live_orders
from kaituan.payments.models import Payment


class Trouble(StrEnum):
    """What does not match, the most urgent first."""

    PAID_NOT_ORDERED = "paid_not_ordered"
    """Money for an order that does not stand, or a chain line that says 已付 and is not ordered."""
    NOT_ORDERED = "not_ordered"
    """In the chain, not booked: open questions, or new since the last booking."""
    CHANGED = "changed"
    """Booked, and the chain says something else now."""
    GONE = "gone"
    """Booked from the chain, and no longer in it."""
    NOT_PAID = "not_paid"
    SAYS_PAID = "says_paid"
    """The chain says 已付, no money is recorded: look, then confirm."""
    NO_DOOR = "no_door"
    """Nobody knows the building and room."""


ORDER_OF_TROUBLE = list(Trouble)


@dataclass(frozen=True, slots=True)
class MatchRow:
    """One member of the chain. chain_text: as the chain has it; empty when it is only ordered."""

    name: str
    chain_text: str
    order: Order | None
    troubles: tuple[Trouble, ...]
    unpaid_fen: int
    reminder: str


def match_listing(*, listing: Listing, paste: ChainPaste | None) -> list[MatchRow]:
    """Every chain line and every live order of a listing, exceptions on top, then by follow number."""
    orders = {order.pk: order for order in live_orders(listing)}
    proposals = propose(paste=paste) if paste is not None and paste.text else []
    rows = [_row(proposal.order, proposal) for proposal in proposals if _counts(proposal)]
    seen = {proposal.order.pk for proposal in proposals if proposal.order}
    rows += [_row(order, None) for order_id, order in orders.items() if order_id not in seen]
    rows += [_stray(payment) for payment in _stray_payments(listing)]
    return sorted(rows, key=_urgency)


def last_paste(listing: Listing) -> ChainPaste | None:
    return listing.pastes.exclude(text="").order_by("-pasted_at", "-pk").first()


def _counts(proposal: Proposal) -> bool:
    # A line that is withdrawn and was never ordered has nothing to match.
    return not (proposal.change == Change.SAME and proposal.order is None)


def _row(order: Order | None, proposal: Proposal | None) -> MatchRow:
    troubles: list[Trouble] = []
    entry = proposal.entry if proposal else None
    says_paid = entry.paid if entry else (order.claims_paid if order else False)
    if proposal is not None and order is None:
        troubles.append(Trouble.PAID_NOT_ORDERED if says_paid else Trouble.NOT_ORDERED)
    elif proposal is not None and proposal.change == Change.GONE:
        troubles.append(Trouble.GONE)
    elif proposal is not None and proposal.change in (Change.CHANGED, Change.WITHDRAWN, Change.ASK):
        troubles.append(Trouble.CHANGED)
    unpaid_fen = order.unpaid_fen if order else 0
    if unpaid_fen:
        troubles.append(Trouble.SAYS_PAID if says_paid else Trouble.NOT_PAID)
    member = order.member if order else (proposal.member if proposal else None)
    if not (member and member.room) and not (entry and entry.contact.room):
        troubles.append(Trouble.NO_DOOR)
    name = member.display_name if member else (proposal.name if proposal else "")
    chain_text = " ".join(evidence.text for evidence in entry.evidence) if entry else ""
    found = tuple(sorted(troubles, key=ORDER_OF_TROUBLE.index))
    return MatchRow(name, chain_text, order, found, unpaid_fen, reminder_text(name, found, unpaid_fen))


def _stray_payments(listing: Listing) -> Sequence[Payment]:
    """Receipts of this listing's intents that no order took and that are not sent back."""
    payments = Payment.objects.filter(intent__order__listing=listing).select_related("intent__order__member")
    return [payment for payment in payments if payment.unmatched_fen]


def _stray(payment: Payment) -> MatchRow:
    assert payment.intent is not None
    name = payment.intent.order.member.display_name
    troubles = (Trouble.PAID_NOT_ORDERED,)
    return MatchRow(name, "", None, troubles, 0, reminder_text(name, troubles, 0))


def _urgency(row: MatchRow) -> tuple[int, int]:
    first = ORDER_OF_TROUBLE.index(row.troubles[0]) if row.troubles else len(ORDER_OF_TROUBLE)
    return first, row.order.follow_number if row.order else 0


def reminder_text(name: str, troubles: Sequence[Trouble], unpaid_fen: int) -> str:
    """One polite sentence for each thing to ask this member, addressed to them; empty when all is well."""
    asks = {
        Trouble.PAID_NOT_ORDERED: _("we have your payment but no order: what would you like?"),
        Trouble.NOT_ORDERED: _(
            "your line in the chain is not clear to us yet: which goods and how many, please?"
        ),
        Trouble.CHANGED: _("your line in the chain has changed: please confirm what you would like."),
        Trouble.GONE: _("your line is no longer in the chain: do you still want the goods?"),
        Trouble.NOT_PAID: _("%(amount)s yuan are still open, whenever it suits you today."),
        Trouble.SAYS_PAID: _("we cannot find your payment of %(amount)s yuan: could you send a screenshot?"),
        Trouble.NO_DOOR: _("please tell us your building and room."),
    }
    if not troubles:
        return ""
    sentences = " ".join(asks[trouble] % {"amount": format_yuan(unpaid_fen)} for trouble in troubles)
    return _("@%(name)s Hello, %(asks)s Thank you!") % {"name": name, "asks": sentences}


def unpaid_reminder(*, listing: Listing, orders: Sequence[Order]) -> str:
    """One text for the group: who still has to pay, by follow number and first name sign only, and until when."""
    total = ngettext("%(count)s order is", "%(count)s orders are", len(orders)) % {"count": len(orders)}
    numbers = "、".join(f"#{order.follow_number}" for order in orders)
    return _(
        "Dear neighbours, %(total)s not paid yet in “%(title)s”: %(numbers)s. Thank you for paying soon!"
    ) % {
        "total": total,
        "title": listing.campaign.title,
        "numbers": numbers,
    }
