"""A commission plan as it stands in the form, and back. Rates are typed in per cent, fees in yuan."""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from django.utils.translation import gettext as _

FIRST: dict[str, Any] = {
    "version": "",
    "tiers": ["host", "captain", "partner"],
    "sale": {"base": "paid", "rates_bp": {"host": 800, "captain": 1000, "partner": 1200}},
    "service": {"rate_bp": 100, "fen_per_line": 20},
    "guards": {"line_cap_bp": 2000, "paid_depth": 2},
}
"""What the form proposes before there is any plan."""


def as_typed(document: Mapping[str, Any]) -> dict[str, str]:
    """The fields of the form: `rate_<tier>`, `service_rate`, `service_fen`, and all other rules as text."""
    service = document.get("service") or {}
    rates = document["sale"].get("rates_bp", {})
    typed = {f"rate_{tier}": _hundredths(rates.get(tier, 0)) for tier in document["tiers"]}
    typed["service_rate"] = _hundredths(service.get("rate_bp", 0))
    typed["service_fen"] = _hundredths(service.get("fen_per_line", 0))
    typed["others"] = json.dumps(_others(document), ensure_ascii=False, indent=2)
    return typed


def read_typed(document: Mapping[str, Any], data: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The document that the fields describe, still without its version, and what could not be read."""
    problems: list[str] = []

    def number(name: str) -> int:
        text = data.get(name, "").strip() or "0"
        whole, _dot, part = text.partition(".")
        digits = whole + part
        if not (digits.isascii() and digits.isdecimal() and whole and len(part) <= 2 and len(digits) < 10):
            problems.append(_("%(text)s is no number that can stand here.") % {"text": text[:30]})
            return 0
        return int(whole) * 100 + int(part.ljust(2, "0"))

    others = _read_others(data.get("others", ""), problems)
    rates = {tier: number(f"rate_{tier}") for tier in document["tiers"]}
    sale = others.pop("sale", {"base": "paid"})
    wanted = {
        **others,
        "version": "",
        "tiers": deepcopy(document["tiers"]),
        "sale": {**sale, "rates_bp": rates} if isinstance(sale, dict) else sale,
        "service": {"rate_bp": number("service_rate"), "fen_per_line": number("service_fen")},
    }
    return wanted, problems


def _others(document: Mapping[str, Any]) -> dict[str, Any]:
    rest = {
        key: value for key, value in document.items() if key not in ("version", "tiers", "sale", "service")
    }
    sale = {key: value for key, value in document["sale"].items() if key != "rates_bp"}
    return {"sale": sale, **rest}


def _read_others(text: str, problems: list[str]) -> dict[str, Any]:
    try:
        others = json.loads(text or "{}")
    except ValueError as mistake:
        problems.append(_("The other rules are no JSON: %(mistake)s") % {"mistake": mistake})
        return {}
    if not isinstance(others, dict):
        problems.append(_("The other rules are no JSON: %(mistake)s") % {"mistake": text[:30]})
        return {}
    return others


def _hundredths(value: int) -> str:
    """1250 -> 12.50: basis points as per cent, fen as yuan."""
    return f"{value // 100}.{value % 100:02d}"
