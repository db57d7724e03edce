"""Every setting of the portal, read from the environment; see docs/operations.md for the table.

Beside a running demo `var/env` fills in what the environment does not say.
"""

import sys
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from codabox_portal import logs
from codabox_portal.environment import documents_storage, months_to_keep
from codabox_portal.schedule import BEAT

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(str(BASE_DIR / "var" / "env"), overwrite=False)


def needed(name: str, example: str) -> str:
    """Return the environment variable `name`, or stop with a sentence that says what to do."""
    value = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. Set it (for example {name}={example}), "
            "or start everything with `python3 portal.py demo`."
        )
    return str(value)


def networks(name: str, default: str) -> list[str]:
    """Return the networks of the environment variable `name`, or stop with a sentence."""
    found = [entry.strip() for entry in env.str(name, default=default).split(",") if entry.strip()]
    try:
        return [str(ip_network(entry)) for entry in found]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error} (for example {name}={default}).") from error


# --- What the deployment decides -------------------------------------------------------------

PORTAL_NAME: str = env.str("PORTAL_NAME", default="MyCodaBox")
PORTAL_URL: str = env.str("PORTAL_URL", default="http://localhost:8000").rstrip("/")
PORTAL_SUPPORT_EMAIL: str = env.str("PORTAL_SUPPORT_EMAIL", default="support@portal.example")
PORTAL_DEMO: bool = env.bool("PORTAL_DEMO", default=False)
PORTAL_SOFTWARE_URL: str = env.str("PORTAL_SOFTWARE_URL", default="http://localhost:8001")
PORTAL_MAIL_DIR: str = env.str("PORTAL_MAIL_DIR", default="")
# nginx's internal location of the document bytes; empty: this process streams them itself.
PORTAL_ACCEL: str = env.str("PORTAL_ACCEL", default="")
# How many proxies stand in front; their entry in X-Forwarded-For is the caller's address.
PORTAL_TRUSTED_PROXIES: int = env.int("PORTAL_TRUSTED_PROXIES", default=0)
# From which networks Prometheus asks; to everybody else there is no /metrics.
PORTAL_METRICS_FROM: list[str] = networks("PORTAL_METRICS_FROM", "127.0.0.0/8,::1/128")
# The software that measures how fast a stop stops (manage.py make_probe); no secret: it is off.
PORTAL_PROBE_CLIENT: str = env.str("PORTAL_PROBE_CLIENT", default="")
PORTAL_PROBE_SECRET: str = env.str("PORTAL_PROBE_SECRET", default="")
PORTAL_PROBE_URL: str = env.str("PORTAL_PROBE_URL", default=PORTAL_URL).rstrip("/")
# How often one partner may call the API in a minute; a partner can have a limit of its own.
PORTAL_CALLS_PER_MINUTE: int = env.int("PORTAL_CALLS_PER_MINUTE", default=30_000)
# Mutual TLS for the API: who may tell us the fingerprint of a client certificate; empty: it is off.
PORTAL_CERTIFICATE_PROXIES: list[str] = env.list("PORTAL_CERTIFICATE_PROXIES", default=[])
# Webhooks to this machine itself, also without TLS: for the demo and for tests.
PORTAL_WEBHOOKS_ALLOW_LOOPBACK: bool = env.bool(
    "PORTAL_WEBHOOKS_ALLOW_LOOPBACK", default=PORTAL_DEMO
)
# A file with the certificate authorities that webhooks trust; empty: those of the system.
PORTAL_WEBHOOKS_CA: str = env.str("PORTAL_WEBHOOKS_CA", default="")
PORTAL_REQUEST_LAPSES_AFTER_DAYS: int = env.int("PORTAL_REQUEST_LAPSES_AFTER_DAYS", default=30)

# What signs receipts: base64 of 32 random bytes; empty: a key derived from PORTAL_SECRET_KEY.
PORTAL_RECEIPT_KEY: str = env.str("PORTAL_RECEIPT_KEY", default="")
# The heads of the consent ledger, day by day: keep this file outside the database's backups.
PORTAL_ANCHOR_FILE: str = env.str(
    "PORTAL_ANCHOR_FILE", default=str(BASE_DIR / "var" / "ledger-anchors.txt")
)

