"""A consent as operators see it: its whole story, and how two of them end it."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.timezone import localtime

from accounts.joint import Act
from accounts.looks import OperatorLook, Seen
from accounts.models import Office, User
from backoffice.joint import Joint, act_together
from backoffice.lists import REACH, uuids_beginning
from backoffice.site import LookUp
from consents.closing import end_access
from consents.models import Consent, Status
from partners.models import Partner


@admin.register(Consent)
class Consents(LookUp):
    list_display = ["uuid", "office", "partner", "status", "requested_at"]
    list_filter = ["status"]
    list_select_related = ["office", "partner"]
    search_fields = ["office__name", "partner__name"]
    sortable_by = ["status", "requested_at"]
    search_help_text = "Identifier or its first characters, office, software."
    fields = [
        *("uuid", "office", "partner", "status", "requested_at", "decided_at", "cancelled_at"),
        *("closed_at", "closed_reason", "paused_at", "paused_until", "reaccept_by", "story"),
    ]
    readonly_fields = ["story"]
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

    @admin.display(description="story")
    def story(self, consent: Consent) -> str:
        """Every event with its time, who it was and why, the oldest first."""
        rows = format_html_join(
            "",
            "<li>{} · {} · {} {}</li>",
            (
                (
                    date_format(localtime(event.at), "DATETIME_FORMAT"),
                    event.get_kind_display(),
                    event.actor_name or event.get_actor_kind_display(),
                    event.reason,
                )
                for event in consent.events.order_by("number")
            ),
        )
        return format_html("<ol>{}</ol>", rows)

    def looked_at(self, request: HttpRequest, row: Any) -> None:
        seen = f"{row.partner} · {row.uuid}"
        OperatorLook.objects.write(row.office, cast(User, request.user), Seen.CONSENT, seen)

    def get_urls(self) -> list[URLPattern]:
        end = self.admin_site.admin_view(self.end)
        return [path("<int:pk>/end/", end, name="consent_end"), *super().get_urls()]

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One operator asks with a reason, another one confirms."""
        consent = get_object_or_404(Consent.objects.select_related("office", "partner"), pk=pk)
        self.looked_at(request, consent)
        joint = Joint(
            kind=Act.END_ACCESS,
            about={"consent": consent},
            carry_out=end_access,
            logged=consent,
            back=reverse("admin:consents_consent_change", args=[pk]),
            title="End access",
            stops=[
                f"{consent.partner} at {consent.office}, {consent.get_status_display().lower()}.",
                "The next call of the software is refused, for good. Only the office can give "
                "access again.",
                "Told: all Admins of the office.",
            ],
            change=f"status: {consent.status} → {Status.CANCELLED}",
            nothing="" if consent.status == Status.ALLOWED else "There is no access to end.",
        )
        return act_together(self, request, joint)
