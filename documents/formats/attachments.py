"""The files inside an invoice, and which of them shows the invoice."""

from __future__ import annotations

import binascii
import mimetypes
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator

from lxml import etree

from core.document_kinds import PDF
from documents.formats import Attachment
from documents.formats.file_warnings import Code, WarningList

ANY = "application/octet-stream"
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,40}/[a-z0-9][a-z0-9.+-]{0,80}")
LONGEST_NAME = 120
UNSAFE = re.compile(r"[^\w .()+,=@-]+")
# What a PDF begins and ends with; either may have other bytes around it.
STARTS, ENDS, NEAR = b"%PDF-", (b"%%EOF", b"startxref"), 1024
# UNTDID 1001: the document types that are invoices and credit notes.
INVOICE_CODES = {
    "380", "381", "383", "384", "386", "389", "393", "396", "326", "751", "875", "876", "877",
}  # fmt: skip
SHOWS = re.compile(
    r"invoice|factuur|facture|rechnung|credit ?not|kredit ?not|note de credit|gutschrift|avoir"
    r"|primary ?image"
)
ACCOMPANIES = re.compile(
    r"voorwaarden|conditions|bedingungen|\b(terms|cgv|agb)\b|time ?sheet|timesheet|urenstaat"
    r"|\b(uren|heures|stunden|prestaties|prestations)\b|zeitnachweis|leistungsnachweis"
    r"|leveringsbon|leverbon|bon de livraison|lieferschein|delivery note|packing"
    r"|bestelbon|bon de commande|offerte|devis|angebot"
)
# Where a PDF says the number: its streams are unpacked no further than this.
MOST_STREAMS, MOST_UNPACKED = 50, 2 * 1024 * 1024
STREAM = re.compile(rb"stream\r?\n")
WORDS = re.compile(rb"\(((?:[^()\\]|\\.)*)\)")
SHORT = 3
URL_LETTERS = str.maketrans("-_", "+/")


def attachment_of(
    element: etree._Element, reference: tuple[str, str, str], warnings: WarningList
) -> Attachment:
    """The file in the element; `reference` is the identifier, the description and the type code."""
    identifier, description, type_code = reference
    data, odd, broken = _decoded(element.text or "")
    named = (element.get("mimeCode") or "").partition(";")[0].strip().lower()
    name = safe_name(element.get("filename") or "", identifier)
    media_type = ANY if broken else _media_type(named, name, data)
    if odd or media_type != named:
        warnings.add(Code.ATTACHMENT, element.sourceline, f"{name} ({named or '-'})")
    return Attachment(name, media_type, data, description, type_code)


def _decoded(text: str) -> tuple[bytes, bool, bool]:
    """The bytes, whether they are written in an odd way, and whether nobody can tell what it is."""
    plain = "".join(text.split())
    try:
        data = binascii.a2b_base64(plain, strict_mode=True)
    except (binascii.Error, ValueError):
        pass
    else:
        return data, not data, not data
    # A URL of the data, the letters of URLs, or no filling at the end.
    plain = plain.partition("base64,")[2] or plain
    plain = plain.translate(URL_LETTERS).rstrip("=")
    try:
        data = binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except (binascii.Error, ValueError):
        data = b""
    # What is none is kept as it stands.
    return data or text.encode(), True, not data


def _media_type(named: str, name: str, data: bytes) -> str:
    """What the bytes are, where they tell; else what the file says, as far as that can be."""
    if is_pdf(data):
        return PDF
    if named and named != PDF and MEDIA_TYPE.fullmatch(named):
        return named
    guessed = mimetypes.guess_type(name)[0]
    return guessed if guessed and guessed != PDF else ANY


def is_pdf(data: bytes) -> bool:
    """Tell whether these bytes look like a whole PDF."""
    tail = data[-2 * NEAR :]
    return STARTS in data[:NEAR] and any(end in tail for end in ENDS)


def safe_name(name: str, identifier: str) -> str:
    """A name without folders and without letters that file systems or headers stumble over."""
    last = re.split(r"[/\\]", name)[-1] or identifier
    plain = UNSAFE.sub("-", unicodedata.normalize("NFC", last)).strip(" .-")
    if len(plain) > LONGEST_NAME:
        stem, dot, ending = plain.rpartition(".")
        keep = LONGEST_NAME - len(ending) - 1
        plain = f"{stem[:keep]}.{ending}" if dot and keep > 0 else plain[:LONGEST_NAME]
    return plain or "attachment"


def with_own_names(attachments: Iterable[Attachment]) -> Iterator[Attachment]:
    """The same, each under a name of its own, by which it can be fetched."""
    taken: set[str] = set()
    for attachment in attachments:
        stem, dot, ending = attachment.name.rpartition(".")
        if not dot:
            stem, ending = attachment.name, ""
        name, count = attachment.name, 1
        while name.lower() in taken:
            count += 1
            name = f"{stem}-{count}{dot}{ending}"
        taken.add(name.lower())
        if name == attachment.name:
            yield attachment
        else:
            yield Attachment(
                name,
                attachment.media_type,
                attachment.data,
                attachment.description,
                attachment.type_code,
            )


# --- which of them shows the invoice -------------------------------------------------------------


def pdf_of(attachments: Iterable[tuple[str, Attachment]], number: str) -> Attachment | None:
    """The PDF that shows the invoice of this number; each comes with its identifier.

    Its type code says so, or its name does, or it is the only one that has the number in it. Terms
    and time sheets never do.
    """
    possible = []
    for identifier, attachment in attachments:
        words = _plain(f"{attachment.name} {attachment.description}")
        if attachment.media_type == PDF and not ACCOMPANIES.search(words):
            possible.append((f"{words} {_plain(identifier)}", attachment))
    by_code = [a for _words, a in possible if a.type_code in INVOICE_CODES]
    by_number = [a for words, a in possible if _names(words, number)]
    by_name = [a for words, a in possible if SHOWS.search(words)]
    best = [a for a in by_name if a in by_number]
    for found in (by_code, best, by_number, by_name):
        if found:
            return found[0]
    inside = [a for _words, a in possible if _has_inside(a.data, number)]
    return inside[0] if len(inside) == 1 else None


def _plain(text: str) -> str:
    """In small letters without accents; words in one are taken apart at their capitals."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    letters = unicodedata.normalize("NFKD", apart.lower())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[\W_]+", " ", plain)


def _names(words: str, number: str) -> bool:
    """Tell whether the number of the invoice stands in these words, however it is divided."""
    plain = _plain(number).strip()
    joined = plain.replace(" ", "")
    if len(joined) <= SHORT:
        return f" {plain} " in f" {words} "
    return joined in words.replace(" ", "")


def _has_inside(data: bytes, number: str) -> bool:
    wanted = number.encode("latin-1", errors="replace")
    if len(wanted) <= SHORT:
        return False
    return wanted in data or any(
        wanted in b"".join(WORDS.findall(stream)) for stream in _streams(data)
    )


def _streams(data: bytes) -> Iterator[bytes]:
    """The content of the PDF as far as it can be unpacked simply."""
    left = MOST_UNPACKED
    for count, found in enumerate(STREAM.finditer(data)):
        if count == MOST_STREAMS or left <= 0:
            return
        try:
            stream = zlib.decompressobj().decompress(data[found.end() :], left)
        except zlib.error:
            continue
        left -= len(stream)
        yield stream
