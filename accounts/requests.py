"""The request after it was checked: whose it is, and for which office."""

from django.http import HttpRequest

from accounts.models import Membership, Office, User


class PersonRequest(HttpRequest):
    """A request of a person who is logged in."""

    user: User


class OfficeRequest(PersonRequest):
    """A request of a person for an office she works for; `membership` was read for this request."""

    office: Office
    membership: Membership
