"""Amounts in words: what a line would pay, and how an amount that was settled came about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kaituan.campaigns.models import Campaign, Offer
from kaituan.commission.facts import Forest, SoldLine, forest_above, goods_words, sold_lines, whole_second
from kaituan.commission.plan import Plan
from kaituan.commission.queries import read_version, read_versions
from kaituan.commission.rules import Earning, LineFacts, Step, explain_line
from kaituan.money.fen import format_yuan, line_amount_fen
from kaituan.ordering.models import Order
from kaituan.people.models import Leader

RULE_NAMES = {
    "sale": gettext_lazy("Sale commission"),
    "service": gettext_lazy("Service fee"),
    "differential": gettext_lazy("Differential"),
    "peer": gettext_lazy("Peer referral"),
    "team_ladder": gettext_lazy("Team ladder"),
    "dividend": gettext_lazy("Dividend"),
    "correction": gettext_lazy("Correction"),
}
"""What each rule is called where people read it."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Until then: everything that was given back so far counts."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One amount with its words. amount_fen: signed; rate_bp of base_fen is what the rule gave before the cap."""

    leader_id: int
    rule: str
    line_id: int | None
    amount_fen: int
    rate_bp: int
    base_fen: int
    plan_version: str
    words: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What an order would pay its seller. `sale_fen` is promised; `service_fen` comes with the hand-over."""

    lines: tuple[Explained, ...]

    @property
    def sale_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines if line.rule == "sale")

    @property
    def service_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines if line.rule == "service")

    @property
    def total_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)


def preview_selling(
    *,
    campaign: Campaign,
    leader: Leader,
    sale_rate_bp: int | None,
    quantities: Mapping[int, int],
    now: datetime,
) -> dict[int, Preview]:
    """Offer id -> what selling so much of it (offer id -> base steps) in this campaign would pay the leader, at today's
    prices and the tier held now, if the leader hands it over too. sale_rate_bp: what the campaign promises to this
    leader; None: by its plan."""
    offers = Offer.objects.select_related("variant__product__category").filter(
        campaign=campaign, pk__in=quantities
    )
    lines = [
        SoldLine(
            line_id=offer.pk,
            order_id=0,
            follow_number=0,
            goods=goods_words(
                title=offer.title,
                unit=offer.sale_unit,
                quantity=quantities[offer.pk],
                steps_per_unit=offer.variant.steps_per_sale_unit,
            ),
            paid_fen=_amount(offer.price_fen, offer, quantities[offer.pk]),
            cost_fen=_amount(offer.cost_fen, offer, quantities[offer.pk]),
            category=offer.variant.product.category.code,
            sale_rate_bp=sale_rate_bp,
            seller_id=leader.pk,
            pickup_leader_id=leader.pk,
            plan_version=campaign.plan_version,
            completed_at=None,
            refunds=(),
        )
        for offer in offers
    ]
    earned = _preview(lines, seller_id=leader.pk, now=now).lines
    return {
        offer_id: Preview(tuple(row for row in earned if row.line_id == offer_id)) for offer_id in quantities
    }


def preview_order(*, order: Order, now: datetime) -> Preview:
    """What an order that stands would pay its seller, as it is now: lines that are taken back pay nothing."""
    lines = sold_lines(order.lines.filter(quantity__gt=0).values_list("pk", flat=True)).values()
    seller_id = order.listing.leader_id
    ordered = sorted(lines, key=lambda line: line.line_id)
    return _preview(
        [replace(line, pickup_leader_id=line.pickup_leader_id or seller_id) for line in ordered],
        seller_id=seller_id,
        now=now,
    )


def _preview(lines: Sequence[SoldLine], *, seller_id: int, now: datetime) -> Preview:
    forest = forest_above([seller_id])
    found = [
        _explained(line, earning, line.facts(until=NEVER))
        for line in lines
        for earning in _earnings(read_version(line.plan_version), line, forest, until=NEVER, at=now)
    ]
    return Preview(tuple(row for row in found if row.leader_id == seller_id))


def explain_lines(
    *,
    line_ids: Iterable[int],
    starts_at: datetime,
    ends_at: datetime,
    categories: Mapping[int, str],
) -> dict[int, list[Explained]]:
    """Line id -> every amount that the period [starts_at, ends_at) pays (or takes back) for the line.

    categories: line id -> the category under which an earlier or this settlement counted it.
    """
    lines = sold_lines(line_ids)
    plans = read_versions(line.plan_version for line in lines.values())
    forest = forest_above(line.seller_id for line in lines.values())
    explained: dict[int, list[Explained]] = {}
    for line_id, line in lines.items():
        plan = plans[line.plan_version]
        category = categories.get(line_id, line.category)
        if line.completed_at is None:
            explained[line_id] = []
        elif line.completed_at >= whole_second(starts_at):
            facts = line.facts(until=ends_at, category=category)
            earnings = _earnings(plan, line, forest, until=ends_at, category=category)
            explained[line_id] = [_explained(line, earning, facts) for earning in earnings]
        else:
            explained[line_id] = _changes(plan, line, forest, starts_at, ends_at, category)
    return explained


