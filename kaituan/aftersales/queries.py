"""Looking at claims: what waits for a decision, and how many there are."""

from datetime import datetime

from django.db.models import Count, F, Q, QuerySet, Sum

from kaituan.aftersales.models import Claim

Status = Claim.Status


def open_claims(claims: QuerySet[Claim] | None = None) -> QuerySet[Claim]:
    """Claims that wait for a decision, the longest waiting first. claims: a scope from `access.claims_for`."""
    rows = Claim.objects.all() if claims is None else claims
    return (
        rows.filter(status=Status.OPEN)
        .select_related("line__order__member", "line__order__listing__group", "line__offer__variant__product")
        .order_by("opened_at", "pk")
    )


def beyond_leaders(*, limit_fen: int) -> QuerySet[Claim]:
    """Open claims for more than a leader may grant: the operator's own."""
    return open_claims().filter(asked_fen__gt=limit_fen)


def claim_counts(*, since: datetime) -> dict[str, int]:
    """For the operator's home page: open, granted, refused since a time, and fen granted since then."""
    decided = Q(decided_at__gte=since)
    counts = Claim.objects.aggregate(
        open=Count("pk", filter=Q(status=Status.OPEN)),
        granted=Count("pk", filter=Q(status=Status.GRANTED) & decided),
        refused=Count("pk", filter=Q(status=Status.REFUSED) & decided),
        granted_fen=Sum(F("granted_fen"), filter=decided),
    )
    return {key: value or 0 for key, value in counts.items()}
