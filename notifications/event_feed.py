"""The event feed: all events of one software in the order of their commits."""

from __future__ import annotations

from uuid import UUID

from consents.models import ConsentEvent
from notifications.fan_out import fan_out
from notifications.models import FanOut
from notifications.models.webhook_endpoint import EVENT_NAMES


class UnknownEvent(Exception):
    """The cursor is not an event of this software."""


def events_of(partner_id: int, after: UUID | None, limit: int) -> list[ConsentEvent]:
    """Return at most `limit` events after the event `after`, the oldest first.

    Events that no worker has fanned out yet are fanned out here, so that none is missing.
    Raises UnknownEvent.
    """
    missed = ConsentEvent.objects.filter(
        consent__partner=partner_id, kind__in=EVENT_NAMES, fan_out=None
    )
    for event_id in missed.order_by("pk").values_list("pk", flat=True):
        fan_out(event_id)
    places = FanOut.objects.filter(partner=partner_id).order_by("pk")
    if after is not None:
        place = places.filter(event__uuid=after).first()
        if place is None:
            raise UnknownEvent
        places = places.filter(pk__gt=place.pk)
    return [place.event for place in places.select_related("event__consent")[:limit]]
