"""Publishing rules of withholding: from a date on, in the numbers of their source, never changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.settlement.models import TaxRule
from kaituan.settlement.tax import TaxTermsRefused, read_terms
from kaituan.settlement.withholding import rule_in_force


class TaxRuleRefused(Exception):
    """A rule that cannot be published; the message says why."""


@transaction.atomic
def publish_tax_rule(
    *,
    version: str,
    effective_from: datetime,
    method: str,
    terms: Mapping[str, Any],
    source: str,
    now: datetime,
) -> TaxRule:
    """Publish a rule that takes effect at `effective_from` (>= now). The same rule again is the first one.

    Raises TaxRuleRefused: for terms that no tax can be computed by, without a source, for a version or a date that
    another rule has, and for a date in the past, which would change what was withheld.
    """
    # The published rules are there before any other: an emptied database gets them back here.
    rule_in_force(at=now)
    try:
        read_terms(method, terms)
    except TaxTermsRefused as refusal:
        raise TaxRuleRefused(_("No tax can be computed by it: %(problem)s") % {"problem": refusal}) from None
    given = {
        "effective_from": effective_from,
        "method": method,
        "terms": dict(terms),
        "source": source.strip(),
    }
    known = TaxRule.objects.filter(version=version.strip()).first()
    if known is not None:
        if all(getattr(known, name) == value for name, value in given.items()):
            return known
        raise TaxRuleRefused(_("Another rule has this name already."))
    if not version.strip() or not source.strip():
        raise TaxRuleRefused(_("Name the rule and the law or notice that it stands on."))
    if effective_from < now:
        raise TaxRuleRefused(_("A rule takes effect now or later: what was withheld stays."))
    if TaxRule.objects.filter(effective_from=effective_from).exists():
        raise TaxRuleRefused(_("Another rule takes effect at that very time."))
    return TaxRule.objects.create(version=version.strip(), **given)
