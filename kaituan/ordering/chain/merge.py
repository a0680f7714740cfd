"""The copies of a chain to one entry each: the later copy wins, an old wording that comes back or an entry that
vanished is asked about (rule 5 of the contract)."""

from collections import Counter

from .layout import RawEntry
from .members import Said, conflict, wording


def merge_copies(said: list[Said], canonical: dict[int, Said]) -> list[Said]:
    """One Said per entry over all copies; rule 5 of the contract."""
    blocks: dict[int, list[Said]] = {}
    for entry in said:
        if not entry.raw.chat:
            blocks.setdefault(entry.block, []).append(entry)
    known: list[Said] = []
    by_key: dict[tuple[int | None, str], list[Said]] = {}
    by_name: dict[str, list[Said]] = {}
    last_in: dict[int, int] = {}
    place: dict[int, tuple[int, int]] = {}
    for index, entries in blocks.items():
        taken: set[int] = set()
        counts = Counter(e.name_key or e.room_key for e in entries)
        matches: list[Said | None] = []
        for entry in entries:
            key = (entry.seq, entry.name_key or entry.room_key)
            match = next(
                (
                    k
                    for k in by_key.get(key, ())
                    if id(k) not in taken and k.block != index and not conflict(k, entry)
                ),
                None,
            )
            if match is not None:
                taken.add(id(match))
            matches.append(match)
        for at, entry in enumerate(entries):
            match = matches[at]
            who = entry.name_key or entry.room_key
            if match is None and who:
                match = _renumbered(
                    entry,
                    by_name.get(who, ()),
                    taken,
                    index,
                    alone=counts[who] == 1 == len(by_name.get(who, ())),
                )
                if match is not None:
                    taken.add(id(match))
            if match is None:
                known.append(entry)
                by_key.setdefault((entry.seq, who), []).append(entry)
                by_name.setdefault(who, []).append(entry)
                match = entry
            else:
                match.copies.append(entry)
                canonical[id(entry)] = match
            last_in[id(match)] = index
            place[id(match)] = (index, at)
    _find_dropped(known, blocks, last_in, place)
    for entry in known:
        _settle_copies(entry)
    chat = [s for s in said if s.raw.chat]
    return sorted([*known, *chat], key=lambda s: s.order)


def _renumbered(
    entry: Said, candidates: "list[Said] | tuple[()]", taken: set[int], index: int, *, alone: bool
) -> Said | None:
    """The same entry under another number: an entry above it was taken out."""
    for candidate in candidates:
        if id(candidate) in taken or candidate.block == index or conflict(candidate, entry):
            continue
        same = wording(candidate.copies[-1] if candidate.copies else candidate) == wording(entry)
        if candidate.seq is None or entry.seq is None or same or alone:
            return candidate
    return None


def _find_dropped(
    known: list[Said],
    blocks: dict[int, list[Said]],
    last_in: dict[int, int],
    place: dict[int, tuple[int, int]],
) -> None:
    """Missing from a later copy although an entry after it is still there."""
    if len(blocks) < 2:
        return
    whole = {index for index, entries in blocks.items() if len(entries) > 1 or entries[0].seq in (1, None)}
    per_block: dict[int, list[Said]] = {}
    for entry in known:
        per_block.setdefault(place[id(entry)][0], []).append(entry)
    everything = {id(k): k for k in known}
    order: dict[int, list[int]] = {index: [] for index in blocks}
    for key, entry in everything.items():
        for copy in (entry, *entry.copies):
            order.setdefault(copy.block, []).append(key)
    for index, keys in order.items():
        keys.sort(
            key=lambda k: next(c.order for c in (everything[k], *everything[k].copies) if c.block == index)
        )
        later = -1
        for key in reversed(keys):
            if last_in[key] == index and later > index and later in whole:
                everything[key].dropped = True
            later = max(later, last_in[key])


def _settle_copies(entry: Said) -> None:
    """The later copy wins; an older wording that comes back is a question."""
    if not entry.copies:
        return
    history = [wording(entry)]
    for copy in entry.copies:
        said = wording(copy)
        if said == history[-1]:
            continue
        if said in history:
            entry.wavering = True
        history.append(said)
    entry.edited = len(history) > 1
    winner = entry.copies[-1]
    if entry.wavering:
        entry.copies = [c for c in entry.copies if wording(c) != wording(entry)] or entry.copies
    entry.statement, entry.raw = (
        winner.statement, RawEntry(entry.raw.seq, winner.raw.pieces, winner.raw.sender, winner.raw.block),
    )  # fmt: skip
    entry.room, entry.room_key = winner.room or entry.room, winner.room_key or entry.room_key
