"""Members and leaders sign in with their phone; everybody signs out; demo personas come in by their link."""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.account.internal.flows.logout import logout
from allauth.core import ratelimit
from allauth.core.internal.cryptokit import compare_user_code
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from kaituan.notices.senders import SendFailed
from kaituan.people.masking import mask_phone
from kaituan.people.models import Account
from kaituan.people.personas import NoPersona, account_of_persona
from kaituan.people.services import sign_out_everywhere
from kaituan.web import clock
from kaituan.web.sign_in.forms import CodeForm, PhoneForm
from kaituan.web.sign_in.phone_code import PhoneCode
from kaituan.web.sign_in.places import home_of, wanted_next
from kaituan.web.sign_in.staff import PERSONA_SESSION_KEY

BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@require_http_methods(["GET", "POST"])
def phone_page(request: HttpRequest) -> HttpResponseBase:
    """Asks for the phone and sends it a code."""
    if request.user.is_authenticated:
        return redirect(wanted_next(request) or home_of(request.user, now=clock.now()))
    form = PhoneForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        phone = form.cleaned_data["phone"]
        if not ratelimit.consume(request, action="request_login_code", key=phone):
            form.add_error("phone", _("Too many codes were asked for. Please wait ten minutes."))
        else:
            try:
                PhoneCode.begin(request, phone=phone)
            except SendFailed:
                form.add_error("phone", _("The code could not be sent. Please try again in a moment."))
            else:
                return redirect(_with_next("account_confirm_login_code", request))
    context = {"form": form, "next": wanted_next(request)}
    return render(request, "account/phone.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def code_page(request: HttpRequest) -> HttpResponseBase:
    """Asks for the code: three tries, five minutes, sent again twice at most."""
    if request.method == "POST" and request.POST.get("action") != "resend":
        with one_at_a_time(request):
            return _code_page(request)
    return _code_page(request)


@contextmanager
def one_at_a_time(request: HttpRequest) -> Iterator[None]:
    """Holds the visitor's session as it is now: of many guesses sent at the same moment each sees how many were
    wrong before it, or three tries would be as many as there are threads."""
    key = request.session.session_key
    with transaction.atomic():
        list(Session.objects.select_for_update().filter(pk=key))
        request.session = SessionStore(key)
        yield
        if request.session.modified:
            request.session.save()
            # Saved once more after the answer it would undo what the next guess writes; but signed in, the visitor
            # gets the cookie of a new session.
            request.session.modified = request.session.session_key != key


def _code_page(request: HttpRequest) -> HttpResponseBase:
    if request.user.is_authenticated:
        return redirect(wanted_next(request) or home_of(request.user, now=clock.now()))
    process = PhoneCode.pending(request)
    if process is None:
        messages.warning(request, _("The time for the code is over. Please ask for a new one."))
        return redirect(_with_next("account_request_login_code", request))
    form = CodeForm()
    if request.method == "POST" and request.POST.get("action") == "resend":
        return _send_again(request, process)
    if request.method == "POST":
        form = CodeForm(request.POST)
        if form.is_valid():
            if compare_user_code(actual=form.cleaned_data["code"], expected=process.code):
                return process.finish(wanted_next(request) or None)
            if not process.record_invalid_attempt():
                messages.error(request, _("Three wrong codes: please ask for a new one."))
                return redirect(_with_next("account_request_login_code", request))
            form.add_error("code", _("That is not the code. Please look again."))
    context = {
        "form": form,
        "next": wanted_next(request),
        "phone": mask_phone(process.phone),
        "can_resend": process.can_resend,
        "demo_code": process.code if settings.DEMO else "",
    }
    return render(request, "account/code.html", context, status=422 if form.errors else 200)


def _send_again(request: HttpRequest, process: PhoneCode) -> HttpResponseRedirect:
    if not process.can_resend or not ratelimit.consume(
        request, action="request_login_code", key=process.phone
    ):
        messages.error(request, _("Too many codes were asked for. Please wait ten minutes."))
    else:
        try:
            process.resend()
        except SendFailed:
            messages.error(request, _("The code could not be sent. Please try again in a moment."))
        else:
            messages.success(request, _("A new code is on its way."))
    return redirect(_with_next("account_confirm_login_code", request))


@never_cache
@require_http_methods(["GET", "POST"])
def sign_out_page(request: HttpRequest) -> HttpResponseBase:
    """Asks whether to sign out, here or everywhere, and does it."""
    if not isinstance(request.user, Account):
        return redirect(settings.LOGOUT_REDIRECT_URL)
    if request.method == "GET":
        return render(request, "account/sign_out.html", {"next": wanted_next(request)})
    if request.POST.get("action") == "everywhere":
        sign_out_everywhere(account=request.user, acting_person=request.user.person, now=clock.now())
    logout(request, show_message=False)
    return redirect(settings.LOGOUT_REDIRECT_URL)


@login_required
@require_POST
def sign_out_everywhere_action(request: HttpRequest) -> HttpResponseRedirect:
    """Ends all sessions of the account, this one included."""
    assert isinstance(request.user, Account)
    sign_out_everywhere(account=request.user, acting_person=request.user.person, now=clock.now())
    logout(request, show_message=False)
    return redirect(settings.LOGOUT_REDIRECT_URL)


@never_cache
@require_GET
def inactive_page(request: HttpRequest) -> HttpResponse:
    """Says that the account was switched off, and whom to ask."""
    return render(request, "account/inactive.html", status=403)


@never_cache
@require_GET
def persona_page(request: HttpRequest, token: str) -> HttpResponseRedirect:
    """Signs in a persona of the demo town. Elsewhere there is no such page."""
    try:
        account = account_of_persona(token)
    except NoPersona as error:
        raise Http404 from error
    if request.user.is_authenticated and request.user != account:
        logout(request, show_message=False)
    login(request, account, backend=BACKEND)
    request.session[PERSONA_SESSION_KEY] = True
    return redirect(home_of(account, now=clock.now()))


def _with_next(name: str, request: HttpRequest) -> str:
    url, wanted = reverse(name), wanted_next(request)
    return f"{url}?{urlencode({'next': wanted})}" if wanted else url
