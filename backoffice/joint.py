"""The page of an act that two operators do together: what it stops, the reason, the second one."""

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
from django.template.response import TemplateResponse

from accounts.decorators import ask_again_after_15_minutes
from accounts.joint import NAMED, Act, JointAct, NeedsAnother
from accounts.models import User
from accounts.requests import PersonRequest
from backoffice.site import Page
from consents.models import DecisionConflict


class ReasonForm(forms.Form):
    """Why: the people concerned read it."""

    reason = forms.CharField(max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


@dataclass(frozen=True)
class Joint:
    """One act: which, about what, how it is done, and what the operators read before."""

    kind: Act
    about: dict[str, Any]
    carry_out: Callable[[JointAct, User], None]
    # In whose history it stands, and the way back there.
    logged: Model
    back: str
    title: str
    stops: list[str]
    names: list[str] = field(default_factory=list)
    form: type[ReasonForm] = ReasonForm
    # The old value and the new one, as history has them.
    change: str = ""
    # Why there is nothing to do, where that is so.
    nothing: str = ""


def act_together(page: Page, request: HttpRequest, joint: Joint) -> HttpResponse:
    """Take the wish of one operator, or the yes of another one to exactly that wish."""
    operator = cast(User, request.user)
    wishes = JointAct.objects.waiting().filter(kind=joint.kind, **joint.about)
    wish = wishes.select_related("asked_by").order_by("pk").last()
    form = joint.form(request.POST if "reason" in request.POST else None)
    if request.method == "POST":
        ask_again_after_15_minutes(cast(PersonRequest, request))
        if "confirm" in request.POST:
            return _confirm(page, request, joint, operator)
        if form.is_valid() and not joint.nothing:
            asked = {"asked_by": operator, **joint.about, **form.cleaned_data}
            act = JointAct.objects.create(kind=joint.kind, **asked)
            page.log_change(request, joint.logged, f"Asked for: {act}")
            return redirect(request.path)
    context: dict[str, Any] = {
        **page.admin_site.each_context(request),
        "title": joint.title,
        "joint": joint,
        "wish": wish,
        "mine": wish is not None and operator.pk in (wish.asked_by_id, wish.person_id),
        "form": form,
    }
    return TemplateResponse(request, "admin/joint.html", context)


def _confirm(page: Page, request: HttpRequest, joint: Joint, operator: User) -> HttpResponse:
    number = request.POST["confirm"]
    acts = JointAct.objects.select_related("asked_by", *NAMED)
    act = get_object_or_404(
        acts, pk=int(number) if number.isdecimal() else 0, kind=joint.kind, **joint.about
    )
    try:
        with transaction.atomic():
            joint.carry_out(act, operator)
            page.log_change(request, joint.logged, f"{act}\n{joint.change.format(act.detail)}")
    except (NeedsAnother, DecisionConflict, IntegrityError) as error:
        taken = "another office has this number by now"
        first = "another operator must confirm, within 24 hours, once"
        why = taken if isinstance(error, IntegrityError) else first
        page.message_user(request, f"Nothing was done: {why}.", messages.ERROR)
        return redirect(request.path)
    page.message_user(request, "It is done; everybody concerned is told.", messages.SUCCESS)
    return redirect(joint.back)
