"""A reader of SODA: a month's wages as a booking.

SODA has no public schema. This is the one of this portal: root `Soda` of version 1 with a header
(agency, employer, period, currency, perhaps the kind of run) and a booking whose debit and credit
are equal.
"""

from __future__ import annotations

import re
from decimal import Decimal

from lxml import etree

from core.document_kinds import SODA
from documents.formats import Booking, ParsedDocument, PayrollStatement, Reason, xml
from documents.formats.fields import PERIOD
from documents.formats.file_warnings import Code, WarningList
from documents.formats.parties import company

OFFICE = re.compile(r"[0-9]{1,4}")
ACCOUNT = re.compile(r"[0-9]{2,10}")
HEADER = {"SocialOffice", "Employer", "Period", "Currency", "Run"}
LINE = {"Account", "Label", "Debit", "Credit"}


def read(root: etree._Element, data: bytes, warnings: WarningList) -> ParsedDocument:
    """The one document of the file."""
    xml.check_version_1(root, warnings)
    parts = xml.Parts(root, {"Header", "Booking"}, warnings)
    header = xml.Parts(parts.one("Header"), HEADER, warnings)
    booking = parts.one("Booking")
    bookings = tuple(_booking(line, warnings) for line in xml.many(booking, "Line", warnings))
    debit = sum((line.debit for line in bookings), Decimal(0))
    credit = sum((line.credit for line in bookings), Decimal(0))
    if debit != credit:
        raise xml.wrong(booking, f"debit of {debit}, credit of {credit}", Reason.TOTALS)
    facts = PayrollStatement(
        social_office=xml.matching(header.one("SocialOffice"), OFFICE),
        employer=company(header.one("Employer"), warnings),
        period=xml.matching(header.one("Period"), PERIOD),
        currency=xml.currency_of(header.one("Currency"), warnings),
        bookings=bookings,
        run="" if "Run" not in header.found else (header.found["Run"].text or "").strip(),
    )
    return ParsedDocument(SODA, data, facts, warnings.found(), xml.fingerprint_of(root))


def _booking(line: etree._Element, warnings: WarningList) -> Booking:
    parts = xml.Parts(line, LINE, warnings)
    sides = {name: parts.filled(name) for name in ("Debit", "Credit")}
    if not any(found is not None for found in sides.values()):
        raise xml.wrong(line, "neither debit nor credit on a line", Reason.FIELD)
    amounts = {name: Decimal(0) for name in sides}
    for name, found in sides.items():
        if found is None:
            warnings.add(Code.MISSING_PART, line.sourceline, name)
        else:
            amounts[name] = xml.amount_of(found)
    booking = Booking(
        account=xml.matching(parts.one("Account"), ACCOUNT),
        label=parts.words("Label", warnings),
        debit=amounts["Debit"],
        credit=amounts["Credit"],
    )
    if booking.debit and booking.credit:
        raise xml.wrong(line, "debit and credit on one line", Reason.FIELD)
    return booking
