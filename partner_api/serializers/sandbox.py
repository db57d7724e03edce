"""The sandbox, in and out (connect-api section 13)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any

from rest_framework import serializers

from accounts.models import Office
from clients.models import Client
from partner_api.sandbox.decisions import DECISIONS
from partner_api.serializers.consents import CompanyNumber
from partner_api.serializers.document_downloads import KindName
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

LONGEST_NAME = 120
# Base64 in a body of at most 1 MiB.
LONGEST_CONTENT = 1_000_000
ONE_OF_THEM = "Either documentType and client, for an example, or content, for a file of your own."


class SandboxOfficeRequestAttributesSerializer(Body):
    """How the office is called; without a name it gets one."""

    name = Text(limit=LONGEST_NAME, required=False, allow_null=True)


class SandboxOfficeRequestDataSerializer(Body):
    """The office, as a resource without an identifier."""

    type = Constant("sandboxOffice", required=False)
    attributes = SandboxOfficeRequestAttributesSerializer(required=False)


class SandboxOfficeRequestSerializer(Body):
    """Software of the sandbox wants an office; an empty object is enough."""

    data: Any = SandboxOfficeRequestDataSerializer(required=False)


class SandboxOfficeAttributesSerializer(serializers.Serializer[Office]):
    """`accountingOfficeCompanyNumber` is what a consent is requested with."""

    accountingOfficeCompanyNumber = Described(COMPANY_NUMBER, source="company_number")
    name = serializers.CharField()
    createdAt = Moment(source="created_at")


class SandboxCompanySerializer(serializers.Serializer[Client]):
    """A company, by its enterprise number."""

    type = Constant("client")
    id = Described(COMPANY_NUMBER, source="company_number")


class SandboxCompaniesSerializer(serializers.Serializer[Office]):
    data: Any = SandboxCompanySerializer(source="clients.all", many=True)


class SandboxOfficeRelationshipsSerializer(serializers.Serializer[Office]):
    """The companies of the office; every consent shares them."""

    clients = SandboxCompaniesSerializer(source="*")


class SandboxOfficeResourceSerializer(serializers.Serializer[Office]):
    type = Constant("sandboxOffice")
    id = serializers.UUIDField(source="uuid")
    attributes = SandboxOfficeAttributesSerializer(source="*")
    relationships = SandboxOfficeRelationshipsSerializer(source="*")


class SandboxOfficeSerializer(serializers.Serializer[Office]):
    """An office of the sandbox."""

    data: Any = SandboxOfficeResourceSerializer(source="*")


class SandboxOfficesSerializer(serializers.Serializer[Any]):
    """All offices that were made for the software, the newest first."""

    data: Any = SandboxOfficeResourceSerializer(many=True)


class SandboxDecisionWord(Member, Shaped):
    """What the Admin of the office does."""

    default_error_messages = {"invalid": "{name} must be one of {words}."}
    shape: Shape = {"type": "string", "enum": list(DECISIONS)}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in DECISIONS:
            self.fail("invalid", words=", ".join(DECISIONS))
        return data


class SandboxDecisionAttributesSerializer(Body):
    decision = SandboxDecisionWord()


class SandboxDecisionDataSerializer(Data):
    """The decision, as a resource without an identifier."""

    type = Constant("sandboxDecision", required=False)
    attributes = SandboxDecisionAttributesSerializer()


class SandboxDecisionSerializer(Body):
    """What the office decides about a consent."""

    data: Any = SandboxDecisionDataSerializer()


class FileContent(Member, Shaped):
    """The bytes of a file in base64; read as bytes."""

    default_error_messages = {
        "invalid": f"{{name}} must be base64 of at most {LONGEST_CONTENT} characters."
    }
    shape: Shape = {
        "type": "string",
        "contentEncoding": "base64",
        "minLength": 1,
        "maxLength": LONGEST_CONTENT,
    }

    def to_internal_value(self, data: Any) -> bytes:
        if not isinstance(data, str) or not 0 < len(data) <= LONGEST_CONTENT:
            self.fail("invalid")
        try:
            return b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            self.fail("invalid")


class SandboxFileAttributesSerializer(Body):
    """An example of a kind for one company, or a file of your own that names a company."""

    documentType = KindName(required=False, allow_null=True)
    client = CompanyNumber(required=False, allow_null=True)
    content = FileContent(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if set(attrs) not in ({"documentType", "client"}, {"content"}):
            raise serializers.ValidationError([ONE_OF_THEM])
        return attrs


class SandboxFileDataSerializer(Data):
    """The file, as a resource without an identifier."""

    type = Constant("sandboxFile", required=False)
    attributes = SandboxFileAttributesSerializer()


class SandboxFileSerializer(Body):
    """A file is delivered to the office."""

    data: Any = SandboxFileDataSerializer()


class SandboxDeliveryAttributesSerializer(serializers.Serializer[Any]):
    """`filed` counts new documents, `newVersions` those of them that replace an earlier one."""

    filed = serializers.IntegerField()
    newVersions = serializers.IntegerField(source="new_versions")
    alreadyFiled = serializers.IntegerField(source="already_filed")


class SandboxDeliveryResourceSerializer(serializers.Serializer[Any]):
    type = Constant("sandboxDelivery")
    attributes = SandboxDeliveryAttributesSerializer(source="*")


class SandboxDeliverySerializer(serializers.Serializer[Any]):
    """What became of the file; its documents are in document-changes and in the search."""

    data: Any = SandboxDeliveryResourceSerializer(source="*")
