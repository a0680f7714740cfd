"""What no table can hold (the character zero, a number past 64 bits, a text too long for its column) is the asker's
mistake: a 400, whichever view it came through. Forms say it beside the field; this catches what was posted by hand."""

from collections.abc import Callable

import structlog
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from kaituan.web.errors import bad_request

log = structlog.get_logger(__name__)


class BadInputMiddleware:
    """Turns the database's refusal of a value into the page for bad requests; the view's transaction is undone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DataError):
            return None
        # The first line says what was wrong, the others would repeat what was sent.
        log.warning("page.bad_input", path=request.path, error=str(exception).partition("\n")[0])
        return bad_request(request, exception)
