"""Who a visitor of the demo may be, and where each of them begins."""

from dataclasses import dataclass
from datetime import datetime

from kaituan.campaigns.models import Campaign, Listing
from kaituan.campaigns.states import TAKING_ORDERS
from kaituan.demo.town import USERNAMES
from kaituan.people.models import Account, Group
from kaituan.people.personas import persona_token


@dataclass(frozen=True, slots=True)
class Persona:
    """role: a key of `town.USERNAMES`. path: the link that signs in, from the site's root."""

    role: str
    name: str
    path: str


def personas() -> list[Persona]:
    """Every persona with the link that signs in. Raises NoPersona outside a demo."""
    accounts = {account.username: account for account in Account.objects.select_related("person")
                .filter(username__in=USERNAMES.values())}  # fmt: skip
    return [
        Persona(
            role=role,
            name=accounts[username].person.name,
            path=f"/demo/persona/{persona_token(account=accounts[username])}/",
        )
        for role, username in USERNAMES.items()
    ]


def campaign_paths(*, now: datetime) -> list[tuple[Campaign, str]]:
    """Live campaigns of the leader persona's first group, the first to close first, each with its page."""
    group = Group.objects.filter(owner__person__account__username=USERNAMES["leader"]).earliest("pk")
    listings = Listing.objects.filter(
        group=group, withdrawn_at=None, campaign__status__in=TAKING_ORDERS, campaign__closes_at__gt=now
    ).select_related("campaign")
    return [(row.campaign, f"/g/{row.public_id}/") for row in listings.order_by("campaign__closes_at")]
