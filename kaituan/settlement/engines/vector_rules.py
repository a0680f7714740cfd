"""The rules for all lines at once, written once: SQL in DuckDB's dialect, which `dialect.py` turns into Spark's.

The steps and their order are those of the contract ("Per line", "Refunds of an earlier period"); the names
are those of `kaituan.commission.rules`. `//` is the exact integer division of non-negative numbers in both
dialects. Tables read here:

- `line`: line_id, line_key (joins `refunded`; null where a line has no refund), seller, pickup (null: none),
  rate_class, paid_fen, cost_fen, sale_rate_bp (or null), completed_at; checked, and completed before the end.
  An engine may keep lines without any refund elsewhere and read them by `never_refunded_sql`
- `refund`: line_key, refunded_at, amount_fen
- `card`: card_no, seller, begins, ends, shape, a1, a2, ...: see `forest.py`
- `rate`: rate_no, own_bp, up1_bp, ..., peer_bp, ...: see `rates.py`
- `slot`: the numbers 0, 1, 2, ... as slot, at least as many as `slots()` are

A leader (seller, pickup, a1, ...) is whatever the engine joins by: a number, an enum or a text.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kaituan.settlement.engines.rates import NO_CAP


@dataclass(frozen=True, slots=True)
class Setting:
    """What the statements depend on besides the tables.

    start, end: the period in seconds, as SQL (a number, or a column of `line` where cases are mixed).
    rungs: ancestors per card. classes: number of rate classes. amount: the integer type that holds every
    product (BIGINT below NARROW_BELOW_FEN, else one of 38 digits). rule_type: the type of the rule's name.
    constants: columns of `rate` that hold one value in all rows, told here instead of being joined.
    """

    start: str
    end: str
    rungs: int
    classes: int
    amount: str
    rule_type: str
    constants: Mapping[str, int]

    def rate(self, column: str) -> str:
        return str(self.constants[column]) if column in self.constants else f"r.{column}"

    def quotient(self, dividend: str, divisor: str) -> str:
        """The fraction dropped. Cast again, for Spark gives every such quotient as BIGINT."""
        return f"CAST(({dividend}) // {divisor} AS {self.amount})"


# Products stay under 2**63 up to this paid_fen: twice its square is the largest (the cap, the margin).
NARROW, NARROW_BELOW_FEN = "BIGINT", 2**31


def refunded_sql(start: str, end: str) -> str:
    """`refunded`: for each refunded line, its refunds before the period, before its end, up to completion."""
    return f"""
        SELECT l.line_key,
            CAST(SUM(CASE WHEN f.refunded_at < {start} THEN f.amount_fen ELSE 0 END) AS BIGINT)
                AS before_fen,
            CAST(SUM(CASE WHEN f.refunded_at < {end} THEN f.amount_fen ELSE 0 END) AS BIGINT)
                AS by_end_fen,
            CAST(SUM(CASE WHEN f.refunded_at <= l.completed_at THEN f.amount_fen ELSE 0 END) AS BIGINT)
                AS by_completion_fen
        FROM line AS l JOIN refund AS f ON f.line_key = l.line_key
        GROUP BY l.line_key
    """


def current_sql(setting: Setting) -> str:
    """`current`: the lines of the period with what is left of them: net_fen and service_net_fen."""
    return f"""
        SELECT l.line_id, l.seller, l.pickup, l.rate_class, l.paid_fen, l.cost_fen, l.sale_rate_bp,
            l.completed_at,
            l.paid_fen - COALESCE(f.by_end_fen, 0) AS net_fen,
            l.paid_fen - COALESCE(f.by_completion_fen, 0) AS service_net_fen
        FROM line AS l LEFT JOIN refunded AS f ON f.line_key = l.line_key
        WHERE l.completed_at >= {setting.start}
    """


def never_refunded_sql(setting: Setting, lines: str) -> str:
    """Like `current`, for those of a table of lines that no refund was ever given for: nothing to look up."""
    return f"""
        SELECT l.line_id, l.seller, l.pickup, l.rate_class, l.paid_fen, l.cost_fen, l.sale_rate_bp,
            l.completed_at, l.paid_fen AS net_fen, l.paid_fen AS service_net_fen
        FROM {lines} AS l
        WHERE l.line_key IS NULL AND l.completed_at >= {setting.start} AND l.completed_at < {setting.end}
    """


def earlier_sql(setting: Setting, net: str) -> str:
    """Lines settled earlier with a refund in this period; net_fen is less `net` (a column of `refunded`)."""
    return f"""
        SELECT l.line_id, l.seller, l.pickup, l.rate_class, l.paid_fen, l.cost_fen, l.sale_rate_bp,
            l.completed_at,
            l.paid_fen - f.{net} AS net_fen,
            0 AS service_net_fen
        FROM line AS l JOIN refunded AS f ON f.line_key = l.line_key
        WHERE l.completed_at < {setting.start} AND f.by_end_fen > f.before_fen
    """


def turnover_sql(setting: Setting) -> str:
    """`gmv_fen` by seller: lines of the period, less the period's refunds of earlier lines."""
    return f"""
        SELECT seller, CAST(SUM(change_fen) AS BIGINT) AS gmv_fen
        FROM (
            SELECT l.seller, l.paid_fen AS change_fen FROM line AS l WHERE l.completed_at >= {setting.start}
            UNION ALL
            SELECT l.seller,
                CASE WHEN l.completed_at >= {setting.start} THEN 0 ELSE f.before_fen END - f.by_end_fen AS change_fen
            FROM line AS l JOIN refunded AS f ON f.line_key = l.line_key
        ) AS changes
        GROUP BY seller
    """


