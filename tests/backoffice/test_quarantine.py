"""Operators see who sends what waits, its first lines where it is nobody's, and odd files."""

from __future__ import annotations

from dataclasses import replace

from django.contrib.admin.models import LogEntry

from documents.formats import Reason
from tests import factories
from tests.conftest import Cast
from tests.documents import examples
from tests.documents.examples import company_of, take_files
from tests.documents.test_quarantine import LIST, unlike, waiting
from tests.test_access_matrix import as_person


def test_dirk_counts_and_filters_by_sender(people: Cast) -> None:
    company = replace(company_of(people.bakery), number=factories.company_number(), bic="ODDBBEBB")
    files = [examples.statement(company, number) for number in (1, 2)]
    cut = examples.statement(company, 3)[:300]
    supplier = examples.invoice(replace(company, number=factories.company_number()), "X-1")
    take_files({"a.cod": files[0], "b.cod": files[1], "c.cod": cut, "d.xml": supplier})
    dirk = as_person(people.dirk)
    page = dirk.get(LIST)
    assert {
        (reason, n)
        for _link, sender, reason, n in page.context["by_sender"]
        if sender == "ODDBBEBB"
    } == {(Reason.UNKNOWN_COMPANY, 2), (Reason.CUT_OFF, 1)}
    assert waiting(supplier).sender not in ("", "ODDBBEBB")
    found = dirk.get(LIST, {"sender": "ODDBBEBB", "reason__exact": Reason.CUT_OFF.value})
    assert [file.pk for file in found.context["cl"].result_list] == [waiting(cut).pk]
    assert "ODDBBEBB (3)" in page.content.decode()


def test_dirk_sees_the_first_lines_of_what_belongs_to_nobody_and_the_history_says_so(
    people: Cast,
) -> None:
    hostile = b"<script>alert(1)</script>\x1b[31m\xe2\x80\xae caf\xc3\xa9 %d\n" % factories.unique()
    hostile += b"x" * 9_000
    ours = examples.statement(company_of(people.bakery))[:300]
    take_files({"a.txt": hostile, "b.cod": ours, "c.pdf": unlike(b"%PDF-1.4\n")})
    dirk = as_person(people.dirk)

    def look(data: bytes) -> str:
        page = dirk.get(f"{LIST}{waiting(data).pk}/first-lines/")
        return str(page.content.decode())

    text = look(hostile)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;·[31m· café" in text
    assert "<script>alert(1)" not in text
    assert text.count("x" * 128) == 19
    seen = LogEntry.objects.filter(
        content_type__model="quarantinedfile", object_id=str(waiting(hostile).pk)
    )
    assert [one.change_message for one in seen] == ["Saw the first lines."]
    assert company_of(people.bakery).iban not in look(ours)
    of_files = LogEntry.objects.filter(content_type__model="quarantinedfile")
    assert not of_files.filter(object_id=str(waiting(ours).pk)).exists()


def test_dirk_counts_warnings_by_sender(people: Cast) -> None:
    company = replace(company_of(people.bakery), bic="WARNBEBB")
    take_files({"a.cod": examples.statement(company) + b"\r\n"})
    page = as_person(people.dirk).get(f"{LIST}warnings/")
    rows = [row for row in page.context["counts"] if row["sender"] == "WARNBEBB"]
    assert [(row["code"], row["documents"]) for row in rows] == [("blank_line", 1)]
    assert "Blank lines or end marks stand between the lines of the file." in page.content.decode()
