"""The types of a request after the decorators have checked the person and the office."""

from typing import Any

from django.http import HttpRequest

from accounts.models import Membership, Office, User


class PersonRequest(HttpRequest):
    """A request of a person who is logged in."""

    user: User


class OfficeRequest(PersonRequest):
    """A request of a person for an office they work for, with their current `membership`."""

    office: Office
    membership: Membership


def office_page(request: OfficeRequest, section: str) -> dict[str, Any]:
    """The template context of every page of an office; the menu marks `section`."""
    return {"office": request.office, "role": request.membership.role, "section": section}
