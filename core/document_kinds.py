"""The only list of document kinds.

A new kind begins here, with a number in `Kind` and a row in `KINDS`. Then it needs a reader of its
format (documents.formats), its columns (documents.ingest.classify) and its page
(documents.rendering). "A document kind" in CONTRIBUTING.md lists every file to touch.

The settings import this module before Django has loaded any app, so it must not import a model.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PDF = "application/pdf"
XML = "application/xml"
CODA = "application/vnd.coda.v1+cod"
SODA = "application/vnd.soda.v1+xml"
CARO = "application/vnd.caro.v1+xml"
# The ending of a file name, by media type.
EXTENSIONS = {PDF: "pdf", XML: "xml", SODA: "xml", CARO: "xml", CODA: "cod"}

TEN_YEARS, TWO_YEARS = 120, 24


class Kind(IntEnum):
    """The number of each kind in the database."""

    BANK_ACCOUNT_STATEMENT = 1
    PAYROLL_STATEMENT = 2
    CREDIT_CARD_STATEMENT = 3
    PURCHASE_INVOICE = 4
    SALES_INVOICE = 5

    @property
    def row(self) -> DocumentKind:
        """The row of this kind in `KINDS`."""
        return BY_KIND[self]


class DocumentKind(NamedTuple):
    """One kind of document.

    `type` is its name in the API and `path` its name in a URL; `one` is a single document.
    `date_attribute` is the attribute in the API with the moment from which a document is available.
    `media_type` is that of its structured file; software may also ask for the same bytes under the
    `aliases`. A document is deleted after `retention_months`, unless PORTAL_RETENTION_MONTHS has
    another number.
    """

    kind: Kind
    type: str
    path: str
    name: Promise
    one: Promise
    media_type: str
    date_attribute: str
    retention_months: int
    uuid_on_the_wire: bool = True
    aliases: dict[str, str] = {}  # never changed

    @property
    def label(self) -> str:
        """The name of the kind for people, in the language of the reader."""
        return str(self.name)

    @property
    def singular(self) -> str:
        """What one document of the kind is called, in the language of the reader."""
        return str(self.one)


KINDS = (
    DocumentKind(
        kind=Kind.BANK_ACCOUNT_STATEMENT,
        type="bankAccountStatement",
        path="bank-account-statements",
        name=_("Bank account statements (CODA)"),
        one=_("Bank account statement"),
        media_type=CODA,
        date_attribute="createdAt",
        retention_months=TEN_YEARS,
    ),
    DocumentKind(
        kind=Kind.PAYROLL_STATEMENT,
        type="payrollStatement",
        path="payroll-statements",
        name=_("Payroll statements (SODA)"),
        one=_("Payroll statement"),
        media_type=SODA,
        date_attribute="createdAt",
        retention_months=TEN_YEARS,
        aliases={XML: SODA},
    ),
    DocumentKind(
        kind=Kind.CREDIT_CARD_STATEMENT,
        type="creditCardStatement",
        path="credit-card-statements",
        name=_("Credit card statements (CARO)"),
        one=_("Credit card statement"),
        media_type=CARO,
        date_attribute="receivedAt",
        # By the specification of the API, software can download them for 24 months.
        retention_months=TWO_YEARS,
        uuid_on_the_wire=False,
    ),
    DocumentKind(
        kind=Kind.PURCHASE_INVOICE,
        type="purchaseInvoice",
        path="purchase-invoices",
        name=_("Purchase invoices"),
        one=_("Purchase invoice"),
        media_type=XML,
        date_attribute="receivedAt",
        retention_months=TEN_YEARS,
    ),
    DocumentKind(
        kind=Kind.SALES_INVOICE,
        type="salesInvoice",
        path="sales-invoices",
        name=_("Sales invoices"),
        one=_("Sales invoice"),
        media_type=XML,
        date_attribute="createdAt",
        retention_months=TEN_YEARS,
    ),
)
BY_KIND = {int(kind.kind): kind for kind in KINDS}
BY_TYPE = {kind.type: kind for kind in KINDS}
BY_PATH = {kind.path: kind for kind in KINDS}
# The names in the API, and the choices of a form or a column.
TYPES = list(BY_TYPE)
TYPE_CHOICES = [(kind.type, kind.name) for kind in KINDS]
KIND_CHOICES = [(int(kind.kind), kind.name) for kind in KINDS]


def labels_of(types: Collection[str]) -> list[str]:
    """The names of these kinds for people, in the reader's language and the order of `KINDS`."""
    return [kind.label for kind in KINDS if kind.type in types]
