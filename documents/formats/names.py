"""Which companies a file names, also when the rest of it cannot be read.

Only the places count where a format says whose the file is: the head of a statement, the two
parties of an invoice. A company that is named elsewhere, as in a communication, has no part in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from lxml import etree

from documents.formats import Refused, xml
from documents.formats.charsets import CODECS, charset_of
from documents.formats.coda import company_number_in
from documents.formats.file_warnings import WarningList
from documents.formats.lines import AROUND, WIDTH, Line, account_of, is_coda, parts_of
from documents.formats.parties import number_in
from documents.formats.ubl_parties import A, party_of

# Where a statement of wages or of a card says whose it is.
HOLDERS = {"Employer", "Holder"}
SIDES = {f"{A}Accounting{side}Party" for side in ("Supplier", "Customer")}
# A file with more statements than that is looked at no further.
MOST_LINES = 100_000


class Named(NamedTuple):
    """The enterprise numbers and the bank accounts by which a file says whose it is.

    `sender` is the bank, agency, card issuer or supplier that it names.
    """

    numbers: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    sender: str = ""


NOBODY = Named()


def named_in(data: bytes) -> Named:
    """The companies that the file names, as far as it can be read."""
    if xml.is_xml(data):
        return _in_xml(data)
    return _in_coda(data) if is_coda(data) else NOBODY


def _in_coda(data: bytes) -> Named:
    numbers, accounts, sender = set(), set(), ""
    lines = (raw for part in parts_of(data) for raw in part.raw)
    for place, raw in enumerate(islice(lines, MOST_LINES), start=1):
        start = raw[:512].lstrip(AROUND)
        text = start.decode(CODECS[charset_of(start)], errors="replace").ljust(WIDTH)
        if text[0] == "0":
            numbers.add(company_number_in(text[71:82]))
            sender = sender or text[60:71].strip()
        elif text[0] == "1":
            try:
                accounts.add(account_of(Line(text, place), WarningList()).number)
            except Refused:
                continue
    return Named(frozenset(numbers - {""}), frozenset(accounts), sender)


def _in_xml(data: bytes) -> Named:
    root = xml.recovered(data)
    if root is None:
        return NOBODY
    return Named(frozenset(_numbers_in_xml(root)), sender=_sender_in_xml(root))


def _sender_in_xml(root: etree._Element) -> str:
    supplier = next(root.iter(f"{A}AccountingSupplierParty"), None)
    if supplier is not None and (party := supplier.find(f"{A}Party")) is not None:
        return party_of(party, WarningList()).name
    sender = next(root.iter("SocialOffice", "Bank"), None)
    return "" if sender is None else (sender.text or "").strip()


def _numbers_in_xml(root: etree._Element) -> Iterator[str]:
    for element in root.iter(f"{A}Party", "Employer", "Holder"):
        parent = element.getparent()
        if element.tag in HOLDERS:
            number = number_in(element.findtext("EnterpriseNumber") or "")
            yield from [number] if number else []
        elif parent is not None and parent.tag in SIDES:
            party = party_of(element, WarningList())
            yield from filter(None, (party.company_number, *party.other_numbers))
