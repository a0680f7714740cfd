"""The drawn pages for what went wrong. Wired as handler400 ... in config/urls.py.

They need no database and no context: a 500 must not fail a second time.
"""

from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils.translation import gettext as _

from kaituan.web.preferences import preferences_of


def _page(request: HttpRequest, status: int, template: str, **words: str) -> HttpResponse:
    context = {"preferences": preferences_of(request), "status": status, **words}
    return HttpResponse(loader.render_to_string(template, context), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 400, "400.html")


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The exception's own sentence is shown when it has one: services refuse in words meant for people."""
    return _page(request, 403, "403.html", reason=str(exception or ""))


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 404, "404.html")


def server_error(request: HttpRequest) -> HttpResponse:
    return _page(request, 500, "500.html")


def too_many_requests(request: HttpRequest, *, retry_after: int) -> HttpResponse:
    """429 with Retry-After in seconds."""
    wait = _("Try again in %(seconds)d seconds.") % {"seconds": retry_after}
    answer = _page(request, 429, "429.html", wait=wait)
    answer["Retry-After"] = str(retry_after)
    return answer


def unavailable(request: HttpRequest) -> HttpResponse:
    """503: the site is being changed, or its database is away for a moment."""
    return _page(request, 503, "503.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's proof of origin is missing or old: mostly a page left open for days."""
    return _page(request, 403, "403_csrf.html")
