"""Damaged and hostile XML: refused with the reason that is true, soon, and nothing is fetched."""

from __future__ import annotations

import resource
import time
from decimal import Decimal
from pathlib import Path

import pytest

from documents.formats import CardStatement, PayrollStatement, Reason, Refused, xml
from documents.formats.file_warnings import Code
from documents.formats.reading import read

pytestmark = pytest.mark.requirement(60)


SAMPLES = Path(__file__).parent / "samples"
INVOICE = (SAMPLES / "invoice.xml").read_bytes()
SODA = b"""<?xml version="1.0" encoding="UTF-8"?>
<Soda version="1">
  <Header>
    <SocialOffice>0355</SocialOffice>
    <Employer><EnterpriseNumber>0010000007</EnterpriseNumber><Name>Caf\xc3\xa9</Name></Employer>
    <Period>2026-01</Period>
    <Currency>EUR</Currency>
  </Header>
  <Booking>
    <Line><Account>620200</Account><Label>Loon</Label><Debit>10.50</Debit><Credit>0.00</Credit></Line>
    <Line><Account>455000</Account><Label>Netto</Label><Debit>0.00</Debit><Credit>10.50</Credit></Line>
  </Booking>
</Soda>
"""
CARO = b"""<?xml version="1.0" encoding="UTF-8"?>
<Caro version="1">
  <Header>
    <Bank>Demo Cards</Bank>
    <Holder><EnterpriseNumber>0010000007</EnterpriseNumber><Name>Caf\xc3\xa9</Name></Holder>
    <ClientReference>00012345</ClientReference>
    <BillingPeriod>2026-01</BillingPeriod>
    <Currency>EUR</Currency>
  </Header>
  <Expenses>
    <Expense><Merchant>Boutique</Merchant><Amount>12.30</Amount></Expense>
    <Expense><Merchant>Station</Merchant><Date>2026-01-09</Date><Amount>-2.30</Amount></Expense>
  </Expenses>
  <Total>10.00</Total>
</Caro>
"""
# A line that is not counted here, and none at all.
SOMEWHERE, NOWHERE = -1, None
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (at, b"&l%d;" % (at - 1) * 10 if at else b"lol") for at in range(10)
)


def change(data: bytes, was: bytes, now: bytes) -> bytes:
    assert was in data
    return data.replace(was, now, 1)


def doctype(inside: bytes, use: bytes = b"") -> bytes:
    return HEAD + b"<!DOCTYPE Soda " + inside + b">\n<Soda>" + use + b"</Soda>"


def embedded(mime: bytes, inside: bytes) -> bytes:
    start = INVOICE.index(b"JVBERi")
    end = INVOICE.index(b"</cbc:Embedded")
    data = INVOICE[:start] + inside + INVOICE[end:]
    return change(data, b'mimeCode="application/pdf"', b'mimeCode="' + mime + b'"')


