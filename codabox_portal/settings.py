"""Every setting of the portal, read from the environment (docs/operations/environment.md).

Beside a running demo `var/env` fills in what the environment does not say.
"""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import environ

from codabox_portal import account_forms, addresses, api_libraries, environment, logs, openid
from codabox_portal.content_security_policy import DIRECTIVES
from codabox_portal.schedule import BEAT

BASE_DIR = Path(__file__).resolve().parent.parent
_var = BASE_DIR / "var"
if (_var / "env").exists():
    environ.Env.read_env(str(_var / "env"), overwrite=False)
_env = environment.Environment(os.environ)

# --- What the deployment decides -------------------------------------------------------------

PORTAL_NAME = _env.text("PORTAL_NAME", "MyCodaBox")
PORTAL_URL = _env.needed(
    "PORTAL_URL", environment.address, "https://connect.example", is_secret=False
)
_portal = urlsplit(PORTAL_URL)
OVER_HTTPS = _portal.scheme == "https"
PORTAL_HOST = str(_portal.hostname)
_this_machine = ["localhost", "127.0.0.1"] if not OVER_HTTPS else []
ALLOWED_HOSTS = list(dict.fromkeys([PORTAL_HOST, *_env.items("PORTAL_HOSTS", _this_machine)]))
PORTAL_SUPPORT_EMAIL = _env.read(
    "PORTAL_SUPPORT_EMAIL", environment.mailbox, f"support@{PORTAL_HOST}"
)
PORTAL_DEMO = _env.flag("PORTAL_DEMO", default=False)
PORTAL_DEMO_SOFTWARE_URL = _env.address("PORTAL_DEMO_SOFTWARE_URL", "http://localhost:8001")
PORTAL_MAIL_DIR = _env.text("PORTAL_MAIL_DIR")
# nginx's internal location of the document bytes; empty: this process streams them itself.
PORTAL_NGINX_LOCATION = _env.read("PORTAL_NGINX_LOCATION", environment.location, "")
# How many proxies stand in front; their entry in X-Forwarded-For is the caller's address.
PORTAL_TRUSTED_PROXIES = _env.number("PORTAL_TRUSTED_PROXIES", 0, least=0, most=10)
# From which networks Prometheus asks; to everybody else there is no /metrics.
PORTAL_METRICS_FROM = _env.networks("PORTAL_METRICS_FROM", "127.0.0.0/8,::1/128")
# The software that measures how fast a stop stops (manage.py create_probe); no secret: it is off.
PORTAL_PROBE_CLIENT = _env.text("PORTAL_PROBE_CLIENT")
PORTAL_PROBE_SECRET = _env.secret("PORTAL_PROBE_SECRET", str, "")
PORTAL_PROBE_URL = _env.address("PORTAL_PROBE_URL", PORTAL_URL)
# Where traces and crashes go, each with an extra of its own (pyproject.toml); empty: it is off.
OTEL_EXPORTER_OTLP_ENDPOINT = _env.read(
    "OTEL_EXPORTER_OTLP_ENDPOINT", environment.with_extra("opentelemetry", environment.receiver), ""
)
PORTAL_SENTRY_DSN = _env.secret(
    "PORTAL_SENTRY_DSN", environment.with_extra("sentry", environment.sentry_project), ""
)
# How often one partner may call the API in a minute; a partner can have a limit of its own.
PORTAL_CALLS_PER_MINUTE = _env.number("PORTAL_CALLS_PER_MINUTE", 30_000)
# Long downloads and waiting calls keep a thread each; a slow reader is cut, in bytes per second.
PORTAL_DOWNLOADS_AT_ONCE = _env.number("PORTAL_DOWNLOADS_AT_ONCE", 16)
PORTAL_DOWNLOADS_PER_PARTNER = _env.number("PORTAL_DOWNLOADS_PER_PARTNER", 8)
PORTAL_WAITS_AT_ONCE = _env.number("PORTAL_WAITS_AT_ONCE", 8, least=0)
PORTAL_WAITS_PER_PARTNER = _env.number("PORTAL_WAITS_PER_PARTNER", 10, least=0)
PORTAL_SLOWEST_READER = _env.number("PORTAL_SLOWEST_READER", 16_384, least=0)
# Mutual TLS for the API: who may tell us the fingerprint of a client certificate; empty: it is off.
PORTAL_CERTIFICATE_PROXIES = _env.networks("PORTAL_CERTIFICATE_PROXIES", "")
# Webhooks to this machine itself, also without TLS: for the demo and for tests.
PORTAL_WEBHOOKS_ALLOW_LOOPBACK = _env.flag("PORTAL_WEBHOOKS_ALLOW_LOOPBACK", default=PORTAL_DEMO)
# A file with the certificate authorities that webhooks trust; empty: those of the system.
PORTAL_WEBHOOKS_CA = _env.read("PORTAL_WEBHOOKS_CA", environment.file, "")
PORTAL_REQUEST_LAPSES_AFTER_DAYS = _env.number("PORTAL_REQUEST_LAPSES_AFTER_DAYS", 30, most=365)

