"""XML from strangers: parsed with everything off that a document could harm us with.

A doctype is refused before the parser sees it, so there are no entities but the five of XML; size,
depth, number of elements and time are bounded; nothing is fetched.
"""

from __future__ import annotations

import re
import time
from datetime import date
from decimal import Decimal

from lxml import etree

from documents.formats import Reason, Refused

MOST_DEPTH = 32
MOST_ELEMENTS = 200_000
MOST_SECONDS = 10.0
PIECE = 64 * 1024
TOO_DEEP = etree.XPath(f"({'/*' * (MOST_DEPTH + 1)})[1]")
CHARSETS = {"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"}
DECLARED = re.compile(rb"""\A<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
AMOUNT = re.compile(r"[-+]?([0-9]{1,12}(\.[0-9]{0,10})?|\.[0-9]{1,10})")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
UNDECLARED = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z_][A-Za-z0-9._-]{0,40};")
LIMIT = re.compile(r"Excessive depth|Resource limit|[Hh]uge")
NAME = re.compile(rb"[^\s/>]+")


def parse(data: bytes) -> etree._Element:
    """The root of the document."""
    _check_letters(data)
    start = _start_of_root(data)
    if data.startswith(b"<!", start):
        raise Refused(Reason.FORBIDDEN_XML, "a doctype", _line_of(data, start))
    # An element has one tag or two.
    if data.count(b"<") > 2 * MOST_ELEMENTS:
        raise Refused(Reason.TOO_LARGE, f"more than {MOST_ELEMENTS} elements")
    root = _parsed(data, start)
    if deep := TOO_DEEP(root):
        detail = f"elements are nested deeper than {MOST_DEPTH}"
        raise Refused(Reason.TOO_LARGE, detail, deep[0].sourceline)
    return root


def _parsed(data: bytes, start: int) -> etree._Element:
    """The root, parsed in pieces so that the time is asked in between."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    until = time.monotonic() + MOST_SECONDS
    try:
        for at in range(0, len(data), PIECE):
            parser.feed(data[at : at + PIECE])
            if time.monotonic() > until:
                detail = f"not read within {MOST_SECONDS:.0f} seconds"
                raise Refused(Reason.TOO_LARGE, detail)
        root: etree._Element = parser.close()
    except etree.XMLSyntaxError as error:
        raise _refused(error, data, start) from None
    return root


def _is_cut_off(data: bytes, start: int) -> bool:
    """Tell whether the end of the root is missing: its end tag, or the whole of it."""
    name = NAME.match(data, start + 1)
    return not name or data.rfind(b"</" + name[0]) < start


def _refused(error: etree.XMLSyntaxError, data: bytes, start: int) -> Refused:
    """What the parser says, as one of our reasons."""
    words = error.msg or "not well-formed"
    if LIMIT.search(words):
        return Refused(Reason.TOO_LARGE, words, error.lineno)
    if found := UNDECLARED.search(data):
        line = _line_of(data, found.start())
        return Refused(Reason.FORBIDDEN_XML, f"entity {found[0].decode()}", line)
    if _is_cut_off(data, start):
        line = _line_of(data, len(data.rstrip()))
        return Refused(Reason.CUT_OFF, "the document ends too early", line)
    return Refused(Reason.STRUCTURE, words, error.lineno)


def _check_letters(data: bytes) -> None:
    """The document is in a charset that we take, and truly in the one it says."""
    plain = data.removeprefix(BYTE_ORDER_MARK)
    found = CONTROL.search(plain)
    if found:
        raise Refused(
            Reason.CHARSET, f"byte 0x{found[0][0]:02x} is no letter", _line_of(plain, found.start())
        )
    declared = DECLARED.match(plain)
    charset = declared[1].decode().lower() if declared else "utf-8"
    if charset not in CHARSETS:
        raise Refused(Reason.CHARSET, f"charset {charset} is not taken", 1)
    try:
        plain.decode(charset)
    except UnicodeDecodeError as error:
        line = _line_of(plain, error.start)
        raise Refused(Reason.CHARSET, f"not the {charset} it should be", line) from None


def _start_of_root(data: bytes) -> int:
    """Where the root begins, or the doctype before it; the end of the data where neither does."""
    at = 0
    while (at := data.find(b"<", at)) >= 0:
        if data.startswith(b"<?", at):
            at = data.find(b"?>", at)
        elif data.startswith(b"<!--", at):
            at = data.find(b"-->", at + 4)
        else:
            return at
        if at < 0:
            break
    return len(data)


def _line_of(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


# --- what a reader asks of an element ------------------------------------------------------------


def wrong(element: etree._Element, detail: str, reason: Reason = Reason.STRUCTURE) -> Refused:
    return Refused(reason, detail, element.sourceline)


def name_of(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def parts(element: etree._Element, *names: str) -> list[etree._Element]:
    """The children, which must be exactly these, in this order, with nothing between them."""
    children = list(element)
    found = [str(child.tag) for child in children]
    if found != list(names):
        raise wrong(element, f"{name_of(element)} has {found}, not {list(names)}")
    _check_empty(element)
    return children


def version_1(root: etree._Element, *names: str) -> list[etree._Element]:
    """The parts of a root that says which version of its format it is in."""
    if dict(root.attrib) != {"version": "1"}:
        raise wrong(root, f"{dict(root.attrib)}: only version 1 is read")
    del root.attrib["version"]
    return parts(root, *names)


def many(element: etree._Element, name: str) -> list[etree._Element]:
    """The children, one or more, all of this name."""
    children = list(element)
    if not children or any(child.tag != name for child in children):
        raise wrong(element, f"{name_of(element)} does not hold one {name} or more, and only those")
    _check_empty(element)
    return children


def _check_empty(element: etree._Element) -> None:
    between = [element.text, *(child.tail for child in element)]
    if any(text and text.strip() for text in between):
        raise wrong(element, f"words between the elements of {name_of(element)}")
    if element.attrib:
        raise wrong(element, f"attributes on {name_of(element)}")


def text_of(element: etree._Element) -> str:
    """The words in an element that has nothing else, never blank."""
    text = (element.text or "").strip()
    if len(element) or not text:
        raise wrong(element, f"{name_of(element)} is empty or holds elements", Reason.FIELD)
    return text


def amount_of(element: etree._Element) -> Decimal:
    """A decimal number with a point."""
    text = text_of(element)
    if not AMOUNT.fullmatch(text):
        raise wrong(element, f"{text!r} in {name_of(element)} is no amount", Reason.FIELD)
    return Decimal(text)


def day_of(element: etree._Element) -> date:
    """A day as YYYY-MM-DD."""
    text = text_of(element)
    try:
        if DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise wrong(element, f"{text!r} in {name_of(element)} is no day", Reason.FIELD)


def matching(element: etree._Element, pattern: re.Pattern[str]) -> str:
    """The words in an element, which must look like this."""
    text = text_of(element)
    if not pattern.fullmatch(text):
        raise wrong(element, f"{text!r} is no {name_of(element)}", Reason.FIELD)
    return text
