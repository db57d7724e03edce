"""Operators see what a software was told, switch its endpoint on, and send again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from backoffice.lists import REACH, uuids_beginning
from backoffice.site import LookUp
from consents.models import ConsentEvent
from notifications.models import Delivery, WebhookEndpoint
from notifications.tasks import deliver
from notifications.webhook_endpoints import OffReason


@admin.register(WebhookEndpoint)
class Endpoints(LookUp):
    """The address itself is part of the partner's entry."""

    list_display = ["partner", "url", "off_at", "off_reason", "flagged_at"]
    list_select_related = ["partner"]
    actions = ["switch_on", "switch_off"]

    @admin.action(description="Switch on")
    def switch_on(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in chosen:
            endpoint.switch_on()
            self.log_change(request, endpoint, "Switched on.\nstate: off → on")

    @admin.action(description="Switch off")
    def switch_off(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in chosen:
            endpoint.switch_off(OffReason.OPERATOR)
            self.log_change(request, endpoint, "Switched off.\nstate: on → off")


@admin.register(Delivery)
class Deliveries(LookUp):
    list_display = [
        *("event_id", "endpoint", "kind", "attempts", "answer"),
        *("next_at", "delivered_at", "given_up_at"),
    ]
    list_select_related = ["endpoint__partner", "event"]
    list_filter = ["endpoint__partner"]
    search_fields = ["event__uuid"]
    search_help_text = "Identifier of an event or a consent, or its first characters."
    sortable_by = ()
    ordering = ["-event"]
    actions = ["send_again"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """The newest events of that beginning, then their deliveries: both by an index."""
        by_event = uuids_beginning("uuid", search_term)
        by_consent = uuids_beginning("consent__uuid", search_term)
        if not search_term:
            return queryset, False
        if by_event is None or by_consent is None:
            return queryset.none(), False
        found: set[int] = set()
        for beginning in (by_event, by_consent):
            events = ConsentEvent.objects.filter(beginning).order_by("-pk")
            found |= set(events.values_list("pk", flat=True)[:REACH])
        return queryset.filter(event__in=found), False

    @admin.display(description="event")
    def kind(self, delivery: Delivery) -> Any:
        return delivery.event.get_kind_display()

    @admin.action(description="Send again")
    def send_again(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        endpoints = set()
        for delivery in chosen.select_related(None):
            delivery.send_again()
            self.log_change(request, delivery, "Sent again.")
            endpoints.add(delivery.endpoint_id)
        for endpoint in endpoints:
            deliver.delay(endpoint)
        self.message_user(request, "They are on their way.", messages.SUCCESS)
