"""The page of a four-eyes approval: one operator requests an act, a second one confirms it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from accounts.decorators import ask_again_after_15_minutes
from accounts.models import User
from accounts.requests import PersonRequest
from backoffice.admin.site import AdminPage
from backoffice.models.four_eyes import (
    SUBJECTS,
    ActRefused,
    ApprovalKind,
    FourEyesApproval,
    NeedsSecondOperator,
)
from backoffice.second_operator import ask_for_second_operator
from consents.models import DecisionConflict
from core.locks import retry_deadlock


class ReasonForm(forms.Form):
    """The reason for an act. The people concerned read it."""

    reason = forms.CharField(max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    @property
    def approval_fields(self) -> dict[str, str]:
        """Return the fields of the approval: what the form asks for."""
        return dict(self.cleaned_data)


@dataclass(frozen=True)
class FourEyesAction:
    """One act: which kind, on what, how it is carried out, and what both operators read first."""

    kind: ApprovalKind
    # The foreign keys of the approval: what the act is about.
    subjects: dict[str, Any]
    carry_out: Callable[[FourEyesApproval, User], None]
    # The object whose history records the act, and the URL of its page.
    history_of: Model
    back: str
    title: str
    # What the act does, a sentence each, and the names of up to 20 offices or software.
    consequences: list[str]
    affected: list[str] = field(default_factory=list)
    form: type[ReasonForm] = ReasonForm
    # The change for the history; `{}` stands for the detail of the approval.
    change: str = ""
    # Why there is nothing to do, or empty.
    impossible: str = ""
    # What the second operator reads when it is done.
    done: str = "Done. Everyone affected has been told."


def four_eyes_page(page: AdminPage, request: HttpRequest, action: FourEyesAction) -> HttpResponse:
    """Show the act and its consequences; take the request, or the confirmation of one request."""
    operator = cast(User, request.user)
    waiting = FourEyesApproval.objects.waiting().filter(kind=action.kind, **action.subjects)
    form = action.form(request.POST if "reason" in request.POST else None)
    if request.method == "POST":
        ask_again_after_15_minutes(cast(PersonRequest, request))
        if "confirm" in request.POST:
            return confirm(page, request, action, operator)
        if form.is_valid() and not action.impossible:
            with transaction.atomic():
                approval = waiting.request_once(
                    request.POST.get("replaces", ""),
                    kind=action.kind,
                    requested_by=operator,
                    **action.subjects,
                    **form.approval_fields,
                )
                if approval is not None:
                    page.log_change(request, action.history_of, f"Asked for: {approval}")
                    ask_others(page, request, approval)
            return redirect(request.path)
    newest = waiting.select_related("requested_by").order_by("pk").last()
    return page.render_page(
        request,
        "admin/four_eyes.html",
        action.title,
        action=action,
        approval=newest,
        needs_other=newest is not None
        and operator.pk in (newest.requested_by_id, newest.person_id),
        form=form,
    )


def ask_others(page: AdminPage, request: HttpRequest, approval: FourEyesApproval) -> None:
    """Send the e-mails to who may confirm, and say so; or say that there is nobody."""
    if ask_for_second_operator(approval):
        message = "Another operator must confirm this within 24 hours. They got an email."
        page.message_user(request, message, messages.SUCCESS)
        return
    message = "No other operator may confirm this. First give somebody a role that may."
    page.message_user(request, message, messages.WARNING)


@retry_deadlock
def _carry_out(
    page: AdminPage,
    request: HttpRequest,
    action: FourEyesAction,
    approval: FourEyesApproval,
    operator: User,
) -> None:
    with transaction.atomic():
        action.carry_out(approval, operator)
        change = action.change.format(approval.detail)
        page.log_change(request, action.history_of, f"{approval}\n{change}")


def confirm(
    page: AdminPage, request: HttpRequest, action: FourEyesAction, operator: User
) -> HttpResponse:
    """Carry the act out for the second operator, or say why that is not possible."""
    number = request.POST["confirm"]
    approval = get_object_or_404(
        FourEyesApproval.objects.select_related("requested_by", *SUBJECTS),
        pk=int(number) if number.isdecimal() else 0,
        kind=action.kind,
        **action.subjects,
    )
    try:
        _carry_out(page, request, action, approval, operator)
    except (NeedsSecondOperator, DecisionConflict, IntegrityError) as error:
        taken = "another office now has this number"
        first = "a different operator must confirm once, within 24 hours"
        why = taken if isinstance(error, IntegrityError) else first
        if approval.lapsed_at:
            why = "another request replaced it, or the operator who asked is none any more"
        if isinstance(error, ActRefused):
            why = str(error)
        page.message_user(request, f"Nothing was done because {why}.", messages.ERROR)
        return redirect(request.path)
    page.message_user(request, action.done, messages.SUCCESS)
    return redirect(action.back)
