"""Table of contents."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from monitoring import health
from monitoring.metrics import metrics

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
    path("", include("backoffice.urls")),
]
if settings.PORTAL_DEMO:
    urlpatterns.append(path("", include("demo.urls")))

# Asked by allauth's rate limits.
handler429 = "accounts.login.rate_limits.too_many_requests"
# Asked by Django for an exception that nobody expected.
handler500 = "core.http.last_resort"