def _earnings(
    plan: Plan,
    line: SoldLine,
    forest: Forest,
    *,
    until: datetime,
    at: datetime | None = None,
    category: str | None = None,
) -> list[Earning]:
    """at: when the tiers count if the line is not completed yet."""
    at = line.completed_at or at or until
    return explain_line(
        plan,
        line.facts(until=until, category=category),
        seller=forest.holder(line.seller_id, at),
        ancestors=forest.ancestors(line.seller_id, at),
        pickup_leader_id=str(line.pickup_leader_id) if line.pickup_leader_id else None,
    )


def _changes(
    plan: Plan, line: SoldLine, forest: Forest, starts_at: datetime, ends_at: datetime, category: str
) -> list[Explained]:
    """What refunds of this period take back of what an earlier one paid; service stays."""
    old = {
        (e.leader_id, e.rule): e for e in _earnings(plan, line, forest, until=starts_at, category=category)
    }
    new = {(e.leader_id, e.rule): e for e in _earnings(plan, line, forest, until=ends_at, category=category)}
    refunded_fen = line.refunded_before(ends_at) - line.refunded_before(starts_at)
    found = []
    for key in sorted({*old, *new}):
        before = old[key].amount_fen if key in old else 0
        after = new[key].amount_fen if key in new else 0
        if key[1] == "service" or before == after:
            continue
        source = new.get(key) or old[key]
        words = _(
            "%(goods)s, ¥%(refunded)s given back after it was settled: ¥%(before)s becomes ¥%(after)s"
        ) % {
            "goods": line.goods,
            "refunded": format_yuan(refunded_fen),
            "before": format_yuan(before),
            "after": format_yuan(after),
        }
        found.append(_row(line, source, amount_fen=after - before, words=words))
    return found


def _explained(line: SoldLine, earning: Earning, facts: LineFacts) -> Explained:
    return _row(line, earning, amount_fen=earning.amount_fen, words=_words(line, earning, facts))


def _row(line: SoldLine, earning: Earning, *, amount_fen: int, words: str) -> Explained:
    return Explained(
        leader_id=int(earning.leader_id),
        rule=earning.rule,
        line_id=line.line_id,
        amount_fen=amount_fen,
        rate_bp=earning.rate_bp,
        base_fen=earning.base_fen,
        plan_version=earning.plan_version,
        words=words,
        steps=earning.how,
    )


def _words(line: SoldLine, earning: Earning, facts: LineFacts) -> str:
    values = {
        "goods": line.goods,
        "paid": format_yuan(facts.paid_fen),
        "refunded": format_yuan(facts.paid_fen - facts.net_fen),
        "base": format_yuan(earning.base_fen),
        "rate": percent(earning.rate_bp),
        "amount": format_yuan(earning.amount_fen),
    }
    if earning.rule == "service":
        values["paid"] = format_yuan(facts.service_net_fen)
        values["extra"] = format_yuan(earning.amount_fen - earning.base_fen * earning.rate_bp // 10_000)
        if line.completed_at is None:
            words = _(
                "%(goods)s, once you hand it over: ¥%(amount)s more (%(rate)s of it and ¥%(extra)s for the line)"
            )
        else:
            words = _(
                "%(goods)s handed over, worth ¥%(paid)s: %(rate)s and ¥%(extra)s for the line, ¥%(amount)s"
            )
        return words % values
    if earning.rule == "differential":
        words = _("%(goods)s, sold in your team: %(rate)s between the tiers, of ¥%(base)s, is ¥%(amount)s")
    elif earning.rule == "peer":
        words = _(
            "%(goods)s, sold by somebody you referred: %(rate)s of a commission of ¥%(base)s is ¥%(amount)s"
        )
    elif earning.base_fen != facts.net_fen:
        words = _("%(goods)s, ¥%(base)s of what was paid is margin: %(rate)s of it is ¥%(amount)s")
    elif facts.net_fen != facts.paid_fen:
        words = _("%(goods)s, paid ¥%(paid)s, ¥%(refunded)s given back: %(rate)s of the rest is ¥%(amount)s")
    else:
        words = _("%(goods)s, paid ¥%(paid)s: %(rate)s of it is ¥%(amount)s")
    said = words % values
    if earning.amount_fen != earning.uncapped_fen:
        said += _(" (cut from ¥%(uncapped)s by the limit per line)") % {
            "uncapped": format_yuan(earning.uncapped_fen)
        }
    return said


def percent(rate_bp: int) -> str:
    """1050 -> `10.5%`: basis points as people read them."""
    whole, part = divmod(rate_bp, 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + "%"


def _amount(price_fen: int, offer: Offer, quantity: int) -> int:
    return line_amount_fen(price_fen=price_fen, price_quantity=offer.price_quantity, quantity=quantity)
