"""What one tap can answer: the readings that an open place may have, each spelled out as what would be booked.

Nothing is decided here. A reading is found by asking what the same words would mean if only one product were
sold, so every rule of the reader (packs, 半斤, 俩) holds for answers too."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .model import LineRead, OrderRead, Product, Question
from .normalise import plain
from .quantities import UNIT
from .reader import read_chain

MOST_CHOICES = 6
_ENTRY = "1. 甲: "
_AMOUNT = re.compile(rf"(?:\d+(?:\.\d+)?|[一二两三四五六七八九十半俩仨]+)(?:{UNIT})?")
_SEPARATOR = re.compile(r"[,，;；、。\s]")


@dataclass(frozen=True, slots=True)
class Answer:
    """One button. lines: code -> quantity of everything that the entry would then book.

    code, quantity: what this answer says about the open place; empty when it speaks of all that would be booked.
    """

    lines: Mapping[str, str]
    code: str = ""
    quantity: str = ""


def answers_to(
    question: Question, entry: OrderRead, products: Sequence[Product], text: str
) -> tuple[Answer, ...]:
    """The answers to the only question of an entry, best first. text: the paste that both were read from.

    Empty where nothing can be offered but asking the member. Every code is one of the products'.
    """
    certain = {line.code: _words(line) for line in entry.lines}
    if question.reason == "dropped":
        written = _written(" ".join(evidence.text for evidence in entry.evidence), products)
        found = [Answer(written)] if written else []
    else:
        by_code = {product.code: product for product in products}
        chosen = [by_code[code] for code in question.choices[:MOST_CHOICES] if code in by_code]
        words = _around(question, text)
        found = [
            Answer({**certain, product.code: quantity}, product.code, quantity)
            for product in chosen
            for quantity in _quantities(question, entry, product, words)
        ]
    if certain:
        found.append(Answer(certain))
    return tuple(found)


def _quantities(question: Question, entry: OrderRead, product: Product, words: str) -> list[str]:
    """How much of one product the open place may mean, the likeliest first."""
    if question.reason == "repeat":
        said = [
            q for evidence in entry.evidence if (q := _written(evidence.text, [product]).get(product.code))
        ]
        whole = format(sum(map(Decimal, said)), "f") if len(said) > 1 else ""
        return list(dict.fromkeys(filter(None, [whole, *reversed(said)])))
    meant = _written(_ENTRY + words, [product]).get(product.code)
    if meant is not None:
        return [meant]
    if question.reason in ("missing_qty", "unit_mismatch"):
        return ["1", "2"]
    # 可能要草莓2斤, 2或3盒: each amount as if the product had been named with it.
    spelled = (
        _written(f"{_ENTRY}{product.name} {amount}", [product]) for amount in _AMOUNT.findall(plain(words))
    )
    return list(dict.fromkeys(q for one in spelled if (q := one.get(product.code))))[:3]


def _written(entry: str, products: Sequence[Product]) -> dict[str, str]:
    """What an entry says if these are all the products there are; nothing if that, too, has to be asked."""
    reading = read_chain(entry, products)
    if reading.questions or len(reading.orders) != 1:
        return {}
    return {line.code: _words(line) for line in reading.orders[0].lines}


def _around(question: Question, text: str) -> str:
    """The words that are asked about, with the amount right behind them: 酸奶 of 酸奶2盒 is 酸奶2盒."""
    if not question.evidence:
        return ""
    place = question.evidence[0]
    if _AMOUNT.search(plain(place.text)):
        return place.text
    return place.text + _SEPARATOR.split(text[place.end : place.end + 8], maxsplit=1)[0]


def _words(line: LineRead) -> str:
    return str(line.as_contract()["qty"])
