"""The request as a view behind `login_required` meets it."""

from django.http import HttpRequest

from kaituan.people.models import Account


class SignedInRequest(HttpRequest):
    """Somebody is signed in: whoever is not was sent to the sign-in page before. For annotations."""

    user: Account
