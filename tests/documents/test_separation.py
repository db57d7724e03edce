"""Documents that were joined under an old rule are named and become documents of their own."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from core.row_security import every_office
from documents.models import Document, DocumentDetails
from documents.storage.blobs import name_of, storage
from tests import factories
from tests.conftest import Cast
from tests.documents.examples import company_of, take_files
from tests.documents.formats.test_damaged_coda import STATEMENT
from tests.documents.test_identity import details, statement_file

pytestmark = pytest.mark.requirement(118)

OLD_KEY = "account/2026/007"


@pytest.fixture
def account(people: Cast) -> str:
    company = company_of(people.bakery)
    factories.make_account(people.bakery, company.iban)
    return company.iban


@pytest.fixture
def days(people: Cast, account: str) -> list[Document]:
    """Three days of one number, the first corrected once, all filed as versions of one document."""
    first = statement_file(account)
    files = [first, first.replace(b"Factuur 12", b"Factuur 13")]
    files += [
        statement_file(account, dated_on=STATEMENT.dated_on + timedelta(days=day)) for day in (1, 2)
    ]
    for place, data in enumerate(files):
        assert take_files({f"{place}.cod": data}).filed.total() == 1
    with every_office():
        found = list(Document.objects.filter(client=people.bakery).order_by("pk"))
        for version, document in enumerate(found, start=1):
            before = str(found[version - 2].uuid) if version > 1 else None
            DocumentDetails.objects.filter(pk=document.pk).update(
                natural_key=OLD_KEY, version=version
            )
            told = {"version": version, "replaces": before} if before else {}
            plain = {key: document.attributes[key] for key in document.attributes
                     if key not in ("version", "replaces")}  # fmt: skip
            Document.objects.filter(pk=document.pk).update(attributes=plain | told)
    return found


def run(*arguments: str) -> tuple[str, str, int]:
    out, errors = io.StringIO(), io.StringIO()
    try:
        call_command("separate_documents", *arguments, stdout=out, stderr=errors)
    except SystemExit as ended:
        return out.getvalue(), errors.getvalue(), int(str(ended.code))
    return out.getvalue(), errors.getvalue(), 0


def told(document: Document) -> dict[str, Any]:
    with every_office():
        now = Document.objects.get(pk=document.pk)
    return {key: now.attributes[key] for key in ("version", "replaces") if key in now.attributes}


def test_each_day_is_a_document_and_the_corrected_one_keeps_its_versions(
    people: Cast, days: list[Document]
) -> None:
    out, _errors, code = run()
    assert code == 0
    lines = [line for line in out.splitlines() if people.bakery.company_number in line]
    assert [str(day.uuid) in line for day, line in zip(days[2:], lines, strict=True)] == [True] * 2
    assert [one.version for one in details(people)] == [1, 2, 1, 1]
    keys = [one.natural_key for one in details(people)]
    assert (keys[0], len(set(keys))) == (keys[1], 3)
    assert [told(day) for day in days] == [
        {}, {"version": 2, "replaces": str(days[0].uuid)}, {}, {},
    ]  # fmt: skip
    assert str(days[2].uuid) not in run()[0]
    # What comes later finds its document under the same key.
    again = statement_file(details(people)[0].series).replace(b"Factuur 12", b"Factuur 14")
    assert take_files({"again.cod": again}).new_versions == 1
    assert [one.version for one in details(people)] == [1, 2, 1, 1, 3]


def test_a_dry_run_names_them_and_changes_nothing(people: Cast, days: list[Document]) -> None:
    before = [(one.natural_key, one.version) for one in details(people)]
    out, _errors, code = run("--dry-run")
    assert code == 1
    assert str(days[3].uuid) in out
    assert [(one.natural_key, one.version) for one in details(people)] == before
    assert told(days[3]) == {"version": 4, "replaces": str(days[2].uuid)}


def test_a_correction_that_came_under_the_new_rule_stays_the_later_version(
    people: Cast, account: str, days: list[Document]
) -> None:
    corrected = statement_file(account, dated_on=STATEMENT.dated_on + timedelta(days=2)).replace(
        b"Factuur 12", b"Factuur 15"
    )
    assert take_files({"corrected.cod": corrected}).filed.total() == 1
    run()
    assert [one.version for one in details(people)] == [1, 2, 1, 1, 2]
    with every_office():
        newest = Document.objects.filter(client=people.bakery).latest("pk")
    assert told(newest) == {"version": 2, "replaces": str(days[3].uuid)}


def test_a_document_that_cannot_be_read_stays_and_is_named(
    people: Cast, days: list[Document]
) -> None:
    stored = Path(storage().path(name_of(details(people)[3].sha256)))
    data = stored.read_bytes()
    stored.chmod(0o600)
    stored.write_bytes(data[:-1])
    out, errors, code = run()
    stored.write_bytes(data)
    assert (code, str(days[3].uuid) in errors) == (1, True)
    assert str(days[2].uuid) in out
    assert [one.version for one in details(people)] == [1, 2, 1, 1]
    assert details(people)[3].natural_key == OLD_KEY


def test_what_are_true_versions_stay_together(people: Cast, account: str) -> None:
    first = statement_file(account)
    take_files({"a.cod": first})
    take_files({"b.cod": first.replace(b"Factuur 12", b"Factuur 13")})
    out, _errors, _code = run()
    assert people.bakery.company_number not in out
    assert [one.version for one in details(people)] == [1, 2]