HOSTILE = {
    "billion laughs": (doctype(b"[" + LAUGHS + b"]", b"&l9;"), Reason.FORBIDDEN_XML, 2),
    "quadratic blow-up": (
        doctype(b'[<!ENTITY a "' + b"a" * 50_000 + b'">]', b"&a;" * 50_000),
        Reason.FORBIDDEN_XML, 2,
    ),
    "an external entity": (
        doctype(b'[<!ENTITY x SYSTEM "file:///etc/passwd">]', b"&x;"), Reason.FORBIDDEN_XML, 2,
    ),
    "an entity of the network": (
        doctype(b'[<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]', b"&x;"), Reason.FORBIDDEN_XML, 2,
    ),
    "a parameter entity": (
        doctype(b'[<!ENTITY % p SYSTEM "http://127.0.0.1:9/p.dtd"> %p;]'), Reason.FORBIDDEN_XML, 2,
    ),
    "an external DTD": (doctype(b'SYSTEM "http://127.0.0.1:9/d.dtd"'), Reason.FORBIDDEN_XML, 2),
    "a doctype and nothing more": (doctype(b""), Reason.FORBIDDEN_XML, 2),
    "a doctype behind a comment": (
        change(doctype(b""), b"<!DOCTYPE", b"<!-- <Soda> -->\n<!DOCTYPE"), Reason.FORBIDDEN_XML, 3,
    ),
    "a doctype without a declaration before it": (
        doctype(b"").removeprefix(HEAD), Reason.FORBIDDEN_XML, 1,
    ),
    "a doctype in UTF-16": (doctype(b"").decode().encode("utf-16"), Reason.FORBIDDEN_XML, 2),
    "a doctype in UTF-7": (
        change(HEAD, b"UTF-8", b"UTF-7") + b"+ADwAIQ-DOCTYPE x+AD4-<Soda/>", Reason.CHARSET, 1,
    ),
    "an entity that nobody declared": (
        change(SODA, b"Loon", b"&loon;"), Reason.FORBIDDEN_XML, 10,
    ),
    "elements without end": (HEAD + b"<a>" * 100_000, Reason.TOO_LARGE, 2),
    "elements a thousand deep": (
        HEAD + b"<a>" * 1000 + b"</a>" * 1000, Reason.TOO_LARGE, 2,
    ),
    "a million elements": (
        HEAD + b"<a>" + b"<b/>" * 1_000_000 + b"</a>", Reason.TOO_LARGE, NOWHERE,
    ),
    "the same attribute twice": (
        change(SODA, b'version="1"', b'version="1" version="1"'), Reason.STRUCTURE, 2,
    ),
    "a prefix that is not declared": (
        change(SODA, b"<Label>Loon</Label>", b"<x:Label>Loon</x:Label>"), Reason.STRUCTURE, 10,
    ),
}  # fmt: skip
BROKEN = {
    "cut in the middle": (SODA[: len(SODA) // 2], Reason.CUT_OFF, 7),
    "cut inside a tag": (SODA[: SODA.index(b"count>6202")], Reason.CUT_OFF, 10),
    "cut before the last tag": (SODA.removesuffix(b"</Soda>\n"), Reason.CUT_OFF, 12),
    "an invoice cut in the middle": (INVOICE[: len(INVOICE) // 2], Reason.CUT_OFF, SOMEWHERE),
    "nothing but a declaration": (HEAD, Reason.CUT_OFF, 1),
    "a NUL": (change(SODA, b"Loon", b"Lo\0n"), Reason.CHARSET, 10),
    "a control letter": (change(SODA, b"Loon", b"Lo\x1bn"), Reason.CHARSET, 10),
    "a charset that no one knows": (change(SODA, b"UTF-8", b"KLINGON"), Reason.CHARSET, 1),
    "EBCDIC": (change(SODA, b"UTF-8", b"cp037"), Reason.CHARSET, 1),
    "tags that do not match": (change(SODA, b"</Label>", b"</Labl>"), Reason.STRUCTURE, 10),
    "two roots": (SODA + b"<Soda/>", Reason.STRUCTURE, 14),
    "words behind the root": (SODA + b"en nog iets", Reason.STRUCTURE, 14),
    "an ampersand": (change(SODA, b"Loon", b"Loon & co"), Reason.STRUCTURE, 10),
    "another version": (change(SODA, b'"1">', b'"2">'), Reason.STRUCTURE, 2),
    "another namespace": (
        change(SODA, b"<Soda ", b'<Soda xmlns="urn:x" '), Reason.UNKNOWN_FORMAT, 2,
    ),
    "an invoice of another namespace": (
        change(INVOICE, b"xsd:Invoice-2", b"xsd:Invoice-1"), Reason.UNKNOWN_FORMAT, 5,
    ),
    "parts of an invoice of another namespace": (
        change(INVOICE, b"BasicComponents-2", b"BasicComponents-1"), Reason.STRUCTURE, 5,
    ),
    "a part missing": (change(SODA, b"<Period>2026-01</Period>", b""), Reason.STRUCTURE, 3),
    "no lines": (change(CARO, CARO[CARO.index(b"<Expense>") : CARO.index(b"  </Expenses>")], b""),
                 Reason.STRUCTURE, 10),
    "a month 13": (change(SODA, b"2026-01", b"2026-13"), Reason.FIELD, 6),
    "a day that never was": (change(CARO, b"2026-01-09", b"2026-02-30"), Reason.FIELD, 12),
    "a comma in an amount": (change(SODA, b"10.50", b"10,50"), Reason.FIELD, 10),
    "an amount that is no number": (change(SODA, b"10.50", b"NaN"), Reason.FIELD, 10),
    "an amount without end": (change(SODA, b"10.50", b"1e999999"), Reason.FIELD, 10),
    "debit and credit on one line": (
        change(SODA, b"<Credit>0.00", b"<Credit>10.50"), Reason.FIELD, 10,
    ),
    "three decimals": (change(INVOICE, b">100.60<", b">100.601<"), Reason.FIELD, SOMEWHERE),
    "an amount in another currency": (
        change(INVOICE, b'<cbc:PayableAmount currencyID="EUR"', b'<cbc:PayableAmount currencyID="USD"'),
        Reason.STRUCTURE, SOMEWHERE,
    ),
    "neither debit nor credit": (
        change(SODA, b"<Debit>10.50</Debit><Credit>0.00</Credit>", b"<Debit/>"), Reason.FIELD, 10,
    ),
    "a booking that is not balanced": (change(SODA, b"10.50", b"10.51"), Reason.TOTALS, 9),
    "expenses that do not make the total": (change(CARO, b"12.30", b"12.31"), Reason.TOTALS, 14),
}  # fmt: skip
# What is odd and read all the same; packing has no warning.
ODD = {
    "a text of eleven megabytes": (
        embedded(b"application/pdf", b"JVBERi0x" * 1_400_000), Code.ATTACHMENT, SOMEWHERE,
    ),
    "Latin-1 that calls itself UTF-8": (change(SODA, b"\xc3\xa9", b"\xe9"), Code.CHARSET, 5),
    "half a letter of UTF-8": (change(SODA, b"\xc3\xa9", b"\xc3"), Code.CHARSET, 5),
    "no version": (change(SODA, b' version="1"', b""), Code.MISSING_PART, 2),
    "an invoice that is none after EN 16931": (
        change(INVOICE, b"urn:cen.eu:en16931:2017#", b"urn:else#"), Code.SPECIFICATION, 5,
    ),
    "a part that no one knows": (
        change(SODA, b"</Header>", b"<Bonus>1</Bonus></Header>"), Code.UNKNOWN_PART, 8,
    ),
    "a wrong enterprise number": (change(SODA, b"0010000007", b"0010000008"), Code.ENTERPRISE_NUMBER, 5),
    "a wrong enterprise number on an invoice": (
        change(INVOICE, b'"0208">0010000007</cbc:C', b'"0208">0010000008</cbc:C'),
        Code.ENTERPRISE_NUMBER, 37,
    ),
    "an empty field": (change(SODA, b">Loon<", b"> <"), Code.MISSING_PART, 10),
    "an attachment that is no Base64": (embedded(b"application/pdf", b"#"), Code.ATTACHMENT, SOMEWHERE),
    "an attachment that is no PDF": (
        embedded(b"application/pdf", b"TVqQAAMA"), Code.ATTACHMENT, SOMEWHERE,
    ),
    "a currency in small letters": (change(SODA, b"EUR", b"eur"), Code.SPELLING, 7),
    "a debit that is missing": (
        change(SODA, b"<Debit>0.00</Debit>", b""), Code.MISSING_PART, 11,
    ),
    "a credit that says nothing": (
        change(SODA, b"<Credit>0.00</Credit>", b"<Credit/>"), Code.MISSING_PART, 10,
    ),
    "a month without expenses": (
        change(CARO, CARO[CARO.index(b"<Expense>") : CARO.index(b"  </Expenses>")], b"")
        .replace(b"<Total>10.00", b"<Total>0.00"),
        Code.MISSING_PART, 10,
    ),
    "an empty day": (change(CARO, b"<Date>2026-01-09</Date>", b"<Date/>"), None, NOWHERE),
    "version 1.0": (change(SODA, b'version="1"', b'version="1.0"'), None, NOWHERE),
    "a blank line before all": (b"\r\n" + CARO, None, NOWHERE),
    "an end mark of DOS": (SODA + b"\x1a\0\0", None, NOWHERE),
    "UTF-16": (SODA.decode().encode("utf-16-le"), None, NOWHERE),
    "parts in the wrong order": (
        change(change(SODA, b"<Label>Loon</Label>", b""), b"</Line>", b"<Label>L</Label></Line>"),
        None, NOWHERE,
    ),
    "words between the parts": (change(SODA, b"<Booking>", b"<Booking>x"), None, NOWHERE),
    "an attribute that no one knows": (
        change(SODA, b"<Booking>", b'<Booking a="1">'), None, NOWHERE,
    ),
}  # fmt: skip
ALL = HOSTILE | BROKEN


def test_the_files_are_whole_before_they_are_damaged() -> None:
    soda, caro = read(SODA)[0].facts, read(CARO)[0].facts
    assert isinstance(soda, PayrollStatement)
    assert (soda.bookings[0].account, soda.bookings[0].debit) == ("620200", Decimal("10.5"))
    assert isinstance(caro, CardStatement)
    assert [str(expense.spent_on) for expense in caro.expenses] == ["None", "2026-01-09"]
    assert read(INVOICE)
    assert len(ALL) == len(HOSTILE) + len(BROKEN)


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_read_with_a_warning(name: str) -> None:
    data, code, line = ODD[name]
    (parsed,) = read(data)
    assert parsed.data == data
    warnings = {warning.code: warning.line for warning in parsed.warnings}
    assert set(warnings) == ({code} if code else set())
    assert line == SOMEWHERE or (code and warnings.get(code)) == line


@pytest.mark.parametrize("name", ALL)
def test_it_is_refused_for_the_right_reason(name: str) -> None:
    data, reason, line = ALL[name]
    with pytest.raises(Refused) as refused:
        read(data)
    assert refused.value.reason == reason, refused.value
    if line == SOMEWHERE:
        assert refused.value.line
    else:
        assert refused.value.line == line, refused.value


def test_a_cut_at_any_place_is_noticed() -> None:
    for data in (SODA, CARO, INVOICE):
        for size in range(len(HEAD), len(data) - 2, 13):
            with pytest.raises(Refused) as refused:
                read(data[:size])
            allowed = {Reason.CUT_OFF}
            if not data[:size].isascii():
                allowed.add(Reason.CHARSET)  # the cut may go through a letter
            assert refused.value.reason in allowed, refused.value


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_little(name: str) -> None:
    """Far from what it would be blown up to: billion laughs are 3 GB and more."""
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(Refused):
        read(HOSTILE[name][0])
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 128 * 1024  # KiB
    assert time.process_time() - started < xml.MOST_SECONDS


@pytest.mark.parametrize("charset", sorted(xml.CHARSETS - {"ascii"}))
def test_each_charset_that_is_taken_is_read(charset: str) -> None:
    text = SODA.decode().replace("UTF-8", charset)
    facts = read(text.encode(charset))[0].facts
    assert isinstance(facts, PayrollStatement)
    assert facts.employer.name == "Café"
    with_mark = b"\xef\xbb\xbf" + SODA
    assert read(with_mark)[0].data == with_mark


def test_what_looks_like_a_doctype_inside_the_document_is_none() -> None:
    data = change(SODA, b"Loon", b"<![CDATA[<!DOCTYPE x>]]>")
    facts = read(data)[0].facts
    assert isinstance(facts, PayrollStatement)
    assert facts.bookings[0].label == "<!DOCTYPE x>"


@pytest.mark.parametrize("empty", [b"", b"<Debit/>", b"<Debit>0.00</Debit>"])
def test_a_booking_and_its_reversal_are_no_copies(empty: bytes) -> None:
    """The same words in the same order: only the names of the elements differ."""
    debit, credit = b"<Debit>10.50</Debit><Credit>0.00</Credit>", b"<Credit>10.50</Credit>"
    plain = change(change(SODA, debit, b"<Debit>10.50</Debit>"), b"<Debit>0.00</Debit>", empty)
    swapped = plain.replace(b"Debit", b"X").replace(b"Credit", b"Debit").replace(b"X", b"Credit")
    assert credit in plain
    assert read(plain)[0].fingerprint != read(swapped)[0].fingerprint


def test_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "MOST_SECONDS", -1.0)
    with pytest.raises(Refused, match="not read within") as refused:
        read(SODA)
    assert refused.value.reason == Reason.TOO_LARGE
