"""Two published plans beside each other, and what the one changed of the other, in words."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kaituan.commission.models import PlanVersion
from kaituan.commission.queries import changes_between
from kaituan.console.doors import cashier
from kaituan.console.plan_words import words_of
from kaituan.people.access import NotYours
from kaituan.web import clock


@require_GET
@cashier
def plan_diff(request: HttpRequest) -> HttpResponse:
    """?old=VERSION&new=VERSION; without them, the two published last."""
    versions = list(PlanVersion.objects.select_related("published_by").order_by("-effective_from"))
    by_name = {row.version: row for row in versions}
    new = _chosen(request, "new", by_name, versions[:1])
    old = _chosen(request, "old", by_name, versions[1:2] or versions[:1])
    changes = changes_between(old=old.version, new=new.version) if old and new else []
    context = {
        "now": clock.now(),
        "place": "plans",
        "versions": versions,
        "old": old,
        "new": new,
        "changes": [(change.kind, *words) for change in changes for words in words_of(change)],
    }
    return render(request, "console/plan_diff.html", context)


def _chosen(
    request: HttpRequest, name: str, by_name: dict[str, PlanVersion], otherwise: list[PlanVersion]
) -> PlanVersion | None:
    """The version that the address names. A version that was never published is not found."""
    asked = request.GET.get(name, "")
    if not asked:
        return otherwise[0] if otherwise else None
    if asked not in by_name:
        raise NotYours
    return by_name[asked]
