"""The product's tables with the settings of a usual project."""

from codabox_portal import settings as ours

SECRET_KEY = ours.SECRET_KEY
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = [
    "rest_framework_json_api",
    *(
        "bench.peer.apps.Account" if app == "allauth.account" else app
        for app in ours.INSTALLED_APPS
    ),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "bench.peer.urls"
TEMPLATES = ours.TEMPLATES
DATABASES = {
    "default": {
        **ours.DATABASES["default"],
        # A usual project has no row security: its connections see every office.
        "OPTIONS": {"options": "-c portal.every_office=on"},
    }
}
DEFAULT_AUTO_FIELD = ours.DEFAULT_AUTO_FIELD
STORAGES = ours.STORAGES
STATIC_URL = ours.STATIC_URL
AUTH_USER_MODEL = ours.AUTH_USER_MODEL
OAUTH2_PROVIDER_APPLICATION_MODEL = ours.OAUTH2_PROVIDER_APPLICATION_MODEL
OAUTH2_PROVIDER = ours.OAUTH2_PROVIDER
PASSWORD_HASHERS = ours.PASSWORD_HASHERS
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "oauth2_provider.contrib.rest_framework.OAuth2Authentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": [],
}
LANGUAGE_CODE = ours.LANGUAGE_CODE
TIME_ZONE = ours.TIME_ZONE
USE_TZ = True
