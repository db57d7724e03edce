"""What a person sets for herself; login and its relatives are in login_urls."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("language", views.language, name="language"),
]
