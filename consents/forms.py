"""What people fill in about a consent."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.finding import ListFilter
from accounts.models import Membership, Office, User
from clients.models import Client
from consents.models import Consent, Status, Terms
from consents.scope import ScopeChange
from partners.models import DocumentKind

SORTS = [("", _("Newest first")), ("oldest", _("Oldest first")), ("software", _("By software"))]


class CompanyNumbers(forms.Field):
    """Any number of enterprise numbers, as a row of equally named inputs."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> set[str]:
        return {str(number) for number in value or []}


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


class ScopeForm(forms.Form):
    """What a consent covers: kinds, the companies that stood on the page, and those to come.

    `shown` are the enterprise numbers on the page, `companies` those of them that are shared.
    """

    kinds = forms.MultipleChoiceField(
        required=False, choices=DocumentKind.choices, label=_("Kinds of documents")
    )
    new_companies = forms.BooleanField(required=False)
    shown = CompanyNumbers(required=False)
    companies = CompanyNumbers(required=False)

    def __init__(self, *args: Any, consent: Consent, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.consent = consent

    @property
    def kinds_of_the_software(self) -> list[tuple[str, Any]]:
        kinds = self.consent.partner.document_kinds
        return [(kind, label) for kind, label in DocumentKind.choices if kind in kinds]

    def clean_kinds(self) -> list[str]:
        kinds: list[str] = self.cleaned_data["kinds"]
        if not kinds:
            raise forms.ValidationError(
                _("Leave at least one kind on. To share nothing, pause or cancel instead.")
            )
        return kinds

    def change(self) -> ScopeChange:
        """What the page says; what is so already falls away when it is carried out."""
        shown, kept = self.cleaned_data["shown"], self.cleaned_data["companies"]
        left_out = set(self.consent.partner.document_kinds) - set(self.cleaned_data["kinds"])
        ours = Client.objects.active().filter(office=self.consent.office_id)
        pks = dict(ours.filter(company_number__in=shown).values_list("company_number", "pk"))
        return ScopeChange(
            kinds_in=tuple(self.cleaned_data["kinds"]),
            kinds_out=tuple(left_out),
            clients_in=tuple(pk for number, pk in pks.items() if number in kept),
            clients_out=tuple(pk for number, pk in pks.items() if number not in kept),
            new_clients=self.cleaned_data["new_companies"],
        )


class AgreeForm(forms.Form):
    """Agreed to after the allow, like the consent itself: in the words that stood on the page."""

    accept_terms = forms.BooleanField(
        label=_("I have read and accept the terms and conditions"),
        error_messages={
            "required": _("To allow, first switch on that you have read and accept the terms.")
        },
    )
    terms = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, in_force: Terms, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.in_force = in_force

    def clean_terms(self) -> Terms:
        """The terms she read; when others are in force by now she is shown those."""
        if self.cleaned_data["terms"] != self.in_force.pk:
            raise forms.ValidationError(_("The terms have changed. Please read the new ones."))
        return self.in_force


class ScopeFilter(ListFilter):
    after = forms.CharField(required=False, max_length=10)


class OverviewFilter(ListFilter):
    status = forms.ChoiceField(
        required=False, label=_("Status"), choices=[("", _("All")), *Status.choices]
    )
    sort = forms.ChoiceField(required=False, label=_("Order"), choices=SORTS)
    # The last consent of the page before.
    last = forms.IntegerField(required=False, min_value=1, max_value=2**62)
