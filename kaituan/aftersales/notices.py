"""What people are told about claims. Each function handles one outbox message; it may run twice and tells once."""

from collections.abc import Iterable

from kaituan.aftersales.models import Claim
from kaituan.aftersales.services import leader_limit_fen
from kaituan.campaigns.sharing import LISTING_PATH
from kaituan.notices.models import OutboxMessage
from kaituan.notices.services import Telling, tell_many
from kaituan.people.groups import holds_at
from kaituan.people.models import StaffRole


def claim_was_opened(message: OutboxMessage) -> None:
    """The leader who sold it decides; what is beyond the leader's limit, or the leader's own, is the operator's."""
    claim = _claim(message)
    leader_person_id = claim.line.order.listing.leader.person_id
    persons = {leader_person_id}
    if claim.asked_fen > leader_limit_fen() or claim.line.order.person_id == leader_person_id:
        roles = StaffRole.objects.filter(holds_at(message.created_at), role=StaffRole.Role.OPERATOR)
        persons.update(roles.values_list("person_id", flat=True))
    _tell(message, "claim_opened", persons, claim=claim, amount_fen=claim.asked_fen)


def claim_was_decided(message: OutboxMessage) -> None:
    """Granted or refused (`kind` is the event's own topic): the member, and who opened it for them."""
    claim = _claim(message)
    persons = {claim.line.order.person_id, claim.opened_by_id} - {claim.decided_by_id}
    _tell(message, message.topic, persons, claim=claim, amount_fen=claim.granted_fen)


def _claim(message: OutboxMessage) -> Claim:
    claims = Claim.objects.select_related("line__order__listing__leader")
    return claims.get(pk=int(message.subject.partition(":")[2]))


def _tell(
    message: OutboxMessage, kind: str, person_ids: Iterable[int], *, claim: Claim, amount_fen: int
) -> None:
    order = claim.line.order
    data = {
        "campaign_id": order.campaign_id,
        "follow_number": order.follow_number,
        "offer_id": claim.line.offer_id,
        "amount_fen": amount_fen,
        "claim_id": claim.pk,
    }
    tell_many(
        tellings=[
            Telling(
                person_id=person_id,
                kind=kind,
                dedupe_key=f"{kind}:{claim.pk}:{person_id}",
                data=data,
                link=LISTING_PATH.format(public_id=order.listing.public_id),
            )
            for person_id in person_ids
        ],
        now=message.created_at,
    )