# What signs receipts: base64 of 32 random bytes; empty: a key derived from PORTAL_SECRET_KEY.
PORTAL_RECEIPT_KEY = _env.secret("PORTAL_RECEIPT_KEY", addresses.receipt_key, "")
# Where the signed checkpoints of all events go: a folder or a bucket of another account.
PORTAL_CHECKPOINTS = _env.secret("PORTAL_CHECKPOINTS", addresses.checkpoints, f"{_var}/checkpoints")
# For how many years after its end the proof of a consent names people; afterwards a pseudonym.
PORTAL_EVIDENCE_YEARS = _env.number("PORTAL_EVIDENCE_YEARS", 10, least=10)
# The consents that ended: keep this file outside the database's backups as well.
PORTAL_ENDED_CONSENTS_FILE = _env.text("PORTAL_ENDED_CONSENTS_FILE", f"{_var}/ended-consents.txt")

SECRET_KEY = _env.needed("PORTAL_SECRET_KEY", str, "50-random-characters")
# Secrets of before: what they signed is still believed, nothing new is signed with them.
SECRET_KEY_FALLBACKS: list[str] = _env.secret("PORTAL_FORMER_SECRET_KEYS", environment.items, [])
DEBUG = _env.flag("PORTAL_DEBUG", default=False)

# --- Parts -----------------------------------------------------------------------------------

INSTALLED_APPS = [
    "mailer",
    "accounts",
    "partners",
    "clients",
    "consents",
    "documents",
    "notifications",
    "dashboard",
    "partner_api",
    "monitoring",
    *(["demo"] if PORTAL_DEMO else []),
    "backoffice.apps.BackofficeConfig",
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
    "pgtrigger",
    "csp",
    "django_structlog",
]

