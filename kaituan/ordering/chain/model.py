"""What the chain reader takes and gives: plain frozen values, no database, no Django."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Quantity = int | Decimal
"""Whole pieces or packs; a Decimal only for goods sold loose by weight, in the product's own unit."""


@dataclass(frozen=True, slots=True)
class Product:
    """One line of the campaign's product list.

    unit: what a quantity of 1 means: a counter (份 盒), a weight (斤, sold loose) or a weight pack (5斤).
    """

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    unit: str = "份"
    price_fen: int = 0

    @classmethod
    def from_contract(cls, row: Mapping[str, Any]) -> "Product":
        """Raises KeyError, TypeError or ValueError when the row is not a product of the contract."""
        return cls(
            code=str(row["code"]),
            name=str(row["name"]),
            aliases=tuple(str(a) for a in row.get("aliases") or ()),
            unit=str(row.get("unit") or "份"),
            price_fen=int(row.get("price_fen") or 0),
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where something was read: the characters text[start:end] of the paste as it came."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Contact:
    """room as written; phone 11 digits; phone_tail 4 digits; address a postal address. Empty when absent."""

    room: str = ""
    phone: str = ""
    phone_tail: str = ""
    address: str = ""

    def as_contract(self) -> dict[str, str]:
        pairs = (("room", self.room), ("phone", self.phone), ("phone_tail", self.phone_tail))
        return {key: value for key, value in (*pairs, ("address", self.address)) if value}


@dataclass(frozen=True, slots=True)
class LineRead:
    """One product of one order, with every place in the text that added to it."""

    code: str
    qty: Quantity
    evidence: tuple[Evidence, ...]

    def as_contract(self) -> dict[str, Any]:
        qty = Decimal(self.qty)
        whole = qty == qty.to_integral_value()
        return {"code": self.code, "qty": int(qty) if whole else format(qty.normalize(), "f")}


@dataclass(frozen=True, slots=True)
class OrderRead:
    """One member's order. key: who it is, stable when the chain grows and is pasted again."""

    seq: int | None
    name: str
    contact: Contact
    lines: tuple[LineRead, ...]
    note: str
    paid: bool
    cancelled: bool
    key: str
    evidence: tuple[Evidence, ...] = ()

    def as_contract(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "name": self.name,
            "contact": self.contact.as_contract(),
            "lines": [line.as_contract() for line in self.lines],
            "note": self.note,
            "paid": self.paid,
            "cancelled": self.cancelled,
        }


REASONS = {
    "ambiguous_product": "Several products fit what is written.",
    "unknown_product": "What is written is not in the product list.",
    "missing_qty": "The product is named but not how much of it.",
    "ambiguous_qty": "The quantity can be read in two ways.",
    "unit_mismatch": "The product is not sold in this unit or amount.",
    "repeat": "The same product was asked for twice without saying that it is more.",
    "dropped": "The entry is missing from a later copy of the chain.",
    "bad_reference": "It points to an entry that is itself open, changed or gone.",
    "no_order": "Nothing is ordered.",
    "amount_mismatch": "The amount of money is neither a unit price nor the sum.",
    "unclear": "A person would ask what is meant.",
}
"""Every reason a question can have."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something to ask a member. choices: product codes (or quantities) that would answer it, best first."""

    seq: int | None
    name: str
    reason: str
    choices: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    key: str = ""

    def as_contract(self) -> dict[str, Any]:
        return {"seq": self.seq, "name": self.name, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a paste says: orders in the order of their first entries, and the questions about them."""

    orders: tuple[OrderRead, ...] = ()
    questions: tuple[Question, ...] = field(default=())

    def as_contract(self) -> dict[str, Any]:
        """The JSON of the contract: at most one question per order, the first one."""
        asked: set[str] = set()
        review = []
        for question in self.questions:
            if question.key not in asked:
                asked.add(question.key)
                review.append(question.as_contract())
        return {"orders": [order.as_contract() for order in self.orders], "needs_review": review}
