"""A reader of SODA: a month's wages as a booking.

SODA has no public schema. This is the one of this portal: root `Soda` of version 1 with a header
(agency, employer, period, currency) and a booking whose debit and credit are equal.
"""

from __future__ import annotations

import re
from decimal import Decimal

from lxml import etree

from documents.formats import Booking, PayrollStatement, Reason, Sheet, xml
from documents.formats.fields import CURRENCY, PERIOD
from documents.formats.parties import company

MEDIA_TYPE = "application/vnd.soda.v1+xml"
OFFICE = re.compile(r"[0-9]{1,4}")
ACCOUNT = re.compile(r"[0-9]{2,10}")


def read(root: etree._Element, data: bytes) -> Sheet:
    """The one document of the file."""
    header, booking = xml.version_1(root, "Header", "Booking")
    office, employer, period, currency = xml.parts(
        header, "SocialOffice", "Employer", "Period", "Currency"
    )
    bookings = tuple(_booking(line) for line in xml.many(booking, "Line"))
    debit = sum((line.debit for line in bookings), Decimal(0))
    credit = sum((line.credit for line in bookings), Decimal(0))
    if debit != credit:
        raise xml.wrong(booking, f"debit of {debit}, credit of {credit}", Reason.TOTALS)
    paper = PayrollStatement(
        social_office=xml.matching(office, OFFICE),
        employer=company(employer),
        period=xml.matching(period, PERIOD),
        currency=xml.matching(currency, CURRENCY),
        bookings=bookings,
    )
    return Sheet(MEDIA_TYPE, data, paper)


def _booking(line: etree._Element) -> Booking:
    account, label, debit, credit = xml.parts(line, "Account", "Label", "Debit", "Credit")
    booking = Booking(
        account=xml.matching(account, ACCOUNT),
        label=xml.text_of(label),
        debit=xml.amount_of(debit),
        credit=xml.amount_of(credit),
    )
    if booking.debit and booking.credit:
        raise xml.wrong(line, "debit and credit on one line", Reason.FIELD)
    return booking
