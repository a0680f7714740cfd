"""Reading and judging case files: a case is a product list, a text and the expected result of the contract."""

import json
import re
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Any

from kaituan.ordering.chain import Product, read_chain
from kaituan.ordering.chain.normalise import plain
from kaituan.ordering.chain.reader import room_key

HERE = Path(__file__).parent


def load(name: str) -> list[dict[str, Any]]:
    """All cases of a file beside this one."""
    with (HERE / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def read(case: dict[str, Any]) -> dict[str, Any]:
    """The contract's JSON for a case."""
    return read_chain(case["text"], [Product.from_contract(p) for p in case["products"]]).as_contract()


def letters(text: str) -> str:
    """Letters and digits alone, as the contract compares names and notes."""
    plain = unicodedata.normalize("NFKC", text or "")
    return "".join(c for c in plain.casefold() if unicodedata.category(c)[0] in "LN") or re.sub(
        r"\s", "", plain
    )


def room_parts(room: str) -> list[str]:
    return letters(room_key(plain(room)).replace(" ", "零")).split("零")


def summary(
    order: dict[str, Any], questions: list[dict[str, Any]], expected: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What is compared of an order; expected says which contacts and notes matter."""
    expected = expected or order
    names = [letters(n) for n in [expected["name"], *expected.get("name_also", [])]]
    name = letters(order["name"])
    contact = {}
    for key, value in expected["contact"].items():
        said = order["contact"].get(key, "")
        if key == "room":
            contact[key] = room_parts(said) == room_parts(value)
        elif key == "address":
            contact[key] = letters(value) in letters(said)
        else:
            contact[key] = said == value
    free = letters(" ".join([order["note"], *order["contact"].values()]))
    asked = [
        q for q in questions if q["seq"] == order["seq"] and (q.get("name") or order["name"]) == order["name"]
    ]
    return {
        "seq": order["seq"],
        "name": names[0] if name in names else name,
        "contact": contact,
        "lines": {line["code"]: Decimal(str(line["qty"])) for line in order["lines"]},
        "note": [part for part in expected.get("note", "").split("；") if part and letters(part) in free],
        "paid": order["paid"],
        "cancelled": order["cancelled"],
        "asked": bool(asked),
    }


def compare(case: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Expected and read orders of a case in a form that is equal exactly when the case is right."""
    got = read(case)
    left = list(got["orders"])
    want_rows, got_rows = [], []
    for want in case["expected"]["orders"]:
        match = next((o for o in left if o["seq"] == want["seq"] and letters(o["name"]) in
                      [letters(n) for n in [want["name"], *want.get("name_also", [])]]), None)  # fmt: skip
        match = match or next((o for o in left if o["seq"] == want["seq"]), None)
        want_rows.append(summary(want, case["expected"]["needs_review"]))
        if match is not None:
            left.remove(match)
            got_rows.append(summary(match, got["needs_review"], want))
    got_rows += [summary(o, got["needs_review"]) for o in left]
    return want_rows, got_rows
