"""Table of contents."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from codabox_portal import health
from operation.metrics import metrics

urlpatterns = [
    path("", include("partner_api.urls")),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("accounts/", include("accounts.login_urls")),
    path("", include("accounts.urls")),
    path("", include("partners.urls")),
    path("", include("dashboard.urls")),
    path("", include("consents.urls")),
    path("", include("clients.urls")),
    path("", include("documents.urls")),
]
if settings.PORTAL_DEMO:
    urlpatterns.append(path("", include("demo.urls")))

# Asked by allauth's rate limits.
handler429 = "accounts.limits.too_many_requests"
