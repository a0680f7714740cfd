"""Today's figures, and what waits for somebody."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from kaituan.console.doors import may_cash, may_operate, office
from kaituan.console.words import told
from kaituan.reporting.queries import OperatorHome, Waiting, operator_home
from kaituan.settlement.models import Dispute, SettlementRun
from kaituan.settlement.queries import returns_after_period
from kaituan.web import clock
from kaituan.web.formats import money_text


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of thing that waits, and the page where it is done. tone: of its row."""

    what: str
    href: str
    count: int
    fen: int
    tone: str


@require_GET
@office
def home(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    figures = operator_home(now=now)
    last = len(figures.days) - 1
    context = {
        "now": now,
        "place": "home",
        "figures": figures,
        "may_operate": may_operate(request),
        "waiting": _tasks(figures, operates=may_operate(request), cashes=may_cash(request)),
        "order_counts": [day.order_count for day in figures.days],
        "turnovers": [day.turnover_fen for day in figures.days],
        "turnover_days": [
            (str(day.on.day), day.turnover_fen, money_text(day.turnover_fen), place == last)
            for place, day in enumerate(figures.days)
        ],
        "channels": [
            (told("channel", row.channel), row.fen, money_text(row.fen), False) for row in figures.money_in
        ],
    }
    return render(request, "console/home.html", context)


def _tasks(figures: OperatorHome, *, operates: bool, cashes: bool) -> list[Task]:
    """What waits and may be done by the visitor; nothing is shown that cannot be opened."""
    buying = reverse("console:purchasing")
    kinds: list[tuple[bool, str, str, Waiting, str]] = [
        (operates, _("Purchase orders to send"), f"{buying}?status=draft", figures.to_send, "honey"),
        (operates, _("Purchase orders to receive"), f"{buying}?status=coming", figures.to_receive, ""),
        (operates, _("Goods to share out"), f"{buying}?status=received", figures.to_share, "honey"),
        (operates, _("Claims to decide"), reverse("console:claims"), figures.open_claims, "honey"),
        (cashes, _("Receipts without an order"), reverse("console:payments"), figures.unmatched, "honey"),
        (cashes, _("Refunds that failed"), reverse("console:payments"), figures.failed_refunds, "brick"),
        (cashes, _("Money that leaders sent"), reverse("console:remittances"), figures.remittances, ""),
        (cashes, _("Withdrawals to approve"), reverse("console:withdrawals"), figures.withdrawals, ""),
        (True, _("Questions about statements"), reverse("console:disputes"), _open_disputes(), "honey"),
        (cashes, _("Returned after a period's end"), reverse("console:settlement"), _late_returns(), "honey"),
    ]
    return [
        Task(what, href, waiting.count, waiting.fen, tone)
        for mine, what, href, waiting, tone in kinds
        if mine and waiting.count
    ]


def _open_disputes() -> Waiting:
    return Waiting(Dispute.objects.filter(answered_at__isnull=True).count(), 0)


def _late_returns() -> Waiting:
    """Leaders whose lines of the latest settled period came back after its end, and what they are worth."""
    run = SettlementRun.objects.select_related("period").order_by("-period__starts_at").first()
    patterns = returns_after_period(period=run.period) if run else []
    return Waiting(len(patterns), sum(row.returned_fen for row in patterns))
