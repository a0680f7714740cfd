"""What two persons who are one hold in orders and money: moved from the one to the other, and erased in text.

People/ knows who is merged or deleted and takes these functions as arguments; `settlement/persons.py` puts
those of all folders together.
"""

from collections.abc import Mapping

from django.db import connection
from django.utils.translation import gettext as _

from kaituan.campaigns.models import Offer
from kaituan.catalogue.models import SupplierStaff
from kaituan.ledger.models import AccountKind, CachedBalance, Entry
from kaituan.ledger.services import AccountRef, Move, lock_balances_fen, post_entry
from kaituan.money.fen import format_yuan
from kaituan.ordering.locks import lock_orders
from kaituan.ordering.models import ChainLink, ChainPaste, Order, OrderLine, PersonOfferQuantity
from kaituan.payments.models import Payment, Refund
from kaituan.people import services as people
from kaituan.people.models import Leader, Person

PERSONAL_KINDS = (AccountKind.BALANCE_PRINCIPAL, AccountKind.BALANCE_BONUS)
LEADER_KINDS = (AccountKind.LEADER_HELD, AccountKind.COMMISSION_PAYABLE)


def move_orders(move: people.Move) -> Mapping[str, int]:
    """Orders come to the kept person, and to the member who stands for them in their group."""
    ids = Order.objects.filter(person=move.merged) | Order.objects.filter(member_id__in=move.members)
    orders = lock_orders(order_ids=ids.values_list("pk", flat=True))
    for order in orders:
        order.person = move.kept
        order.member_id = move.members.get(order.member_id, order.member_id)
    Order.objects.bulk_update(orders, ["person", "member_id"], batch_size=1000)
    return {"orders": len(orders)}


def move_limits(move: people.Move) -> Mapping[str, int]:
    """What the two had of a limited offer is what the one has. More than the limit may stand; no more is sold."""
    counters = PersonOfferQuantity.objects.filter(person=move.merged)
    # The order core locks offers before it counts: in that order nobody waits for each other for ever.
    offers = Offer.objects.select_for_update(no_key=True).filter(pk__in=counters.values("offer_id"))
    list(offers.order_by("pk"))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ordering_personofferquantity AS had (offer_id, person_id, quantity)"
            " SELECT offer_id, %s, quantity FROM ordering_personofferquantity WHERE person_id = %s"
            " ORDER BY offer_id"
            " ON CONFLICT (offer_id, person_id) DO UPDATE SET quantity = had.quantity + excluded.quantity",
            [move.kept.pk, move.merged.pk],
        )
        moved = cursor.rowcount
    counters.delete()
    return {"limits": moved}


def move_payments(move: people.Move) -> Mapping[str, int]:
    """Who paid is the kept person."""
    return {"payments": Payment.objects.filter(payer_person=move.merged).update(payer_person=move.kept)}


def move_balance(move: people.Move) -> Mapping[str, int]:
    """The member's balance changes hands by an entry of its own; nothing that was posted is touched."""
    pairs = [
        (AccountRef(kind, f"person:{move.merged.pk}"), AccountRef(kind, f"person:{move.kept.pk}"))
        for kind in PERSONAL_KINDS
    ]
    # All at once: orders that are paid from both balances take them in the same order.
    balances = lock_balances_fen(*(ref for pair in pairs for ref in pair))
    entries = 0
    for source, target in pairs:
        if balances[source] <= 0:
            continue
        reference = f"person:{move.merged.pk}"
        # A second run finds what came in meanwhile, under a key of its own.
        earlier = Entry.objects.filter(kind="balance_merged", reference=reference).count()
        post_entry(
            key=f"person:{move.merged.pk}/merged/{earlier + 1}",
            kind="balance_merged",
            reference=reference,
            occurred_at=move.now,
            moves=[Move(source, target, balances[source])],
            no_overdraft=[source],
        )
        entries += 1
    return {"balance_entries": entries}


def move_supplier_roles(move: people.Move) -> Mapping[str, int]:
    """Who acts for a supplier goes on doing so."""
    return {"supplier_roles": SupplierStaff.objects.filter(person=move.merged).update(person=move.kept)}


def unfinished_order(person: Person) -> str | None:
    """An order that still needs its member's name: goods to come, or money to pay."""
    order = (
        Order.objects.filter(
            person=person,
            status__in=[Order.Status.PENDING, Order.Status.CONFIRMED],
            lines__quantity__gt=0,
            lines__completed_at__isnull=True,
        )
        .order_by("pk")
        .first()
    )
    if order is not None:
        return _("Order number %(number)s is not finished yet: hand it over or cancel it first.") % {
            "number": order.follow_number
        }
    unpaid = [o for o in Order.objects.filter(person=person).order_by("pk") if o.unpaid_fen]
    if unpaid:
        return _("%(amount)s is still to be paid for order number %(number)s.") % {
            "amount": f"¥{format_yuan(unpaid[0].unpaid_fen)}",
            "number": unpaid[0].follow_number,
        }
    return None


def money_left(person: Person) -> str | None:
    """Money that is still this person's, or still with them."""
    waiting = Refund.objects.filter(order__person=person).exclude(status=Refund.Status.SENT).first()
    if waiting is not None:
        return _("A refund of %(amount)s is still on its way.") % {
            "amount": f"¥{format_yuan(waiting.amount_fen)}"
        }
    owners = {f"person:{person.pk}": PERSONAL_KINDS}
    leader = Leader.objects.filter(person=person).first()
    if leader is not None:
        owners[f"leader:{leader.pk}"] = LEADER_KINDS
    for owner, kinds in owners.items():
        left = (
            CachedBalance.objects.filter(account__kind__in=kinds, account__owner=owner)
            .exclude(balance_fen=0)
            .first()
        )
        if left is not None:
            return _("%(amount)s is still on this person's account: settle it first.") % {
                "amount": f"¥{format_yuan(left.balance_fen)}"
            }
    return None


def erase_order_texts(person: Person) -> int:
    """Notes and chat text of a person's orders go; what was ordered and paid stays."""
    orders = Order.objects.filter(person=person)
    links = ChainLink.objects.filter(order__in=orders)
    pastes = ChainPaste.objects.filter(links__in=links)
    erased = ChainPaste.objects.filter(pk__in=pastes.values("pk")).update(text="", decisions={})
    for link in links:
        link.entry_key = f"erased:{link.pk}"
        link.save(update_fields=["entry_key"])
        erased += 1
    erased += OrderLine.objects.filter(order__in=orders).exclude(note="").update(note="")
    return erased + orders.exclude(note="").update(note="")


def erase_payment_texts(person: Person) -> int:
    """Remarks on a person's payments go; the payments stay."""
    return Payment.objects.filter(payer_person=person).exclude(remark="").update(remark="")
