"""The start page of the demo; these addresses exist only when PORTAL_DEMO is set."""

from django.urls import path

from demo import design, views

app_name = "demo"
urlpatterns = [
    path("demo", views.start, name="start"),
    path("demo/design", design.design, name="design"),
    path("demo/situations", views.situations, name="situations"),
    path("demo/mails/<str:name>", views.mail, name="mail"),
]
