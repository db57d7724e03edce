"""XML from strangers: parsed with everything off that a document could harm us with.

A doctype is refused before the parser sees it, so there are no entities but the five of XML; size,
depth, number of elements and time are bounded; nothing is fetched.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import time
from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

from documents.formats import Reason, Refused
from documents.formats.charsets import CODECS, charset_of
from documents.formats.fields import CURRENCY
from documents.formats.file_warnings import Code, WarningList

MOST_DEPTH = 32
MOST_ELEMENTS = 200_000
MOST_SECONDS = 10.0
PIECE = 1024 * 1024
# Everything off that a document could harm us with.
PARSER: dict[str, Any] = {
    "resolve_entities": False, "no_network": True, "load_dtd": False, "dtd_validation": False,
    "huge_tree": True, "remove_comments": True, "remove_pis": True, "encoding": "utf-8",
}  # fmt: skip
TOO_DEEP = etree.XPath(f"({'/*' * (MOST_DEPTH + 1)})[1]")
ATTRIBUTES = etree.XPath("descendant-or-self::*/@*")
UTF_8 = "utf-8"
# The charsets of European letters, as Python calls them: ASCII is the same in each.
CHARSETS = {
    UTF_8, "ascii", "utf-16", "utf-16-le", "utf-16-be", "mac-roman",
    *(f"iso8859-{part}" for part in (1, 2, 3, 4, 9, 10, 13, 14, 15, 16)),
    *(f"cp{page}" for page in (437, 850, 852, 858, 1250, 1252, 1254, 1257)),
}  # fmt: skip
# What may stand around a document: blanks, byte order marks, the end mark of DOS, filling.
BEHIND = b" \t\v\f\r\n\0\x1a"
BEFORE = BEHIND + codecs.BOM_UTF8
DECLARED = re.compile(rb"""\A<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
DECLARATION = re.compile(rb"\A<\?xml\s[^>]*\?>")
CONTROLS = bytes(code for code in range(0x20) if code not in b"\t\n\r")
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
AMOUNT = re.compile(r"[-+]?([0-9]{1,15}(\.[0-9]{0,1000})?|\.[0-9]{1,1000})")
DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9:.]+)?(Z|[+-][0-9]{2}:[0-9]{2})?")
UNDECLARED = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z_][A-Za-z0-9._-]{0,40};")
LIMIT = re.compile(r"Excessive depth|Resource limit|[Hh]uge")
# What Python's decoders say of a letter that is there in part.
BREAKS_OFF = ("unexpected end of data", "truncated data")
NAME = re.compile(rb"[^\s/>]+")


def is_xml(data: bytes) -> bool:
    """Tell whether the file begins as XML does, in a charset of one byte or two."""
    start = data[:1000]
    if charset := _wide_charset(start):
        start = start.decode(charset, errors="ignore").encode()
    return start.lstrip(BEFORE)[:1] == b"<"


def parse(data: bytes, warnings: WarningList) -> etree._Element:
    """The root of the document."""
    data = _as_utf_8(data, warnings)
    if len(data.translate(None, CONTROLS)) != len(data) and (found := CONTROL.search(data)):
        detail = f"byte 0x{found[0][0]:02x} is no letter"
        raise Refused(Reason.CHARSET, detail, _line_of(data, found.start()))
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


def recovered(data: bytes) -> etree._Element | None:
    """As much of a refused document as can be read; None where it is nothing, or an attack."""
    try:
        data = _as_utf_8(data, WarningList())
    except Refused:
        data = _unwrapped(data.decode(_wide_charset(data) or UTF_8, errors="ignore").encode())
    start = _start_of_root(data)
    if data.startswith(b"<!", start) or data.count(b"<") > 2 * MOST_ELEMENTS:
        return None
    try:
        return etree.fromstring(data, etree.XMLParser(**PARSER, recover=True))
    except etree.XMLSyntaxError:
        return None


def fingerprint_of(root: etree._Element) -> str:
    """A digest of all elements, words and attributes, whatever prefixes, blanks and charset are.

    With the names of the elements: a debit and a credit of one amount are two documents.
    """
    words = [f"{each.tag} {''.join((each.text or '').split())}" for each in root.iter()]
    said = "\n".join([*words, *ATTRIBUTES(root)])
    return hashlib.sha256(said.encode()).hexdigest()


def _parsed(data: bytes, start: int) -> etree._Element:
    """The root, parsed in pieces so that the time is asked in between."""
    parser = etree.XMLParser(**PARSER)
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


def _wide_charset(data: bytes) -> str | None:
    """The UTF-16 that a file is in, by its byte order mark or its first letter."""
    if data.startswith((codecs.BOM_UTF16_LE, b"<\0")):
        return "utf-16-le"
    if data.startswith((codecs.BOM_UTF16_BE, b"\0<")):
        return "utf-16-be"
    return None


