"""Where a person starts. The office is in the URL, never in the session."""

from django.urls import path

from dashboard import site, views

app_name = "dashboard"
urlpatterns = [
    path("help", site.help_page, name="help"),
    path("privacy", site.privacy, name="privacy"),
    path("favicon.ico", site.favicon, name="favicon"),
    path("manifest.webmanifest", site.manifest, name="manifest"),
    path("", views.home, name="home"),
    path("offices", views.offices, name="offices"),
    path("offices/<slug:slug>", views.office, name="office"),
    path("offices/<slug:slug>/search", views.search, name="search"),
]
