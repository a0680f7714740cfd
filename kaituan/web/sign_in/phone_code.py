"""Allauth's login-by-code, for phones that need no account yet: the code that proves a phone opens one.

A known and an unknown phone are treated alike up to the right code, so nobody learns who is here.
"""

from typing import Any, Self

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.models import Login
from allauth.account.stages import LoginByCodeStage, LoginStageController
from django.http import HttpRequest, HttpResponseBase

from kaituan.people.services import account_for_phone
from kaituan.web import clock


class PhoneCode(LoginCodeVerificationProcess):  # type: ignore[misc]
    """One phone being proven, kept in the visitor's session until the code is right or used up."""

    @classmethod
    def begin(cls, request: HttpRequest, *, phone: str) -> Self:
        """Send a code and wait for it. Raises SendFailed."""
        login = Login(user=None)
        login.state["stages"] = {"current": LoginByCodeStage.key}
        stage = LoginByCodeStage(LoginStageController(request, login), request, login)
        stage.state.update(cls.initial_state(user=None, phone=phone), initiated_by_user=True)
        process = cls(stage)
        process.send()
        process.persist()
        return process

    @classmethod
    def pending(cls, request: HttpRequest) -> "PhoneCode | None":
        """The code this visitor is waiting for, or None when there is none or its time is over."""
        stage = LoginStageController.enter(request, LoginByCodeStage.key)
        if stage is None or not stage.state.get("phone"):
            return None
        return cls(stage).abort_if_invalid()

    @property
    def phone(self) -> str:
        return str(self.state["phone"])

    def generate_code(self) -> str:
        code: str = get_adapter().generate_phone_verification_code(user=None, phone=self.phone)
        self.state["code"] = code
        return code

    def send(self, skip_enumeration_mails: bool = False) -> None:
        """Make a code and send it. Raises SendFailed."""
        code = self.generate_code()
        get_adapter().send_verification_code_sms(user=None, phone=self.phone, code=code)

    def finish(self, redirect_url: str | None) -> HttpResponseBase:
        """Sign in the account of the phone that is proven now."""
        self._user: Any = account_for_phone(phone=self.phone, now=clock.now())
        return super().finish(redirect_url)
