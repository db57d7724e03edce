"""Operators publish terms: all languages at once, after a look at what changes."""

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
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.models import LANGUAGES, User
from backoffice.history import said
from backoffice.site import LookUp
from consents.models import Terms
from consents.reacceptance import differences


class PublishForm(forms.Form):
    """One version: a text in each language, whether offices must accept it anew, from when."""

    material = forms.BooleanField(
        required=False,
        label="Material change: every office accepts anew within 60 days, or its access pauses",
    )
    effective_at = forms.DateTimeField(
        required=False,
        label="In force from (empty: at once)",
        help_text="As 2026-12-31 08:00, Brussels time.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language, name in LANGUAGES:
            text = forms.CharField(label=name, widget=forms.Textarea(attrs={"lang": language}))
            self.fields[f"body_{language}"] = text

    def clean_effective_at(self) -> Any:
        moment = self.cleaned_data["effective_at"]
        if moment is not None and moment < timezone.now():
            raise forms.ValidationError("This moment is over; nobody saw the text then.")
        return moment

    @property
    def bodies(self) -> dict[str, str]:
        """The texts by language, with the line ends that are stored."""
        return {
            language: self.cleaned_data[f"body_{language}"].replace("\r\n", "\n").strip()
            for language, _name in LANGUAGES
        }

    @property
    def digest(self) -> str:
        """Of everything that would be published: whoever saw it sends it back with her word."""
        since = self.cleaned_data["effective_at"]
        told = [self.bodies, self.cleaned_data["material"], since and since.isoformat()]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _what_changes(chosen: dict[str, Any]) -> str:
    """The version before and the new one; the words themselves stay in both, for ever."""
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
class TermsVersions(LookUp):
    """Published texts are locked by the database; a change is a new version."""

    list_display = ("version", "language", "material", "effective_at", "published_at", "sha256")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).has_perm("consents.add_terms")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the difference to the version in force first; publish what was shown."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        in_force = {language: Terms.objects.in_force(language) for language, _name in LANGUAGES}
        initial = {f"body_{language}": text.body for language, text in in_force.items()}
        form = PublishForm(request.POST if request.method == "POST" else None, initial=initial)
        changes: list[Any] = []
        if request.method == "POST" and form.is_valid():
            if "publish" in request.POST and self._publish_what_was_shown(request, form):
                return redirect("admin:consents_terms_changelist")
            changes = [
                (language, differences(in_force[language].body, body))
                for language, body in form.bodies.items()
            ]
        context = {
            **self.admin_site.each_context(request),
            "title": "Publish terms",
            "form": form,
            "changes": changes,
        }
        return TemplateResponse(request, "admin/publish_terms.html", context)

    def _publish_what_was_shown(self, request: HttpRequest, form: PublishForm) -> bool:
        if request.POST.get("shown") == form.digest:
            return self._publish(request, form)
        told = "Nothing is published: this is not what you looked at. Read it, then publish."
        messages.warning(request, told)
        return False

    def _publish(self, request: HttpRequest, form: PublishForm) -> bool:
        chosen = form.cleaned_data
        told = _what_changes(chosen)
        try:
            with transaction.atomic():
                texts = Terms.objects.publish(
                    form.bodies, material=chosen["material"], effective_at=chosen["effective_at"]
                )
                LogEntry.objects.log_actions(cast(User, request.user).pk, texts, ADDITION, told)
        except IntegrityError:
            messages.error(request, "A colleague published a version at this very moment.")
            return False
        return True
