"""What people fill in about companies."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from stdnum import iban
from stdnum.exceptions import ValidationError as NoNumber

from accounts.models import LANGUAGES, Office
from clients.models import STATES, Client
from core.dates import DAY_AND_TIME
from core.email_address import EMAIL_ERRORS
from core.enterprise_number import CompanyNumberField
from core.lists import ListFilter

SORTS = [("name", _("By name")), ("code", _("By code"))]
FURTHEST = timedelta(days=366)
NUMBER_MISSING = {"required": _("Enter the enterprise number.")}


class RegistryFilter(ListFilter):
    state = forms.ChoiceField(required=False, label=_("Show"), choices=STATES, initial="active")
    sort = forms.ChoiceField(required=False, label=_("Sort"), choices=SORTS, initial="name")


class CompanyForm(forms.Form):
    """What an Admin may change about a company; its enterprise number is fixed."""

    name = forms.CharField(
        label=_("Company name"), max_length=200, error_messages={"required": _("Enter a name.")}
    )
    code = forms.CharField(
        label=_("Company code"),
        max_length=40,
        error_messages={"required": _("Enter the code that your office uses for this company.")},
    )
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)
    email = forms.EmailField(
        label=_("Email address"), max_length=254, required=False, error_messages=EMAIL_ERRORS
    )

    @classmethod
    def of(cls, client: Client, data: Any) -> CompanyForm:
        return cls(data, initial={name: getattr(client, name) for name in cls.base_fields})


class AddForm(CompanyForm):
    company_number = CompanyNumberField(label=_("Enterprise number"), error_messages=NUMBER_MISSING)


class AccountForm(forms.Form):
    iban = forms.CharField(
        label=_("Account number (IBAN)"),
        max_length=50,
        error_messages={"required": _("Enter the account number.")},
    )

    def clean_iban(self) -> str:
        """Without spaces, in capitals, and right modulo 97; source: ISO 13616.

        The inner check of a country is left out: a bank's own file decides which account exists.
        """
        try:
            return str(iban.validate(self.cleaned_data["iban"], check_country=False))
        except NoNumber as wrong:
            raise forms.ValidationError(
                _("This IBAN is not valid. Copy it from a bank statement."), code="iban"
            ) from wrong


class UnderstoodForm(forms.Form):
    understood = forms.BooleanField(
        label=_("I understand the consequences of this action"),
        error_messages={
            "required": _("Tick the box to confirm that you understand the consequences.")
        },
    )


class ArchiveForm(UnderstoodForm):
    reason = forms.CharField(
        label=_("Reason"), max_length=300, error_messages={"required": _("Enter a reason.")}
    )


class TransferForm(UnderstoodForm):
    """To which office, and from when on; an office that we do not know is told as unknown."""

    number = CompanyNumberField(
        label=_("Enterprise number of the new office"), error_messages=NUMBER_MISSING
    )
    preferred_at = forms.DateTimeField(
        label=_("Earliest date and time of the transfer (leave empty to transfer immediately)"),
        required=False,
        # What a browser's own field sends, and what people write where there is none.
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", *DAY_AND_TIME],
        error_messages={"invalid": _("Enter a date and a time, for example 31/12/2026 08:00.")},
    )

    def __init__(self, *args: Any, office: Office, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.office = office

    def clean_number(self) -> Office:
        number: str = self.cleaned_data["number"]
        if number == self.office.company_number:
            raise forms.ValidationError(
                _("This is the number of your own office. Enter the number of the new office.")
            )
        office = Office.objects.filter(company_number=number, is_active=True).first()
        if office is None:
            raise forms.ValidationError(
                _("No accounting office in the portal has this number. Check the number.")
            )
        return office

    def clean_preferred_at(self) -> datetime | None:
        wished: datetime | None = self.cleaned_data["preferred_at"]
        if wished is not None and not timezone.now() < wished < timezone.now() + FURTHEST:
            raise forms.ValidationError(_("Choose a date and time within the next 12 months."))
        return wished


class AnswerForm(forms.Form):
    """Agreeing needs a code for the company; declining never does."""

    wish = forms.ChoiceField(choices=[("agree", "agree"), ("decline", "decline")])
    code = forms.CharField(label=_("Company code in your office"), max_length=40, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("wish") == "agree" and not data.get("code"):
            self.add_error("code", _("Enter the code that your office uses for this company."))
        return data


class ListForm(forms.Form):
    """A list of companies: pasted, or as a file."""

    pasted = forms.CharField(
        required=False, max_length=200_000, label=_("List of companies"), strip=True
    )
    upload = forms.FileField(required=False, label=_("Or a CSV file"))
    press = forms.CharField(required=False, max_length=10)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("pasted") and not data.get("upload"):
            self.add_error("pasted", _("Paste a list or choose a file."))
        return data


class ArchiveListForm(ListForm, ArchiveForm):
    """Companies to archive, with the reason."""
