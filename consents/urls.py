"""The consent screens. `/consent/<uuid>` finds its office itself; the rest is below an office."""

from django.urls import path

from consents import views

app_name = "consents"
urlpatterns = [
    path("consent/<uuid:uuid>", views.manage, name="manage"),
    path("consent/<uuid:uuid>/confirm", views.confirm, name="confirm"),
    path("consent/<uuid:uuid>/result", views.result, name="result"),
    path("offices/<slug:slug>/consents", views.overview, name="overview"),
    path("offices/<slug:slug>/consents/<uuid:uuid>/cancel", views.cancel, name="cancel"),
]