def turnover_never_refunded_sql(lines: str) -> str:
    """`gmv_fen` by seller of the lines of a statement like `never_refunded_sql`."""
    return f"SELECT seller, CAST(SUM(paid_fen) AS BIGINT) AS gmv_fen FROM ({lines}) AS n GROUP BY seller"


def amounts_sql(setting: Setting, lines: str, *, numbered: bool = False) -> str:
    """Steps 1 to 5 on the lines of a statement: one row per line, with sale_fen, service_fen and for each
    rung up1_fen, ...; peer_fen goes to the first rung. Amounts of 0 are still there. Beside them the line's
    paid_fen. numbered: the lines know their card_no and rate_no, and who is on the card is not told."""
    rungs = [] if numbered else [f"a{rung}" for rung in range(1, setting.rungs + 1)]
    of_line = ["pickup"] if numbered else ["seller", "pickup"]
    leaders = "".join(f", {name}" for name in ("card_no", *of_line, *rungs))
    ups = "".join(f", {setting.rate(f'up{rung}_bp')} AS up{rung}_bp" for rung in range(1, setting.rungs + 1))
    if numbered:
        rated, card_no = NUMBERED_RATE, "n.card_no"
    else:
        rated, card_no = f"{CARD_AT_THE_TIME} {_rate_of(setting, 'k.shape')}", "k.card_no"
    looked_up = [card_no, *(f"n.{name}" for name in of_line), *(f"k.{name}" for name in rungs)]
    return f"""
        WITH rated AS (
            SELECT n.line_id, {", ".join(looked_up)},
                CAST(n.paid_fen AS {setting.amount}) AS paid_fen, CAST(n.net_fen AS {setting.amount}) AS net_fen,
                CAST(n.service_net_fen AS {setting.amount}) AS service_net_fen, n.cost_fen,
                {setting.rate("own_bp")} AS own_bp{ups}, {setting.rate("peer_bp")} AS peer_bp,
                COALESCE(n.sale_rate_bp, {setting.rate("own_bp")}) AS sale_bp,
                {setting.rate("cap_bp")} AS cap_bp, {setting.rate("margin")} AS margin,
                {setting.rate("service_bp")} AS service_bp, {_per_line_fen(setting)} AS service_per_line_fen
            FROM ({lines}) AS n {rated}
        ), based AS (
            SELECT *, {_base(setting)} AS base_fen, {_greater("sale_bp", "own_bp")} AS top0_bp FROM rated
        ), sold AS (
            SELECT *, {setting.quotient("sale_bp * base_fen", "10000")} AS sale_fen FROM based
        ){"".join(_above(setting))}, roomy AS (
            SELECT *{_room(setting)} FROM above
        )
        SELECT line_id{leaders}, CAST(paid_fen AS BIGINT) AS paid_fen,
            CAST(sale_fen AS BIGINT) AS sale_fen{"".join(_capped(setting))},
            CAST({_service(setting)} AS BIGINT) AS service_fen
        FROM roomy
    """


