"""Staff sign in with user name and password, then a code from their authenticator app."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_password_login, record_authentication
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.account.models import Login
from allauth.account.stages import LoginStageController
from allauth.core import ratelimit
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.flows import view_recovery_codes
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.flows import activate_totp
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from kaituan.people.access import NotYours
from kaituan.people.models import Account
from kaituan.web import clock
from kaituan.web.sign_in.forms import PasswordForm, StaffForm
from kaituan.web.sign_in.places import home_of, wanted_next


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def staff_sign_in_page(request: HttpRequest) -> HttpResponseBase:
    """User name and password; allauth's stages ask for the second factor next."""
    if isinstance(request.user, Account) and request.user.is_staff:
        return redirect(wanted_next(request) or home_of(request.user, now=clock.now()))
    form = StaffForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not ratelimit.consume(request, action="login"):
            form.add_error(None, _("Too many tries. Please wait a few minutes."))
        else:
            account = _authenticated(request, form)
            if account is not None:
                login = Login(user=account, redirect_url=wanted_next(request) or None)
                credentials = {"username": form.cleaned_data["username"]}
                return perform_password_login(request, credentials, login)
    context = {"form": form, "next": wanted_next(request)}
    return render(request, "account/staff_sign_in.html", context, status=422 if form.errors else 200)


def _authenticated(request: HttpRequest, form: StaffForm) -> Account | None:
    """The staff account of what was typed; None with the reason on the form."""
    try:
        account = get_adapter().authenticate(
            request,
            username=form.cleaned_data["username"].strip(),
            password=form.cleaned_data["password"],
        )
    except ValidationError:
        form.add_error(None, _("Too many tries. Please wait a few minutes."))
        return None
    if not isinstance(account, Account) or not account.is_staff:
        form.add_error(None, _("User name or password is wrong."))
        return None
    return account


@never_cache
@require_http_methods(["GET", "POST"])
def second_factor_page(request: HttpRequest) -> HttpResponseBase:
    """The code of the authenticator app (or a recovery code) that completes a sign-in."""
    stage = LoginStageController.enter(request, AuthenticateStage.key)
    if request.user.is_authenticated or stage is None:
        return redirect("account_login")
    form = AuthenticateForm(user=stage.login.user, data=request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return stage.exit()
    return render(request, "account/second_factor.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def prove_again_page(request: HttpRequest) -> HttpResponseBase:
    """The second factor once more, when it was proven long ago."""
    account = _staff(request)
    if not is_mfa_enabled(account, [Authenticator.Type.TOTP]):
        return redirect("mfa_activate_totp")
    form = ReauthenticateForm(user=account, data=request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect(wanted_next(request) or home_of(account, now=clock.now()))
    context = {"form": form, "next": wanted_next(request)}
    return render(request, "account/second_factor.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def password_again_page(request: HttpRequest) -> HttpResponseBase:
    """The password once more: before a second factor is set up, or after a sign-in by phone code."""
    account = _staff(request)
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            right = get_adapter().authenticate(
                request, username=account.username, password=form.cleaned_data["password"]
            )
        except ValidationError:
            form.add_error(None, _("Too many tries. Please wait a few minutes."))
        else:
            if right == account:
                reauthenticate_by_password(request)
                return redirect(wanted_next(request) or home_of(account, now=clock.now()))
            form.add_error("password", _("That is not your password."))
    context = {"form": form, "next": wanted_next(request)}
    return render(request, "account/password_again.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def set_up_second_factor_page(request: HttpRequest) -> HttpResponseBase:
    """Shows the QR code for the authenticator app and asks for its first code."""
    account = _staff(request)
    if is_mfa_enabled(account, [Authenticator.Type.TOTP]):
        return redirect(wanted_next(request) or home_of(account, now=clock.now()))
    if get_adapter(request).is_reauthentication_required(app="allauth.mfa"):
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.get_full_path()})}")
    form = ActivateTOTPForm(user=account, data=request.POST or None)
    if request.method == "POST" and form.is_valid():
        authenticator, _codes = activate_totp(request, form)
        record_authentication(
            request, account, method="mfa", id=authenticator.pk, type=authenticator.type, reauthenticated=True
        )
        messages.success(request, _("The second factor is set up. Keep the recovery codes in a safe place."))
        return redirect(f"{reverse('mfa_view_recovery_codes')}?{urlencode({'next': wanted_next(request)})}")
    context = {
        "form": form,
        "next": wanted_next(request),
        "secret": form.secret,
        "qr_svg": _qr_svg(account, form.secret),
    }
    return render(request, "account/set_up_second_factor.html", context, status=422 if form.errors else 200)


@never_cache
@require_GET
def recovery_codes_page(request: HttpRequest) -> HttpResponseBase:
    """The recovery codes, to be written down; shown only soon after the password or the second factor."""
    account = _staff(request)
    codes, may_see = view_recovery_codes(request)
    if codes is None:
        raise NotYours
    if not may_see:
        return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': request.get_full_path()})}")
    context = {
        "codes": codes.get_unused_codes(),
        "next": wanted_next(request) or home_of(account, now=clock.now()),
    }
    return render(request, "account/recovery_codes.html", context)


def _qr_svg(account: Account, secret: str) -> SafeString:
    """What the authenticator app scans; on white paper of its own, for cameras fail in dark mode."""
    adapter = get_mfa_adapter()
    svg: str = adapter.build_totp_svg(adapter.build_totp_url(account, secret))
    # Drawn by allauth's QR library from its own URL: nothing typed by anybody is in it as text.
    return mark_safe(svg.replace("<path", '<rect width="100%" height="100%" fill="#fff"/><path', 1))  # noqa: S308


def _staff(request: HttpRequest) -> Account:
    if not isinstance(request.user, Account) or not request.user.is_staff:
        raise NotYours
    return request.user
