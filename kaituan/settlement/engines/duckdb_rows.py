"""Every row of every line: lines are read once into a typed table, and one statement computes and writes the rows."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kaituan.settlement.engines import vector_rules as rules
from kaituan.settlement.engines.duckdb_leaders import load_leaders
from kaituan.settlement.engines.duckdb_run import OF_PERIOD, Run
from kaituan.settlement.engines.output import HEADER, appearing_whole


class RowsRun(Run):
    """All rows, unlike the sums of `TotalsRun`."""

    def write(self, out: Path, *, ordered: bool) -> None:
        self.progress("leaders", 0.0)
        with ThreadPoolExecutor(3) as beside:
            # What one core can do is done beside the main work: refunds while leaders are read, then the
            # cards, and the search for repeated ids.
            refunds = beside.submit(self.load_refunds)
            self.leaders = load_leaders(self.connection, self.sources["leaders"])
            self.progress("lines", 0.1)
            cards = beside.submit(self.cards_of_the_period)
            refunds.result()
            ids_checked = self.load_lines(cards, beside, with_ids=True)
            never_refunded = rules.never_refunded_sql(self.setting, "every_line")
            self.create_of_period(rules.turnover_never_refunded_sql(never_refunded))
            self.progress("rows", 0.5)
            lines = f"{never_refunded} UNION ALL {rules.current_sql(self.setting)}"
            rows = f"{self.rows_sql(lines)} UNION ALL {OF_PERIOD}"
            statement = f"SELECT leader AS leader_id, rule, line_id, amount_fen FROM ({rows}) AS all_rows"
            with appearing_whole(out) as unfinished:
                order = ("leader_id", "rule", "line_id") if ordered else ()
                self.save(statement, HEADER, unfinished, order=order)
                ids_checked.result()
        self.progress("done", 1.0)
