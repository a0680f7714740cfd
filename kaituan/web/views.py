"""Preferences and the pages that belong to no face."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.web import preferences, samples


def _way_back(request: HttpRequest, wanted: str) -> str:
    """Where the visitor came from, on this site only."""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return "/"


@require_http_methods(["GET", "POST"])
def preferences_page(request: HttpRequest) -> HttpResponse:
    """Shows the choices; a POST sets those that it names (language, elder, theme) and goes back."""
    if request.method == "GET":
        return render(
            request, "web/preferences.html", {"next": _way_back(request, request.GET.get("next", ""))}
        )
    answer = HttpResponseRedirect(_way_back(request, request.POST.get("next", "")))
    language = request.POST.get("language", "")
    if preferences.known_language(language):
        preferences.set_language(answer, language)
    else:
        language = ""
    elder = {"on": True, "off": False}.get(request.POST.get("elder", ""))
    if elder is not None:
        preferences.set_elder(answer, elder)
    theme = request.POST.get("theme")
    if theme is not None:
        preferences.set_theme(answer, theme if theme in preferences.THEMES else "")
    if request.user.is_authenticated:
        preferences.remember_on_account(request.user, language=language or None, elder=elder)
    return answer


@require_GET
def design(request: HttpRequest, face: str = "phone") -> HttpResponse:
    """The living style page: every component as it is. Not on a site with real customers."""
    if not (settings.DEBUG or settings.DEMO):
        raise Http404
    context = {
        **samples.context(),
        "form": samples.SampleForm(samples.BROKEN_INPUT),
        "errors_shown": request.GET.get("errors"),
    }
    return render(request, f"web/design/{face}.html", context)
