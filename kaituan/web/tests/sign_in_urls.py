"""The sign-in pages with three pages behind their doors, and nothing else of the site."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from kaituan.web.sign_in.staff import staff_required


def anyone(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"seen by {request.user}")


@staff_required()
def any_staff(request: HttpRequest) -> HttpResponse:
    return HttpResponse("staff")


@staff_required("cashier")
def cashiers(request: HttpRequest) -> HttpResponse:
    return HttpResponse("cashiers")


urlpatterns = [
    path("", anyone),
    path("work/", anyone),
    path("console/", any_staff),
    path("console/money/", cashiers),
    path("", include("kaituan.web.urls")),
    path("", include("kaituan.web.auth_urls")),
]
handler404 = "kaituan.web.errors.page_not_found"
