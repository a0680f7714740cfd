"""Changes of a published group buy as they are typed: read for the faces that offer them, never decided here.

The rules, the preview and the change itself are `payments.campaign_changes`.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from kaituan.campaigns.models import Campaign, Offer
from kaituan.campaigns.refusals import CampaignRefused, ChangeRefused
from kaituan.money.fen import MoneyError, parse_yuan
from kaituan.payments import campaign_changes as changes
from kaituan.people.models import Person

LOCAL = "%Y-%m-%dT%H:%M"


class BadDate(ValueError):
    """A date or a time that is none; the message says how one is written."""


REFUSED = (CampaignRefused, MoneyError, BadDate)
"""What `read` and the change raise when it cannot be; `sentence` says it to people."""


def typed(data: Mapping[str, str]) -> dict[str, str]:
    """What was typed, to be shown again."""
    return {
        name: str(value) for name, value in data.items() if name not in ("csrfmiddlewaretoken", "confirm")
    }


def number(text: str) -> int:
    """A row's id or a version out of a form; 0, which no row has, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def sentence(refusal: Exception) -> str:
    if isinstance(refusal, MoneyError):
        return _("Write the amount in yuan, such as 39.90.")
    return str(refusal)


def later(campaign: Campaign) -> dict[str, str]:
    """What a later cut-off is filled in with: everything a day later, as the days between them were."""
    closes_at = timezone.localtime(campaign.closes_at) + timedelta(days=1)
    pickup_on = campaign.pickup_on + timedelta(days=1)
    return {"closes_at": closes_at.strftime(LOCAL), "pickup_on": pickup_on.isoformat()}


def read(
    kind: str, campaign: Campaign, data: Mapping[str, str], *, acting_person: Person, now: datetime
) -> tuple[changes.ChangePreview, Callable[..., changes.ChangePreview]]:
    """The preview of a change, and the change with its terms bound: it wants the expected_version alone.

    Raises one of REFUSED, and Http404 for goods that are not of this campaign.
    """
    by: dict[str, Any] = {"acting_person": acting_person, "now": now}
    if kind == "price":
        offer = _offer(campaign, data)
        price_fen = parse_yuan(data.get("price", ""))
        funder = "supplier" if data.get("funder") == "supplier" else "platform"
        changes.require_price_right(
            offer=offer, price_fen=price_fen, funder=funder, person=acting_person, now=now
        )
        return changes.preview_price_change(offer=offer, price_fen=price_fen), partial(
            changes.do_price_change, offer=offer, price_fen=price_fen, funder=funder, **by
        )
    if kind == "stop":
        offer = _offer(campaign, data)
        cancels = "cancels_ordered" in data
        return changes.preview_stop_offer(offer=offer, cancels_ordered=cancels), partial(
            changes.do_stop_offer, offer=offer, cancels_ordered=cancels, **by
        )
    if kind == "move":
        on = _day(data.get("pickup_on", ""))
        return changes.preview_pickup_move(campaign=campaign, pickup_on=on), partial(
            changes.do_pickup_move, campaign=campaign, pickup_on=on, **by
        )
    if kind == "extend":
        until, on = _moment(data.get("closes_at", "")), _day(data.get("pickup_on", ""))
        return changes.preview_window_extension(campaign=campaign, closes_at=until, pickup_on=on), partial(
            changes.do_window_extension, campaign=campaign, closes_at=until, pickup_on=on, **by
        )
    if kind == "cancel":
        reason = data.get("reason", "")[:200]
        return changes.preview_cancel_campaign(campaign=campaign), partial(
            changes.do_cancel_campaign, campaign=campaign, reason=reason, **by
        )
    raise ChangeRefused(_("Choose what to change."))


def _offer(campaign: Campaign, data: Mapping[str, str]) -> Offer:
    return get_object_or_404(Offer, campaign=campaign, pk=number(data.get("offer", "")))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadDate(_("Enter a date such as 2026-10-02.")) from error


def _moment(text: str) -> datetime:
    """A time of the station's clock, as the browser's own picker writes it."""
    try:
        return timezone.make_aware(datetime.fromisoformat(text).replace(tzinfo=None, second=0, microsecond=0))
    except (ValueError, OverflowError) as error:
        raise BadDate(_("Enter a day and a time such as 2026-10-02 20:00.")) from error
