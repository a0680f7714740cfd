"""Entries of all copies and messages to one order per member, and what has to be asked.

Copies first (the later wins, an old wording that comes back or an entry that vanished is asked about), then the
steps of each member in the order in which they were said, then references, then money."""

from dataclasses import dataclass, field
from decimal import Decimal

from . import statement as st
from .catalogue import Catalogue
from .copies import Block
from .layout import RawEntry
from .model import Contact, Evidence, LineRead, OrderRead, Quantity, Question, Reading
from .normalise import Source, squash
from .places import is_kin
from .quantities import in_unit
from .statement import Statement, Step


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
        head = entry.statement.head
        if entry.room_key and any(
            r != entry.room_key and not _part_of(r, entry.room_key) for r in self.rooms
        ):
            return True
        if head.phone and any(p != head.phone for p in self.phones):
            return True
        tail = head.tail or head.phone[-4:]
        return bool(tail and any(t != tail for t in self.tails))

    @property
    def first(self) -> Said:
        return self.said[0]


class Resolver:
    """Carries out all statements. `blocks` hold the entries in the order of the paste."""

    def __init__(self, source: Source, catalogue: Catalogue) -> None:
        self.source, self.catalogue = source, catalogue
        self.members: list[Member] = []
        self._filed: dict[tuple[str, str], list[Member]] = {}
        self._by_seq: dict[int, list[Said]] = {}
        self._by_who: dict[str, list[Said]] = {}
        self._depth = 0
        self._of: dict[int, Member] = {}
        self._canonical: dict[int, Said] = {}

    def run(self, said: list[Said]) -> Reading:
        chain = self._merge_copies(said)
        for entry in chain:
            self._join(entry)
        for entry in chain:
            if not entry.raw.chat and entry.seq is not None:
                self._by_seq.setdefault(entry.seq, []).append(entry)
            for who in {entry.name_key, entry.room_key} - {""}:
                self._by_who.setdefault(who, []).append(entry)
        for member in self.members:
            self._settle(member)
        orders, questions = [], []
        for number, member in enumerate(self.members):
            if not self._worth(member):
                continue
            order, asked = self._present(member, number)
            orders.append(order)
            questions += asked
        return Reading(tuple(orders), tuple(questions))

    # Copies

    def _merge_copies(self, said: list[Said]) -> list[Said]:
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
            matches: list[Said | None] = []
            for entry in entries:
                key = (entry.seq, entry.name_key or entry.room_key)
                match = next(
                    (
                        k
                        for k in by_key.get(key, ())
                        if id(k) not in taken and k.block != index and not _conflict(k, entry)
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
                    match = self._renumbered(entry, by_name.get(who, ()), taken, index)
                    if match is not None:
                        taken.add(id(match))
                if match is None:
                    known.append(entry)
                    by_key.setdefault((entry.seq, who), []).append(entry)
                    by_name.setdefault(who, []).append(entry)
                    match = entry
                else:
                    match.copies.append(entry)
                    self._canonical[id(entry)] = match
                last_in[id(match)] = index
                place[id(match)] = (index, at)
        self._find_dropped(known, blocks, last_in, place)
        for entry in known:
            self._settle_copies(entry)
        chat = [s for s in said if s.raw.chat]
        return sorted([*known, *chat], key=lambda s: s.order)

    @staticmethod
    def _renumbered(
        entry: Said, candidates: "list[Said] | tuple[()]", taken: set[int], index: int
    ) -> Said | None:
        """The same entry under another number: an entry above it was taken out."""
        for candidate in candidates:
            if id(candidate) in taken or candidate.block == index or _conflict(candidate, entry):
                continue
            if (
                candidate.seq is None
                or entry.seq is None
                or _wording(candidate.copies[-1] if candidate.copies else candidate) == _wording(entry)
            ):
                return candidate
        return None

    @staticmethod
    def _find_dropped(
        known: list[Said],
        blocks: dict[int, list[Said]],
        last_in: dict[int, int],
        place: dict[int, tuple[int, int]],
    ) -> None:
        """Missing from a later copy although an entry after it is still there."""
        if len(blocks) < 2:
            return
        whole = {
            index for index, entries in blocks.items() if len(entries) > 1 or entries[0].seq in (1, None)
        }
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
                key=lambda k: next(
                    c.order for c in (everything[k], *everything[k].copies) if c.block == index
                )
            )
            later = -1
            for key in reversed(keys):
                if last_in[key] == index and later > index and later in whole:
                    everything[key].dropped = True
                later = max(later, last_in[key])

    @staticmethod
    def _settle_copies(entry: Said) -> None:
        """The later copy wins; an older wording that comes back is a question."""
        if not entry.copies:
            return
        history = [_wording(entry)]
        for copy in entry.copies:
            wording = _wording(copy)
            if wording == history[-1]:
                continue
            if wording in history:
                entry.wavering = True
            history.append(wording)
        entry.edited = len(history) > 1
        winner = entry.copies[-1]
        if entry.wavering:
            entry.copies = [c for c in entry.copies if _wording(c) != _wording(entry)] or entry.copies
        entry.statement, entry.raw = (
            winner.statement, RawEntry(entry.raw.seq, winner.raw.pieces, winner.raw.sender, winner.raw.block),
        )  # fmt: skip
        entry.room, entry.room_key = winner.room or entry.room, winner.room_key or entry.room_key

    # Members

    def _join(self, entry: Said) -> None:
        """Finds the member whose entry this is, or begins a new one."""
        member = self._find(entry)
        if member is None:
            member = Member()
            self.members.append(member)
        member.add(entry)
        self._of[id(entry)] = member
        if entry.name_key:
            self._file((entry.name_key, ""), member)
            for part in (entry.room_key, *_ends(entry.room_key)):
                self._file((entry.name_key, part or "-"), member)
        if entry.room_key:
            self._file(("", entry.room_key), member)

    def _file(self, key: tuple[str, str], member: Member) -> None:
        filed = self._filed.setdefault(key, [])
        if not filed or filed[-1] is not member:
            filed.append(member)

    def _find(self, entry: Said) -> Member | None:
        """Same name without another room or phone; without a name, the same room."""
        if entry.name_key:
            if not entry.room_key:
                return self._first_fitting(entry, self._filed.get((entry.name_key, ""), []))
            for part in (entry.room_key, *_ends(entry.room_key), "-"):
                member = self._first_fitting(entry, self._filed.get((entry.name_key, part), []))
                if member is not None:
                    return member
            return None
        if entry.room_key:
            members = self._filed.get(("", entry.room_key), [])
            nameless = [m for m in members if not m.named]
            if nameless:
                return nameless[-1]
            return members[0] if len(members) == 1 else None
        return None

    @staticmethod
    def _first_fitting(entry: Said, members: list[Member]) -> Member | None:
        """The latest of the last few members that can be the same person."""
        return next((m for m in members[:-9:-1] if not m.conflicts(entry)), None)

    # Steps

    def _settle(self, member: Member) -> None:
        if member.settled or member.settling:
            return
        member.settling = True
        for number, entry in enumerate(member.said):
            if number:
                member.touched = True
            self._apply(member, entry, later=number > 0)
            if entry.edited:
                member.touched = True
        member.settling, member.settled = False, True
        self._check_money(member)

    def _ask(self, member: Member, entry: Said, reason: str, choices: int, start: int, end: int) -> None:
        codes = self.catalogue.codes_of(choices)
        member.questions.append((reason, codes, (self._evidence(entry, start, end),)))

    def _evidence(self, entry: Said, start: int, end: int) -> Evidence:
        text = entry.statement.text
        while end > start and text[end - 1 : end] == " ":
            end -= 1
        return self.source.evidence(
            entry.raw.at(start), max(entry.raw.at(start), entry.raw.at(max(start, end - 1)) + 1)
        )

    def _apply(self, member: Member, entry: Said, *, later: bool) -> None:
        statement = entry.statement
        if entry.dropped:
            self._ask(member, entry, "dropped", 0, 0, len(statement.text))
            return
        if entry.wavering:
            self._waver(member, entry)
            return
        mentioned: set[int] = set()
        renewed = False
        before = dict(member.held)
        for step in statement.steps:
            if step.op == st.CANCEL:
                if not member.said or (not later and not statement.head.name[1] and not entry.raw.sender):
                    pass
                member.held.clear()
                member.out.clear()
                member.cancelled = True
                member.questions = [q for q in member.questions if q[0] not in ("repeat",)]
                continue
            if step.op == st.REPLACE and not renewed:
                renewed = True
                if (
                    later
                    and set(member.held) - {s.product for s in statement.steps if s.op == st.REPLACE}
                    and any(s.product in member.held for s in statement.steps if s.op == st.REPLACE)
                ):
                    self._ask(member, entry, "ambiguous_qty", 0, step.start, step.end)
                member.held.clear()
            self._step(member, entry, step, later=later, mentioned=mentioned, before=before)
        for reason, start, end, choices in statement.issues:
            self._ask(member, entry, reason, choices, start, end)
        if member.held:
            member.cancelled = False
        elif (
            later
            and before
            and not member.questions
            and statement.steps
            and any(s.op in (st.DROP, st.SUBTRACT) for s in statement.steps)
        ):
            member.cancelled = True
        if not later and not statement.steps and not statement.issues and not entry.raw.chat:
            self._bare_name(member, entry)

    def _bare_name(self, member: Member, entry: Said) -> None:
        """A bare name means 1 where there is only one product, else nothing was ordered."""
        end = len(entry.statement.text)
        if entry.statement.question:
            self._ask(member, entry, "unclear", 0, 0, end)
        elif self.catalogue.single and not self.catalogue.measures[0].loose_g:
            self._hold(member, 0, 1, entry, 0, end)
        elif self.catalogue.single:
            self._ask(member, entry, "missing_qty", 1, 0, end)
        else:
            self._ask(member, entry, "no_order", self.catalogue.everything, 0, end)

    def _hold(
        self,
        member: Member,
        product: int,
        qty: Quantity,
        entry: Said,
        start: int,
        end: int,
        *,
        more: bool = False,
    ) -> None:
        if qty <= 0:
            member.held.pop(product, None)
            return
        found = self._evidence(entry, start, end)
        old = member.held.get(product)
        member.held[product] = Holding(qty, [*(old.evidence if old and more else []), found])

    def _waver(self, member: Member, entry: Said) -> None:
        """Two wordings took turns: only what both say is certain."""
        versions = [entry.statement, *(c.statement for c in entry.copies)]
        quantities = [
            {s.product: s.qty for s in v.steps if s.product is not None and s.qty} for v in versions
        ]
        for step in entry.statement.steps:
            if (
                step.product is not None
                and step.qty
                and all(q.get(step.product) == step.qty for q in quantities)
            ):
                self._hold(member, step.product, step.qty, entry, step.start, step.end)
        self._ask(member, entry, "ambiguous_qty", 0, 0, len(entry.statement.text))

    def _step(
        self,
        member: Member,
        entry: Said,
        step: Step,
        *,
        later: bool,
        mentioned: set[int],
        before: dict[int, Holding],
    ) -> None:
        if step.op == st.REFER:
            self._refer(member, entry, step)
            return
        if step.issue:
            self._ask(member, entry, step.issue, step.choices, step.start, step.end)
            if step.product is not None and step.product in member.held and step.product in mentioned:
                member.held.pop(step.product)
            return
        if step.product is None:
            step = self._only_product(member, entry, step)
            if step.product is None:
                return
        product = step.product
        assert product is not None
        if step.op in (st.PLAIN, st.REPLACE):
            self._plain(member, entry, step, mentioned, before, later=later)
        elif step.op == st.SET:
            self._hold(member, product, step.qty or 1, entry, step.start, step.end)
        elif step.op == st.ADD:
            old = member.held.get(product)
            self._hold(
                member,
                product,
                (old.qty if old else 0) + (step.qty or 1),
                entry,
                step.start,
                step.end,
                more=True,
            )
        elif step.op == st.SUBTRACT:
            self._subtract(member, entry, step)
        elif step.op == st.DROP:
            self._drop(member, entry, step, later=later)
        elif step.op == st.SWAP:
            self._swap(member, entry, step)
        mentioned.add(product)

    def _plain(
        self,
        member: Member,
        entry: Said,
        step: Step,
        mentioned: set[int],
        before: dict[int, Holding],
        *,
        later: bool,
    ) -> None:
        assert step.product is not None
        if step.product in mentioned:
            held = member.held.get(step.product)
            if held is not None and step.amount is not None and not step.amount.digits:
                return
            if (
                step.op == st.PLAIN
                and held is not None
                and held.qty == step.qty
                and step.amount is not None
                and step.amount.digits == ""
            ):
                return
            member.held.pop(step.product, None)
            self._ask(member, entry, "ambiguous_qty", 1 << step.product, step.start, step.end)
            return
        if (
            step.op == st.PLAIN
            and later
            and (step.product in before or step.product in member.out)
            and not member.cancelled
        ):
            member.held.pop(step.product, None)
            member.out.add(step.product)
            self._ask(member, entry, "repeat", 1 << step.product, step.start, step.end)
            return
        self._hold(member, step.product, step.qty or 1, entry, step.start, step.end)

    def _only_product(self, member: Member, entry: Said, step: Step) -> Step:
        """改成3只, +1: the one product of the member (or the campaign) is meant."""
        candidates = list(member.held) or ([0] if self.catalogue.single else [])
        if step.amount is not None and step.amount.unit and len(candidates) > 1:
            fitting = [p for p in candidates if self.catalogue.measures[p].unit == step.amount.unit]
            candidates = fitting if len(fitting) == 1 else candidates
        if len(candidates) != 1 or step.amount is None:
            if step.op == st.PLAIN and not candidates:
                self._ask(member, entry, "ambiguous_product", self.catalogue.everything, step.start, step.end)
            else:
                reason = "ambiguous_product" if candidates or not self.catalogue.single else "unclear"
                self._ask(
                    member,
                    entry,
                    reason,
                    sum(1 << c for c in candidates) or self.catalogue.everything,
                    step.start,
                    step.end,
                )
            return step
        qty = in_unit(step.amount, self.catalogue.measures[candidates[0]])
        if qty is None:
            reason = "ambiguous_qty" if step.amount.amount is None else "unit_mismatch"
            self._ask(member, entry, reason, 1 << candidates[0], step.start, step.end)
            return step
        return Step(step.op, candidates[0], step.amount, qty, "", 0, step.start, step.end)

    def _subtract(self, member: Member, entry: Said, step: Step) -> None:
        assert step.product is not None
        old = member.held.get(step.product)
        if old is None and not member.held and entry is member.first:
            member.cancelled = True  # 已取消 白菜1: the whole entry, as it was, is withdrawn
            return
        if old is None or (step.qty or 1) > old.qty:
            self._ask(member, entry, "unclear", 1 << step.product, step.start, step.end)
            return
        self._hold(member, step.product, old.qty - (step.qty or 1), entry, step.start, step.end, more=True)

    def _drop(self, member: Member, entry: Said, step: Step, *, later: bool) -> None:
        assert step.product is not None
        member.held.pop(step.product, None)
        member.out.discard(step.product)
        code = (self.catalogue.products[step.product].code,)
        member.questions = [q for q in member.questions if q[1] != code or q[0] not in _ABOUT_AMOUNTS]
        del entry, later

    def _swap(self, member: Member, entry: Said, step: Step) -> None:
        assert step.product is not None and step.to is not None
        old = member.held.pop(step.product, None)
        if old is None and step.qty is None:
            self._ask(member, entry, "unclear", 1 << step.product, step.start, step.end)
            return
        qty = step.qty if step.qty is not None else old.qty if old else 1
        present = member.held.get(step.to)
        self._hold(
            member, step.to, qty + (present.qty if present else 0), entry, step.start, step.end, more=True
        )

    # References

    def _refer(self, member: Member, entry: Said, step: Step) -> None:
        target = self._target(entry, step)
        owner = self._of.get(id(target)) if target is not None else None
        if owner is None or owner is member or owner.settling or self._depth > 60:
            self._ask(member, entry, "bad_reference", 0, step.start, step.end)
            return
        self._depth += 1
        self._settle(owner)
        self._depth -= 1
        if (
            owner.questions
            or owner.cancelled
            or owner.touched
            or len(owner.said) > 1
            or not owner.held
            or _changes(owner)
        ):
            self._ask(member, entry, "bad_reference", 0, step.start, step.end)
            return
        for product, held in owner.held.items():
            self._hold(member, product, held.qty, entry, step.start, step.end)

    def _target(self, entry: Said, step: Step) -> Said | None:
        if isinstance(step.target, int):
            found = self._by_seq.get(step.target, [])
            return found[0] if len(found) == 1 else None
        if isinstance(step.target, str):
            return self._named(entry, squash(step.target))
        above = self._above.get(id(entry.copies[-1] if entry.copies else entry))
        return self._canonical.get(id(above), above) if above is not None else None

    def _named(self, entry: Said, who: str) -> Said | None:
        found = [s for s in self._by_who.get(who, []) if s is not entry]
        owners = {id(self._of[id(s)]) for s in found}
        return found[0] if len(owners) == 1 else None

    # Money

    def _check_money(self, member: Member) -> None:
        """An amount that is neither a unit price nor the sum; what was paid must be the whole sum."""
        if member.questions or member.cancelled:
            return
        totals = self._totals(member)
        for entry in member.said:
            for fen, start, end in entry.statement.sums:
                if not self._explained(fen, totals, member, paid=False):
                    self._ask(member, entry, "amount_mismatch", 0, start, end)
            for fen, start, end in entry.statement.paid_sums:
                if not self._explained(fen, totals, member, paid=True):
                    self._ask(member, entry, "amount_mismatch", 0, start, end)

    def _totals(self, member: Member) -> list[Decimal]:
        parts = [Decimal(self.catalogue.products[p].price_fen) * h.qty for p, h in member.held.items()]
        return [sum(parts, Decimal(0)), *parts]

    def _explained(self, fen: int, totals: list[Decimal], member: Member, *, paid: bool) -> bool:
        slack = 1 if fen % 100 else 100
        lines = len(member.held)
        if abs(totals[0] - fen) < slack * max(1, lines if slack > 1 else 1):
            return True
        if (
            slack > 1
            and totals[0]
            and any(
                sum(
                    round(self.catalogue.products[p].price_fen / 100) * 100 * h.qty
                    for p, h in member.held.items()
                )
                == fen
                for _ in (0,)
            )
        ):
            return True
        if paid:
            return False
        prices = [Decimal(self.catalogue.products[p].price_fen) for p in member.held]
        return any(abs(value - fen) < slack for value in (*totals[1:], *prices))

    # Presenting

    def _worth(self, member: Member) -> bool:
        """Chatter of somebody who never ordered is no order."""
        if all(s.raw.chat for s in member.said):
            return bool(member.held or member.questions or (member.cancelled and len(member.said) > 1))
        return True

    def _present(self, member: Member, number: int) -> tuple[OrderRead, list[Question]]:
        name, seq = (
            self._name_of(member),
            next((s.seq for s in member.said if s.seq is not None), member.first.seq),
        )
        seq = member.first.seq
        contact = self._contact_of(member)
        key = f"{squash(name) or contact.room or number}|{squash(contact.room)}|{contact.phone}"
        nobody = (
            not name
            and not contact.room
            and not contact.phone
            and not contact.phone_tail
            and not contact.address
        )
        questions = [
            Question(seq, name, reason, choices, evidence, key)
            for reason, choices, evidence in member.questions
        ]
        if nobody and not questions:
            whole = self._evidence(member.first, 0, len(member.first.statement.text))
            questions.append(Question(seq, name, "unclear", (), (whole,), key))
        mismatch = any(q.reason == "amount_mismatch" for q in questions)
        lines = tuple(
            LineRead(self.catalogue.products[p].code, h.qty, tuple(h.evidence))
            for p, h in sorted(member.held.items(), key=lambda pair: pair[1].evidence[0].start)
        )
        cancelled = member.cancelled and not lines
        paid = (
            any(s.statement.paid for s in member.said)
            and not mismatch
            and not member.said[-1].statement.unpaid
        )
        order = OrderRead(
            seq, name, contact, lines, self._note_of(member), paid, cancelled, key,
            tuple(self._evidence(s, 0, len(s.statement.text)) for s in member.said),
        )  # fmt: skip
        return order, questions

    def _name_of(self, member: Member) -> str:
        return next((s.name for s in member.said if s.name), "")

    def _contact_of(self, member: Member) -> Contact:
        room = phone = tail = address = ""
        for entry in member.said:
            head = entry.statement.head
            room = room or entry.room
            phone = phone or head.phone
            tail = tail or head.tail
            address = address or self._written(entry, head.address)
        return Contact(room, phone, tail, address)

    def _written(self, entry: Said, span: tuple[int, int]) -> str:
        if span[1] <= span[0]:
            return ""
        return self.source.written(entry.raw.at(span[0]), entry.raw.at(span[1] - 1) + 1)

    def _note_of(self, member: Member) -> str:
        parts: list[str] = []
        for entry in member.said:
            for start, end in sorted(set(entry.statement.notes)):
                words = self._written(entry, (start, min(end, len(entry.statement.text)))).strip(
                    " ,，、;；。()（）:："
                )
                if words and words not in parts:
                    parts.append(words)
        return "；".join(parts)

    _above: dict[int, Said] = {}

    def set_above(self, above: dict[int, Said]) -> None:
        """For each entry the one just before it in its copy."""
        self._above = above


_ABOUT_AMOUNTS = frozenset({"unit_mismatch", "missing_qty", "ambiguous_qty", "repeat"})
"""Questions that fall away when the product itself is withdrawn."""


def _changes(member: Member) -> bool:
    """Whether the only entry of a member was itself edited in place (馒头2改3)."""
    return any(s.op not in (st.PLAIN, st.REFER) for s in member.first.statement.steps)


def _wording(entry: Said) -> tuple[object, ...]:
    statement = entry.statement
    steps = tuple((s.op, s.product, s.qty, s.issue, s.target) for s in statement.steps)
    return (steps, tuple(i[0] for i in statement.issues))


def _conflict(a: Said, b: Said) -> bool:
    """Two entries of one name that cannot be one person: other room or other phone."""
    if a.room_key and b.room_key and a.room_key != b.room_key and not _part_of(a.room_key, b.room_key):
        return True
    phone_a, phone_b = a.statement.head.phone, b.statement.head.phone
    if phone_a and phone_b and phone_a != phone_b:
        return True
    tail_a = a.statement.head.tail or phone_a[-4:]
    tail_b = b.statement.head.tail or phone_b[-4:]
    return bool(tail_a and tail_b and tail_a != tail_b)


def _ends(room: str) -> list[str]:
    """The beginnings and ends of a room: 3, 502 and so on of 3 2 502."""
    parts = room.split()
    cuts = [" ".join(parts[:n]) for n in range(1, len(parts))] + [
        " ".join(parts[n:]) for n in range(1, len(parts))
    ]
    return cuts[:12]


def _part_of(a: str, b: str) -> bool:
    """3 within 3 502: the same place, said less exactly."""
    one, two = a.split(), b.split()
    return (
        one == two[: len(one)] or two == one[: len(two)] or one == two[-len(one) :] or two == one[-len(two) :]
    )


__all__ = ["Block", "Resolver", "Said", "is_kin"]
