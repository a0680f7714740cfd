"""Reading plans and switches, and judging a plan or a promised rate by the goods that are really sold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from django.db import connection

from kaituan.campaigns.models import Campaign
from kaituan.commission import guard
from kaituan.commission.models import PaySwitch, PlanVersion
from kaituan.commission.plan import Change, Plan, Sale, diff, read_plan


def plan_in_force(*, at: datetime) -> PlanVersion | None:
    """The published version with the latest effective_from <= at; None before the first."""
    return PlanVersion.objects.filter(effective_from__lte=at).order_by("-effective_from").first()


def read_version(version: str) -> Plan:
    """A published plan by its version. Raises PlanVersion.DoesNotExist."""
    row = PlanVersion.objects.get(version=version)
    return _parsed(row.pk, row.version)


def read_versions(versions: Iterable[str]) -> dict[str, Plan]:
    """Published plans by version, in one query; versions that were never published are left out."""
    rows = PlanVersion.objects.filter(version__in=set(versions)).only("pk", "version")
    return {row.version: _parsed(row.pk, row.version) for row in rows}


def plans_from(*, at: datetime) -> list[Plan]:
    """The plan in force at a time and those that are to come."""
    versions = [row.version for row in PlanVersion.objects.filter(effective_from__gt=at)]
    current = plan_in_force(at=at)
    if current is not None:
        versions.append(current.version)
    return [read_version(version) for version in versions]


@lru_cache(maxsize=256)
def _parsed(pk: int, version: str) -> Plan:
    # A published version is never edited, so that parsing it once is enough. The key names both its id and
    # its version: a database that is wiped and filled again (tests, a fresh demo) counts from 1 once more.
    document = PlanVersion.objects.values_list("document", flat=True).get(pk=pk, version=version)
    return read_plan(document)


def changes_between(*, old: str, new: str) -> list[Change]:
    """What changed from one published version to another, in the order of the document."""
    plans = read_versions([old, new])
    return diff(plans[old], plans[new])


def switches_on(*, at: datetime) -> list[guard.Switch]:
    """The switches that are on at a time, each with the decision that turned it on."""
    latest = (
        PaySwitch.objects.filter(switched_at__lte=at)
        .select_related("switched_by")
        .order_by("rule", "-switched_at", "-pk")
        .distinct("rule")
    )
    return [
        guard.Switch(
            rule=row.rule,  # type: ignore[arg-type]
            reason=row.reason,
            name=row.switched_by.name or row.switched_by.public_id,
            date=row.switched_at.date(),
        )
        for row in latest
        if row.is_on
    ]


def switch_history() -> list[PaySwitch]:
    """Every decision about pay on other people's sales, latest first: the audit log."""
    return list(PaySwitch.objects.select_related("switched_by").order_by("-switched_at", "-pk"))


@dataclass(frozen=True, slots=True)
class Goods:
    """One unit as it is sold: what it is, its category, price and purchase cost in fen."""

    variant_id: int
    name: str
    category: str
    price_fen: int
    cost_fen: int

    @property
    def margin_fen(self) -> int:
        """What one unit brings in; goods sold at a loss bring in nothing."""
        return max(0, self.price_fen - self.cost_fen)


def judge_plan(*, plan: Plan, at: datetime) -> guard.GuardReport:
    """Everything the guard finds in a plan, with each category's rates held against that category's goods.

    The worst case of the report is that of the goods whose margin is passed the furthest.
    """
    switches = switches_on(at=at)
    goods = selection_pool_goods(at=at)
    cheapest = min((item.price_fen for item in goods), default=10_000)
    report = guard.check_plan(plan, switches=switches, paid_fen=cheapest)
    passed = [(worst, item) for item in goods if (worst := worst_of(plan, item)).passes_margin]
    if not passed:
        return report
    worst, item = max(passed, key=lambda pair: pair[0].total_fen - pair[0].margin_fen)
    return guard.GuardReport((margin_finding(worst, item), *report.findings), worst, item.name)


def worst_of(plan: Plan, item: Goods, *, sale_rate_bp: int | None = None) -> guard.WorstCase:
    """The dearest line of one of the goods, under the plan's rates of its category or a promised sale_rate_bp."""
    return guard.worst_case(
        rates_of(plan, item.category),
        paid_fen=item.price_fen,
        margin_fen=item.margin_fen,
        sale_rate_bp=sale_rate_bp,
    )


def margin_finding(worst: guard.WorstCase, item: Goods) -> guard.Finding:
    """What the guard says of a worst case that passes the margin, with the goods named."""
    [finding] = [each for each in guard.limit_findings(worst) if each.code == "margin"]
    return replace(finding, values={**finding.values, "goods": item.name})


def rates_of(plan: Plan, category: str) -> Plan:
    """The plan as it is for one category: thin goods are not judged by the rates of rich ones."""
    rates = plan.sale.category_rates_bp.get(category, plan.sale.rates_bp)
    return plan.model_copy(update={"sale": Sale(base=plan.sale.base, rates_bp=rates)})


def selection_pool_goods(*, at: datetime) -> list[Goods]:
    """One sale unit of every variant that leaders may offer, at the prices in force; free ones left out."""
    return _goods(
        """
        SELECT DISTINCT ON (v.id) v.id, p.name || CASE WHEN v.name <> '' THEN ' ' || v.name ELSE '' END, c.code,
            price.sale_price_fen,
            ceil(price.purchase_price_fen::numeric * v.steps_per_sale_unit / v.steps_per_purchase_unit)::bigint
        FROM catalogue_variant v
        JOIN catalogue_product p ON p.id = v.product_id AND p.archived_at IS NULL AND p.in_selection_pool
        JOIN catalogue_category c ON c.id = p.category_id
        JOIN catalogue_variantprice price ON price.variant_id = v.id AND price.effective_from <= %s
        WHERE v.archived_at IS NULL AND price.sale_price_fen > 0
        ORDER BY v.id, price.effective_from DESC
        """,
        [at],
    )


def offer_goods(*, campaign: Campaign, prices_fen: Mapping[int, int] | None = None) -> list[Goods]:
    """One priced unit of every offer of a campaign that is still sold; free ones left out. prices_fen: offer id -> the
    price to show it at; then those offers alone, stopped or not, for their lines stand."""
    goods = _goods(
        """
        SELECT o.variant_id, o.title, c.code, coalesce(n.price_fen, o.price_fen), o.cost_fen FROM campaigns_offer o
        JOIN catalogue_variant v ON v.id = o.variant_id JOIN catalogue_product p ON p.id = v.product_id
        JOIN catalogue_category c ON c.id = p.category_id
        LEFT JOIN unnest(%s::bigint[], %s::bigint[]) AS n (offer_id, price_fen) ON n.offer_id = o.id
        WHERE o.campaign_id = %s AND (n.offer_id IS NOT NULL OR (%s AND o.stopped_at IS NULL)) ORDER BY o.id
        """,
        [list(prices_fen or ()), list((prices_fen or {}).values()), campaign.pk, prices_fen is None],
    )
    return [item for item in goods if item.price_fen > 0]


def _goods(sql: str, arguments: Sequence[datetime | int | list[int]]) -> list[Goods]:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return [Goods(*row) for row in cursor.fetchall()]