MIDDLEWARE = [
    "monitoring.middleware.timed",
    *(["monitoring.middleware.traced"] if OTEL_EXPORTER_OTLP_ENDPOINT else []),
    *(["demo.middleware.sandbox"] if PORTAL_DEMO else []),
    # The API answers before the browser's middleware begins: it needs none of it.
    "partner_api.hot_path.middleware.ApiMiddleware",
    "core.middleware.bounded_streams",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "core.middleware.private_pages",
    "monitoring.middleware.health_checks",
    "core.middleware.ForgivingAddresses",
    "core.presses.PressedTwice",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "core.middleware.BoundedBodies",
    "django.middleware.csrf.CsrfViewMiddleware",
    "core.middleware.OwnFormsOnly",
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
            "builtins": ["core.template_filters"],
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

# The portal's own role, which owns nothing.
DATABASES = {
    "default": _env.needed("DATABASE_URL", addresses.database, "postgres://portal:…@host/portal")
}
# The owner of the tables, as whom `manage.py migrate` runs; no other process is told of them.
if _owner := _env.secret("DATABASE_OWNER_URL", addresses.database, None):
    DATABASES["owner"] = _owner
DATABASE_SUPERUSER_URL = _env.secret("DATABASE_SUPERUSER_URL", addresses.superuser, "")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = _env.needed("REDIS_URL", addresses.redis, "redis://:…@host:6379/0")
CACHES = {
    "default": {
        "BACKEND": "core.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}

# The demo and the tests serve static files from where they are written, without collecting them.
STATIC_FROM_SOURCE = _env.flag("PORTAL_STATIC_FROM_SOURCE", default=PORTAL_DEMO)

# A folder whose files the worker takes in; empty: none.
PORTAL_DROP_FOLDER = _env.text("PORTAL_DROP_FOLDER")
# How long the access log of the documents is kept; the database refuses less as well.
PORTAL_ACCESS_LOG_MONTHS = _env.number("PORTAL_ACCESS_LOG_MONTHS", 120, least=120, most=1200)
# How many months a document is kept, kind by kind, for example creditCardStatement=24.
PORTAL_RETENTION_MONTHS = _env.read(
    "PORTAL_RETENTION_MONTHS", addresses.months_to_keep, addresses.months_to_keep("")
)

# The documents' bytes: a private folder, or a bucket, https://key:secret@host/bucket?region=…
_folder = addresses.documents_in_folder(_env.text("PORTAL_STORAGE", f"{_var}/documents"))
_documents = _env.secret("PORTAL_STORAGE_S3", addresses.documents_in_bucket, _folder)
if PORTAL_NGINX_LOCATION and _documents is not _folder:
    _env.wrong.append(
        "PORTAL_NGINX_LOCATION is for a folder: leave it empty with PORTAL_STORAGE_S3."
    )
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "documents": _documents,
    "checkpoints": addresses.checkpoints_storage(PORTAL_CHECKPOINTS),
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
# Such a file may change: its length is read with it, and not when the process starts.
WHITENOISE_AUTOREFRESH = STATIC_FROM_SOURCE

# --- People ----------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.login.addresses.EmailBackend"]
PASSWORD_HASHERS = [
    "accounts.login.hashers.Argon2id",
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
    "security.W002",  # core.middleware sets X-Frame-Options
    "security.W008",  # the proxy sends http to https; the API never redirects
    # monitoring.checks says these in the words of our own settings.
    *("security.W004", "security.W009", "security.W012", "security.W016", "security.W018"),
    "security.W025",
    "security.W021",  # being on the browsers' preload list is for the owner of the domain to ask
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard:home"
PASSWORD_RESET_TIMEOUT = 3600  # seconds; the reset mail is valid for one hour

PORTAL_OPERATOR_OIDC_ISSUER = _env.read("PORTAL_OPERATOR_OIDC_ISSUER", openid.issuer, "")
PORTAL_OPERATOR_OIDC_CLIENT_ID = _env.text("PORTAL_OPERATOR_OIDC_CLIENT_ID")
PORTAL_OPERATOR_OIDC_CLIENT_SECRET = _env.secret("PORTAL_OPERATOR_OIDC_CLIENT_SECRET", str, "")
_host = openid.host_of(PORTAL_OPERATOR_OIDC_ISSUER)
PORTAL_OPERATOR_OIDC_NAME = _env.text("PORTAL_OPERATOR_OIDC_NAME", _host)
openid.check(_env, vars())
ACCOUNT_ADAPTER = "accounts.login.adapter.AccountAdapter"
ACCOUNT_FORMS = account_forms.ACCOUNT_FORMS
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # the first login is by an invitation to that address
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900  # seconds
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_RATE_LIMITS = {
    # allauth would shut out all who share an address or an account; accounts.login.guesses counts.
    "login": None,
    "login_failed": None,
    "reauthenticate": None,
    # A big office comes from one address at nine o'clock: many log in, few fail.
    "password_tried": "120/m/ip",
    "guess_in_a_row": "5/5m/key",
    "guess": "10/h/key",
    "change_password": "10/h/user",
    "invite": "20/5m/user",
    "open_invitation": "20/5m/ip",
    "change_email": "5/5m/user",
    # So that nobody finds out by trying which offices there are.
    "transfer": "20/5m/user",
    # So that nobody claims number after number: 1,000 a day for an office are the other limit.
    "claim": "30/5m/user",
    # Each begins a session and asks the provider.
    "operator_login": "30/5m/ip",
}

MFA_ADAPTER = "accounts.login.mfa.SecondFactorAdapter"
MFA_FORMS = account_forms.MFA_FORMS
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = PORTAL_NAME
MFA_TOTP_TOLERANCE = 1  # steps of 30 s, early or late
MFA_TRUST_ENABLED = True  # "remember this device", for 14 days
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Every account was opened by a link to its address. allauth does not know that: after a password
# reset it would keep the second factor from the person.
MFA_ALLOW_UNVERIFIED_EMAIL = True
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
CSRF_FAILURE_VIEW = "accounts.views.stale_page.stale_page"
LANGUAGE_COOKIE_NAME = f"{_prefix}portal_language"
MFA_TRUST_COOKIE_NAME = f"{_prefix}portal_device"
PORTAL_KNOWN_DEVICE_COOKIE_NAME = f"{_prefix}portal_known"
SECURE_SSL_REDIRECT = False  # the proxy does it; the API never redirects
SECURE_HSTS_SECONDS = 63_072_000 if OVER_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PORTAL_TRUSTED_PROXIES else None
# Our own forms need an Origin, so not "no-referrer"; a partner never gets a Referer.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": DIRECTIVES}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Words and times -------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("nl", "Nederlands"), ("fr", "Français"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Brussels"
FORMAT_MODULE_PATH = "codabox_portal.formats"

DEFAULT_FROM_EMAIL = _env.read(
    "PORTAL_MAIL_FROM", environment.mailbox, f"{PORTAL_NAME} <no-reply@{PORTAL_HOST}>"
)
_mail = _env.secret(
    "EMAIL_URL", addresses.mail_server, addresses.mail_server("smtp://localhost:25")
)
if PORTAL_MAIL_DIR:
    EMAIL_BACKEND = "mailer.eml_files.EmlFiles"
    EMAIL_FILE_PATH = PORTAL_MAIL_DIR
else:
    vars().update(_mail)

# --- Partners: tokens and API ----------------------------------------------------------------

OAUTH2_PROVIDER_APPLICATION_MODEL = api_libraries.OAUTH2_PROVIDER_APPLICATION_MODEL
OAUTH2_PROVIDER = api_libraries.OAUTH2_PROVIDER
REST_FRAMEWORK = api_libraries.REST_FRAMEWORK
SPECTACULAR_SETTINGS = api_libraries.SPECTACULAR_SETTINGS

# --- Jobs and logs ---------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_DEFAULT_QUEUE = _env.read("PORTAL_QUEUE", environment.word, "portal")
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = BEAT

LOGGING = logs.configuration(json_lines=not sys.stderr.isatty())
DJANGO_STRUCTLOG_USER_ID_FIELD = "id"

# Names that begin like a setting of ours, each with the setting that may be meant.
UNKNOWN_ENVIRONMENT = _env.unknown()
_env.stop_if_wrong()
