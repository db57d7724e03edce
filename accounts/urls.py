"""The screens about people, invitations, offices and one's own account; see also login_urls."""

from django.urls import path

from accounts.views import email_change, invitation, language, me, organization, people

app_name = "accounts"
urlpatterns = [
    path("language", language.language, name="language"),
    path("me", me.me, name="me"),
    path("me/email", email_change.email, name="email"),
    path("me/email/<str:token>", email_change.confirm_email, name="confirm_email"),
    path("invitation/<str:token>", invitation.invitation, name="invitation"),
    path("offices/<slug:slug>/users", people.users, name="users"),
    path("offices/<slug:slug>/users/invite", people.invite, name="invite"),
    path("offices/<slug:slug>/users/<uuid:uuid>/role", people.role, name="role"),
    path("offices/<slug:slug>/users/<uuid:uuid>/remove", people.remove, name="remove"),
    path("offices/<slug:slug>/invitations/<uuid:uuid>/resend", people.resend, name="resend"),
    path("offices/<slug:slug>/invitations/<uuid:uuid>/revoke", people.revoke, name="revoke"),
    path("offices/<slug:slug>/organization", organization.organization, name="organization"),
    path("offices/<slug:slug>/leave", people.leave, name="leave"),
]