# For how many years after its end the proof of a consent names people; afterwards a pseudonym.
PORTAL_PROOF_YEARS: int = env.int("PORTAL_PROOF_YEARS", default=10)
if PORTAL_PROOF_YEARS < 10:
    raise ImproperlyConfigured("PORTAL_PROOF_YEARS must be at least 10: proof is kept that long.")

# The consents that ended: keep this file outside the database's backups as well.
PORTAL_ENDED_FILE: str = env.str(
    "PORTAL_ENDED_FILE", default=str(BASE_DIR / "var" / "ended-consents.txt")
)

SECRET_KEY = needed("PORTAL_SECRET_KEY", "50-random-characters")
# Secrets of before: what they signed is still believed, nothing new is signed with them.
SECRET_KEY_FALLBACKS: list[str] = env.list("PORTAL_FORMER_SECRET_KEYS", default=[])
DEBUG = env.bool("PORTAL_DEBUG", default=False)

_portal = urlsplit(PORTAL_URL)
if _portal.scheme not in ("http", "https") or not _portal.hostname:
    raise ImproperlyConfigured(f"PORTAL_URL must be a full address, not {PORTAL_URL!r}.")
OVER_HTTPS = _portal.scheme == "https"
PORTAL_HOST = _portal.hostname
ALLOWED_HOSTS: list[str] = env.list(
    "PORTAL_HOSTS",
    default=[_portal.hostname, *(["localhost", "127.0.0.1"] if not OVER_HTTPS else [])],
)

# --- Parts -----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "accounts",
    "partners",
    "clients",
    "consents",
    "documents",
    "notifications",
    "dashboard",
    "partner_api",
    "operation",
    *(["demo"] if PORTAL_DEMO else []),
    "backoffice.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "oauth2_provider",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "csp",
    "django_structlog",
]

MIDDLEWARE = [
    *(["demo.middleware.sandbox"] if PORTAL_DEMO else []),
    # The API answers before the browser's middleware begins: it needs none of it.
    "partner_api.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "codabox_portal.middleware.private_pages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "codabox_portal.middleware.OwnFormsOnly",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.presence_of_the_person",
    "accounts.middleware.language_of_the_person",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "codabox_portal.urls"
WSGI_APPLICATION = "codabox_portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.portal",
                "dashboard.context.offices",
            ],
        },
    }
]

# --- Database, Redis, files ------------------------------------------------------------------

