"""What people fill in about a consent."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Office, User
from consents.models import Consent, Status, Terms
from core.dates import DAY
from core.document_kinds import TYPE_CHOICES
from core.lists import ListFilter

SORTS = [
    ("", _("What needs attention first")),
    ("newest", _("Newest first")),
    ("oldest", _("Oldest first")),
    ("software", _("By software")),
]
ORDERS = {"newest": ("-pk",), "oldest": ("pk",), "software": ("partner__name", "pk")}


class CompanyNumbers(forms.Field):
    """Any number of enterprise numbers, as a row of equally named inputs."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> set[str]:
        return {str(number) for number in value or []}


class DecisionForm(forms.Form):
    """Allow or deny. To allow, the person must have accepted the terms; to deny, they need not."""

    choice = forms.ChoiceField(choices=[("allow", "allow"), ("deny", "deny")])
    accept_terms = forms.BooleanField(
        required=False, label=_("I have read and accept the terms and conditions")
    )
    # The terms that were on the screen. If other terms are in force by now, those are shown next.
    terms = forms.IntegerField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("choice") == "allow" and not data.get("accept_terms"):
            self.add_error(
                "accept_terms",
                _(
                    "Turn on the switch to confirm that you have read and accept the terms "
                    "and conditions."
                ),
            )
        return data


class AskForm(forms.Form):
    """Which Admins to ask for a decision (all where none is chosen), and a note to them."""

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


class PauseForm(forms.Form):
    """The last day of a pause; empty to pause until somebody resumes access."""

    until = forms.DateField(
        label=_("Last day of the pause (optional)"),
        required=False,
        input_formats=DAY,
        error_messages={"invalid": _("Enter a date, for example 31/12/2026.")},
    )

    def clean_until(self) -> date | None:
        until: date | None = self.cleaned_data["until"]
        if until is not None and until < timezone.localdate():
            raise forms.ValidationError(
                _("This date is in the past. Choose today or a later date.")
            )
        return until

    @property
    def ends_at(self) -> datetime | None:
        """The midnight in Brussels after the chosen day."""
        until: date | None = self.cleaned_data["until"]
        if until is None:
            return None
        return timezone.make_aware(datetime.combine(until + timedelta(days=1), time.min))


class ScopeForm(forms.Form):
    """What a consent covers: kinds, the companies that stood on the page, and those to come.

    `shown` are the enterprise numbers on the page, `companies` those of them that are ticked,
    `press` is the button: only *save* changes what is shared.
    """

    kinds = forms.MultipleChoiceField(
        required=False, choices=TYPE_CHOICES, label=_("Document types")
    )
    new_companies = forms.BooleanField(required=False)
    shown = CompanyNumbers(required=False)
    companies = CompanyNumbers(required=False)
    q = forms.CharField(required=False, max_length=80)
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000)
    press = forms.CharField(required=False, max_length=10)
    pasted = forms.CharField(required=False, max_length=200_000, strip=True)
    upload = forms.FileField(required=False)

    def __init__(self, *args: Any, consent: Consent, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.consent = consent

    @property
    def kinds_of_the_software(self) -> list[tuple[str, Any]]:
        kinds = self.consent.partner.document_kinds
        return [(kind, label) for kind, label in TYPE_CHOICES if kind in kinds]

    @property
    def saves(self) -> bool:
        return self.cleaned_data.get("press") in ("", "save", None)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("press") in ("", "save") and not data.get("kinds"):
            self.add_error(
                "kinds",
                _(
                    "Select at least one document type. To share nothing at all, pause access"
                    " or cancel the consent."
                ),
            )
        return data


class AgreeForm(forms.Form):
    """Accept the terms on the page, to share more or to keep an allowed consent going."""

    accept_terms = forms.BooleanField(
        label=_("I have read and accept the terms and conditions"),
        error_messages={
            "required": _(
                "Turn on the switch to confirm that you have read and accept the terms "
                "and conditions."
            )
        },
    )
    terms = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, in_force: Terms, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.in_force = in_force

    def clean_terms(self) -> Terms:
        """The terms on the page. If other terms are in force by now, the person must read those."""
        if self.cleaned_data["terms"] != self.in_force.pk:
            raise forms.ValidationError(
                _("The terms have changed. Read the new version before you accept.")
            )
        return self.in_force


class ScopeFilter(ListFilter):
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000, initial=1)


class OverviewFilter(ListFilter):
    status = forms.ChoiceField(
        required=False, label=_("Status"), choices=[("", _("All statuses")), *Status.choices]
    )
    sort = forms.ChoiceField(required=False, label=_("Sort"), choices=SORTS)

    @property
    def order(self) -> tuple[str, ...]:
        """How the consents are sorted; the newest first where nothing is said."""
        return ORDERS.get(self.given("sort"), ORDERS["newest"])
