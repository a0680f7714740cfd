"""What people are told when this folder's events are handled."""

from kaituan.notices.models import OutboxMessage
from kaituan.notices.services import tell
from kaituan.people.models import Leader, LeaderTier, PayeeAccount

PAYEE_PATH = "/work/money/account/"
"""The leader's page of the account that earnings are paid to."""


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


def payee_account_was_set(message: OutboxMessage) -> None:
    """Entered or changed: the leader learns of it, for it may have been somebody else's doing."""
    row = PayeeAccount.objects.select_related("leader").get(pk=row_id(message))
    is_first = not PayeeAccount.objects.filter(leader=row.leader, pk__lt=row.pk).exists()
    _tell_of_account(row, "payee_account_added" if is_first else "payee_account_changed", message)


def payee_account_was_decided(message: OutboxMessage) -> None:
    """Checked or refused by the platform. `kind` is the event's own topic."""
    row = PayeeAccount.objects.select_related("leader").get(pk=row_id(message))
    _tell_of_account(row, message.topic, message)


def _tell_of_account(row: PayeeAccount, kind: str, message: OutboxMessage) -> None:
    tell(
        person_id=row.leader.person_id,
        kind=kind,
        data={"payee_account_id": row.pk, "entered_at": row.set_at},
        link=PAYEE_PATH,
        dedupe_key=f"{message.topic}:{row.pk}",
        now=message.created_at,
    )
