"""Orders by the day they were placed on."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, F, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from kaituan.ordering.models import Order
from kaituan.ordering.states import LIVE


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What was ordered on one day and still stands. turnover_fen: what those orders cost now, paid or not."""

    on: date
    order_count: int = 0
    turnover_fen: int = 0


def order_days(*, until: datetime, count: int) -> list[DayFigures]:
    """The last `count` days, the one of `until` last; a day without an order is there with 0."""
    last = timezone.localdate(until)
    days = [last - timedelta(days=back) for back in range(count - 1, -1, -1)]
    starts = timezone.make_aware(datetime.combine(days[0], time.min))
    rows = (
        Order.objects.filter(status__in=LIVE, placed_at__gte=starts, placed_at__lte=until)
        .annotate(on=TruncDate("placed_at"))
        .values("on")
        .annotate(order_count=Count("pk"), turnover_fen=Sum(F("list_fen") + F("adjustment_fen")))
        .order_by("on")
    )
    found = {row["on"]: DayFigures(row["on"], row["order_count"], row["turnover_fen"]) for row in rows}
    return [found.get(on, DayFigures(on)) for on in days]
