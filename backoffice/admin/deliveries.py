"""Webhook endpoints and deliveries: switch an endpoint on or off, send a delivery again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from backoffice.admin.filters import DeliveryState, EndpointState, SoftwareFilter
from backoffice.admin.lists import REACH, uuids_beginning
from backoffice.admin.site import ReadOnlyPage
from consents.models import ConsentEvent, EventKind
from notifications.models import Delivery, WebhookEndpoint
from notifications.models.webhook_endpoint import OffReason
from notifications.webhooks.endpoints import deliver


class SoftwareOfEndpoint(SoftwareFilter):
    """The deliveries to the endpoint of this software."""

    lookup = "endpoint"

    def found(self, words: str) -> QuerySet[Any]:
        return WebhookEndpoint.objects.filter(partner__in=super().found(words))


@admin.register(WebhookEndpoint)
class Endpoints(ReadOnlyPage):
    """The endpoints. Their address is changed on the page of the partner."""

    list_display = ["partner", "url", "off_at", "off_reason", "flagged_at"]
    list_select_related = ["partner"]
    list_filter = [EndpointState, SoftwareFilter]
    actions = ["switch_on", "switch_off"]

    @admin.action(description="Switch on", permissions=["operate"])
    def switch_on(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in chosen:
            endpoint.switch_on()
            self.log_change(request, endpoint, "Switched on.\nstate: off → on")

    @admin.action(description="Switch off", permissions=["operate"])
    def switch_off(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in chosen:
            endpoint.switch_off(OffReason.OPERATOR)
            self.log_change(request, endpoint, "Switched off.\nstate: on → off")


@admin.register(Delivery)
class Deliveries(ReadOnlyPage):
    list_display = [
        *("message_id", "endpoint", "kind", "attempts", "answer"),
        *("next_at", "delivered_at", "given_up_at"),
    ]
    list_select_related = ["endpoint__partner", "event", "notice"]
    list_filter = [DeliveryState, SoftwareOfEndpoint]
    search_fields = ["event__uuid"]
    search_help_text = "Identifier of an event or a consent, or its first characters."
    sortable_by = ()
    ordering = ["-pk"]
    actions = ["send_again"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        """Find the newest events whose identifier begins so, then their deliveries, by index."""
        by_event = uuids_beginning("uuid", search_term)
        by_consent = uuids_beginning("consent__uuid", search_term)
        if not search_term:
            return queryset, False
        if by_event is None or by_consent is None:
            return queryset.none(), False
        event_ids: set[int] = set()
        for beginning in (by_event, by_consent):
            events = ConsentEvent.objects.filter(beginning).order_by("-pk")
            event_ids |= set(events.values_list("pk", flat=True)[:REACH])
        return queryset.filter(event__in=event_ids), False

    @admin.display(description="identifier")
    def message_id(self, delivery: Delivery) -> Any:
        return delivery.message.uuid

    @admin.display(description="event")
    def kind(self, delivery: Delivery) -> Any:
        # The display of Django's field asks for the words of every kind, for each row.
        return EventKind(delivery.event.kind).label if delivery.event else "Documents available"

    @admin.action(description="Send again", permissions=["operate"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        endpoints = set()
        for delivery in chosen.select_related(None):
            delivery.send_again()
            self.log_change(request, delivery, "Sent again.")
            endpoints.add(delivery.endpoint_id)
        for endpoint in endpoints:
            deliver.delay(endpoint)
        self.message_user(request, "They are being sent again.", messages.SUCCESS)
