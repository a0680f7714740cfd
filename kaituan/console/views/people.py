"""Persons, leaders and their tiers; who looked at whose data."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.console.doors import acting, admin, office
from kaituan.console.forms import TierForm
from kaituan.people.access import person_for_staff
from kaituan.people.models import Leader, Person, PersonalDataAccess
from kaituan.people.queries import possible_twins, tier_at, tiers_at
from kaituan.people.refusals import PeopleRefused
from kaituan.people.services import appoint_leader, set_tier, view_personal_data
from kaituan.web import clock


@require_GET
@office
def search(request: HttpRequest) -> HttpResponse:
    """Leaders by name; anybody by name, phone or a member's name."""
    now = clock.now()
    text = request.GET.get("q", "").strip()
    persons = Person.objects.filter(merged_into__isnull=True).order_by("-pk")
    if text:
        persons = persons.filter(
            Q(name__icontains=text) | Q(phone=text) | Q(memberships__display_name__icontains=text)
        ).distinct()
    else:
        persons = persons.filter(leader__isnull=False)
    page = Paginator(persons.select_related("leader"), 60).get_page(request.GET.get("page"))
    leaders = [person.leader.pk for person in page if hasattr(person, "leader")]
    tiers = tiers_at(leader_ids=leaders, at=now)
    context = {
        "now": now,
        "place": "people",
        "page": page,
        "rows": [(p, tiers.get(p.leader.pk, "") if hasattr(p, "leader") else None) for p in page],
        "search": text,
    }
    return render(request, "console/people.html", context)


@require_http_methods(["GET", "POST"])
@office
def person(request: HttpRequest, person: str) -> HttpResponse:
    now = clock.now()
    row = person_for_staff(request.user, person, now=now)
    leader = Leader.objects.filter(person=row).first()
    form = TierForm(request.POST if "tier" in request.POST else None)
    shown = None
    if request.method == "POST":
        if "show" in request.POST:
            [shown] = view_personal_data(
                persons=[row], acting_person=acting(request), action="view_person",
                subject=f"person:{row.pk}", now=now, reason=request.POST.get("reason", "")[:200],
            )  # fmt: skip
        elif form.is_valid():
            try:
                if leader is None:
                    appoint_leader(
                        person=row, acting_person=acting(request), now=now, tier=form.cleaned_data["tier"],
                        reason=form.cleaned_data["reason"],
                    )  # fmt: skip
                else:
                    set_tier(
                        leader=leader, tier=form.cleaned_data["tier"], effective_from=now,
                        reason=form.cleaned_data["reason"], acting_person=acting(request), now=now,
                    )  # fmt: skip
            except PeopleRefused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, _("Saved."))
                return redirect("console:person", person=row.public_id)
    context = {
        "now": now,
        "place": "people",
        "person": row,
        "leader": leader,
        "tier": tier_at(leader=leader, at=now) if leader else "",
        "tiers": leader.tiers.order_by("-effective_from") if leader else [],
        "memberships": row.memberships.select_related("group"),
        "orders": row.orders.select_related("campaign").order_by("-pk")[:30],
        "twins": possible_twins(person=row),
        "form": form,
        "shown": shown,
    }
    return render(request, "console/person.html", context, status=422 if form.errors else 200)


@require_GET
@admin
def access_log(request: HttpRequest) -> HttpResponse:
    rows = PersonalDataAccess.objects.select_related("actor").order_by("-pk")
    page = Paginator(rows, 100).get_page(request.GET.get("page"))
    return render(
        request, "console/data_access.html", {"now": clock.now(), "place": "data-access", "page": page}
    )
