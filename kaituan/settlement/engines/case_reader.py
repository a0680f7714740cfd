"""A whole case in plain Python: every row read, every error of the contract found, one at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kaituan.money.fen import MAX_FEN
from kaituan.settlement.engines.folder import CaseFile, raw_rows, read_case_file, table_path
from kaituan.settlement.engines.records import (
    Leader,
    Line,
    Refund,
    TierRow,
    check_row,
    refusal,
)


@dataclass(frozen=True, slots=True)
class Case:
    """One whole settlement, checked: what every engine computes from."""

    file: CaseFile
    leaders: tuple[Leader, ...]
    tiers: tuple[TierRow, ...]
    lines: tuple[Line, ...]
    refunds: tuple[Refund, ...]


def read_case(folder: Path) -> Case:
    """The case in a folder. Raises InputError at the first thing that is wrong."""
    file = read_case_file(folder)
    leaders = _leaders(table_path(folder, "leaders"))
    known = {leader.leader_id for leader in leaders}
    tiers = _tiers(table_path(folder, "tiers"), known)
    lines = _lines(table_path(folder, "lines"), known, file)
    refunds = _refunds(table_path(folder, "refunds"), lines)
    return Case(file, leaders, tiers, tuple(lines.values()), refunds)


def _rows(path: Path, table: str) -> Any:
    for row, raw in raw_rows(path, table):
        yield row, check_row(table, path.name, row, raw)


def _leaders(path: Path) -> tuple[Leader, ...]:
    leaders: dict[str, Leader] = {}
    row_of: dict[str, int] = {}
    for row, values in _rows(path, "leaders"):
        leader_id = values["leader_id"]
        if leader_id in leaders:
            raise refusal(path.name, "the leader_id is there twice", row=row, ids={"leader_id": leader_id})
        leaders[leader_id] = Leader(leader_id, values["referrer_id"])
        row_of[leader_id] = row
    for leader in leaders.values():
        if leader.referrer_id and leader.referrer_id not in leaders:
            ids = {"leader_id": leader.leader_id, "referrer_id": leader.referrer_id}
            raise refusal(path.name, "unknown referrer", row=row_of[leader.leader_id], ids=ids)
    _refuse_cycles(path.name, leaders, row_of)
    return tuple(leaders.values())


def _refuse_cycles(file: str, leaders: Mapping[str, Leader], row_of: Mapping[str, int]) -> None:
    sound: set[str] = set()
    for start in leaders:
        walked: dict[str, None] = {}
        leader_id = start
        while leader_id and leader_id not in sound:
            if leader_id in walked:
                raise cycle_refusal(file, list(walked)[list(walked).index(leader_id) :], row_of)
            walked[leader_id] = None
            leader_id = leaders[leader_id].referrer_id
        sound.update(walked)


def cycle_refusal(file: str, cycle: list[str], row_of: Mapping[str, int]) -> Exception:
    """The refusal of a cycle, told from its smallest id so that every engine says the same."""
    first = cycle.index(min(cycle, key=str.encode))
    ordered = cycle[first:] + cycle[:first]
    told = " -> ".join([*ordered, ordered[0]])
    return refusal(file, f"a cycle of referrers: {told}", row=row_of.get(ordered[0]))


def _tiers(path: Path, known: set[str]) -> tuple[TierRow, ...]:
    tiers = []
    seen: set[tuple[str, int]] = set()
    for row, values in _rows(path, "tiers"):
        tier = TierRow(**values)
        ids = {"leader_id": tier.leader_id}
        if tier.leader_id not in known:
            raise refusal(path.name, "unknown leader", row=row, ids=ids)
        if (tier.leader_id, tier.effective_from) in seen:
            raise refusal(path.name, "two tiers of a leader at one time", row=row, ids=ids)
        seen.add((tier.leader_id, tier.effective_from))
        tiers.append(tier)
    return tuple(tiers)


def _lines(path: Path, known: set[str], file: CaseFile) -> dict[str, Line]:
    lines: dict[str, Line] = {}
    total = 0
    for row, values in _rows(path, "lines"):
        line = Line(**{field: values[field] for field in Line.__dataclass_fields__})
        ids = {"line_id": line.line_id}
        if line.line_id in lines:
            raise refusal(path.name, "the line_id is there twice", row=row, ids=ids)
        if line.leader_id not in known:
            raise refusal(path.name, "unknown seller", row=row, ids=ids | {"leader_id": line.leader_id})
        if line.pickup_leader_id and line.pickup_leader_id not in known:
            ids |= {"pickup_leader_id": line.pickup_leader_id}
            raise refusal(path.name, "unknown pickup leader", row=row, ids=ids)
        if line.plan_version not in file.plans:
            ids |= {"plan_version": line.plan_version}
            raise refusal(path.name, "unknown plan version", row=row, ids=ids)
        total += line.paid_fen
        lines[line.line_id] = line
    if total > MAX_FEN:
        raise refusal(path.name, f"paid_fen adds up to {total}, more than {MAX_FEN}")
    return lines


def _refunds(path: Path, lines: Mapping[str, Line]) -> tuple[Refund, ...]:
    refunds = []
    refunded: dict[str, int] = {}
    for row, values in _rows(path, "refunds"):
        refund = Refund(**values)
        ids = {"line_id": refund.line_id}
        line = lines.get(refund.line_id)
        if line is None:
            raise refusal(path.name, "unknown line", row=row, ids=ids)
        refunded[refund.line_id] = refunded.get(refund.line_id, 0) + refund.amount_fen
        if refunded[refund.line_id] > line.paid_fen:
            told = f"refunds of {refunded[refund.line_id]} fen, but only {line.paid_fen} fen were paid"
            raise refusal(path.name, told, row=row, ids=ids)
        refunds.append(refund)
    return tuple(refunds)
