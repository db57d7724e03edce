"""Who stands on a document in XML: companies and their enterprise numbers in any spelling."""

from __future__ import annotations

import re
from functools import lru_cache

from lxml import etree

from core.enterprise_number import is_company_number
from documents.formats import Party, xml
from documents.formats.file_warnings import Code, WarningList

SEPARATORS = re.compile(r"[^A-Z0-9]")
# What people write before the number.
TITLES = re.compile(r"\A(BTW|TVA|VAT|MWST|UST|KBO|BCE|CBE|RPR|RPM)?(NR|NO)?(BE)?(?=[0-9])")


@lru_cache(maxsize=10_000)
def number_in(text: str) -> str:
    """The ten digits of an enterprise number in any spelling; empty where there is none.

    "BE 0123.456.749", "be0123456749", "BTW 123456749" and the address "0208:0123456749" of Peppol
    are one number.
    """
    plain = TITLES.sub("", SEPARATORS.sub("", text.upper().rpartition(":")[2]))
    digits = plain.zfill(10) if len(plain) == 9 else plain
    return digits if is_company_number(digits) else ""


def company(element: etree._Element, warnings: WarningList) -> Party:
    """A company by its enterprise number and name."""
    parts = xml.Parts(element, {"EnterpriseNumber", "Name"}, warnings)
    found = parts.one("EnterpriseNumber")
    written = xml.text_of(found)
    number = number_in(written)
    if number != written:
        warnings.add(Code.ENTERPRISE_NUMBER, found.sourceline, written)
    return Party(parts.words("Name", warnings), number)
