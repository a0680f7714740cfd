"""The campaign's page as everybody sees it: made by Django, with all its headers, once for all who come."""

import io
from urllib.parse import urlsplit

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

from kaituan.campaigns.models import Listing
from kaituan.intake.pages import Render, SharedPage
from kaituan.storefront.views.campaign import FOR_EVERYBODY

# These are the answer's own, or are made for each answer anew.
NOT_KEPT = frozenset(
    {"content-type", "content-length", "content-language", "vary", "set-cookie", "cache-control"}
)
PRIVATE_COOKIES = (b"sessionid=", b"kaituan_pass=", b"kaituan_elder=", b"kaituan_theme=", b"csrftoken=")
"""Whoever bears one of these sees a page of their own, unless everybody comes at once."""


def campaign_renderer(django: WSGIHandler) -> Render:
    """Makes the page of a listing by asking Django for it without a visitor."""

    def render(listing: str, language: str) -> SharedPage | None:
        row = Listing.objects.filter(public_id=listing).values_list("pk", "campaign_id").first()
        if row is None:
            return None
        response = django.get_response(_request(f"/g/{listing}/", language))
        try:
            if response.status_code != 200:
                return None
            headers = tuple((name, value) for name, value in response.items() if name.lower() not in NOT_KEPT)
            return SharedPage(
                body=response.content,  # type: ignore[attr-defined]
                listing_id=row[0],
                campaign_id=row[1],
                headers=headers,
            )
        finally:
            response.close()

    return render


def _request(path: str, language: str) -> WSGIRequest:
    site = urlsplit(settings.SITE_URL)
    is_secure = site.scheme == "https"
    host = settings.ALLOWED_HOSTS[0] if "*" not in settings.ALLOWED_HOSTS else site.netloc
    request = WSGIRequest(
        {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "SERVER_NAME": host,
            "SERVER_PORT": "443" if is_secure else "80",
            "HTTP_HOST": host,
            "wsgi.url_scheme": site.scheme,
            "wsgi.input": io.BytesIO(),
        }
    )
    request.COOKIES[settings.LANGUAGE_COOKIE_NAME] = language
    request.META[FOR_EVERYBODY] = True
    return request
