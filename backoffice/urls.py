"""The page on which an office reads its support access log."""

from django.urls import path

from backoffice import views

app_name = "backoffice"
urlpatterns = [
    path("offices/<slug:slug>/organization/looks", views.support_access, name="support_access"),
]
