"""What people fill in about a consent."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Office, User


class ChoiceForm(forms.Form):
    """Allow or deny; allowing needs the switch, denying never does."""

    choice = forms.ChoiceField(choices=[("allow", "allow"), ("deny", "deny")])
    accept_terms = forms.BooleanField(
        required=False, label=_("I have read and accept the terms and conditions")
    )
    # The text that was on the screen: if another is in force by now, she is shown the new one.
    terms = forms.IntegerField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("choice") == "allow" and not data.get("accept_terms"):
            self.add_error(
                "accept_terms",
                _("To allow, first switch on that you have read and accept the terms."),
            )
        return data


class AskForm(forms.Form):
    """Whom to ask for a decision, nobody named for all, and a few words."""

    admins = forms.ModelMultipleChoiceField(
        Membership.objects.none(), to_field_name="uuid", required=False
    )
    note = forms.CharField(required=False, max_length=500)

    def __init__(self, *args: Any, office: Office, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        admins = office.memberships.admins().select_related("user")
        cast(Any, self.fields["admins"]).queryset = admins

    @property
    def people(self) -> list[User]:
        return [membership.user for membership in self.cleaned_data["admins"]]


class CancelForm(forms.Form):
    understood = forms.BooleanField(
        label=_("I understand the consequences of this action"),
        error_messages={"required": _("Tick the box to show that you understand.")},
    )


class PauseForm(forms.Form):
    """Until which day access is paused, that day included; empty for until somebody resumes."""

    until = forms.DateField(
        label=_("Until and including (optional)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Write the day as 2026-12-31.")},
    )

    def clean_until(self) -> date | None:
        until: date | None = self.cleaned_data["until"]
        if until is not None and until < timezone.localdate():
            raise forms.ValidationError(_("This day is over. Choose today or a later day."))
        return until

    @property
    def ends_at(self) -> datetime | None:
        """The midnight in Brussels after the chosen day."""
        until: date | None = self.cleaned_data["until"]
        if until is None:
            return None
        return timezone.make_aware(datetime.combine(until + timedelta(days=1), time.min))


class OverviewFilter(forms.Form):
    status = forms.CharField(required=False)
    q = forms.CharField(required=False, max_length=80)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62)
