"""The pages of this app outside of the admin."""

from django.urls import path

from backoffice import views
from backoffice.oidc import views as oidc

app_name = "backoffice"
urlpatterns = [
    path("offices/<slug:slug>/organization/looks", views.support_access, name="support_access"),
    path("operators/invitation/<str:token>", views.operator_invitation, name="operator_invitation"),
    # There is a page only where the settings name a provider.
    path("operators/login", oidc.start_login, name="oidc_start"),
    path("operators/login/back", oidc.finish_login, name="oidc_finish"),
]
