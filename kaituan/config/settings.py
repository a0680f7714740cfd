"""Every setting of the site. What differs between machines comes from the environment (docs/operating.md)."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from kaituan.config.database import DatabaseUrlError, databases

PACKAGE_DIR = Path(__file__).resolve().parent.parent


def _flag(name: str) -> bool:
    return os.environ.get(name, "").lower() in ("1", "true", "yes", "on")


def _count(name: str, *, otherwise: int, most: int) -> int:
    given = os.environ.get(name, "") or str(otherwise)
    if not (given.isascii() and given.isdigit() and len(given) < 10 and 1 <= int(given) <= most):
        raise ImproperlyConfigured(f"{name} must be a whole number from 1 to {most}, not {given!r}.")
    return int(given)


DEBUG = _flag("KAITUAN_DEBUG")
# A demo data folder: persona links work, the code sender prints to the console. Never with real people.
DEMO = _flag("KAITUAN_DEMO")

SECRET_KEY = os.environ.get("KAITUAN_SECRET_KEY", "")
if not SECRET_KEY:
    # Commands that serve nobody (migrate, doctor) run without one; asgi.py refuses to.
    SECRET_KEY = "only-for-commands-that-serve-nobody"  # noqa: S105
SECRET_KEY_IS_SAFE = SECRET_KEY != "only-for-commands-that-serve-nobody" and len(SECRET_KEY) >= 32  # noqa: S105

ALLOWED_HOSTS = [h for h in os.environ.get("KAITUAN_HOSTS", "localhost,127.0.0.1,testserver").split(",") if h]
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("KAITUAN_ORIGINS", "").split(",") if o]
SITE_URL = os.environ.get("KAITUAN_SITE_URL", "http://localhost:8000")

DATA_DIR = Path(os.environ.get("KAITUAN_DATA_DIR", "data"))
STATION_SCHEMA = os.environ.get("KAITUAN_STATION", "station")

try:
    DATABASES = databases(
        os.environ.get("DATABASE_URL", "postgresql:///kaituan"),
        station_schema=STATION_SCHEMA,
        pool_size=int(os.environ.get("KAITUAN_POOL", "0")),
    )
except DatabaseUrlError as error:
    raise ImproperlyConfigured(str(error)) from error
DATABASE_ROUTERS = ["kaituan.config.database.StationRouter"]
PROCRASTINATE_DATABASE_ALIAS = "jobs"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "kaituan.ledger",
    "kaituan.notices",
    "kaituan.people",
    "kaituan.catalogue",
    "kaituan.campaigns",
    "kaituan.ordering",
    "kaituan.payments",
    "kaituan.fulfilment",
    "kaituan.aftersales",
    "kaituan.commission",
    "kaituan.settlement",
    "kaituan.reporting",
    "kaituan.web",
    "kaituan.storefront",
    "kaituan.workbench",
    "kaituan.console",
    "kaituan.portal",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "kaituan.web.preferences.preferences_middleware",
    "kaituan.web.sign_in.middleware.pass_middleware",
    "kaituan.web.sign_in.staff.StaffProofMiddleware",
    "kaituan.web.bad_input.BadInputMiddleware",
]

ROOT_URLCONF = "kaituan.config.urls"
ASGI_APPLICATION = "kaituan.config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "kaituan.web.context.page",
            ],
        },
    },
]

FORM_RENDERER = "kaituan.web.forms.KaituanRenderer"
CSRF_FAILURE_VIEW = "kaituan.web.errors.csrf_failure"

AUTH_USER_MODEL = "people.Account"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [
    ("zh-hans", _("Simplified Chinese")),
    ("en", _("English")),
    ("zh-hant", _("Traditional Chinese")),
]
# Every app brings its own locale folder; these have words for people but are no apps.
LOCALE_PATHS = [PACKAGE_DIR / folder / "locale" for folder in ("config", "money", "api", "intake", "cli")]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "/static/"
# The server names files by their content and collects them here (web/static_files.py). Tests and other
# commands take the files of the installed apps from where they are.
HASHED_FILES = _flag("KAITUAN_HASHED_FILES")
STATIC_ROOT = DATA_DIR / "static" if HASHED_FILES else None
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA_DIR / "uploads"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "kaituan.web.static_files.HashedStorage"
        if HASHED_FILES
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not HASHED_FILES

# Scripts come from this site alone. The admin's own needs are met under its path only (console/).
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:", "blob:"],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "object-src": [CSP.NONE],
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 60
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _flag("KAITUAN_BEHIND_PROXY") else None
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

# Rate limits and used one-time codes are kept in the database, so that all web processes count together.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "shared_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
    # Each process for itself: what is named by its version and so may be kept by everybody.
    "process": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "process",
        "OPTIONS": {"MAX_ENTRIES": 1_000},
    },
}

# Sign-in: members and leaders by a code to their phone, staff by user name, password and a second factor.
ACCOUNT_ADAPTER = "kaituan.web.sign_in.adapter.KaituanAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "phone"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 5 * 60
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_RATE_LIMITS = {"request_login_code": "30/10m/ip,5/10m/key", "login": "30/m/ip"}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if SECURE_PROXY_SSL_HEADER else 0
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Kaituan"
MFA_TOTP_TOLERANCE = 1

# How members may pay online. The sandbox moves no money, so that whoever could choose it would have goods for nothing:
# a demo has it, elsewhere it has to be asked for (to try things out, never with real goods).
KAITUAN_GATEWAYS = [g for g in os.environ.get("KAITUAN_GATEWAYS", "sandbox" if DEMO else "").split(",") if g]

# How many live chains of one process one address may have open: neighbours often share one.
KAITUAN_STREAMS_PER_ADDRESS = _count("KAITUAN_STREAMS_PER_ADDRESS", otherwise=200, most=10_000)

# Who sends what leaves the house: dotted paths of sender classes (kaituan/notices/senders.py).
_CONSOLE_SENDER = "kaituan.notices.senders.ConsoleSender" if DEMO else ""
KAITUAN_CODE_SENDER = os.environ.get("KAITUAN_CODE_SENDER", _CONSOLE_SENDER)
KAITUAN_SENDERS = [s for s in os.environ.get("KAITUAN_SENDERS", "").split(",") if s]
