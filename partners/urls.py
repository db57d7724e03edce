"""The public pages about software."""

from django.urls import path

from partners import views

app_name = "partners"
urlpatterns = [path("software/logos/<slug:sha256>.png", views.logo, name="logo")]
