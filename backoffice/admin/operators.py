"""Operators in the admin: invite, change the role, reset the second factor, end the access."""

from __future__ import annotations

from functools import partial
from typing import cast

from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import BigIntegerField, Q, QuerySet
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, reverse

from accounts.models import User, second_factors
from accounts.user_agents import name_of_user_agent
from backoffice import operators
from backoffice.admin.events import event_log, event_log_csv
from backoffice.admin.filters import RoleFilter
from backoffice.admin.four_eyes import FourEyesAction, ReasonForm, four_eyes_page
from backoffice.admin.site import ReadOnlyPage, require_right
from backoffice.models.four_eyes import ApprovalKind
from backoffice.models.operators import Operator
from backoffice.roles import OperatorRole
from core.email_address import canonical_email

SEE, MANAGE = "backoffice.view_operator", "backoffice.manage_operators"
READ_LOG = "backoffice.read_event_log"
OPERATORS = "admin:backoffice_operator_changelist"
ONE_OPERATOR = "admin:backoffice_operator_change"


class InviteForm(ReasonForm):
    """Who is invited, in which role, and the reason. `detail` is what the approval stores."""

    email = forms.EmailField(label="E-mail address")
    name = forms.CharField(max_length=120)
    role = forms.ChoiceField(choices=OperatorRole.choices)
    field_order = ["email", "name", "role", "reason"]

    def clean_email(self) -> str:
        email = canonical_email(self.cleaned_data["email"])
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("There is an account with this e-mail address already.")
        return email

    @property
    def approval_fields(self) -> dict[str, str]:
        chosen = self.cleaned_data
        invited = operators.Invited(chosen["role"], chosen["email"], chosen["name"])
        return {"reason": chosen["reason"], "detail": str(invited)}


class RoleForm(ReasonForm):
    """The new role, and the reason."""

    detail = forms.ChoiceField(choices=OperatorRole.choices, label="New role")
    field_order = ["detail", "reason"]