def _as_utf_8(data: bytes, warnings: WarningList) -> bytes:
    """The document in UTF-8, without byte order mark and without the name of its charset."""
    charset = _wide_charset(data)
    if charset is None:
        charset = _declared_charset(data[:1000].lstrip(BEFORE))
        if charset.startswith("utf-16"):
            # The declaration could be read, so it is not true.
            warnings.add(Code.CHARSET, 1, charset)
            charset = UTF_8
    try:
        text = data.decode(charset)
    except UnicodeDecodeError as error:
        text = _decoded_otherwise(data, error, charset, warnings)
    if charset == UTF_8 and Code.CHARSET not in warnings:
        return _unwrapped(data)
    return _unwrapped(text.encode(), declared=False)


def _declared_charset(data: bytes) -> str:
    declared = DECLARED.match(data)
    name = declared[1].decode().lower() if declared else UTF_8
    try:
        charset = codecs.lookup(name).name
    except LookupError:
        charset = ""
    if charset not in CHARSETS:
        raise Refused(Reason.CHARSET, f"charset {name} is not taken", 1)
    return charset


def _unwrapped(data: bytes, *, declared: bool = True) -> bytes:
    """The document without what stands around it; its lines keep their numbers.

    A declaration may stand in the first line alone, and must be true: else it goes as well.
    """
    inside = data.lstrip(BEFORE)
    lines = data.count(b"\n", 0, len(data) - len(inside))
    if lines or not declared:
        inside = DECLARATION.sub(b"", inside)
    return b"\n" * lines + inside.rstrip(BEHIND)


def _decoded_otherwise(
    data: bytes, error: UnicodeDecodeError, charset: str, warnings: WarningList
) -> str:
    """The document in the charset that it is truly in, where it calls itself something else."""
    broken_off = error.end >= len(data) and error.reason in BREAKS_OFF
    if charset.startswith("utf-16") or broken_off:
        reason = Reason.CUT_OFF if broken_off else Reason.CHARSET
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused(reason, f"not the {charset} it should be", line) from None
    found = charset_of(data)
    warnings.add(Code.CHARSET, _line_of(data, error.start), found)
    return data.decode(CODECS[found], errors="replace")


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


def check_version_1(root: etree._Element, warnings: WarningList) -> None:
    """A root says which version of its format it is in."""
    version = root.get("version")
    if version is None:
        warnings.add(Code.MISSING_PART, root.sourceline, "version")
    elif version.strip() not in ("1", "1.0"):
        raise wrong(root, f"version {version!r}: only version 1 is read")


class Parts:
    """The children of an element by their names; those that nobody asks for are warned of."""

    def __init__(self, element: etree._Element, known: set[str], warnings: WarningList) -> None:
        self.element = element
        self.found: dict[str, etree._Element] = {}
        for child in element:
            name = name_of(child)
            if name not in known:
                warnings.add(Code.UNKNOWN_PART, child.sourceline, name)
            elif name in self.found:
                raise wrong(child, f"{name} is there twice in {name_of(element)}")
            else:
                self.found[name] = child

    def one(self, name: str) -> etree._Element:
        """The child of this name, which must be there."""
        if name not in self.found:
            raise wrong(self.element, f"{name} is missing in {name_of(self.element)}")
        return self.found[name]

    def filled(self, name: str) -> etree._Element | None:
        """The child of this name, None where it is missing or says nothing."""
        found = self.found.get(name)
        return found if found is not None and (found.text or "").strip() else None

    def words(self, name: str, warnings: WarningList) -> str:
        """What the child says; a warning where it says nothing."""
        found = self.filled(name)
        if found is None:
            warnings.add(Code.MISSING_PART, self.element.sourceline, name)
            return ""
        return (found.text or "").strip()


def many(
    element: etree._Element, name: str, warnings: WarningList, *, least: int = 1
) -> list[etree._Element]:
    """The children of this name, one or more, or as few as `least`."""
    found = []
    for child in element:
        if name_of(child) == name:
            found.append(child)
        else:
            warnings.add(Code.UNKNOWN_PART, child.sourceline, name_of(child))
    if len(found) < least:
        raise wrong(element, f"{name_of(element)} does not hold one {name} or more")
    return found


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
    """A day as YYYY-MM-DD, perhaps with a time zone behind it."""
    text = text_of(element)
    try:
        if found := DAY.fullmatch(text):
            return date.fromisoformat(found[1])
    except ValueError:
        pass
    raise wrong(element, f"{text!r} in {name_of(element)} is no day", Reason.FIELD)


def currency_of(element: etree._Element, warnings: WarningList) -> str:
    """The three letters of a currency, in small letters as well."""
    text = text_of(element)
    if not CURRENCY.fullmatch(text.upper()):
        raise wrong(element, f"{text!r} is no {name_of(element)}", Reason.FIELD)
    if text != text.upper():
        warnings.add(Code.SPELLING, element.sourceline, text)
    return text.upper()


def matching(element: etree._Element, pattern: re.Pattern[str]) -> str:
    """The words in an element, which must look like this."""
    text = text_of(element)
    if not pattern.fullmatch(text):
        raise wrong(element, f"{text!r} is no {name_of(element)}", Reason.FIELD)
    return text
