"""The events of a software in the order of their commits, complete, for whoever missed some."""

from __future__ import annotations

from uuid import UUID

from consents.models import ConsentEvent
from notifications.models import FanOut
from notifications.tasks import fan_out
from notifications.webhook_endpoints import NAMES


class UnknownEvent(Exception):
    """The cursor is no event of this software."""


def events_of(partner_id: int, after: UUID | None, limit: int) -> list[ConsentEvent]:
    """At most `limit` events after the one named, oldest first. Raises UnknownEvent.

    Events that no worker has fanned out yet are fanned out here, so that none is ever missing.
    """
    mine = ConsentEvent.objects.filter(consent__partner=partner_id, kind__in=NAMES, fan_out=None)
    for event_id in mine.order_by("pk").values_list("pk", flat=True):
        fan_out(event_id)
    places = FanOut.objects.filter(partner=partner_id).order_by("pk")
    if after is not None:
        place = places.filter(event__uuid=after).first()
        if place is None:
            raise UnknownEvent
        places = places.filter(pk__gt=place.pk)
    return [place.event for place in places.select_related("event__consent")[:limit]]
