"""What each kind of document looks like on the wire: connect-api section 6 as a table."""

from __future__ import annotations

from typing import NamedTuple

from documents.models import Kind
from partners.models import DocumentKind

PDF = "application/pdf"
XML = "application/xml"
SODA = "application/vnd.soda.v1+xml"
EXTENSIONS = {
    PDF: "pdf",
    XML: "xml",
    SODA: "xml",
    "application/vnd.caro.v1+xml": "xml",
    "application/vnd.coda.v1+cod": "cod",
}


class KindOfDocument(NamedTuple):
    """One row of the table.

    `date` is the attribute that carries the moment of availability; `aliases` are media types
    under which the same bytes may be asked for as well.
    """

    kind: Kind
    type: str
    path: str
    date: str
    uuid_on_the_wire: bool = True
    aliases: dict[str, str] = {}  # never changed


KINDS = [
    KindOfDocument(
        Kind.BANK_ACCOUNT_STATEMENT,
        DocumentKind.BANK_ACCOUNT_STATEMENT.value,
        "bank-account-statements",
        "createdAt",
    ),
    KindOfDocument(
        Kind.PAYROLL_STATEMENT,
        DocumentKind.PAYROLL_STATEMENT.value,
        "payroll-statements",
        "createdAt",
        aliases={XML: SODA},
    ),
    KindOfDocument(
        Kind.CREDIT_CARD_STATEMENT,
        DocumentKind.CREDIT_CARD_STATEMENT.value,
        "credit-card-statements",
        "receivedAt",
        uuid_on_the_wire=False,
    ),
    KindOfDocument(
        Kind.PURCHASE_INVOICE,
        DocumentKind.PURCHASE_INVOICE.value,
        "purchase-invoices",
        "receivedAt",
    ),
    KindOfDocument(
        Kind.SALES_INVOICE, DocumentKind.SALES_INVOICE.value, "sales-invoices", "createdAt"
    ),
]
BY_KIND: dict[int, KindOfDocument] = {kind.kind: kind for kind in KINDS}
BY_TYPE = {kind.type: kind for kind in KINDS}
BY_PATH = {kind.path: kind for kind in KINDS}
