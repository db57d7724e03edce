"""Bodies in and out, as connect-api sections 4 and 5 show them."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings
from rest_framework.request import Request

from accounts.company_number import is_company_number
from consents.handback import has_room_for_a_state
from consents.models import Consent, Status
from partner_api.errors import Fault, invalid
from partner_api.times import in_milliseconds
from partners.models import Partner

ATTRIBUTES = "/data/attributes"
# Three words only: a fourth leaves clients polling for ever.
WIRE_STATUS = {
    Status.TO_BE_DETERMINED: "unconfirmed",
    Status.ALLOWED: "confirmed",
    Status.DENIED: "denied",
    Status.CANCELLED: "denied",
}
MAX_STATE = 500


class ConsentDemand(NamedTuple):
    """What a partner asks for when it creates a consent."""

    company_number: str
    redirect_uri: str
    state: str


def member(body: Any, *path: str) -> Any:
    """Return the member at the path; None where it, or a step to it, is absent or null."""
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def fault(pointer: str, detail: str) -> Fault:
    return Fault("validationError", detail, pointer)


def wrong_type(body: dict[str, Any], expected: str) -> list[Fault]:
    """A resource of another type was sent by mistake; an absent type does no harm."""
    if not isinstance(body.get("data"), dict):
        return [fault("/data", "data must be an object.")]
    if body["data"].get("type") not in (None, expected):
        return [fault("/data/type", f"type must be {expected}.")]
    return []


def consent_demand(body: dict[str, Any], partner: Partner) -> ConsentDemand:
    """Check a consent creation; raise with all faults at once."""
    number = member(body, "data", "attributes", "accountingOfficeCompanyNumber")
    uri = member(body, "data", "attributes", "redirectUri")
    state = member(body, "data", "attributes", "state")
    faults = wrong_type(body, "accountingOfficeConsent")
    if number is None:
        faults.append(fault(f"{ATTRIBUTES}/accountingOfficeCompanyNumber", "It is required."))
    elif not isinstance(number, str) or not is_company_number(number):
        faults.append(
            fault(
                f"{ATTRIBUTES}/accountingOfficeCompanyNumber",
                "It must be 10 digits without BE or dots, and pass modulo 97.",
            )
        )
    if uri is not None and not (isinstance(uri, str) and partner.accepts_redirect(uri)):
        faults.append(
            fault(
                f"{ATTRIBUTES}/redirectUri",
                "It must be an address, or lie on an origin, that is registered for your software.",
            )
        )
    elif uri is not None and state and not has_room_for_a_state(uri):
        faults.append(
            fault(f"{ATTRIBUTES}/redirectUri", "It has a parameter that is appended with a state.")
        )
    if state is not None and not (isinstance(state, str) and len(state) <= MAX_STATE):
        faults.append(fault(f"{ATTRIBUTES}/state", "It must be text of at most 500 characters."))
    if faults:
        raise invalid(*faults)
    return ConsentDemand(number, uri or "", state or "")


def consent_resource(consent: Consent, request: Request) -> dict[str, Any]:
    """The accounting office consent of connect-api section 4."""
    path = f"/codabox-connect/accounting-office-consents/{consent.uuid}"
    return {
        "data": {
            "type": "accountingOfficeConsent",
            "id": str(consent.uuid),
            "attributes": {
                "accountingOfficeCompanyNumber": consent.office.company_number,
                "accountingOfficeId": str(consent.office.uuid),
                "confirmationUri": f"{settings.PORTAL_URL}/consent/{consent.uuid}",
                "requestedAt": in_milliseconds(consent.requested_at),
                "status": WIRE_STATUS[Status(consent.status)],
                "portalStatus": consent.status,
                "decidedAt": in_milliseconds(consent.decided_at),
                "cancelledAt": in_milliseconds(consent.cancelled_at),
                "lapsedAt": in_milliseconds(consent.lapsed_at),
                "pausedAt": in_milliseconds(consent.paused_at if consent.is_paused else None),
            },
            "links": {"self": request.build_absolute_uri(path)},
        }
    }
