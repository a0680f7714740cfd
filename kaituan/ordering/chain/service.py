"""One line of JSON in, one answer out: the shape in which the command speaks to other programs."""

import json
from typing import Any

from .model import Evidence, Product, Reading
from .reader import read_chain


def answer_line(line: str, *, evidence: bool = False) -> dict[str, Any]:
    """The reading of one {"products", "text"} line; {"error": why} when the line is not one."""
    try:
        row = json.loads(line)
        if (
            not isinstance(row, dict)
            or not isinstance(row.get("text"), str)
            or not isinstance(row.get("products"), list)
        ):
            return {"error": "expected an object with a list of products and a text"}
        products = [Product.from_contract(p) for p in row["products"]]
    except (ValueError, RecursionError) as wrong:
        return {"error": f"not JSON: {wrong}"}
    except (KeyError, TypeError, AttributeError) as wrong:
        return {"error": f"not a product: {wrong!r}"}
    reading = read_chain(row["text"], products)
    answer = reading.as_contract()
    return {**answer, "evidence": with_evidence(reading)} if evidence else answer


def with_evidence(reading: Reading) -> list[dict[str, Any]]:
    """Per order the characters behind every line, per question its choices and the characters it is about."""

    def spans(found: tuple[Evidence, ...]) -> list[dict[str, Any]]:
        return [{"start": e.start, "end": e.end, "text": e.text} for e in found]

    return [
        {
            "key": order.key,
            "lines": [{"code": line.code, "from": spans(line.evidence)} for line in order.lines],
            "questions": [
                {"reason": q.reason, "choices": list(q.choices), "from": spans(q.evidence)}
                for q in reading.questions
                if q.key == order.key
            ],
        }
        for order in reading.orders
    ]
