"""Who stands on a document in XML."""

from __future__ import annotations

from lxml import etree

from accounts.company_number import is_company_number
from documents.formats import Party, Reason, xml


def company(element: etree._Element) -> Party:
    """A company by its enterprise number and name."""
    number, name = xml.parts(element, "EnterpriseNumber", "Name")
    return Party(xml.text_of(name), number_of(number, xml.text_of(number)))


def number_of(element: etree._Element, text: str) -> str:
    """The enterprise number that stands in the element, checked."""
    if not is_company_number(text):
        raise xml.wrong(element, f"{text!r} is no enterprise number", Reason.FIELD)
    return text
