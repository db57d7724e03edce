"""Companies and bank accounts that offices claim: operators confirm or refuse them.

A claim that nobody contests is confirmed by a file. Operators look at the others: an account or a
number that several offices claim, or that a file contradicts.
"""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern

from accounts.models import User
from backoffice.admin.four_eyes import ReasonForm
from backoffice.admin.site import ReadOnlyPage
from backoffice.models.claims import AccountClaim, CompanyClaim
from backoffice.models.support_access import AccessedRecord, SupportAccess
from clients.admins import Outdated
from clients.models import Account, Client
from documents.formats import Reason
from documents.models import QuarantinedFile, QuarantineState

# As many waiting files as a person looks through; the quarantine has all of them.
MOST_FILES = 20


class SettleForm(ReasonForm):
    """What the pressed button says, and the reason."""

    verdict = forms.ChoiceField(
        choices=[("confirm", "Confirm"), ("refuse", "Refuse")], widget=forms.HiddenInput
    )


def _state(row: Client | Account) -> str:
    """Return whether it is confirmed, or a claim, and of which kind."""
    if row.confirmed_at:
        return "confirmed"
    return "contested" if row.contested else "claimed"


class Claims(ReadOnlyPage):
    """The pages of what offices claim. The search takes numbers as people write them."""

    list_filter = ["contested", "created_at"]
    ordering = ["-pk"]
    change_form_template = "admin/claim.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        plain = "".join(filter(str.isalnum, search_term)).upper()
        if plain[2:].isdigit() and len(plain) == 12 and plain.startswith("BE"):
            plain = plain.removeprefix("BE")
        return super().get_search_results(request, queryset, plain)

    def settle(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show all who have or claim the same and what waits; confirm or refuse this claim."""
        rows = self.get_queryset(request)
        claim = get_object_or_404(rows, pk=pk)
        form = SettleForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            self._settle(request, claim, **form.cleaned_data)
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        sides = list(self.sides(claim))
        for side in sides:
            self.log_support_access(request, side)
        shown = [(side, self.company_of(side), _state(side)) for side in sides]
        return self.render_page(
            request,
            "admin/settle.html",
            f"Who has {claim}?",
            claim=claim,
            sides=shown,
            form=form,
            files=self.waiting(claim),
        )

    def _settle(
        self, request: HttpRequest, claim: Client | Account, verdict: str, reason: str
    ) -> None:
        operator = cast(User, request.user)
        try:
            if verdict == "confirm":
                claim.confirm(operator)
            else:
                claim.refuse(operator)
        except Outdated:
            text = "Nothing was changed: it is no claim any more, or its company is not confirmed."
            self.message_user(request, text, messages.ERROR)
        else:
            word = "Confirmed" if verdict == "confirm" else "Refused"
            self.log_change(request, claim, f"{word}: {reason}")

    def company_of(self, row: Any) -> Client:
        """Return the company that has or claims it."""
        raise NotImplementedError

    def sides(self, claim: Any) -> QuerySet[Any]:
        """Return all who have or claim the same, this one too."""
        raise NotImplementedError

    def waiting(self, claim: Any) -> QuerySet[QuarantinedFile]:
        """Return the files that wait because of it, the newest first."""
        files = QuarantinedFile.objects.filter(
            state=QuarantineState.WAITING, reason=Reason.CONTRADICTION
        )
        return files.filter(detail__contains=self.named(claim)).order_by("-pk")[:MOST_FILES]

    def named(self, claim: Any) -> str:
        """Return how the quarantine names it."""
        raise NotImplementedError

    def log_support_access(self, request: HttpRequest, row: Any) -> None:
        company = self.company_of(row)
        SupportAccess.objects.write(
            company.office, cast(User, request.user), AccessedRecord.COMPANY, company.name
        )


@admin.register(CompanyClaim)
class Companies(Claims):
    """Companies that an office claims."""

    list_display = ["company_number", "name", "office", "contested", "created_at"]
    list_select_related = ["office"]
    search_fields = ["company_number__exact"]
    search_help_text = "The whole enterprise number."
    fields = ["company_number", "name", "office", "contested", "created_at"]

    def get_urls(self) -> list[URLPattern]:
        return [
            self.own_page(
                "<int:pk>/settle/",
                self.settle,
                "company_claim_settle",
                "backoffice.change_companyclaim",
            ),
            *super().get_urls(),
        ]

    def company_of(self, row: Client) -> Client:
        return row

    def sides(self, claim: Client) -> QuerySet[Client]:
        same = Client.objects.filter(company_number=claim.company_number, archived_at=None)
        return same.select_related("office")

    def named(self, claim: Client) -> str:
        return claim.company_number


@admin.register(AccountClaim)
class Accounts(Claims):
    """Bank accounts that an office claims."""

    list_display = ["iban", "client", "office", "contested", "created_at"]
    list_select_related = ["client__office"]
    search_fields = ["iban__exact", "client__company_number__exact"]
    search_help_text = "The whole account number, or the whole enterprise number of the company."
    fields = ["iban", "client", "office", "contested", "learnt", "created_at"]

    def get_urls(self) -> list[URLPattern]:
        return [
            self.own_page(
                "<int:pk>/settle/",
                self.settle,
                "account_claim_settle",
                "backoffice.change_accountclaim",
            ),
            *super().get_urls(),
        ]

    @admin.display(description="office")
    def office(self, account: Account) -> str:
        """Return the office of the company."""
        return str(account.client.office)

    def company_of(self, row: Account) -> Client:
        return row.client

    def sides(self, claim: Account) -> QuerySet[Account]:
        return Account.objects.filter(iban=claim.iban).select_related("client__office")

    def named(self, claim: Account) -> str:
        return claim.iban
