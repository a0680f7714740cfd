"""Totals: the lines summed up by card and by pickup leader, and what the output wants of the sums.

Totals name no line, so lines are only read and added up. `paid_by_card` is what the lines of a card pay but for
their service, `service_by_pickup` is the service. Lines that were ever refunded are in neither.
"""

from kaituan.settlement.engines import vector_rules as rules
from kaituan.settlement.engines.vector_rules import Setting

# Out of the Arrow table of `line_blocks.numbered_lines`, which says what is in the period and has no refund.
NUMBERED_LINES = """
    SELECT '' AS line_id, seller, pickup, rate_class, paid_fen, cost_fen, sale_rate_bp,
        paid_fen AS net_fen, paid_fen AS service_net_fen, card_no, shape
    FROM numbered_line
"""


def paid_by_card_sql(setting: Setting, lines: str, *, numbered: bool) -> str:
    """The table `paid_by_card` of the lines of a statement."""
    sums = ", ".join(f"SUM({pay.amount}) AS {pay.amount}" for pay in rules.refundable_slots(setting))
    amounts = rules.amounts_sql(setting, lines, numbered=numbered)
    return f"SELECT card_no, {sums} FROM ({amounts}) AS a GROUP BY card_no"


def service_by_pickup_sql(setting: Setting, lines: str) -> str:
    """The table `service_by_pickup` of the lines of a statement. A pickup that is no leader is nobody's."""
    served = rules.service_sql(setting, lines)
    return f"SELECT pickup, SUM(service_fen) AS service_fen FROM ({served}) AS s GROUP BY pickup"


def sums_sql(setting: Setting) -> str:
    """leader, rule, line_id, amount_fen of the sums; a leader and rule may come again, amounts may be 0."""
    by_card = " UNION ALL ".join(
        f"SELECT k.{pay.leader} AS leader, CAST('{pay.rule}' AS {setting.rule_type}) AS rule, '' AS line_id, "
        f"p.{pay.amount} AS amount_fen FROM paid_by_card AS p JOIN card AS k ON k.card_no = p.card_no"
        for pay in rules.refundable_slots(setting)
    )
    return f"""
        {by_card}
        UNION ALL
        SELECT pickup, CAST('service' AS {setting.rule_type}), '', service_fen
        FROM service_by_pickup WHERE pickup >= 0
    """
