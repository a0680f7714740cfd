"""Groups and who is in them."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.people.access import group_for_leader, groups_of
from kaituan.people.queries import group_members
from kaituan.people.refusals import PeopleRefused
from kaituan.people.services import add_member
from kaituan.web import clock
from kaituan.web.requests import SignedInRequest
from kaituan.workbench.forms import MemberForm


@require_GET
@login_required
def all_groups(request: HttpRequest) -> HttpResponse:
    groups = groups_of(request.user, now=clock.now())
    return render(request, "workbench/groups.html", {"now": clock.now(), "place": "groups", "groups": groups})


@require_http_methods(["GET", "POST"])
@login_required
def group(request: SignedInRequest, group: str) -> HttpResponse:
    """Members by name; adding one by hand."""
    now = clock.now()
    row = group_for_leader(request.user, group, now=now)
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            member = add_member(group=row, acting_person=request.user.person, now=now, **form.cleaned_data)
        except PeopleRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(name)s is in the group.") % {"name": member.display_name})
            return redirect("workbench:group", group=row.public_id)
    search = request.GET.get("q", "").strip()
    context = {
        "now": now,
        "group": row,
        "members": group_members(group_id=row.pk, search=search)[:300],
        "search": search,
        "form": form,
    }
    return render(request, "workbench/group.html", context, status=422 if form.errors else 200)
