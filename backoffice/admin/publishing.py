"""The terms in the admin: one operator compares a new version and asks, a second one publishes."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone

from accounts.decorators import ask_again_after_15_minutes
from accounts.models import LANGUAGES, User
from accounts.requests import PersonRequest
from backoffice.admin.four_eyes import ask_others
from backoffice.admin.history import said
from backoffice.admin.site import ReadOnlyPage
from backoffice.admin.terms_publication import (
    PUBLISH,
    changes_of,
    consequences,
    publication_page,
    waiting_publications,
)
from backoffice.models import ApprovalKind, TermsProposal
from consents.models import Terms
from consents.terms_acceptance import drafts
from core.dates import DAY_AND_TIME


class PublishForm(forms.Form):
    """A new version: a text in each language, whether it is a material change, and from when."""

    material = forms.BooleanField(
        required=False,
        label="Material change: every office must accept again within 60 days, or access is paused",
    )
    effective_at = forms.DateTimeField(
        required=False,
        label="In force from (leave empty for immediately)",
        help_text="For example 31/12/2026 08:00, Brussels time.",
        input_formats=DAY_AND_TIME,
    )
    reason = forms.CharField(
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Reason for this version",
        help_text="The second operator reads it, and it stays in the history.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language, name in LANGUAGES:
            text = forms.CharField(label=name, widget=forms.Textarea(attrs={"lang": language}))
            self.fields[f"body_{language}"] = text

    def clean_effective_at(self) -> Any:
        moment = self.cleaned_data["effective_at"]
        if moment is not None and moment < timezone.now():
            raise forms.ValidationError("This time is in the past. Choose a later time.")
        return moment

    def clean_reason(self) -> str:
        """Ask for a reason only where the operator asks to publish, not to compare."""
        reason: str = self.cleaned_data["reason"]
        if "publish" in self.data and not reason.strip():
            raise forms.ValidationError("Enter the reason.")
        return reason

    @property
    def bodies(self) -> dict[str, str]:
        """Return the texts by language, with the line ends that are stored."""
        return {
            language: self.cleaned_data[f"body_{language}"].replace("\r\n", "\n").strip()
            for language, _name in LANGUAGES
        }

    @property
    def digest(self) -> str:
        """Return a digest of what was shown; the form sends it back to ask for exactly that."""
        asked = self.proposal
        since = asked.effective_at
        shown = [
            *(asked.version, asked.compared_with, asked.bodies, asked.material),
            since and since.isoformat(),
        ]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()

    @property
    def proposal(self) -> TermsProposal:
        """Return what the form asks to publish; it is not saved."""
        newest = Terms.objects.order_by("-version").values_list("version", flat=True)[0]
        return TermsProposal(
            version=newest + 1,
            compared_with=Terms.objects.in_force("en").version,
            bodies=self.bodies,
            material=self.cleaned_data["material"],
            effective_at=self.cleaned_data["effective_at"],
        )


def _what_changes(asked: TermsProposal) -> str:
    """Return what the history says about a version that is asked for. The texts are kept."""
    before = Terms.objects.filter(version=asked.version - 1).first()
    since = asked.effective_at
    return "\n".join(
        [
            f"version: {asked.version - 1} → {asked.version}",
            f"material: {said(before.material if before else None)} → {said(asked.material)}",
            f"in force from: {since.isoformat() if since else 'at once'}",
        ]
    )


@admin.register(Terms)
class TermsVersions(ReadOnlyPage):
    """The terms. The database locks published texts, so a change is a new version."""

    list_display = ("version", "language", "material", "effective_at", "published_at", "sha256")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_allowed(request, "add")

    def get_urls(self) -> list[URLPattern]:
        waiting = partial(publication_page, self)
        return [
            self.own_page("publication/", waiting, "terms_publication", PUBLISH),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the difference to the current version, then ask to publish what was shown."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        ask_again_after_15_minutes(cast(PersonRequest, request))
        in_force = {language: Terms.objects.in_force(language) for language, _name in LANGUAGES}
        proposed = drafts(max(text.version for text in in_force.values()) + 1)
        initial = {
            f"body_{language}": proposed.get(language, text.body)
            for language, text in in_force.items()
        }
        form = PublishForm(request.POST if request.method == "POST" else None, initial=initial)
        shown: dict[str, Any] = {}
        if request.method == "POST" and form.is_valid():
            if "publish" in request.POST and self._ask_for_what_was_shown(request, form):
                return redirect("admin:terms_publication")
            asked = form.proposal
            shown = {"changes": changes_of(asked), "consequences": consequences(asked)}
        return self.render_page(
            request,
            "admin/publish_terms.html",
            "Publish terms",
            form=form,
            approval=waiting_publications().select_related("requested_by").order_by("pk").last(),
            **shown,
        )

    def _ask_for_what_was_shown(self, request: HttpRequest, form: PublishForm) -> bool:
        if request.POST.get("shown") == form.digest:
            self._ask(request, form)
            return True
        message = (
            "Nothing was asked because the text changed after you compared it. "
            "Compare it again, then ask."
        )
        messages.warning(request, message)
        return False

    def _ask(self, request: HttpRequest, form: PublishForm) -> None:
        """Ask a second operator, once; a request that the form showed is replaced."""
        waiting = waiting_publications()
        with transaction.atomic():
            asked = form.proposal
            asked.save()
            approval = waiting.request_once(
                request.POST.get("replaces", ""),
                kind=ApprovalKind.PUBLISH_TERMS,
                terms=asked,
                detail=_what_changes(asked),
                reason=form.cleaned_data["reason"],
                requested_by=cast(User, request.user),
            )
            if approval is None:
                transaction.set_rollback(True)
                return
            waiting.exclude(pk=approval.pk).update(lapsed_at=Now())
            entry = f"Asked for: {approval}\n{approval.detail}"
            self.log_change(request, Terms.objects.in_force("en"), entry)
            ask_others(self, request, approval)
