"""Claims: opened by the member, decided by the leader or the operator, with everything that follows.

A granted claim lowers what the line costs by an adjustment; refund, commission, supplier payable all follow
from that one row.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from kaituan.aftersales.models import Claim
from kaituan.aftersales.photos import clean_photos, store_photos
from kaituan.aftersales.refusals import AlreadyDecided, BeyondLimit, ClaimRefused, OwnClaim
from kaituan.fulfilment.completion import hold_completion, release_completion
from kaituan.fulfilment.locks import lock_lines
from kaituan.money.fen import format_yuan
from kaituan.notices.services import announce
from kaituan.ordering.models import Order, OrderAdjustment, OrderLine
from kaituan.ordering.services import LineAdjustment, adjust_lines, net_amounts_fen
from kaituan.payments.models import Refund
from kaituan.payments.services import settle_differences
from kaituan.people.models import Person
from kaituan.people.queries import station

Status = Claim.Status
Liability = Claim.Liability


@transaction.atomic
def open_claim(
    *, line: OrderLine, reason: str, words: str, asked_fen: int, photos: Sequence[bytes], acting_person: Person,
    now: datetime, key: str,
) -> Claim:  # fmt: skip
    """Say what is wrong with a line and ask for an amount, until its claim window closes.

    asked_fen: > 0, at most what the line still costs. photos: uploads as they came, up to MAX_PHOTOS; stored
    without EXIF. key: made with the form: the same key again answers the first claim. The line does not complete
    before the claim is decided. Raises ClaimRefused, PhotoRefused.
    """
    standing = _known(key=key, line=line)
    if standing is not None:
        return standing
    cleaned = clean_photos(photos=photos)
    line = _locked(line_id=line.pk)
    standing = _known(key=key, line=line)
    if standing is not None:
        return standing
    _check_reason(reason)
    _check_in_window(line=line, now=now)
    _check_amount(line=line, amount_fen=asked_fen)
    if line.claims.filter(status=Status.OPEN).exists():
        raise ClaimRefused(_("There is an open claim on this line already."))
    claim = Claim.objects.create(
        line=line, reason=reason, words=words.strip()[:500], asked_fen=asked_fen, opened_at=now,
        opened_by=acting_person, idempotency_key=key,
    )  # fmt: skip
    hold_completion(line=line, now=now)
    store_photos(claim=claim, photos=cleaned, now=now)
    _announce("claim_opened", claim, now)
    return claim


@transaction.atomic
def withdraw_claim(*, claim: Claim, acting_person: Person, now: datetime) -> Claim:
    """The member takes it back. Withdrawing twice changes nothing. Raises AlreadyDecided."""
    claim = _locked_claim(claim)
    if claim.status == Status.WITHDRAWN:
        return claim
    _check_open(claim)
    _decide(claim=claim, status=Status.WITHDRAWN, acting_person=acting_person, now=now)
    _announce("claim_withdrawn", claim, now)
    return claim


@transaction.atomic
def refuse_claim(*, claim: Claim, answer: str, acting_person: Person, now: datetime) -> Claim:
    """Say no, and why. Refusing twice changes nothing. Raises AlreadyDecided, OwnClaim, ClaimRefused."""
    claim = _locked_claim(claim)
    if claim.status == Status.REFUSED:
        return claim
    _check_open(claim)
    _check_not_own(line=claim.line, acting_person=acting_person)
    if not answer.strip():
        raise ClaimRefused(_("Say why: the member reads it."))
    _decide(claim=claim, status=Status.REFUSED, acting_person=acting_person, now=now, answer=answer)
    _announce("claim_refused", claim, now)
    return claim


@transaction.atomic
def grant_claim(
    *, claim: Claim, amount_fen: int, liability: str, acting_person: Person, now: datetime, answer: str = "",
    limit_fen: int | None = None,
) -> Claim:  # fmt: skip
    """Give back any amount, up to what is left of the line; the refund follows in the same transaction.

    liability: supplier or platform, who bears it. limit_fen: the most that this person may grant on one line,
    all its claims together, as `access.claim_to_decide` says; None for the operator. Granting the same again
    changes nothing. Raises AlreadyDecided, BeyondLimit, OwnClaim, ClaimRefused.
    """
    claim = _locked_claim(claim)
    if claim.status == Status.GRANTED and (claim.granted_fen, claim.liability) == (amount_fen, liability):
        return claim
    _check_open(claim)
    _check_not_own(line=claim.line, acting_person=acting_person)
    if limit_fen is not None and amount_fen + _granted_fen(line=claim.line) > limit_fen:
        raise BeyondLimit(
            _("You may grant up to ¥%(limit)s; the operator decides beyond that.")
            % {"limit": format_yuan(limit_fen)}
        )
    _grant(
        claim=claim,
        amount_fen=amount_fen,
        liability=liability,
        answer=answer,
        acting_person=acting_person,
        now=now,
    )
    return claim


@transaction.atomic
def grant_goodwill(
    *, line: OrderLine, amount_fen: int, liability: str, reason: str, answer: str, acting_person: Person,
    now: datetime, key: str,
) -> Claim:  # fmt: skip
    """The operator gives something back without being asked in time: no claim window holds here, and a line may
    have completed long ago. The same key again answers the first. Raises ClaimRefused, OwnClaim."""
    standing = _known(key=key, line=line)
    if standing is not None:
        return standing
    line = _locked(line_id=line.pk)
    standing = _known(key=key, line=line)
    if standing is not None:
        return standing
    _check_reason(reason)
    _check_not_own(line=line, acting_person=acting_person)
    _check_amount(line=line, amount_fen=amount_fen)
    if line.claims.filter(status=Status.OPEN).exists():
        raise ClaimRefused(_("There is an open claim on this line: decide that one."))
    claim = Claim(
        line=line, reason=reason, asked_fen=amount_fen, opened_at=now, opened_by=acting_person,
        idempotency_key=key,
    )  # fmt: skip
    claim.save()
    _grant(
        claim=claim,
        amount_fen=amount_fen,
        liability=liability,
        answer=answer,
        acting_person=acting_person,
        now=now,
    )
    return claim


def leader_limit_fen() -> int:
    """The most a leader may grant on one claim without the operator."""
    return station().leader_refund_limit_fen


def claims_until(*, line: OrderLine) -> datetime | None:
    """When the line's claim window closes; None while part of it is still to be handed over."""
    if line.handed_over_at is None:
        return None
    return line.handed_over_at + timedelta(hours=line.order.campaign.claim_window_hours)


