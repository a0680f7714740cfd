"""Who may see and decide claims. A supplier sees claims it bears, with its goods and no person."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from kaituan.aftersales.models import Claim, ClaimPhoto
from kaituan.aftersales.services import leader_limit_fen
from kaituan.catalogue.access import suppliers_of
from kaituan.ordering.models import OrderLine
from kaituan.people.access import NotYours, Visitor, groups_of, has_role, person_of
from kaituan.people.models import Person, StaffRole


@dataclass(frozen=True, slots=True)
class Decider:
    """Somebody who may decide a claim. limit_fen: the most they may grant; None = what is left of the line."""

    person: Person
    limit_fen: int | None


def is_operator(account: Visitor, *, now: datetime) -> bool:
    return has_role(account, [StaffRole.Role.OPERATOR], now=now)


def claims_for(account: Visitor, *, now: datetime) -> QuerySet[Claim]:
    """Claims that the visitor may see: all for the operator; else their own, and those of groups they act in."""
    claims = Claim.objects.select_related("line__order__listing", "line__offer", "line__order__member")
    if is_operator(account, now=now):
        return claims.order_by("-opened_at", "-pk")
    mine = Q(line__order__person=person_of(account)) | Q(opened_by=person_of(account))
    groups = groups_of(account, now=now).values("pk")
    return claims.filter(mine | Q(line__order__listing__group__in=groups)).order_by("-opened_at", "-pk")


def claim_for(account: Visitor, public_id: str, *, now: datetime) -> Claim:
    return _found(claims_for(account, now=now).filter(public_id=public_id).first())


def own_claim(account: Visitor, public_id: str) -> Claim:
    """A claim on the visitor's own order, to look at or withdraw."""
    claims = Claim.objects.filter(public_id=public_id, line__order__person=person_of(account))
    return _found(claims.select_related("line__order", "line__offer").first())


def claim_to_decide(account: Visitor, public_id: str, *, now: datetime) -> tuple[Claim, Decider]:
    """A claim with who decides it: the operator, or the leader (or helper) of the group it was sold in."""
    claim = claim_for(account, public_id, now=now)
    person = person_of(account)
    if is_operator(account, now=now):
        return claim, Decider(person=person, limit_fen=None)
    if groups_of(account, now=now).filter(pk=claim.line.order.listing.group_id).exists():
        return claim, Decider(person=person, limit_fen=leader_limit_fen())
    raise NotYours


def line_to_claim(account: Visitor, line_id: int, *, now: datetime) -> OrderLine:
    """A line to open a claim on: the member's own, or one of a group in which the visitor acts for members."""
    own = Q(order__person=person_of(account))
    acts = Q(order__listing__group__in=groups_of(account, now=now).values("pk"))
    lines = OrderLine.objects.filter(own | acts, pk=line_id)
    return _found(lines.select_related("order__campaign", "order__listing", "offer").first())


def line_for_goodwill(account: Visitor, line_id: int, *, now: datetime) -> OrderLine:
    if not is_operator(account, now=now):
        raise NotYours
    return _found(OrderLine.objects.filter(pk=line_id).select_related("order__campaign", "offer").first())


def photo_for(account: Visitor, photo_id: int, *, now: datetime) -> ClaimPhoto:
    """A photo, for who may see its claim; the supplier that bears a granted claim may see it too."""
    photo = ClaimPhoto.objects.filter(pk=photo_id).select_related("claim").first()
    if photo is not None:
        if claims_for(account, now=now).filter(pk=photo.claim_id).exists():
            return photo
        if supplier_claims(account, now=now).filter(pk=photo.claim_id).exists():
            return photo
    raise NotYours


def supplier_claims(account: Visitor, *, now: datetime) -> QuerySet[Claim]:
    """Granted claims that the visitor's suppliers bear. For the portal: show goods, reason, photos and the cost
    share only; the retail amount, the order and the member are not the supplier's."""
    suppliers = suppliers_of(account, now=now)
    return Claim.objects.filter(
        status=Claim.Status.GRANTED,
        liability=Claim.Liability.SUPPLIER,
        line__offer__variant__product__supplier__in=suppliers,
    ).order_by("-decided_at", "-pk")


def _found[Row](row: Row | None) -> Row:
    if row is None:
        raise NotYours
    return row