@admin.register(Operator)
class Operators(ReadOnlyPage):
    """The operators, and those whose access ended."""

    list_display = ["email", "name", "role", "last_login"]
    list_filter = [RoleFilter]
    search_fields = ["email__iexact", "name"]
    ordering = ["email"]
    fields = ["name", "email", "role", "second_factor", "invited", "last_login"]
    readonly_fields = ["role", "second_factor", "invited"]
    change_form_template = "admin/operator.html"
    change_list_template = "admin/operators.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Operator]:
        """Return operators, and people who were one: the log names them."""
        this = ContentType.objects.get_for_model(Operator, for_concrete_model=False)
        named = LogEntry.objects.filter(content_type=this)
        keys = named.annotate(key=Cast("object_id", BigIntegerField())).values("key")
        found: QuerySet[Operator] = super().get_queryset(request)
        return found.filter(Q(is_staff=True) | Q(pk__in=keys)).prefetch_related("groups")

    @admin.display(description="role")
    def role(self, operator: Operator) -> str:
        """Return the role, "superuser" or "ended"."""
        return operator.role

    @admin.display(description="second factor", boolean=True)
    def second_factor(self, operator: Operator) -> bool:
        """Return whether there is an app or a passkey."""
        return second_factors(operator.pk).exists()

    @admin.display(description="invitation open", boolean=True)
    def invited(self, operator: Operator) -> bool:
        """Return whether the operator has not chosen a password yet."""
        return operators.is_invited(operator)

    def get_urls(self) -> list[URLPattern]:
        log, as_csv = partial(event_log, self), partial(event_log_csv, self)
        return [
            self.own_page("invite/", self.invite, "operator_invite", MANAGE),
            self.own_page("events/", log, "operator_events", READ_LOG),
            self.own_page("events.csv", as_csv, "operator_events_csv", READ_LOG),
            self.own_page("<int:pk>/role/", self.change_role, "operator_role", MANAGE),
            self.own_page("<int:pk>/factor/", self.factor, "operator_factor", MANAGE),
            self.own_page("<int:pk>/end/", self.end, "operator_end", MANAGE),
            self.own_page("<int:pk>/sessions/", self.sessions, "operator_sessions", SEE),
            *super().get_urls(),
        ]

    def invite(self, request: HttpRequest) -> HttpResponse:
        """Open the account of an operator, by two operators."""
        action = FourEyesAction(
            kind=ApprovalKind.NEW_OPERATOR,
            subjects={},
            carry_out=operators.invite,
            history_of=Operator.objects.get(pk=cast(int, request.user.pk)),
            back=reverse(OPERATORS),
            title="Invite an operator",
            consequences=[
                "They get an e-mail with a link, valid for three days. They choose a password and "
                "set up a second factor before they see anything.",
                "The role decides what they may do.",
            ],
            form=InviteForm,
            change="invited: {}",
        )
        return four_eyes_page(self, request, action)

    def change_role(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give an operator another role, by two operators."""
        person = self._current(pk)
        action = FourEyesAction(
            kind=ApprovalKind.CHANGE_ROLE,
            subjects={"person": person},
            carry_out=operators.change_role,
            history_of=person,
            back=reverse(ONE_OPERATOR, args=[pk]),
            title=f"Change the role of {person}",
            consequences=[
                f"The role is now: {person.role}. An operator has one role.",
                "Their sessions will end. They will be told.",
                *(["They stop being a superuser."] if person.is_superuser else []),
            ],
            form=RoleForm,
            change=f"role: {person.role} → {{}}",
            impossible=self._for_others(request, person),
        )
        return four_eyes_page(self, request, action)

    def factor(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Reset the second factor of an operator, by two other operators."""
        person = self._current(pk)
        action = FourEyesAction(
            kind=ApprovalKind.RESET_OPERATOR,
            subjects={"person": person},
            carry_out=operators.reset_factor,
            history_of=person,
            back=reverse(ONE_OPERATOR, args=[pk]),
            title=f"Reset the second factor of {person}",
            consequences=[
                "Authenticator app, passkeys and recovery codes will be removed and all sessions "
                "will end.",
                "They log in with the password only, and see nothing before they set up a new "
                "second factor. They will be told.",
                "Call them back on a number you already had. An attacker would ask for the same "
                "thing.",
            ],
            impossible=self._for_others(request, person),
        )
        return four_eyes_page(self, request, action)

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End the access of an operator at once, with a reason; or send their link again."""
        person = self._current(pk)
        problem = self._for_others(request, person)
        posted = request.POST if request.method == "POST" and not problem else None
        if posted is not None and "link" in posted:
            self._send_link(request, person)
            return redirect(ONE_OPERATOR, pk)
        form = ReasonForm(posted)
        if form.is_valid() and self._end(request, person, form.cleaned_data["reason"]):
            return redirect(ONE_OPERATOR, pk)
        return self.render_page(
            request,
            "admin/operator_end.html",
            f"End the access of {person}",
            operator=person,
            form=form,
            problem=problem,
            invited=operators.is_invited(person),
        )

    def _end(self, request: HttpRequest, person: Operator, reason: str) -> bool:
        role = person.role
        try:
            with transaction.atomic():
                lapsed = operators.end_access(person, cast(User, request.user))
                change = f"role: {role} → none\nopen requests that lapsed: {lapsed}"
                self.log_change(request, person, f"Access ended: {reason}\n{change}")
        except operators.LastSecurityOperator:
            message = "Nothing was done: this is the last operator with the role security."
            self.message_user(request, message, messages.ERROR)
            return False
        self.message_user(request, f"The access of {person} has ended.", messages.SUCCESS)
        return True

    def _send_link(self, request: HttpRequest, person: Operator) -> None:
        if not operators.send_link_again(person):
            message = f"Nothing was sent: {person} has chosen a password already."
            self.message_user(request, message, messages.WARNING)
            return
        self.log_change(request, person, "Sent the invitation again.")
        self.message_user(request, f"{person.email} gets a new link.", messages.SUCCESS)

    def sessions(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show where an operator is logged in; end one session or all."""
        person = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            require_right(request, MANAGE)
            wanted = request.POST.get("session", "")
            if wanted == "all" or wanted.isdecimal():
                key = None if wanted == "all" else int(wanted)
                if ended := operators.end_sessions(person, key):
                    self.log_change(request, person, f"Ended {ended} session(s).")
                    self.message_user(request, f"{ended} session(s) ended.", messages.SUCCESS)
            return redirect("admin:operator_sessions", pk)
        found = UserSession.objects.filter(user=person).order_by("-last_seen_at")
        rows = [(one, name_of_user_agent(one.user_agent) or "unknown browser") for one in found]
        return self.render_page(
            request,
            "admin/operator_sessions.html",
            f"Sessions of {person}",
            operator=person,
            sessions=rows,
        )

    def _current(self, key: int) -> Operator:
        operator: Operator = get_object_or_404(Operator, pk=key, is_staff=True, is_active=True)
        return operator

    def _for_others(self, request: HttpRequest, person: Operator) -> str:
        return "Nobody does this to their own account." if person.pk == request.user.pk else ""
