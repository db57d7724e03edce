"""Administration > Manage users."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import ask_again_after_15_minutes, office_view
from accounts.forms import InviteForm, RoleForm
from accounts.login.rate_limits import limited
from accounts.models import Invitation, LastAdmin, Membership, Role
from accounts.models.invitation import AlreadyInvited, InvitationEnded
from accounts.requests import OfficeRequest, office_page
from core.email_address import readable_email
from core.http import safe_next, see_other

FORM = ["GET", "HEAD", "POST"]


@require_safe
@office_view(admin=True)
def users(request: OfficeRequest) -> HttpResponse:
    """The people who work for the office or are invited."""
    members = (
        request.office.memberships.active()
        .with_second_factor()
        .select_related("user")
        .order_by("user__name", "pk")
    )
    context = {
        **office_page(request, "users"),
        "members": members,
        "invitations": request.office.invitations.open().order_by("email"),
    }
    return render(request, "accounts/users.html", context)


@require_http_methods(FORM)
@office_view(admin=True)
@limited("invite")
def invite(request: OfficeRequest) -> HttpResponse:
    """Invite somebody by e-mail; they choose name and password themselves."""
    ask_again_after_15_minutes(request)
    form = InviteForm(
        request.POST or None, initial={"role": "user", "language": request.office.language}
    )
    if request.method == "POST" and form.is_valid():
        try:
            invitation = Invitation.objects.invite(
                request.office, request.user, then=safe_next(request), **form.cleaned_data
            )
        except AlreadyInvited:
            form.add_error("email", _("This person already has access or an open invitation."))
        else:
            _tell_sent(request, invitation)
            return see_other("accounts:users", request.office.slug)
    context = {**office_page(request, "users"), "form": form, "next": safe_next(request)}
    return render(request, "accounts/invite.html", context)


@require_POST
@office_view(admin=True)
@limited("invite")
def resend(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Send the e-mail again with a new link; the 14 days begin again."""
    ask_again_after_15_minutes(request)
    invitation = get_object_or_404(request.office.invitations, uuid=uuid)
    try:
        invitation.resend(request.user)
    except InvitationEnded:
        messages.warning(request, _("This invitation has already been accepted or withdrawn."))
    else:
        _tell_sent(request, invitation)
    return see_other("accounts:users", request.office.slug)


@require_POST
@office_view(admin=True)
def revoke(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Withdraw an invitation: its link stops working."""
    ask_again_after_15_minutes(request)
    invitation = get_object_or_404(request.office.invitations, uuid=uuid)
    try:
        invitation.revoke(request.user)
    except InvitationEnded:
        messages.warning(request, _("This invitation has already been accepted or withdrawn."))
    else:
        text = _("The invitation for %(email)s has been withdrawn.")
        messages.info(request, text % {"email": readable_email(invitation.email)})
    return see_other("accounts:users", request.office.slug)


@require_http_methods(FORM)
@office_view(admin=True)
def role(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Give a colleague, or oneself, another role."""
    member = _member(request, uuid)
    ask_again_after_15_minutes(request)
    form = RoleForm(request.POST or None, initial={"role": member.role})
    if request.method == "POST" and form.is_valid():
        try:
            member.change_role(form.cleaned_data["role"], request.user)
        except LastAdmin:
            form.add_error("role", _last_admin())
        else:
            _tell_role(request, member)
            return _back(request, member)
    context = {**office_page(request, "users"), "member": member, "form": form}
    return render(request, "accounts/role.html", context)


@require_http_methods(FORM)
@office_view(admin=True)
def remove(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """End the access of a colleague, from their next click on."""
    member = _member(request, uuid)
    ask_again_after_15_minutes(request)
    if request.method == "POST":
        try:
            member.remove(request.user)
        except LastAdmin:
            messages.error(request, _last_admin())
        else:
            message = _("%(person)s no longer has access.")
            messages.info(request, message % {"person": member.user})
        return _back(request, member)
    context = {**office_page(request, "users"), "member": member}
    return render(request, "accounts/remove.html", context)


@require_http_methods(FORM)
@office_view()
def leave(request: OfficeRequest) -> HttpResponse:
    """Leave the office."""
    if request.method == "POST":
        try:
            request.membership.leave()
        except LastAdmin:
            messages.error(request, _last_admin())
            return see_other("accounts:leave", request.office.slug)
        message = _("You have left %(office)s.")
        messages.info(request, message % {"office": request.office})
        return see_other("dashboard:offices")
    return render(request, "accounts/leave.html", office_page(request, "users"))


def _member(request: OfficeRequest, uuid: UUID) -> Membership:
    members = request.office.memberships.active().select_related("user", "office")
    return get_object_or_404(members, uuid=uuid)


def _tell_role(request: OfficeRequest, member: Membership) -> None:
    admin, user = _("%(person)s is now an Admin."), _("%(person)s is now a User.")
    sentence = admin if member.role == Role.ADMIN else user
    messages.success(request, sentence % {"person": member.user})


def _back(request: OfficeRequest, member: Membership) -> HttpResponse:
    """Back to the list, or to the dashboard if the person changed themselves."""
    if member.user_id == request.user.pk:
        return see_other("dashboard:home")
    return see_other("accounts:users", request.office.slug)


def _last_admin() -> str:
    return _("An office needs at least one Admin. Make someone else an Admin first.")


def _tell_sent(request: OfficeRequest, invitation: Invitation) -> None:
    message = _("We sent an invitation to %(email)s.")
    messages.info(request, message % {"email": readable_email(invitation.email)})
