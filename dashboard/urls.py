"""Where a person starts. The office is in the URL, never in the session."""

from django.urls import path

from dashboard import views

app_name = "dashboard"
urlpatterns = [
    path("", views.home, name="home"),
    path("offices", views.offices, name="offices"),
    path("offices/<slug:slug>", views.office, name="office"),
]
