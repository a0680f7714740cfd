"""Every URL of the site, by face."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("work/", include("kaituan.workbench.urls")),
    path("console/", include("kaituan.console.urls")),
    path("portal/", include("kaituan.portal.urls")),
    path("", include("kaituan.web.urls")),
    path("", include("kaituan.storefront.urls")),
]
