"""What one entry says, before it is set against what the same member said elsewhere: steps in their order.

A step names an operation, a product (or none: 改成3份) and an amount; `resolve` carries the steps out."""

from dataclasses import dataclass, field

from .head import Head
from .model import Quantity
from .quantities import Amount

PLAIN, ADD, SUBTRACT, SET, DROP, SWAP, REPLACE, CANCEL, REFER = (
    "plain", "add", "subtract", "set", "drop", "swap", "replace", "cancel", "refer",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """op: one of the names above. product: index in the list, None when not named.

    issue: why this step cannot be booked; choices: product bits that might be meant.
    to: the product that a SWAP brings in; taken: how much of the old one it takes, None for all.
    start, end: where it stands in the entry.
    """

    op: str
    product: int | None = None
    amount: Amount | None = None
    qty: Quantity | None = None
    issue: str = ""
    choices: int = 0
    start: int = 0
    end: int = 0
    to: int | None = None
    target: str | int | None = None
    taken: Quantity | None = None


@dataclass(slots=True)
class Statement:
    """text: plain form of the entry. Spans are (start, end) in it.

    sums: amounts of money said to be the sum or unit price; paid_sums: said to be paid.
    """

    text: str
    head: Head
    steps: list[Step] = field(default_factory=list)
    notes: list[tuple[int, int]] = field(default_factory=list)
    issues: list[tuple[str, int, int, int]] = field(default_factory=list)
    paid: bool = False
    unpaid: bool = False
    sums: list[tuple[int, int, int]] = field(default_factory=list)
    paid_sums: list[tuple[int, int, int]] = field(default_factory=list)
    question: bool = False

    @property
    def orders(self) -> bool:
        """Whether anything is ordered, changed or withdrawn."""
        return bool(self.steps)

    @property
    def name(self) -> str:
        return self.text[self.head.name[0] : self.head.name[1]]
