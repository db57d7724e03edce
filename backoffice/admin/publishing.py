"""The terms in the admin: operators compare a new version with the current one and publish it."""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from accounts.decorators import ask_again_after_15_minutes
from accounts.models import LANGUAGES, User
from accounts.requests import PersonRequest
from backoffice.admin.history import said
from backoffice.admin.site import ReadOnlyPage
from consents.models import Terms
from consents.terms_acceptance import differences, drafts
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

    @property
    def bodies(self) -> dict[str, str]:
        """Return the texts by language, with the line ends that are stored."""
        return {
            language: self.cleaned_data[f"body_{language}"].replace("\r\n", "\n").strip()
            for language, _name in LANGUAGES
        }

    @property
    def digest(self) -> str:
        """Return a digest of what was shown; the form sends it back to publish exactly that.

        The newest version is part of it, so a form that is sent twice publishes once.
        """
        since = self.cleaned_data["effective_at"]
        newest = Terms.objects.order_by("-version").values_list("version", flat=True).first()
        shown = [self.bodies, self.cleaned_data["material"], since and since.isoformat(), newest]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()


def _what_changes(chosen: dict[str, Any]) -> str:
    """Return what the history says about a new version. The texts themselves stay."""
    before = Terms.objects.order_by("-version").first()
    number = before.version if before else 0
    since = chosen["effective_at"]
    return "\n".join(
        [
            "Published.",
            f"version: {number} → {number + 1}",
            f"material: {said(before.material if before else None)} → {said(chosen['material'])}",
            f"in force from: {since.isoformat() if since else 'at once'}",
        ]
    )


@admin.register(Terms)
class TermsVersions(ReadOnlyPage):
    """The terms. The database locks published texts, so a change is a new version."""

    list_display = ("version", "language", "material", "effective_at", "published_at", "sha256")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_allowed(request, "add")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the difference to the current version, then publish what was shown."""
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
        changes: list[Any] = []
        if request.method == "POST" and form.is_valid():
            if "publish" in request.POST and self._publish_what_was_shown(request, form):
                return redirect("admin:consents_terms_changelist")
            changes = [
                (language, differences(in_force[language].body, body))
                for language, body in form.bodies.items()
            ]
        return self.render_page(
            request, "admin/publish_terms.html", "Publish terms", form=form, changes=changes
        )

    def _publish_what_was_shown(self, request: HttpRequest, form: PublishForm) -> bool:
        if request.POST.get("shown") == form.digest:
            return self._publish(request, form)
        message = (
            "Nothing was published because the text changed after you compared it. "
            "Compare it again, then publish."
        )
        messages.warning(request, message)
        return False

    def _publish(self, request: HttpRequest, form: PublishForm) -> bool:
        chosen = form.cleaned_data
        entry = _what_changes(chosen)
        try:
            with transaction.atomic():
                texts = Terms.objects.publish(
                    form.bodies, material=chosen["material"], effective_at=chosen["effective_at"]
                )
                LogEntry.objects.log_actions(cast(User, request.user).pk, texts, ADDITION, entry)
        except IntegrityError:
            messages.error(
                request,
                "A colleague has just published a version. Check it before you publish yours.",
            )
            return False
        return True
