"""What people fill in about companies."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from stdnum import iban
from stdnum.exceptions import ValidationError as NoNumber

from accounts.company_number import validate_company_number
from accounts.finding import ListFilter
from accounts.models import LANGUAGES, Office
from clients.models import STATES, Client

SORTS = [("name", _("By name")), ("code", _("By code"))]
FURTHEST = timedelta(days=366)


def plain_number(text: str) -> str:
    """An enterprise number as people write it, without BE, dots and spaces."""
    return re.sub(r"[\s.\-/]", "", text).upper().removeprefix("BE")


class RegistryFilter(ListFilter):
    state = forms.ChoiceField(required=False, label=_("Show"), choices=STATES, initial="active")
    sort = forms.ChoiceField(required=False, label=_("Order"), choices=SORTS, initial="name")
    after = forms.UUIDField(required=False)


class CompanyForm(forms.Form):
    """What an Admin may change about a company; its enterprise number is fixed."""

    name = forms.CharField(label=_("Name of the company"), max_length=200)
    code = forms.CharField(label=_("Company code"), max_length=40)
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)
    email = forms.EmailField(label=_("E-mail address"), max_length=254, required=False)

    @classmethod
    def of(cls, client: Client, data: Any) -> CompanyForm:
        return cls(data, initial={name: getattr(client, name) for name in cls.base_fields})


class AddForm(CompanyForm):
    company_number = forms.CharField(label=_("Enterprise number"), max_length=20)

    def clean_company_number(self) -> str:
        number = plain_number(self.cleaned_data["company_number"])
        validate_company_number(number)
        return number


class AccountForm(forms.Form):
    iban = forms.CharField(label=_("Account number (IBAN)"), max_length=50)

    def clean_iban(self) -> str:
        """Without spaces, in capitals, and right modulo 97; source: ISO 13616.

        The inner check of a country is left out: a bank's own file decides which account exists.
        """
        try:
            return str(iban.validate(self.cleaned_data["iban"], check_country=False))
        except NoNumber as wrong:
            raise forms.ValidationError(
                _("This is no IBAN: copy it from a statement of the bank."), code="iban"
            ) from wrong


class UnderstoodForm(forms.Form):
    understood = forms.BooleanField(
        label=_("I understand the consequences of this action"),
        error_messages={"required": _("Tick the box to show that you understand.")},
    )


class ArchiveForm(UnderstoodForm):
    reason = forms.CharField(label=_("Reason"), max_length=300)


class TransferForm(UnderstoodForm):
    """To which office, and from when on; an office that we do not know is told as unknown."""

    number = forms.CharField(label=_("Enterprise number of the new office"), max_length=20)
    wished_at = forms.DateTimeField(
        label=_("Not before (leave empty for at once)"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )

    def __init__(self, *args: Any, office: Office, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.office = office

    def clean_number(self) -> Office:
        number = plain_number(self.cleaned_data["number"])
        validate_company_number(number)
        if number == self.office.company_number:
            raise forms.ValidationError(_("This is the number of your own office."))
        office = Office.objects.filter(company_number=number, is_active=True).first()
        if office is None:
            raise forms.ValidationError(_("No accounting office with this number uses the portal."))
        return office

    def clean_wished_at(self) -> datetime | None:
        wished: datetime | None = self.cleaned_data["wished_at"]
        if wished is not None and not timezone.now() < wished < timezone.now() + FURTHEST:
            raise forms.ValidationError(_("Choose a moment in the coming year."))
        return wished


class AnswerForm(forms.Form):
    """Agreeing needs a code for the company; declining never does."""

    wish = forms.ChoiceField(choices=[("agree", "agree"), ("decline", "decline")])
    code = forms.CharField(label=_("Company code in your office"), max_length=40, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("wish") == "agree" and not data.get("code"):
            self.add_error("code", _("Give the company a code of your own."))
        return data
