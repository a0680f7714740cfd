"""The least that leaders may withdraw at once: set from a date on, with a reason, never changed."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kaituan.money.fen import format_yuan
from kaituan.people.models import Person, Station
from kaituan.settlement.models import WithdrawalMinimum

MOST_FEN = 100_000
"""A thousand yuan: more would keep people from what they have earned."""


class MinimumRefused(Exception):
    """A minimum that cannot be set; the message says why."""


def minimum_in_force(*, at: datetime) -> int:
    """In fen: the one with the latest effective_from <= at; before the first, what the station began with."""
    row = _row_in_force(at)
    if row is not None:
        return row.minimum_fen
    return Station.objects.values_list("withdrawal_minimum_fen", flat=True).first() or 0


def next_minimum(*, after: datetime) -> WithdrawalMinimum | None:
    """The next one to come into force, so that leaders can be told of it; None while nothing is to change."""
    return WithdrawalMinimum.objects.filter(effective_from__gt=after).order_by("effective_from").first()


@transaction.atomic
def set_minimum(
    *, minimum_fen: int, effective_from: datetime, reason: str, acting_person: Person, now: datetime
) -> WithdrawalMinimum:
    """Let withdrawals asked for from `effective_from` (>= now) on be at least this large; those asked for before
    stand. The amount that holds at that time anyway changes nothing.

    Raises MinimumRefused: without a reason, out of range, for a date in the past or one that another has.
    """
    standing = _row_in_force(effective_from)
    if standing is not None and standing.minimum_fen == minimum_fen:
        return standing
    if not 0 <= minimum_fen <= MOST_FEN:
        raise MinimumRefused(
            _("From ¥0 to ¥%(most)s: nobody is kept from what they have earned.")
            % {"most": format_yuan(MOST_FEN)}
        )
    if not reason.strip():
        raise MinimumRefused(_("Say why: the reason stays beside the decision."))
    if effective_from < now:
        raise MinimumRefused(_("A minimum takes effect now or later: what was asked for stands."))
    if WithdrawalMinimum.objects.filter(effective_from=effective_from).exists():
        raise MinimumRefused(_("Another minimum takes effect at that very time: choose another."))
    return WithdrawalMinimum.objects.create(
        minimum_fen=minimum_fen,
        effective_from=effective_from,
        reason=reason.strip(),
        set_by=acting_person,
        set_at=now,
    )


def _row_in_force(at: datetime) -> WithdrawalMinimum | None:
    return WithdrawalMinimum.objects.filter(effective_from__lte=at).order_by("-effective_from").first()
