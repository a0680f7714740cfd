"""Who said what: one entry (over all its copies) and one member (over all entries)."""

from dataclasses import dataclass, field
from functools import lru_cache

from .layout import RawEntry
from .model import Evidence, Quantity
from .statement import PLAIN, REFER, Statement


@dataclass(slots=True)
class Said:
    """One entry with what it says; the unit that copies repeat."""

    raw: RawEntry
    statement: Statement
    name: str
    name_key: str
    room: str
    room_key: str
    block: int
    order: int
    copies: list["Said"] = field(default_factory=list)
    dropped: bool = False
    wavering: bool = False
    edited: bool = False

    @property
    def seq(self) -> int | None:
        return self.raw.seq


@dataclass(slots=True)
class Holding:
    """What a member has of one product, and where it was said."""

    qty: Quantity
    evidence: list[Evidence]


@dataclass(slots=True)
class Member:
    """All that one member said, in order."""

    said: list[Said] = field(default_factory=list)
    held: dict[int, Holding] = field(default_factory=dict)
    out: set[int] = field(default_factory=set)
    questions: list[tuple[str, tuple[str, ...], tuple[Evidence, ...]]] = field(default_factory=list)
    cancelled: bool = False
    touched: bool = False
    settled: bool = False
    settling: bool = False
    named: bool = False
    rooms: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    tails: set[str] = field(default_factory=set)

    def add(self, entry: Said) -> None:
        """One more entry of this member."""
        self.said.append(entry)
        self.named = self.named or bool(entry.name_key)
        head = entry.statement.head
        for known, value in (
            (self.rooms, entry.room_key),
            (self.phones, head.phone),
            (self.tails, head.tail or head.phone[-4:]),
        ):
            if value:
                known.add(value)

    def conflicts(self, entry: Said) -> bool:
        """Whether an entry of this name cannot be this person: another room, phone or tail."""
        head, room = entry.statement.head, entry.room_key
        if room:
            for other in self.rooms:
                if other != room and not part_of(other, room):
                    return True
        if not head.phone and not head.tail:
            return False
        if head.phone and self.phones - {head.phone}:
            return True
        return bool(self.tails - {head.tail or head.phone[-4:]})

    @property
    def first(self) -> Said:
        return self.said[0]


def changes(member: Member) -> bool:
    """Whether the only entry of a member was itself edited in place (馒头2改3)."""
    return any(s.op not in (PLAIN, REFER) for s in member.first.statement.steps)


def wording(entry: Said) -> tuple[object, ...]:
    statement = entry.statement
    steps = tuple((s.op, s.product, s.qty, s.issue, s.target) for s in statement.steps)
    return (steps, tuple(i[0] for i in statement.issues))


def conflict(a: Said, b: Said) -> bool:
    """Two entries of one name that cannot be one person: other room or other phone."""
    if a.room_key and b.room_key and a.room_key != b.room_key and not part_of(a.room_key, b.room_key):
        return True
    phone_a, phone_b = a.statement.head.phone, b.statement.head.phone
    if phone_a and phone_b and phone_a != phone_b:
        return True
    tail_a = a.statement.head.tail or phone_a[-4:]
    tail_b = b.statement.head.tail or phone_b[-4:]
    return bool(tail_a and tail_b and tail_a != tail_b)


def ends(room: str) -> list[str]:
    """The beginnings and ends of a room: 3, 502 and so on of 3 2 502."""
    parts = room.split()
    cuts = [" ".join(parts[:n]) for n in range(1, len(parts))] + [
        " ".join(parts[n:]) for n in range(1, len(parts))
    ]
    return cuts[:12]


@lru_cache(maxsize=10_000)
def part_of(a: str, b: str) -> bool:
    """3 within 3 502: the same place, said less exactly."""
    one, two = a.split(), b.split()
    return (
        one == two[: len(one)] or two == one[: len(two)] or one == two[-len(one) :] or two == one[-len(two) :]
    )
