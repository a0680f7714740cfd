"""What settling, withdrawing and paying suppliers look like in the books."""

from kaituan.ledger.bulk import NewEntry
from kaituan.ledger.models import AccountKind
from kaituan.ledger.services import AccountRef, Move

COMMISSION_COST = AccountRef(AccountKind.COMMISSION_COST)
TAX_WITHHELD = AccountRef(AccountKind.TAX_WITHHELD)
BANK = AccountRef(AccountKind.CHANNEL_CASH, "gateway:bank")


def payable_account(*, leader_id: int) -> AccountRef:
    """What the station owes a leader: settled, not withdrawn yet; below zero after later refunds."""
    return AccountRef(AccountKind.COMMISSION_PAYABLE, f"leader:{leader_id}")


def held_account(*, leader_id: int) -> AccountRef:
    """Members' money that a leader took and still owes."""
    return AccountRef(AccountKind.LEADER_HELD, f"leader:{leader_id}")


def withdrawal_account(*, withdrawal_id: int) -> AccountRef:
    return AccountRef(AccountKind.WITHDRAWAL_DUE, f"withdrawal:{withdrawal_id}")


def supplier_account(*, supplier_id: int) -> AccountRef:
    return AccountRef(AccountKind.SUPPLIER_PAYABLE, f"supplier:{supplier_id}")


def commission_entry(*, period_id: int, leader_id: int, total_fen: int) -> NewEntry:
    """One leader's total of one period (not 0): a debt to the leader, or less of one when it is negative."""
    payable = payable_account(leader_id=leader_id)
    move = (
        Move(debit=COMMISSION_COST, credit=payable, amount_fen=total_fen)
        if total_fen > 0
        else Move(debit=payable, credit=COMMISSION_COST, amount_fen=-total_fen)
    )
    return NewEntry(
        key=f"commission:{period_id}/{leader_id}",
        kind="commission_settled",
        reference=f"period:{period_id}",
        moves=(move,),
    )


def requested_moves(*, withdrawal_id: int, leader_id: int, amount_fen: int, netted_fen: int) -> list[Move]:
    """A request takes the amount out of what is payable, and gives up what the leader holds against it."""
    due = withdrawal_account(withdrawal_id=withdrawal_id)
    return [
        Move(debit=payable_account(leader_id=leader_id), credit=due, amount_fen=amount_fen),
        Move(debit=due, credit=held_account(leader_id=leader_id), amount_fen=netted_fen),
    ]


def paid_moves(*, withdrawal_id: int, payout_fen: int, tax_fen: int) -> list[Move]:
    """A payout sends the rest by the bank and keeps the tax back for the tax office."""
    due = withdrawal_account(withdrawal_id=withdrawal_id)
    return [
        Move(debit=due, credit=BANK, amount_fen=payout_fen),
        Move(debit=due, credit=TAX_WITHHELD, amount_fen=tax_fen),
    ]
