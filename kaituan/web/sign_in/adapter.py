"""What django-allauth asks of this project. It keeps the login stages, the rate limits and the records of
how somebody signed in; who people are is said by people/."""

import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from kaituan.notices.senders import Address, SendFailed, load_sender
from kaituan.people.models import Account
from kaituan.web import clock
from kaituan.web.sign_in.places import home_of

CODE_DIGITS = 6
PASSWORD_FRESH_SECONDS = 300


class KaituanAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Phones are the accounts' own; there is no sign-up form, no e-mail and no message that is not ours."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        # A phone proves itself by its code and e-mail is not used: allauth's stages for them are left out.
        return ["allauth.account.stages.LoginByCodeStage", "allauth.mfa.stages.AuthenticateStage"]

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """The pages say what happened; allauth's own messages are not in our words."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return home_of(request.user, now=clock.now())

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return str(settings.LOGOUT_REDIRECT_URL)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """A password typed some minutes ago is proof enough to set up the second factor."""
        now = clock.now().timestamp()
        return not any(
            record["method"] == "password" and now - record["at"] < PASSWORD_FRESH_SECONDS
            for record in get_authentication_records(self.request, self.request.user)
        )

    def generate_phone_verification_code(self, *, user: Account | None, phone: str) -> str:
        return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"

    def send_verification_code_sms(self, user: Account | None, phone: str, code: str, **kwargs: Any) -> None:
        """Send a code by the configured sender. Raises SendFailed."""
        if not settings.KAITUAN_CODE_SENDER:
            raise SendFailed("KAITUAN_CODE_SENDER is not set.")
        load_sender(settings.KAITUAN_CODE_SENDER).send(
            to=Address(phone=phone),
            title=_("Your code: %(code)s") % {"code": code},
            body=_("%(code)s is your code for Kaituan, for 5 minutes. Give it to nobody.") % {"code": code},
            key=f"code:{secrets.token_hex(8)}",
        )

    def get_phone(self, user: Account) -> tuple[str, bool] | None:
        return (user.phone, user.phone_verified) if user.phone else None

    def get_user_by_phone(self, phone: str) -> Account | None:
        return Account.objects.filter(phone=phone).first()

    def set_phone(self, user: Account, phone: str, verified: bool) -> None:
        user.phone, user.phone_verified = phone, verified
        user.save(update_fields=["phone", "phone_verified"])

    def set_phone_verified(self, user: Account, phone: str) -> None:
        """Nothing to do: `people.services.account_for_phone` has noted it with the account."""
