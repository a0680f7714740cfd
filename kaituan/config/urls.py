"""Every URL of the site, by face."""

from django.urls import URLPattern, URLResolver, include, path

from kaituan.console.admin import site as admin

urlpatterns: list[URLPattern | URLResolver] = [
    path("work/", include("kaituan.workbench.urls")),
    path("console/", include("kaituan.console.urls")),
    path("portal/", include("kaituan.portal.urls")),
    path("admin/", admin.urls),
    path("", include("kaituan.web.urls")),
    path("", include("kaituan.web.auth_urls")),
    path("", include("kaituan.storefront.urls")),
]

handler400 = "kaituan.web.errors.bad_request"
handler403 = "kaituan.web.errors.permission_denied"
handler404 = "kaituan.web.errors.page_not_found"
handler500 = "kaituan.web.errors.server_error"
