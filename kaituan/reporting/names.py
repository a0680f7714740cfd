"""The names of the rows that a notice speaks of by id, looked up when it is shown."""

from collections.abc import Callable, Iterable, Mapping

from kaituan.campaigns.models import Campaign, Offer
from kaituan.catalogue.models import Supplier
from kaituan.notices.wording import Names
from kaituan.people.models import Leader, PayeeAccount, PickupPoint
from kaituan.people.payees import payee_words

Lookup = Callable[[Iterable[int]], Iterable[tuple[int, str]]]

LOOKUPS: dict[str, Lookup] = {
    "campaign": lambda ids: Campaign.objects.filter(pk__in=ids).values_list("pk", "title"),
    "offer": lambda ids: Offer.objects.filter(pk__in=ids).values_list("pk", "title"),
    "pickup_point": lambda ids: PickupPoint.objects.filter(pk__in=ids).values_list("pk", "name"),
    "leader": lambda ids: Leader.objects.filter(pk__in=ids).values_list("pk", "person__name"),
    "payee_account": lambda ids: (
        (row.pk, payee_words(row)) for row in PayeeAccount.objects.filter(pk__in=ids)
    ),
    "supplier": lambda ids: Supplier.objects.filter(pk__in=ids).values_list("pk", "name"),
}
"""Kind of row -> its names. Only what anybody who is told of such a row may read: no member is among them,
and no account's number."""


def names_of(wanted: Mapping[str, set[int]]) -> Names:
    """("campaign", 12) -> title ..., for every id that exists; one query per kind of row."""
    return {
        (kind, row_id): name
        for kind, ids in wanted.items()
        if kind in LOOKUPS
        for row_id, name in LOOKUPS[kind](ids)
    }
