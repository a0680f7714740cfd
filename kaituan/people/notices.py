"""What people are told when this folder's events are handled."""

from kaituan.notices.models import OutboxMessage
from kaituan.notices.services import tell
from kaituan.people.models import Leader, LeaderTier


def row_id(message: OutboxMessage) -> int:
    """The id in a message's subject, `type:id`."""
    return int(message.subject.partition(":")[2])


def leader_was_appointed(message: OutboxMessage) -> None:
    leader = Leader.objects.get(pk=row_id(message))
    tell(
        person_id=leader.person_id,
        kind="leader_appointed",
        dedupe_key=f"leader_appointed:{leader.pk}",
        now=message.created_at,
    )


def tier_was_changed(message: OutboxMessage) -> None:
    row = LeaderTier.objects.select_related("leader").get(pk=row_id(message))
    tell(
        person_id=row.leader.person_id,
        kind="tier_changed",
        data={"tier": row.tier, "effective_at": row.effective_from},
        dedupe_key=f"tier_changed:{row.pk}",
        now=message.created_at,
    )
