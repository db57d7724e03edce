"""Which format a file is in, told by its bytes, never by its name."""

from __future__ import annotations

from lxml import etree

from documents.formats import ParsedDocument, Reason, Refused, coda, xml
from documents.formats.caro import read as read_caro
from documents.formats.file_warnings import WarningList
from documents.formats.lines import is_coda
from documents.formats.soda import read as read_soda
from documents.formats.ubl import CREDIT_NOTE, INVOICE
from documents.formats.ubl import read as read_ubl

# A day's CODA of a large account has a few megabytes, an invoice with its PDF fewer.
MOST_BYTES = 32 * 1024 * 1024
BY_ROOT = {"Soda": read_soda, "Caro": read_caro, INVOICE: read_ubl, CREDIT_NOTE: read_ubl}
# Peppol puts an invoice into an envelope that names its sender and its receiver.
ENVELOPE = "StandardBusinessDocument"


def read(data: bytes, name: str = "") -> list[ParsedDocument]:
    """The documents of a file, in its order, each with its own bytes; `name` is only for messages.

    Raises Refused with the reason, what is wrong and, where there is one, the line.
    """
    if len(data) > MOST_BYTES:
        raise Refused(Reason.TOO_LARGE, f"{len(data)} bytes are more than {MOST_BYTES}")
    if is_coda(data):
        return coda.read(data)
    if xml.is_xml(data):
        warnings = WarningList()
        root = _content_of(xml.parse(data, warnings))
        if reader := BY_ROOT.get(str(root.tag)):
            return [reader(root, data, warnings)]
        raise Refused(Reason.UNKNOWN_FORMAT, f"root {root.tag!r}", root.sourceline)
    named = f"{name}: " if name else ""
    raise Refused(Reason.UNKNOWN_FORMAT, f"{named}neither CODA nor XML")


def _content_of(root: etree._Element) -> etree._Element:
    """What lies in the envelope, where there is one."""
    if xml.name_of(root) != ENVELOPE:
        return root
    inside = [child for child in root.iter() if str(child.tag) in (INVOICE, CREDIT_NOTE)]
    if len(inside) != 1:
        raise xml.wrong(root, f"an envelope with {len(inside)} invoices")
    return inside[0]
