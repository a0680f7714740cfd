from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from kaituan.ledger.models import DEBIT_KINDS
from kaituan.payments.postings import OrderMoney, money_account, order_moves

FEN = st.integers(min_value=0, max_value=10**9)
MONEY = st.builds(OrderMoney, kept_fen=FEN, recognised_fen=FEN)


@given(MONEY, MONEY)
def test_the_moves_turn_what_the_books_said_into_what_is_true(before, after):
    cash = money_account(channel="sandbox")
    balance = defaultdict(int)
    for move in order_moves(before=before, after=after, cash=cash):
        assert move.amount_fen > 0
        assert move.debit != move.credit
        balance[move.debit.kind] += move.amount_fen
        balance[move.credit.kind] -= move.amount_fen
    own_side = {kind: fen if kind in DEBIT_KINDS else -fen for kind, fen in balance.items() if fen}
    expected = {
        "channel_cash": after.kept_fen - before.kept_fen,
        "receivable": after.receivable_fen - before.receivable_fen,
        "prepayment": after.prepayment_fen - before.prepayment_fen,
        "sales": after.recognised_fen - before.recognised_fen,
    }
    assert own_side == {kind: fen for kind, fen in expected.items() if fen}


@given(MONEY)
def test_nothing_changed_posts_nothing(money):
    assert order_moves(before=money, after=money, cash=None) == []
