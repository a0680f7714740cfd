"""The figures that tier rules ask for, of all leaders (or some) in one window, by one statement."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from kaituan.commission.tier_rules import Figures
from kaituan.money.fen import BASIS_POINTS
from kaituan.ordering.models import OrderAdjustment

# A line counts for whoever sold it, on the day it was completed, net of what was given back since; what is
# given back on an earlier line lowers the turnover of the window in which it happens, as in settlements.
# A hand-over is on time on the pickup day, or on the day the goods arrived if they came late; goods that were
# given up as unclaimed are not. It counts for whoever handed the goods over.
_STATEMENT = """
WITH leader AS (
    SELECT id, referrer_id FROM people_leader WHERE %(all)s OR id = ANY(%(leader_ids)s)
), completed AS (
    SELECT listing.leader_id, l.id, l.amount_fen
    FROM ordering_orderline l
    JOIN ordering_order o ON o.id = l.order_id JOIN campaigns_listing listing ON listing.id = o.listing_id
    WHERE l.completed_at >= %(start)s AND l.completed_at < %(end)s
      AND (%(all)s OR listing.leader_id = ANY(%(leader_ids)s))
), turnover AS (
    SELECT leader_id, sum(fen)::bigint AS fen FROM (
        SELECT leader_id, amount_fen AS fen FROM completed
        UNION ALL
        SELECT c.leader_id, a.amount_fen
        FROM completed c JOIN ordering_orderadjustment a ON a.line_id = c.id AND a.created_at < %(end)s
        UNION ALL
        SELECT listing.leader_id, a.amount_fen
        FROM ordering_orderadjustment a
        JOIN ordering_orderline l ON l.id = a.line_id AND l.completed_at < %(start)s
        JOIN ordering_order o ON o.id = l.order_id JOIN campaigns_listing listing ON listing.id = o.listing_id
        WHERE a.created_at >= %(start)s AND a.created_at < %(end)s AND a.kind = ANY(%(remedies)s)
          AND (%(all)s OR listing.leader_id = ANY(%(leader_ids)s))
    ) amounts GROUP BY leader_id
), handed AS (
    SELECT listing.leader_id AS seller_id, coalesce(l.pickup_leader_id, listing.leader_id) AS keeper_id,
        EXISTS (
            SELECT FROM aftersales_claim c WHERE c.line_id = l.id AND c.status = 'granted'
        ) AS has_claim,
        (l.handed_over_at AT TIME ZONE %(zone)s)::date
            <= greatest(campaign.pickup_on, (arrival.arrived_at AT TIME ZONE %(zone)s)::date)
        AND NOT EXISTS (
            SELECT FROM fulfilment_handover h
            WHERE h.order_line_id = l.id AND h.method = 'unclaimed' AND h.undone_at IS NULL
        ) AS on_time
    FROM ordering_orderline l
    JOIN ordering_order o ON o.id = l.order_id JOIN campaigns_listing listing ON listing.id = o.listing_id
    JOIN campaigns_campaign campaign ON campaign.id = listing.campaign_id
    LEFT JOIN fulfilment_arrival arrival
        ON arrival.campaign_id = campaign.id AND arrival.pickup_point_id = listing.pickup_point_id
    WHERE l.handed_over_at >= %(start)s AND l.handed_over_at < %(end)s
      AND (%(all)s OR listing.leader_id = ANY(%(leader_ids)s) OR l.pickup_leader_id = ANY(%(leader_ids)s))
), sold AS (
    SELECT seller_id, count(*) AS line_count, count(*) FILTER (WHERE has_claim) AS claims
    FROM handed GROUP BY seller_id
), kept AS (
    SELECT keeper_id, count(*) AS line_count, count(*) FILTER (WHERE on_time) AS on_time
    FROM handed GROUP BY keeper_id
), owned AS (
    SELECT g.owner_id, count(DISTINCT g.id) AS group_count, count(DISTINCT m.person_id) AS member_count
    FROM people_group g
    LEFT JOIN people_member m
        ON m.group_id = g.id AND m.joined_at < %(end)s AND (m.left_at IS NULL OR m.left_at >= %(end)s)
    WHERE g.created_at < %(end)s AND (g.archived_at IS NULL OR g.archived_at >= %(end)s)
    GROUP BY g.owner_id
)
SELECT leader.id, leader.referrer_id, coalesce(turnover.fen, 0), coalesce(owned.member_count, 0),
    coalesce(owned.group_count, 0), coalesce(sold.line_count, 0), coalesce(sold.claims, 0),
    coalesce(kept.line_count, 0), coalesce(kept.on_time, 0)
FROM leader
LEFT JOIN turnover ON turnover.leader_id = leader.id
LEFT JOIN owned ON owned.owner_id = leader.id
LEFT JOIN sold ON sold.seller_id = leader.id
LEFT JOIN kept ON kept.keeper_id = leader.id
ORDER BY leader.id
"""

_TEAM = """
WITH RECURSIVE team (id) AS (
    SELECT %(leader_id)s::bigint
    UNION ALL
    SELECT l.id FROM people_leader l JOIN team ON l.referrer_id = team.id
)
SELECT id FROM team
"""


@dataclass(frozen=True, slots=True)
class _Row:
    """What the statement counts for one leader."""

    leader_id: int
    referrer_id: int | None
    turnover_fen: int
    group_members: int
    groups_owned: int
    sold_lines: int
    claimed_lines: int
    handed_lines: int
    lines_on_time: int


def leader_figures(
    *, starts_at: datetime, ends_at: datetime, leader_ids: Collection[int] | None = None
) -> Mapping[int, Figures]:
    """Leader id -> figures of the window [starts_at, ends_at); every leader, or only those that are named.

    Team turnover is that of the leader and of everyone below, among the leaders that are named. Groups and
    members are those that stand at the end of the window; a person in two groups counts once.
    """
    values: dict[str, Any] = {
        "all": leader_ids is None,
        "leader_ids": list(leader_ids or ()),
        "start": starts_at,
        "end": ends_at,
        "remedies": [str(kind) for kind in OrderAdjustment.REMEDIES],
        "zone": timezone.get_default_timezone_name(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, values)
        rows = [_Row(*row) for row in cursor.fetchall()]
    team_fen = _team_fen(rows)
    return {
        row.leader_id: Figures(
            own_turnover_fen=row.turnover_fen,
            team_turnover_fen=team_fen[row.leader_id],
            group_members=row.group_members,
            groups_owned=row.groups_owned,
            claim_rate_bp=_rate_bp(row.claimed_lines, row.sold_lines),
            on_time_rate_bp=_rate_bp(row.lines_on_time, row.handed_lines),
        )
        for row in rows
    }


def team_ids(*, leader_id: int) -> list[int]:
    """A leader and everyone below."""
    with connection.cursor() as cursor:
        cursor.execute(_TEAM, {"leader_id": leader_id})
        return [row[0] for row in cursor.fetchall()]


def _team_fen(rows: Sequence[_Row]) -> Mapping[int, int]:
    """Turnover of each leader with everyone below: a referrer's id is always the smaller one, so that going
    down the ids hands each team up whole."""
    team = {row.leader_id: row.turnover_fen for row in rows}
    for row in reversed(rows):
        if row.referrer_id in team:
            team[row.referrer_id] += team[row.leader_id]
    return team


def _rate_bp(part: int, whole: int) -> int | None:
    return part * BASIS_POINTS // whole if whole else None