def claimable_fen(*, line: OrderLine) -> int:
    """What is left of the line to be given back: its amount with all adjustments."""
    return net_amounts_fen(line_ids=[line.pk])[line.pk]


def _locked(*, line_id: int) -> OrderLine:
    [line] = lock_lines(line_ids=[line_id])
    return line


def _locked_claim(claim: Claim) -> Claim:
    """The claim as it is now, its line (and order) locked first, then itself."""
    line = _locked(line_id=claim.line_id)
    claim = Claim.objects.select_for_update(of=("self",)).get(pk=claim.pk)
    claim.line = line
    return claim


def _granted_fen(*, line: OrderLine) -> int:
    """What claims on a line were granted before: a limit is none for who asks ten times."""
    earlier = line.claims.filter(status=Status.GRANTED).aggregate(total=Sum("granted_fen"))
    return earlier["total"] or 0


def _known(*, key: str, line: OrderLine) -> Claim | None:
    """The claim of this form. Raises ClaimRefused for the key of another line's form."""
    claim = Claim.objects.filter(idempotency_key=key).first()
    if claim is not None and claim.line_id != line.pk:
        raise ClaimRefused(_("This form was sent for something else: open it again."))
    return claim


def _check_reason(reason: str) -> None:
    if reason not in Claim.Reason.values:
        raise ClaimRefused(_("Choose what is wrong."))


def _check_in_window(*, line: OrderLine, now: datetime) -> None:
    if line.order.status != Order.Status.CONFIRMED or line.quantity == 0:
        raise ClaimRefused(_("This order does not stand any more."))
    if line.handed_quantity == 0:
        raise ClaimRefused(_("A claim can be made once the goods are handed over."))
    until = claims_until(line=line)
    if line.completed_at is not None or (until is not None and now >= until):
        raise ClaimRefused(_("The time for claims is over. Please write to us."))


def _check_amount(*, line: OrderLine, amount_fen: int) -> None:
    left_fen = claimable_fen(line=line)
    if not 0 < amount_fen <= left_fen:
        raise ClaimRefused(
            _("The amount is between ¥0.01 and ¥%(left)s.") % {"left": format_yuan(left_fen)}
            if left_fen
            else _("Nothing is left of this line to give back.")
        )


def _check_open(claim: Claim) -> None:
    if claim.status != Status.OPEN:
        raise AlreadyDecided(_("This claim is already decided."))


def _check_not_own(*, line: OrderLine, acting_person: Person) -> None:
    if line.order.person_id == acting_person.pk:
        raise OwnClaim(_("Nobody decides a claim of their own: ask the operator."))


def _grant(
    *, claim: Claim, amount_fen: int, liability: str, answer: str, acting_person: Person, now: datetime
) -> None:
    if liability not in Liability.values:
        raise ClaimRefused(_("Say who bears it: the supplier or the platform."))
    _check_amount(line=claim.line, amount_fen=amount_fen)
    [adjustment] = adjust_lines(
        adjustments=[
            LineAdjustment(
                line_id=claim.line_id,
                kind=OrderAdjustment.Kind.CLAIM,
                amount_fen=-amount_fen,
                funder=liability,
            )
        ],
        now=now,
    )
    claim.granted_fen, claim.liability, claim.adjustment = amount_fen, liability, adjustment
    _decide(claim=claim, status=Status.GRANTED, acting_person=acting_person, now=now, answer=answer)
    settle_differences(order_ids=[claim.line.order_id], reason=Refund.Reason.CLAIM, now=now)
    _announce("claim_granted", claim, now)


def _decide(*, claim: Claim, status: str, acting_person: Person, now: datetime, answer: str = "") -> None:
    claim.status, claim.decided_at, claim.decided_by = status, now, acting_person
    claim.answer = answer.strip()[:500]
    claim.save(
        update_fields=[
            "status", "decided_at", "decided_by", "answer", "granted_fen", "liability", "adjustment",
        ]
    )  # fmt: skip
    release_completion(line=claim.line)


def _announce(topic: str, claim: Claim, now: datetime) -> None:
    announce(topic=topic, subject=f"claim:{claim.pk}", payload={"order_id": claim.line.order_id}, now=now)