CARD_AT_THE_TIME = """
    JOIN card AS k ON k.seller = n.seller AND n.completed_at >= k.begins AND n.completed_at < k.ends
"""


NUMBERED_RATE = "JOIN rate AS r ON r.rate_no = n.rate_no"


def _rate_of(setting: Setting, shape: str) -> str:
    return f"JOIN rate AS r ON r.rate_no = {shape} * {setting.classes} + n.rate_class"


def _base(setting: Setting) -> str:
    """What the sale rate applies to: all that is left, or the same part of the margin."""
    part = setting.quotient("GREATEST(0, paid_fen - cost_fen) * net_fen", "paid_fen")
    margin = f"CASE WHEN paid_fen > 0 THEN {part} ELSE 0 END"
    if "margin" in setting.constants:
        return margin if setting.constants["margin"] else "net_fen"
    return f"CASE WHEN margin = 1 THEN {margin} ELSE net_fen END"


def _above(setting: Setting) -> Iterator[str]:
    """Steps 2 and 3, a further column set each: what each rung's rate has over the highest below it, and the
    first rung's share of the sale. Most lines pay neither, so nothing is multiplied for those."""
    before = "sold"
    for rung in range(1, setting.rungs + 1):
        top, own = f"top{rung - 1}_bp", f"up{rung}_bp"
        over = setting.quotient(f"({own} - {top}) * base_fen", "10000")
        yield f""", above{rung} AS (
            SELECT *, CASE WHEN {own} > {top} THEN {over} ELSE 0 END AS up{rung}_fen,
                {_greater(own, top)} AS top{rung}_bp
            FROM {before}
        )"""
        before = f"above{rung}"
    share = setting.quotient("peer_bp * sale_fen", "10000")
    peer = f", CASE WHEN peer_bp > 0 THEN {share} ELSE 0 END AS peer_fen" if setting.rungs else ""
    yield f", above AS (SELECT *{peer} FROM {before})"


def _greater(one: str, other: str) -> str:
    """The greater of two that are never null, for which DuckDB takes a third of what GREATEST takes."""
    return f"CASE WHEN {one} > {other} THEN {one} ELSE {other} END"


def _shares(setting: Setting) -> list[str]:
    """The columns that the cap may cut."""
    return [*(f"up{rung}_fen" for rung in range(1, setting.rungs + 1)), "peer_fen"] if setting.rungs else []


def _is_never_capped(setting: Setting) -> bool:
    return not setting.rungs or setting.constants.get("cap_bp") == NO_CAP


def _room(setting: Setting) -> str:
    if _is_never_capped(setting):
        return ""
    above = " + ".join(_shares(setting))
    room = f"{setting.quotient('cap_bp * net_fen', '10000')} - sale_fen"
    if "cap_bp" not in setting.constants:
        room = f"CASE WHEN cap_bp < 0 THEN {above} ELSE {room} END"
    return f", {above} AS above_fen, {room} AS room_fen"


def _capped(setting: Setting) -> Iterator[str]:
    """Step 4: what passes the room is cut in proportion, to nothing where there is no room.

    One CASE in the other and no AND: at an AND, DuckDB writes the definition of each column into every use of
    it and works all of them out again.
    """
    for share in _shares(setting):
        if _is_never_capped(setting):
            yield f", CAST({share} AS BIGINT) AS {share}"
        else:
            cut = setting.quotient(f"{share} * room_fen", "above_fen")
            kept = f"CASE WHEN above_fen <= room_fen THEN {share} WHEN room_fen > 0 THEN {cut} ELSE 0 END"
            yield f", CAST({kept} AS BIGINT) AS {share}"


