"""Entries of all copies and messages to one order per member, and what has to be asked.

Copies first (the later wins, an old wording that comes back or an entry that vanished is asked about), then the
steps of each member in the order in which they were said, then references, then money."""

import re
from decimal import Decimal

from . import statement as st
from .catalogue import Catalogue
from .members import Holding, Member, Said, changes, ends
from .merge import merge_copies
from .model import Evidence, Quantity, Reading
from .normalise import Source, squash
from .present import present, worth
from .quantities import in_unit
from .statement import Step


class Resolver:
    """Carries out all statements. `blocks` hold the entries in the order of the paste."""

    def __init__(self, source: Source, catalogue: Catalogue) -> None:
        self.source, self.catalogue = source, catalogue
        self.members: list[Member] = []
        self._filed: dict[tuple[str, str], list[Member]] = {}
        self._by_seq: dict[tuple[int, int], list[Said]] = {}
        self._by_who: dict[str, list[Said]] = {}
        self._depth = 0
        self._of: dict[int, Member] = {}
        self._canonical: dict[int, Said] = {}

    def run(self, said: list[Said]) -> Reading:
        chain = merge_copies(said, self._canonical)
        for entry in chain:
            self._join(entry)
        for entry in chain:
            for copy in (entry, *entry.copies):
                if copy.seq is not None and not copy.raw.chat:
                    for key in {(copy.block, copy.seq), (-1, copy.seq)}:
                        self._by_seq.setdefault(key, []).append(entry)
            for who in {entry.name_key, entry.room_key} - {""}:
                self._by_who.setdefault(who, []).append(entry)
        for member in self.members:
            self._settle(member)
        orders, questions = [], []
        for number, member in enumerate(self.members):
            if not worth(self, member):
                continue
            order, asked = present(self, member, number)
            orders.append(order)
            questions += asked
        return Reading(tuple(orders), tuple(questions))

    # Copies

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
            for part in (entry.room_key, *ends(entry.room_key)):
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
            for part in (entry.room_key, *ends(entry.room_key), "-"):
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
        for member in members[:-9:-1]:
            if not member.conflicts(entry):
                return member
        return None

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
        member.questions.append((reason, codes, (self.evidence(entry, start, end),)))

    def evidence(self, entry: Said, start: int, end: int) -> Evidence:
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
        elif not later and not member.held and not member.questions and _taken_back(statement.steps):
            member.cancelled = True
        elif not later and statement.steps and all(s.op == st.DROP for s in statement.steps) and not before:
            self._ask(member, entry, "no_order", self.catalogue.everything, 0, len(statement.text))

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
        found = self.evidence(entry, start, end)
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
        if old is None and entry is member.first and step.amount is not None and step.amount.sign == "-":
            # 苹果-2: nothing can be taken away yet, the dash only stands between the two.
            self._hold(member, step.product, step.qty or 1, entry, step.start, step.end)
            return
        withdrawn = _WITHDRAWN.search(entry.statement.text)
        if old is None and not member.held and entry is member.first and withdrawn:
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
        assert step.product is not None
        assert step.to is not None
        old = member.held.pop(step.product, None)
        if old is None and step.qty is None and step.taken is None:
            self._ask(member, entry, "unclear", 1 << step.product, step.start, step.end)
            return
        if old is not None and step.taken is not None and step.taken < old.qty:
            # 盐焗鸡一只换成白切鸡, of two: the other one stays.
            self._hold(member, step.product, old.qty - step.taken, entry, step.start, step.end)
            old = None
        qty = step.qty if step.qty is not None else old.qty if old else step.taken or 1
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
            or changes(owner)
        ):
            self._ask(member, entry, "bad_reference", 0, step.start, step.end)
            return
        for product, held in owner.held.items():
            self._hold(member, product, held.qty, entry, step.start, step.end)

    def _target(self, entry: Said, step: Step) -> Said | None:
        if isinstance(step.target, int):
            block = (entry.copies[-1] if entry.copies else entry).block
            found = self._by_seq.get((block, step.target)) or self._by_seq.get((-1, step.target), [])
            return found[0] if len({id(f) for f in found}) == 1 else None
        if isinstance(step.target, str):
            return self._named(entry, squash(step.target))
        if entry.raw.quoted:
            return self._named(entry, squash(entry.raw.quoted))
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
                if not entry.statement.unpaid and not self._explained(fen, totals, member, paid=True):
                    self._ask(member, entry, "amount_mismatch", 0, start, end)

    def _totals(self, member: Member) -> list[Decimal]:
        parts = [Decimal(self.catalogue.products[p].price_fen) * h.qty for p, h in member.held.items()]
        return [sum(parts, Decimal(0)), *parts]

    def _explained(self, fen: int, totals: list[Decimal], member: Member, *, paid: bool) -> bool:
        slack = 1 if fen % 100 else 100
        if abs(totals[0] - fen) < slack:
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

    _above: dict[int, Said] = {}

    def set_above(self, above: dict[int, Said]) -> None:
        """For each entry the one just before it in its copy."""
        self._above = above


def _taken_back(steps: list[Step]) -> bool:
    """脐橙1, 脐橙不要了 in one entry: what was ordered is all withdrawn."""
    return any(s.op == st.PLAIN and s.product is not None for s in steps) and steps[-1].op == st.DROP


_WITHDRAWN = re.compile(r"取消|退|撤|不要|不用|删|作废|唔要|唔使|唔订|唔买|唔嚟|cancel|❌")
_ABOUT_AMOUNTS = frozenset({"unit_mismatch", "missing_qty", "ambiguous_qty", "repeat"})
"""Questions that fall away when the product itself is withdrawn."""
