"""Supplier and customer of an invoice in UBL: their names and all their enterprise numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from documents.formats import Party
from documents.formats.file_warnings import Code, WarningList
from documents.formats.parties import number_in

UBL = "urn:oasis:names:specification:ubl:schema:xsd"
A, B = f"{{{UBL}:CommonAggregateComponents-2}}", f"{{{UBL}:CommonBasicComponents-2}}"
# Schemes under which Belgian companies stand (ISO 6523 and the lists of Peppol and of UBL.BE).
BELGIAN = {
    "0208", "9925", "9956", "208", "BE", "CBE", "KBO", "BCE", "ON",
    "BE:EN", "BE:CBE", "BE:KBO", "BE:BCE", "BE:VAT",
}  # fmt: skip
# How a number is usually written.
USUAL = re.compile(r"(BE|be)?[01][0-9]{9}")
LEGAL_ENTITY, COMPANY_ID = f"{A}PartyLegalEntity", f"{B}CompanyID"
ENDPOINT = f"{B}EndpointID"
OTHER = f"{A}PartyIdentification/{B}ID"
TAX = f"{A}PartyTaxScheme/{COMPANY_ID}"
COUNTRY = f"{A}PostalAddress/{A}Country/{B}IdentificationCode"
NAMES = (f"{LEGAL_ENTITY}/{B}RegistrationName", f"{A}PartyName/{B}Name")


def party_of(party: etree._Element, warnings: WarningList) -> Party:
    """Name and enterprise numbers: of the legal entity, the Peppol address and the VAT.

    A number that is wrong is a warning: another one may be right, and often it is not needed.
    """
    numbers: list[str] = []
    for element, text in _candidates(party):
        number = number_in(text)
        if number and number not in numbers:
            numbers.append(number)
        if not number or not USUAL.fullmatch(text):
            warnings.add(Code.ENTERPRISE_NUMBER, element.sourceline, text)
    first, *others = numbers or [""]
    return Party(_name(party, warnings), first, tuple(others))


def _candidates(party: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """What may be a Belgian enterprise number, the surest first."""
    country = (party.findtext(COUNTRY) or "BE").strip().upper()
    for path in (f"{LEGAL_ENTITY}/{COMPANY_ID}", ENDPOINT, TAX, OTHER):
        for element in party.iterfind(path):
            text = (element.text or "").strip()
            scheme = (element.get("schemeID") or "").strip().upper()
            if scheme in BELGIAN:
                yield element, text
            elif path == TAX:
                here = country == "BE" and (text[:1].isdigit() or number_in(text))
                if here or text.upper().startswith("BE"):
                    yield element, text
            elif not scheme and country == "BE" and number_in(text):
                yield element, text


def _name(party: etree._Element, warnings: WarningList) -> str:
    for path in NAMES:
        if name := (party.findtext(path) or "").strip():
            return name
    warnings.add(Code.MISSING_PART, party.sourceline, "RegistrationName")
    return ""