def _service(setting: Setting) -> str:
    """Step 5: a plan without service has both rates 0 and so pays nothing."""
    share = setting.quotient("service_bp * service_net_fen", "10000")
    pay = f"LEAST(service_net_fen, {share} + service_per_line_fen)"
    return f"CASE WHEN pickup IS NULL OR service_net_fen <= 0 THEN 0 ELSE {pay} END"


def _per_line_fen(setting: Setting) -> str:
    """The fee per line, which never pays more than the line: past any narrow amount it is cut, or it would not fit
    the sum."""
    fee = setting.rate("service_fen")
    if setting.amount != NARROW:
        return fee
    if fee.isdecimal():
        return str(min(int(fee), NARROW_BELOW_FEN))
    return f"LEAST({fee}, {NARROW_BELOW_FEN})"


def service_sql(setting: Setting, lines: str, *, numbered: bool = False) -> str:
    """Step 5 alone on the lines of a statement: pickup and service_fen of each. No card is looked at, and no
    rate where all classes pay the same; otherwise any shape of a class tells its service. numbered: the lines
    know their rate_no."""
    same = {"service_bp", "service_fen"} <= setting.constants.keys()
    rated = "" if same else NUMBERED_RATE if numbered else _rate_of(setting, "0")
    return f"""
        SELECT pickup, CAST({_service(setting)} AS BIGINT) AS service_fen
        FROM (
            SELECT n.pickup, CAST(n.service_net_fen AS {setting.amount}) AS service_net_fen,
                {setting.rate("service_bp")} AS service_bp, {_per_line_fen(setting)} AS service_per_line_fen
            FROM ({lines}) AS n {rated}
        ) AS served
    """


@dataclass(frozen=True, slots=True)
class Slot:
    """One amount that a line may bring: which column of `amounts_sql` goes to which leader by which rule."""

    leader: str
    rule: str
    amount: str


def slots(setting: Setting) -> list[Slot]:
    """Everything that one line may pay out."""
    return [*refundable_slots(setting), Slot("pickup", "service", "service_fen")]


def refundable_slots(setting: Setting) -> list[Slot]:
    """What a refund takes back: all but the service fee."""
    found = [Slot("seller", "sale", "sale_fen")]
    for rung in range(1, setting.rungs + 1):
        found.append(Slot(f"a{rung}", "differential", f"up{rung}_fen"))
    if setting.rungs:
        found.append(Slot("a1", "peer", "peer_fen"))
    return found


def rows_sql(setting: Setting, amounts: str, pays: Sequence[Slot], sign: str = "") -> str:
    """The rows leader, rule, line_id, amount_fen of a statement or table of amounts; amounts of 0 left out.

    Every line is laid beside the table `slot` (numbers from 0) and each number picks one amount, so that the
    amounts are computed once and never kept.
    """

    def picked(values: Iterable[str]) -> str:
        return "CASE s.slot " + " ".join(f"WHEN {n} THEN {value}" for n, value in enumerate(values)) + " END"

    leader = picked(pay.leader for pay in pays)
    rule = picked(f"CAST('{pay.rule}' AS {setting.rule_type})" for pay in pays)
    amount = picked(pay.amount for pay in pays)
    return f"""
        SELECT leader, rule, line_id, {sign}amount_fen AS amount_fen
        FROM (
            SELECT {leader} AS leader, {rule} AS rule, a.line_id, {amount} AS amount_fen
            FROM {amounts} AS a CROSS JOIN slot AS s WHERE s.slot < {len(pays)}
        ) AS laid WHERE amount_fen > 0
    """


def adjustments_sql(setting: Setting, new: str, old: str) -> str:
    """The rows by which refunds of this period change what an earlier one paid: new less old, where not 0."""
    pays = refundable_slots(setting)
    return f"""
        SELECT leader, rule, line_id, CAST(SUM(amount_fen) AS BIGINT) AS amount_fen
        FROM ({rows_sql(setting, new, pays)} UNION ALL {rows_sql(setting, old, pays, "-")}) AS both_runs
        GROUP BY leader, rule, line_id HAVING SUM(amount_fen) <> 0
    """
