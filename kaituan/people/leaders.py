"""Leaders, who referred them, and the tiers they hold."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.notices.services import announce
from kaituan.people.models import Leader, LeaderTier, Person
from kaituan.people.persons import record_event
from kaituan.people.refusals import AlreadyLeader, PeopleRefused, TierRefused


@transaction.atomic
def appoint_leader(
    *,
    person: Person,
    acting_person: Person | None,
    now: datetime,
    tier: str = "",
    referrer: Leader | None = None,
    reason: str = "",
) -> Leader:
    """Make a person a leader. tier: a name of the plan in force, or empty for none yet.

    The referrer is set now and never changed. The same appointment again answers with the leader that is.
    Raises AlreadyLeader for another referrer, PeopleRefused for a person who is gone.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    if person.merged_into_id or person.deleted_at:
        raise PeopleRefused(_("This person is no longer there."))
    leader = Leader.objects.filter(person=person).first()
    if leader is not None:
        if referrer is None or leader.referrer_id == referrer.pk:
            return leader
        raise AlreadyLeader(_("This person is a leader already; who referred them cannot be changed."))
    leader = Leader.objects.create(person=person, referrer=referrer, joined_at=now)
    record_event(
        person=person,
        kind="leader_appointed",
        acting_person=acting_person,
        now=now,
        reason=reason,
        details={"leader": leader.pk, "referrer": referrer.pk if referrer else None},
    )
    if tier:
        LeaderTier.objects.create(
            leader=leader, tier=tier, effective_from=now, reason=reason or "appointed", set_by=acting_person
        )
    announce(topic="leader_appointed", subject=f"leader:{leader.pk}", now=now)
    return leader


@transaction.atomic
def set_tier(
    *,
    leader: Leader,
    tier: str,
    effective_from: datetime,
    reason: str,
    acting_person: Person | None,
    now: datetime,
) -> LeaderTier:
    """The tier a leader holds from `effective_from` on, now or later; empty takes the tier away.

    Nothing is rewritten: a time that has passed is refused, for amounts were earned by what held then. The
    same change again answers with the row that is. Raises TierRefused.
    """
    if not reason.strip():
        raise TierRefused(_("Please say why the tier changes."))
    if effective_from < now:
        raise TierRefused(_("A tier cannot be changed for a time that has passed."))
    leader = Leader.objects.select_for_update().get(pk=leader.pk)
    standing = leader.tiers.filter(effective_from=effective_from).first()
    if standing is not None:
        if standing.tier == tier:
            return standing
        raise TierRefused(_("Another tier begins at that very time: choose a later one."))
    row = LeaderTier.objects.create(
        leader=leader, tier=tier, effective_from=effective_from, reason=reason.strip(), set_by=acting_person
    )
    announce(topic="tier_changed", subject=f"leader_tier:{row.pk}", now=now)
    return row
