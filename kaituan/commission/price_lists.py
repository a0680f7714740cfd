"""Taking over a supplier's price list: dearer goods must still bear what the plans in force and to come promise."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.catalogue.models import PriceListImport
from kaituan.catalogue.price_list import Applied, apply_price_list
from kaituan.catalogue.refusals import CatalogueRefused
from kaituan.commission import guard
from kaituan.commission.finding_words import finding_words
from kaituan.commission.queries import margin_finding, plans_from, selection_pool_goods, worst_of
from kaituan.people.models import Person

MOST_NAMED = 5
"""Goods that one refusal names."""


class PriceUnbearable(CatalogueRefused):
    """At these prices a plan would pay more for some goods than they bring in. findings: one for each of them."""

    def __init__(self, findings: list[guard.Finding]) -> None:
        self.findings = findings
        named = "; ".join(finding_words(finding) for finding in findings[:MOST_NAMED])
        super().__init__(
            _("%(findings)s. Raise the retail price, or take the goods out of the selection pool.")
            % {"findings": named}
        )


@transaction.atomic
def take_over_price_list(*, price_list: PriceListImport, acting_person: Person, now: datetime) -> Applied:
    """Apply the list exactly as it was shown, unless a plan's margin is passed by it: by goods that bore their
    commission before, or by more than before. Raises PriceUnbearable and what `apply_price_list` raises; nothing is
    taken over then."""
    before = _passed_by(now)
    applied = apply_price_list(price_list=price_list, acting_person=acting_person, now=now)
    worse = [
        finding
        for variant_id, (excess_fen, finding) in _passed_by(now).items()
        if variant_id not in before or excess_fen > before[variant_id][0]
    ]
    if worse:
        raise PriceUnbearable(worse)
    return applied


def _passed_by(now: datetime) -> dict[int, tuple[int, guard.Finding]]:
    """Variant id -> by how much a plan passes the margin of one of it, the furthest, with what the guard says."""
    passed: dict[int, tuple[int, guard.Finding]] = {}
    goods = selection_pool_goods(at=now)
    for plan in plans_from(at=now):
        for item in goods:
            worst = worst_of(plan, item)
            excess_fen = worst.total_fen - worst.margin_fen
            if worst.passes_margin and excess_fen > passed.get(item.variant_id, (0,))[0]:
                passed[item.variant_id] = (excess_fen, margin_finding(worst, item))
    return passed
