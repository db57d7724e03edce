"""The page on which a second operator confirms new terms, and what both operators read first."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.models import LANGUAGES, User
from backoffice.admin.four_eyes import FourEyesAction, confirm
from backoffice.admin.site import AdminPage
from backoffice.models import ApprovalKind, FourEyesApproval, TermsProposal
from backoffice.terms_publication import publish_terms
from backoffice.words import counted
from consents.models import Terms
from consents.terms_acceptance import Passage, differences, whom_a_change_reaches
from core.dates import moment_in_words

PUBLISH = "consents.add_terms"


def waiting_publications() -> Any:
    """Return the requests to publish terms that nobody confirmed yet, 24 hours at most."""
    return FourEyesApproval.objects.waiting().filter(kind=ApprovalKind.PUBLISH_TERMS)


def changes_of(asked: TermsProposal) -> list[tuple[str, list[Passage]]]:
    """Return the difference to the version in force, by language."""
    return [
        (language, differences(Terms.objects.in_force(language).body, asked.bodies[language]))
        for language, _name in LANGUAGES
        if language in asked.bodies
    ]


def consequences(asked: TermsProposal) -> list[str]:
    """Return what publishing does, a sentence each, with the offices and e-mails of a change."""
    since = asked.effective_at
    begin = f"from {moment_in_words(since)} on" if since else "as soon as it is confirmed"
    sentences = [f"Version {asked.version} will be in force {begin}."]
    reached = whom_a_change_reaches()
    offices = counted(reached.offices, "office")
    if not asked.material:
        return [
            *sentences,
            f"The change is not material: {offices} with allowed consents will not be asked, and "
            "no email is sent.",
        ]
    return [
        *sentences,
        f"The change is material: {offices} with {counted(reached.consents, 'allowed consent')} "
        "must accept it within 60 days, or access is paused.",
        f"{counted(reached.emails, 'email')} will be sent to their Admins when it is in force, "
        "and up to two reminders for each. These numbers are those of now.",
    ]


def publication_page(page: AdminPage, request: HttpRequest) -> HttpResponse:
    """Show exactly what will be published, and publish it for a second operator."""
    operator = cast(User, request.user)
    waiting = waiting_publications().select_related("requested_by", "terms")
    newest = waiting.order_by("pk").last()
    asked = newest.terms if newest else None
    why = asked.why_outdated() if asked else ""
    action = FourEyesAction(
        kind=ApprovalKind.PUBLISH_TERMS,
        subjects={},
        carry_out=publish_terms,
        history_of=Terms.objects.in_force("en"),
        back=reverse("admin:consents_terms_changelist"),
        title="Publish terms: second operator",
        consequences=consequences(asked) if asked else [],
        change="{}",
        impossible=f"This cannot be published because {why}." if why else "",
        done="Done. The terms are published.",
    )
    if request.method == "POST":
        if "confirm" in request.POST:
            return confirm(page, request, action, operator)
        return redirect(request.path)
    return page.render_page(
        request,
        "admin/terms_publication.html",
        action.title,
        action=action,
        approval=newest,
        needs_other=newest is not None and newest.requested_by_id == operator.pk,
        changes=changes_of(asked) if asked else [],
    )
