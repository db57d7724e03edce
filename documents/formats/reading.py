"""Which format a file is in, told by its bytes, never by its name."""

from __future__ import annotations

from documents.formats import Reason, Refused, Sheet, coda, xml
from documents.formats.caro import read as read_caro
from documents.formats.soda import read as read_soda
from documents.formats.ubl import CREDIT_NOTE, INVOICE
from documents.formats.ubl import read as read_ubl

# A day's CODA of a large account has a few megabytes, an invoice with its paper fewer.
MOST_BYTES = 32 * 1024 * 1024
BY_ROOT = {"Soda": read_soda, "Caro": read_caro, INVOICE: read_ubl, CREDIT_NOTE: read_ubl}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read(data: bytes, name: str = "") -> list[Sheet]:
    """The documents of a file, in its order, each with its own bytes; `name` is only for messages.

    Raises Refused with the reason, what is wrong and, where there is one, the line.
    """
    if len(data) > MOST_BYTES:
        raise Refused(Reason.TOO_LARGE, f"{len(data)} bytes are more than {MOST_BYTES}")
    if data[:1] == b"0":
        return coda.read(data)
    if data.removeprefix(BYTE_ORDER_MARK).lstrip()[:1] == b"<":
        root = xml.parse(data)
        if reader := BY_ROOT.get(str(root.tag)):
            return [reader(root, data)]
        raise Refused(Reason.UNKNOWN_FORMAT, f"root {root.tag!r}", root.sourceline)
    told = f"{name}: " if name else ""
    raise Refused(Reason.UNKNOWN_FORMAT, f"{told}neither CODA nor XML")
