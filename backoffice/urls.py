"""The pages of this app outside of the admin."""

from django.urls import path

from backoffice import views

app_name = "backoffice"
urlpatterns = [
    path("offices/<slug:slug>/organization/looks", views.support_access, name="support_access"),
    path("operators/invitation/<str:token>", views.operator_invitation, name="operator_invitation"),
]
