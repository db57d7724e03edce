"""Accounting office consents, in and out (connect-api section 4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from consents.models import Consent, Status
from consents.return_redirect import has_room_for_a_state
from core.enterprise_number import is_company_number
from partner_api.serializers.fields import (
    COMPANY_NUMBER,
    Body,
    Constant,
    Data,
    Described,
    Member,
    Moment,
    Shape,
    Shaped,
    Text,
)
from partner_api.serializers.paging import PageSerializer, PagingMetaSerializer
from partner_api.times import in_milliseconds

# Three words only: a fourth would leave clients polling for ever.
WIRE_STATUS = {
    Status.TO_BE_DETERMINED: "unconfirmed",
    Status.ALLOWED: "confirmed",
    Status.DENIED: "denied",
    Status.CANCELLED: "denied",
}

# What a list can be asked for: a word of the wire, or a status of the portal.
PORTAL_STATUSES = {
    word: [status for status in Status if word in (WIRE_STATUS[status], status.value)]
    for word in dict.fromkeys([*WIRE_STATUS.values(), *Status.values])
}


class CompanyNumber(Member, Shaped):
    """The enterprise number of an accounting office."""

    default_error_messages = {
        "invalid": "{name} must be 10 digits without BE or dots, and pass modulo 97."
    }
    shape = COMPANY_NUMBER

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not is_company_number(data):
            self.fail("invalid")
        return data


class RedirectUri(Member, Shaped):
    """An address that is registered for the partner in the context, or lies on such an origin."""

    default_error_messages = {
        "invalid": (
            "{name} must be an address, or lie on an origin, that is registered for your software."
        )
    }
    shape: Shape = {"type": "string", "format": "uri"}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not self.context["partner"].accepts_redirect(data):
            self.fail("invalid")
        return data


class ConsentRequestAttributesSerializer(Body):
    """Which office is asked, and where its person goes after the decision."""

    accountingOfficeCompanyNumber = CompanyNumber()
    redirectUri = RedirectUri(required=False, allow_null=True)
    state = Text(limit=500, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        uri = attrs.get("redirectUri")
        if uri is not None and attrs.get("state") and not has_room_for_a_state(uri):
            raise serializers.ValidationError(
                {"redirectUri": ["redirectUri has a parameter that is appended with a state."]}
            )
        return attrs


class ConsentRequestDataSerializer(Data):
    """The request, as a resource without an identifier."""

    type = Constant("accountingOfficeConsent", required=False)
    attributes = ConsentRequestAttributesSerializer()


class ConsentRequestSerializer(Body):
    """A partner asks an accounting office for access."""

    data: Any = ConsentRequestDataSerializer()


class LapsedMoment(Moment):
    """When a request lapsed, as of the moment `at` of the context."""

    def get_attribute(self, instance: Consent) -> datetime | None:
        return instance.lapsed_at(self.context["at"])


class ConsentAttributesSerializer(serializers.Serializer[Consent]):
    accountingOfficeCompanyNumber = Described(COMPANY_NUMBER, source="office.company_number")
    accountingOfficeId = serializers.UUIDField(source="office.uuid")
    confirmationUri = serializers.SerializerMethodField()
    requestedAt = Moment(source="requested_at")
    status = serializers.SerializerMethodField()
    portalStatus = Described({"type": "string", "enum": Status.values}, source="status")
    decidedAt = Moment(source="decided_at", allow_null=True, required=False)
    cancelledAt = Moment(source="cancelled_at", allow_null=True, required=False)
    lapsedAt = LapsedMoment(allow_null=True, required=False)
    pausedAt = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_confirmationUri(self, consent: Consent) -> str:
        return f"{settings.PORTAL_URL}/consent/{consent.uuid}"

    @extend_schema_field({"type": "string", "enum": list(dict.fromkeys(WIRE_STATUS.values()))})
    def get_status(self, consent: Consent) -> str:
        return WIRE_STATUS[Status(consent.status)]

    @extend_schema_field({"type": ["string", "null"], "format": "date-time"})
    def get_pausedAt(self, consent: Consent) -> str | None:
        return in_milliseconds(consent.paused_at if consent.is_paused(self.context["at"]) else None)


class ConsentLinksSerializer(serializers.Serializer[Consent]):
    self = serializers.SerializerMethodField()

    def get_self(self, consent: Consent) -> str:
        path = f"/codabox-connect/accounting-office-consents/{consent.uuid}"
        address: str = self.context["request"].build_absolute_uri(path)
        return address


class ConsentResourceSerializer(serializers.Serializer[Consent]):
    type = Constant("accountingOfficeConsent")
    id = serializers.UUIDField(source="uuid")
    attributes = ConsentAttributesSerializer(source="*")
    links = ConsentLinksSerializer(source="*")


class ConsentSerializer(serializers.Serializer[Consent]):
    """An accounting office consent, as it is now."""

    data: Any = ConsentResourceSerializer(source="*")


class ConsentsSerializer(serializers.Serializer[Any]):
    """One page of the software's own consents, the newest first."""

    data: Any = ConsentResourceSerializer(many=True)
    meta = PagingMetaSerializer()


class StatusFilter(Member, Shaped):
    """A status on the wire, or one of the portal's own; it is read as the portal's."""

    default_error_messages = {"invalid": "{name} must be one of {words}."}
    shape: Shape = {"type": "string", "enum": list(PORTAL_STATUSES)}

    def to_internal_value(self, data: Any) -> list[Status]:
        if data not in PORTAL_STATUSES:
            self.fail("invalid", words=", ".join(PORTAL_STATUSES))
        return PORTAL_STATUSES[data]

    def to_representation(self, value: Any) -> Any:
        return value


class ConsentPageSerializer(PageSerializer):
    """The query of the list of consents."""

    status = StatusFilter(required=False, default=None)
