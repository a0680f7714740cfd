"""What the lawful guard found, in the reader's language: amounts in yuan, rates in per cent, the source behind."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kaituan.commission.explanations import RULE_NAMES, percent
from kaituan.commission.guard import HOUSE_RULE, SPLIT_PAYMENT_SOURCE, Finding
from kaituan.commission.plan import ANTI_PYRAMID_LAW
from kaituan.money.fen import format_yuan

SENTENCES: Mapping[str, str | Promise] = {
    "others_sales": gettext_lazy(
        "“%(rule)s” pays on other people's sales. It stays off until its switch is turned on with a reason and a name"
    ),
    "paid_depth": gettext_lazy(
        "Pay may reach at most %(most)s referral steps above the seller; here it reaches %(depth)s"
    ),
    "unlisted_tier": gettext_lazy(
        "%(where)s names the tier %(tier)s, which the plan does not list: it never applies"
    ),
    "falling_brackets": gettext_lazy(
        "The team ladder pays less in a higher bracket, so that the same turnover may be paid at more than one level"
    ),
    "line_cap": gettext_lazy(
        "A line of ¥%(paid)s may promise ¥%(sale)s (%(sale_rate)s), past its limit of ¥%(cap)s"
    ),
    "margin": gettext_lazy("A line of ¥%(paid)s may cost ¥%(total)s, past its margin of ¥%(margin)s"),
    "split_ceiling": gettext_lazy(
        "Of ¥%(paid)s up to ¥%(total)s may be shared out: split payment carries ¥%(ceiling)s, pay the rest another way"
    ),
}
SOURCES: Mapping[str, str | Promise] = {
    ANTI_PYRAMID_LAW: gettext_lazy(
        "《禁止传销条例》第七条, Regulation on the Prohibition of Pyramid Selling, article 7"
    ),
    HOUSE_RULE: gettext_lazy("a limit of this software: no promise may cost more than the goods bring in"),
    SPLIT_PAYMENT_SOURCE: gettext_lazy("payment channels let at most 30% of an order be split"),
}


def finding_words(finding: Finding) -> str:
    """One finding with its source in brackets; in the guard's own words where none are kept here."""
    sentence = SENTENCES.get(finding.code.partition(".")[0])
    said = str(sentence) % _values(finding) if sentence else finding.sentence % finding.values
    if "goods" in finding.values:
        said = _("%(goods)s: %(finding)s") % {"goods": finding.values["goods"], "finding": said}
    return _("%(finding)s (%(source)s)") % {
        "finding": said,
        "source": SOURCES.get(finding.source, finding.source),
    }


def _values(finding: Finding) -> dict[str, object]:
    given = dict(finding.values)
    for name in ("paid_fen", "sale_fen", "total_fen", "cap_fen", "margin_fen", "ceiling_fen"):
        if given.get(name) is not None:
            given[name.removesuffix("_fen")] = format_yuan(given[name])
    if "sale_bp" in given:
        given["sale_rate"] = percent(given["sale_bp"])
    if "rule" in given:
        given["rule"] = RULE_NAMES[given["rule"]]
    if finding.code == "paid_depth" and given["depth"] is None:
        given["depth"] = _("up without end")
    return given
