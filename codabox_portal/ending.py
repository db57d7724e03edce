"""A consent as operators see it: its whole story, and how two of them end it."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.timezone import localtime

from accounts.decorators import ask_again_after_15_minutes
from accounts.looks import OperatorLook, Seen
from accounts.models import Office, User
from accounts.requests import PersonRequest
from codabox_portal.admin import LookUp
from codabox_portal.joint import ReasonForm
from codabox_portal.lists import REACH, uuids_beginning
from consents.forced import ForcedEnd, NeedsAnother, ask_to_end
from consents.models import Consent, DecisionConflict, Status
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
        """One operator gives the reason, another one confirms it within 24 hours."""
        consent = get_object_or_404(Consent.objects.select_related("office", "partner"), pk=pk)
        self.looked_at(request, consent)
        operator = cast(User, request.user)
        wish = ForcedEnd.objects.waiting().filter(consent=consent).order_by("pk").last()
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if request.method == "POST":
            ask_again_after_15_minutes(cast(PersonRequest, request))
            if "confirm" in request.POST:
                return self._confirm(request, consent, operator)
            if form.is_valid() and consent.status == Status.ALLOWED:
                ask_to_end(consent, operator, form.cleaned_data["reason"])
                self.log_change(request, consent, f"Asked to end: {form.cleaned_data['reason']}")
                return redirect("admin:consent_end", pk)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "End access",
            "consent": consent,
            "wish": wish,
            "mine": wish is not None and wish.asked_by_id == operator.pk,
            "form": form,
            "can_end": consent.status == Status.ALLOWED,
        }
        return TemplateResponse(request, "admin/consent_end.html", context)

    def _confirm(self, request: HttpRequest, consent: Consent, operator: User) -> HttpResponse:
        number = request.POST["confirm"]
        wishes = ForcedEnd.objects.select_related("asked_by", "consent")
        wish = get_object_or_404(
            wishes, pk=int(number) if number.isdecimal() else 0, consent=consent
        )
        try:
            wish.confirm(operator)
        except (NeedsAnother, DecisionConflict):
            self.message_user(
                request,
                "Nothing was ended: another operator must confirm, within 24 hours, once.",
                messages.ERROR,
            )
        else:
            self.log_change(request, consent, f"Ended: {wish.reason}")
            self.message_user(request, "Access has ended; the office is told.", messages.SUCCESS)
        return redirect("admin:consent_end", consent.pk)