DATABASES = {
    "default": env.db_url_config(needed("DATABASE_URL", "postgres://portal:…@host/portal"))
}
DATABASES["default"].update(
    ENGINE="codabox_portal.postgresql",
    # A new connection costs 13 ms of CPU; workers keep theirs and check it when it was idle.
    CONN_MAX_AGE=None,
    CONN_HEALTH_CHECKS=True,
    OPTIONS={
        "application_name": "portal",
        "connect_timeout": 4,
        "tcp_user_timeout": 4000,
        **DATABASES["default"].get("OPTIONS", {}),
    },
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = needed("REDIS_URL", "redis://:…@host:6379/0")
CACHES = {
    "default": {
        "BACKEND": "codabox_portal.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}

# The demo and the tests serve static files from where they are written, without collecting them.
STATIC_FROM_SOURCE = env.bool("PORTAL_STATIC_FROM_SOURCE", default=PORTAL_DEMO)

# A folder whose files the worker takes in; empty: none.
PORTAL_DROP_FOLDER: str = env.str("PORTAL_DROP_FOLDER", default="")
# How many months a document is kept, kind by kind, for example creditCardStatement=24.
PORTAL_RETENTION_MONTHS = months_to_keep(env.str("PORTAL_RETENTION_MONTHS", default=""))

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # The documents' bytes: a private folder, or a bucket, https://key:secret@host/bucket?region=…
    "documents": documents_storage(
        folder=env.str("PORTAL_STORAGE", default=str(BASE_DIR / "var" / "documents")),
        bucket=env.str("PORTAL_STORAGE_S3", default=""),
        accel=PORTAL_ACCEL,
    ),
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if STATIC_FROM_SOURCE
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = STATIC_FROM_SOURCE

# --- People ----------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2id",
    # Client secrets have 256 random bits, so a slow hash would only slow the token endpoint down.
    "partners.hashers.HighEntropySha256",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # one account per address in any case: a unique constraint on Lower("email")
    "security.W002",  # codabox_portal.middleware sets X-Frame-Options
    "security.W008",  # the proxy sends http to https; the API never redirects
    # operation.checks says these in the words of our own settings.
    *("security.W004", "security.W009", "security.W012", "security.W016", "security.W018"),
    "security.W025",
    "security.W021",  # being on the browsers' preload list is for the owner of the domain to ask
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard:home"
PASSWORD_RESET_TIMEOUT = 3600  # seconds; the reset mail is valid for one hour

ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # the first login is by an invitation to that address
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900  # seconds
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_RATE_LIMITS = {
    # A big office comes from one address at nine o'clock: many log in, few fail.
    "login": "120/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "invite": "20/5m/user",
    "open_invitation": "20/5m/ip",
    "change_email": "5/5m/user",
    # So that nobody finds out by trying which offices there are.
    "transfer": "20/5m/user",
}

MFA_ADAPTER = "accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = PORTAL_NAME
MFA_TRUST_ENABLED = True  # "remember this device", for 14 days
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_REAUTHENTICATION_REQUIRED = False  # accounts.decorators.fresh_view asks instead
# fido2 wants https but for localhost; a portal without https is a demo or a test.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not OVER_HTTPS

# --- Browser safety --------------------------------------------------------------------------

_prefix = "__Host-" if OVER_HTTPS else ""
SESSION_COOKIE_NAME = f"{_prefix}portal_session"
SESSION_COOKIE_AGE = 12 * 3600  # seconds from the login, whatever is done meanwhile
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = OVER_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
# A proxy on a port of its own tells us the host without it; the forms are those of PORTAL_URL.
CSRF_TRUSTED_ORIGINS = [f"{_portal.scheme}://{_portal.netloc}"]
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{_prefix}portal_csrf"
LANGUAGE_COOKIE_NAME = f"{_prefix}portal_language"
MFA_TRUST_COOKIE_NAME = f"{_prefix}portal_device"
PORTAL_KNOWN_COOKIE_NAME = f"{_prefix}portal_known"
SECURE_SSL_REDIRECT = False  # the proxy does it; the API never redirects
SECURE_HSTS_SECONDS = 63_072_000 if OVER_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PORTAL_TRUSTED_PROXIES else None
# Our own forms need an Origin, so not "no-referrer"; a partner never gets a Referer.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Words and times -------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("nl", "Nederlands"), ("fr", "Français"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Brussels"
FORMAT_MODULE_PATH = "codabox_portal.formats"

DEFAULT_FROM_EMAIL = env.str(
    "PORTAL_MAIL_FROM", default=f"{PORTAL_NAME} <no-reply@{_portal.hostname}>"
)
if PORTAL_MAIL_DIR:
    EMAIL_BACKEND = "codabox_portal.mail.EmlFiles"
    EMAIL_FILE_PATH = PORTAL_MAIL_DIR
else:
    vars().update(env.email_url("EMAIL_URL", default="smtp://localhost:25"))

# --- Partners: tokens and API ----------------------------------------------------------------

OAUTH2_PROVIDER_APPLICATION_MODEL = "partners.Application"
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 1800,
    # What RFC 9700 forbids is off, also where no URL of ours leads to it today.
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "OAUTH2_VALIDATOR_CLASS": "partner_api.oauth.LimitedValidator",
    "CLIENT_SECRET_HASHER": "sha256-high-entropy",
    "SCOPES": {"documents": "Documents of offices that allowed it"},
    "DEFAULT_SCOPES": [],
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["client_credentials"],
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["partner_api.authentication.BearerToken"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["partner_api.negotiation.JsonApiRenderer"],
    "DEFAULT_PARSER_CLASSES": ["partner_api.negotiation.JsonApiParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "partner_api.negotiation.AlwaysJson",
    "EXCEPTION_HANDLER": "partner_api.errors.handle",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CodaBox Connect",
    "VERSION": "1",
    "DESCRIPTION": "Documents of an accounting office's companies, while the office allows it.",
    "OAS_VERSION": "3.1.0",
    "POSTPROCESSING_HOOKS": ["partner_api.schema.complete"],
}

# --- Jobs and logs ---------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_DEFAULT_QUEUE = env.str("PORTAL_QUEUE", default="portal")
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = BEAT

LOGGING = logs.configuration(json_lines=not sys.stderr.isatty())
DJANGO_STRUCTLOG_USER_ID_FIELD = "id"
