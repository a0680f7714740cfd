"""Totals in one pass over the lines: summed while they are read, and none of them kept but the refunded ones.

Totals name no line, so a line that was never refunded is gone once its amounts are added up. All that the
totals want of the lines is asked in one statement, which DuckDB answers by reading the file once.
"""

from kaituan.settlement.engines import vector_rules as rules
from kaituan.settlement.engines.duckdb_lines import counts_sql
from kaituan.settlement.engines.vector_rules import Setting


def one_pass_sql(setting: Setting) -> str:
    """The table `passed` out of `every_line` and `card`. Four kinds of rows, each with its own columns filled:

    - card_no: what the lines of a card pay but for their service, and their paid_fen as gmv_fen
    - handed_over_by, service_fen: the service of a pickup leader (null: of none)
    - line_key: a line that was ever refunded, with all its columns; it is in none of the sums
    - bad, highest_fen, total_fen: lines that may not stand; the largest paid_fen and their sum, over all lines
    """
    sums = ", ".join(f"SUM({pay.amount}) AS {pay.amount}" for pay in rules.refundable_slots(setting))
    return f"""
        WITH seen AS MATERIALIZED (SELECT * FROM every_line),
        amounts AS MATERIALIZED ({rules.amounts_sql(setting, rules.never_refunded_sql(setting, "seen"))})
        SELECT card_no, {sums}, SUM(paid_fen) AS gmv_fen FROM amounts GROUP BY card_no
        UNION ALL BY NAME
        SELECT pickup AS handed_over_by, SUM(service_fen) AS service_fen FROM amounts GROUP BY pickup
        UNION ALL BY NAME
        SELECT * FROM seen WHERE line_key IS NOT NULL
        UNION ALL BY NAME
        {counts_sql("seen")}
    """


def sums_passed_sql(setting: Setting) -> str:
    """leader, rule, line_id, amount_fen from `passed`; a leader and rule may come again, amounts may be 0."""
    by_card = " UNION ALL ".join(
        f"SELECT k.{pay.leader} AS leader, CAST('{pay.rule}' AS {setting.rule_type}) AS rule, '' AS line_id, "
        f"p.{pay.amount} AS amount_fen FROM passed AS p JOIN card AS k ON k.card_no = p.card_no"
        for pay in rules.refundable_slots(setting)
    )
    return f"""
        {by_card}
        UNION ALL
        SELECT handed_over_by, CAST('service' AS {setting.rule_type}), '', service_fen
        FROM passed WHERE handed_over_by IS NOT NULL
    """


def turnover_passed_sql() -> str:
    """seller, gmv_fen of the lines in the sums of `passed`."""
    return "SELECT k.seller, p.gmv_fen FROM passed AS p JOIN card AS k ON k.card_no = p.card_no"
