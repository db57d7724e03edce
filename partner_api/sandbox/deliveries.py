"""Deliver a file to a sandbox office: by the ingest of the product, for its companies alone."""

from __future__ import annotations

from typing import NamedTuple

from django.utils import timezone

from accounts.models import Office
from core.document_kinds import Kind
from documents.ingest.pipeline import ingest
from documents.ingest.sources import DeliveredFile
from partner_api.sandbox.example_files import example_of

# The software of sales invoices in the sandbox.
SOFTWARE = "Sandbox"


class Delivered(NamedTuple):
    """What became of the documents of a file."""

    filed: int
    new_versions: int
    already_filed: int


def deliver(office: Office, data: bytes, name: str) -> Delivered:
    """File the documents of a file under the companies of the office that it names.

    Only outside a transaction. Raises documents.formats.Refused; nothing of that file is kept.
    """
    results = list(ingest([DeliveredFile(name, data)], SOFTWARE, sandbox_office=office.pk))
    refusals = [refused for result in results for _name, refused in result.refused]
    filed = sum(result.filed.total() for result in results)
    already_filed = sum(result.already_filed for result in results)
    if refusals and not filed + already_filed:
        raise refusals[0]
    return Delivered(filed, sum(result.new_versions for result in results), already_filed)


def example_for(office: Office, kind: Kind, number: str) -> bytes | None:
    """A new example file about this company of the office; None where it has no such company."""
    company = office.clients.active().filter(company_number=number).first()
    if company is None:
        return None
    return example_of(kind, company.company_number, company.name, timezone.localdate())
