"""Consents in the admin: the history of each, and *End access* by two operators."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, reverse
from django.utils.html import format_html, format_html_join

from accounts.models import Office, User
from backoffice.admin.filters import OfficeFilter, SoftwareFilter
from backoffice.admin.four_eyes import FourEyesAction, four_eyes_page
from backoffice.admin.lists import REACH, uuids_beginning
from backoffice.admin.site import ReadOnlyPage
from backoffice.admin.support import (
    access_in_words,
    last_download,
    mails_about,
    scope_in_words,
    terms_in_words,
)
from backoffice.models.four_eyes import ApprovalKind
from backoffice.models.support_access import AccessedRecord, SupportAccess
from backoffice.termination import end_access
from consents.access import AccessContext
from consents.models import Consent, Status
from core.dates import moment_in_words
from partners.models import Partner

NOTHING_TO_END = "This consent is not allowed, so there is no access to end."


@admin.register(Consent)
class Consents(ReadOnlyPage):
    """The consents of all offices."""

    list_display = ["uuid", "office", "partner", "status", "requested_at"]
    list_filter = ["status", "requested_at", SoftwareFilter, OfficeFilter]
    list_select_related = ["office", "partner"]
    search_fields = ["office__name", "partner__name"]
    sortable_by = ["status", "requested_at"]
    search_help_text = "Identifier or its first characters, office, software."
    fields = [
        *("uuid", "office", "partner", "status", "access_now", "last_download", "scope"),
        *("accepted_terms", "requested_at", "decided_at", "cancelled_at"),
        *("closed_at", "closed_reason", "paused_at", "paused_until", "accept_terms_by"),
        *("what_happened", "mails"),
    ]
    readonly_fields = [
        *("access_now", "last_download", "scope", "accepted_terms", "what_happened", "mails"),
    ]
    change_form_template = "admin/consent.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Consent], search_term: str
    ) -> tuple[QuerySet[Consent], bool]:
        """By identifier where one begins so, else by office and software."""
        beginning = uuids_beginning("uuid", search_term)
        found = queryset.filter(beginning) if beginning else queryset.none()
        if not search_term or found.exists():
            return (found if search_term else queryset), False
        # The keys first: a condition across two joined tables would read every consent.
        offices = Office.objects.filter(name__icontains=search_term).values_list("pk", flat=True)
        partners = Partner.objects.filter(name__icontains=search_term).values_list("pk", flat=True)
        by_name = Q(office__in=list(offices[:REACH])) | Q(partner__in=list(partners[:REACH]))
        return queryset.filter(by_name), False

    @admin.display(description="access now")
    def access_now(self, consent: Consent) -> str:
        """Whether the software can read now, or why it is refused."""
        return access_in_words(consent, AccessContext.of(consent.pk))

    @admin.display(description="last download")
    def last_download(self, consent: Consent) -> str:
        return last_download(consent)

    @admin.display(description="scope")
    def scope(self, consent: Consent) -> str:
        return scope_in_words(consent)

    @admin.display(description="accepted terms")
    def accepted_terms(self, consent: Consent) -> str:
        return terms_in_words(consent)

    @admin.display(description="e-mails of 30 days")
    def mails(self, consent: Consent) -> str:
        return mails_about(consent)

    @admin.display(description="what happened")
    def what_happened(self, consent: Consent) -> str:
        """Every event with its time, who it was and why, the oldest first."""
        rows = format_html_join(
            "",
            "<li>{} · {} · {} {}</li>",
            (
                (
                    moment_in_words(event.at),
                    event.get_kind_display(),
                    event.actor_name or event.get_actor_kind_display(),
                    event.reason,
                )
                for event in consent.events.order_by("number")
            ),
        )
        return format_html("<ol>{}</ol>", rows)

    def log_support_access(self, request: HttpRequest, row: Any) -> None:
        about = f"{row.partner} · {row.uuid}"
        SupportAccess.objects.write(
            row.office, cast(User, request.user), AccessedRecord.CONSENT, about
        )

    def get_urls(self) -> list[URLPattern]:
        end = self.own_page("<int:pk>/end/", self.end, "consent_end", "backoffice.end_access")
        return [end, *super().get_urls()]

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End the access of this software to this office, by two operators."""
        consent = get_object_or_404(Consent.objects.select_related("office", "partner"), pk=pk)
        self.log_support_access(request, consent)
        action = FourEyesAction(
            kind=ApprovalKind.END_ACCESS,
            subjects={"consent": consent},
            carry_out=end_access,
            history_of=consent,
            back=reverse("admin:consents_consent_change", args=[pk]),
            title="End access",
            consequences=[
                f"{consent.partner} at {consent.office}, {consent.get_status_display().lower()}.",
                "From its next call, the software is refused permanently. Only the office can give "
                "access again.",
                "All Admins of the office will be told.",
            ],
            change=f"status: {consent.status} → {Status.CANCELLED}",
            impossible="" if consent.status == Status.ALLOWED else NOTHING_TO_END,
        )
        return four_eyes_page(self, request, action)
