"""What is refused is kept with its reason, and filed when what was missing is there."""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile

from core.document_kinds import Kind
from core.row_security import every_office
from documents.formats import Reason
from documents.formats.reading import MOST_BYTES, read
from documents.ingest import pipeline, sources
from documents.ingest.pipeline import replay
from documents.models import Content, DocumentDetails, QuarantinedFile, QuarantineState
from documents.storage.blobs import Damaged, load, name_of, storage
from tests import factories
from tests.conftest import Cast
from tests.documents import examples
from tests.documents.examples import DELIVERED_PDF, company_of, take_files, take_folder, written
from tests.test_access_matrix import as_person

pytestmark = pytest.mark.requirement(60)


def waiting(data: bytes) -> QuarantinedFile:
    return QuarantinedFile.objects.get(sha256=hashlib.sha256(data).hexdigest())


def unlike(data: bytes) -> bytes:
    """Bytes that no other test has delivered."""
    return data + os.urandom(8)


def filed(client: Any) -> int:
    with every_office():
        return DocumentDetails.objects.filter(client=client).count()


# --- what is kept --------------------------------------------------------------------------------


def test_a_refused_file_is_kept_with_reason_line_and_bytes(people: Cast) -> None:
    lines = examples.statement(company_of(people.bakery)).split(b"\r\n")
    lines[2] = lines[2][:31] + b"7" + lines[2][32:]  # no sign of an amount
    data = b"\r\n".join(lines)
    taken = take_files({"short.cod": data})
    kept = waiting(data)
    assert (kept.name, kept.line, kept.size) == ("short.cod", 3, len(data))
    assert kept.state == QuarantineState.WAITING
    assert [refused.reason.value for _name, refused in taken.refused] == [kept.reason]
    assert load(kept.sha256) == data


def test_a_refused_file_that_comes_again_is_one_row(people: Cast) -> None:
    data = unlike(b"what is this")
    take_files({"a.cod": data})
    take_files({"b.cod": data})
    kept = waiting(data)
    assert (kept.name, kept.tries, kept.reason) == ("a.cod", 2, Reason.UNKNOWN_FORMAT.value)


def test_a_name_from_outside_breaks_no_line_and_no_table(people: Cast) -> None:
    data = unlike(b"?")
    take_files({"evil\n\x1b[2J\x00" + "x" * 300 + ".cod": data})
    kept = waiting(data)
    assert len(kept.name) == 255
    assert kept.name.isprintable()


def test_a_file_that_is_too_long_is_kept_without_filling_the_memory(
    people: Cast, tmp_path: Path
) -> None:
    path = tmp_path / "long.cod"
    with path.open("wb") as file:
        file.write(os.urandom(16))
        file.truncate(MOST_BYTES + 1)
    (found,) = sources.files_in_paths([path])
    assert found.data == b""
    taken = examples.take(sources.files_in_paths([path]))
    kept = QuarantinedFile.objects.latest("pk")
    assert [refused.reason for _name, refused in taken.refused] == [Reason.TOO_LARGE]
    assert kept.size == MOST_BYTES + 1
    assert storage().size(name_of(kept.sha256)) == MOST_BYTES + 1
    assert not replay(kept)
    storage().delete(name_of(kept.sha256))


def test_a_name_too_long_for_the_index_is_refused_and_keeps_nobody_waiting(people: Cast) -> None:
    company = company_of(people.bakery)
    long = examples.card(company).replace(b"Demo Cards", b"Demo Cards" * 500)
    taken = take_files({"long.xml": long, "good.xml": examples.card(company)})
    assert taken.filed.total() == 1
    assert [refused.reason for _name, refused in taken.refused] == [Reason.FIELD]


def test_a_fault_of_ours_keeps_the_other_files_from_nothing(
    people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = company_of(people.bakery)
    calls = iter(range(9))

    def fails_once(*arguments: Any) -> Any:
        if next(calls) == 0:
            raise IndexError("a fault of ours")
        return read(*arguments)

    monkeypatch.setattr(pipeline, "read", fails_once)
    first = examples.statement(company)
    taken = take_files({"a.cod": first, "b.cod": examples.statement(company, 2)})
    assert (taken.filed.total(), taken.already_filed) == (1, 0)
    assert [refused.reason for _name, refused in taken.refused] == [Reason.STRUCTURE]
    monkeypatch.undo()
    assert replay(waiting(first))
    assert filed(people.bakery) == 2


# --- papers --------------------------------------------------------------------------------------


def test_a_paper_alone_waits(people: Cast) -> None:
    data = unlike(DELIVERED_PDF)
    take_files({"alone.pdf": data, "unnamed": unlike(DELIVERED_PDF)})
    assert waiting(data).reason == Reason.PDF_WITHOUT_FILE.value


def test_a_paper_waits_with_its_file_and_is_filed_with_it(people: Cast, tmp_path: Path) -> None:
    number = factories.company_number()
    data = examples.statement(replace(company_of(people.bakery), number=number))
    paper = unlike(DELIVERED_PDF)
    taken = take_folder(written(tmp_path, {"a.cod": data, "a.pdf": paper}))
    assert [refused.reason for _name, refused in taken.refused] == [
        Reason.UNKNOWN_COMPANY,
        Reason.PDF_WITHOUT_FILE,
    ]
    newcomer = factories.make_client(people.peeters, company_number=number)
    assert replay(waiting(data))
    with every_office():
        kept = Content.objects.get(document__client=newcomer, media_type="application/pdf")
    assert load(kept.sha256) == paper
    assert waiting(data).state == waiting(paper).state == QuarantineState.FILED


def test_a_paper_of_several_companies_is_shown_to_none(people: Cast, tmp_path: Path) -> None:
    butcher = factories.make_client(people.peeters, "Slagerij")
    both = examples.together(
        examples.statement(company_of(people.bakery)), examples.statement(company_of(butcher))
    )
    paper = unlike(DELIVERED_PDF)
    taken = take_folder(written(tmp_path, {"both.cod": both, "both.pdf": paper}))
    assert taken.filed[Kind.BANK_ACCOUNT_STATEMENT] == 2
    digest = hashlib.sha256(paper).hexdigest()
    with every_office():
        assert not Content.objects.filter(sha256=digest).exists()
    assert waiting(paper).reason == Reason.PDF_WITHOUT_FILE.value


def test_what_only_calls_itself_a_pdf_is_refused_and_its_file_is_filed(
    people: Cast, tmp_path: Path
) -> None:
    fake = unlike(b"<script>")
    files = {"a.cod": examples.statement(company_of(people.bakery)), "a.pdf": fake}
    taken = take_folder(written(tmp_path, files))
    assert taken.filed.total() == 1
    assert waiting(fake).reason == Reason.UNKNOWN_FORMAT.value


# --- ZIPs that are meant to harm -----------------------------------------------------------------


def reasons(folder: Path) -> list[Reason]:
    return [refused.reason for _name, refused in take_folder(folder).refused]


@pytest.mark.requirement(112)
def test_a_bomb_is_unpacked_no_further_than_its_bound(people: Cast, tmp_path: Path) -> None:
    bomb = examples.zipped({"bomb.xml": b" " * (MOST_BYTES + 1), os.urandom(4).hex(): b"0"})
    assert len(bomb) < 100_000
    assert reasons(written(tmp_path, {"a.zip": bomb}))[0] == Reason.TOO_LARGE
    assert load(hashlib.sha256(bomb).hexdigest()) == bomb


@pytest.mark.requirement(112)
def test_a_zip_of_many_bombs_ends_at_its_bound(
    people: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MOST_UNPACKED", 3_000_000)
    files = {f"{place}.xml": b"<" * 1_000_000 + os.urandom(4) for place in range(10)}
    taken = take_folder(written(tmp_path, {"a.zip": examples.zipped(files)}))
    assert taken.files == 4
    assert taken.refused[-1][1].reason == Reason.TOO_LARGE


@pytest.mark.requirement(112)
def test_a_zip_that_promises_millions_of_files_is_not_opened(people: Cast, tmp_path: Path) -> None:
    data = bytearray(unlike(b"PK\x03\x04"))
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 60_000, 60_000, 46, 0, 0)
    assert reasons(written(tmp_path, {"a.zip": bytes(data) + end})) == [Reason.TOO_LARGE]


def broken(how: str) -> bytes:
    data = examples.zipped({"a.xml": b"<Soda/>" + os.urandom(600), "b.xml": b"<Soda/>"})
    if how == "cut":
        return data[:-30]
    if how == "flipped":
        return data[:300] + bytes([data[300] ^ 255]) + data[301:]
    if how == "encrypted":
        flag = data.index(b"PK\x01\x02") + 8
        return data[:flag] + b"\x01" + data[flag + 1 :]
    return data[: data.index(b"PK\x01\x02")] + b"PK\x05\x06" + b"\0" * 18


@pytest.mark.parametrize("how", ["cut", "flipped", "encrypted", "emptied"])
def test_a_broken_zip_is_kept_and_breaks_nothing(people: Cast, tmp_path: Path, how: str) -> None:
    data = broken(how)
    taken = take_folder(written(tmp_path, {"a.zip": data}))
    reason = Reason.UNKNOWN_FORMAT if how == "emptied" else Reason.CUT_OFF
    assert taken.refused[0][1].reason == reason
    assert load(hashlib.sha256(data).hexdigest()) == data


# --- again, or given up --------------------------------------------------------------------------


def test_a_replay_files_it_once_the_company_is_there(people: Cast) -> None:
    number = factories.company_number()
    data = examples.invoice(replace(company_of(people.bakery), number=number))
    take_files({"a.xml": data})
    assert not replay(waiting(data))
    assert (waiting(data).tries, waiting(data).state) == (2, QuarantineState.WAITING)
    newcomer = factories.make_client(people.peeters, company_number=number)
    assert replay(waiting(data))
    assert waiting(data).state == QuarantineState.FILED
    assert filed(newcomer) == 1
    assert not replay(waiting(data))


def test_a_new_delivery_files_it_as_well(people: Cast) -> None:
    number = factories.company_number()
    data = examples.invoice(replace(company_of(people.bakery), number=number))
    take_files({"a.xml": data})
    factories.make_client(people.peeters, company_number=number)
    take_files({"a.xml": data})
    assert waiting(data).state == QuarantineState.FILED


def test_a_zip_that_was_damaged_on_its_way_is_filed_whole_when_it_is_replayed(
    people: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = examples.zipped(examples.a_month(company_of(people.bakery)))
    monkeypatch.setattr(sources, "MOST_ENTRIES", 2)
    assert reasons(written(tmp_path, {"a.zip": data})) == [Reason.TOO_LARGE]
    monkeypatch.undo()
    assert replay(waiting(data))
    assert filed(people.bakery) == 5
    assert waiting(data).state == QuarantineState.FILED


def test_damaged_bytes_are_not_replayed(people: Cast) -> None:
    data = unlike(b"damaged")
    take_files({"a.cod": data})
    Path(storage().path(name_of(waiting(data).sha256))).write_bytes(data[:-1])
    with pytest.raises(Damaged):
        replay(waiting(data))


def test_what_is_discarded_stays_so(people: Cast) -> None:
    data = unlike(b"junk")
    take_files({"a.cod": data})
    assert waiting(data).discard()
    assert not waiting(data).discard()
    assert not replay(waiting(data))
    take_files({"a.cod": data})
    assert waiting(data).state == QuarantineState.DISCARDED


# --- operators -----------------------------------------------------------------------------------

LIST, UPLOAD = "/admin/documents/quarantinedfile/", "/admin/documents/quarantinedfile/upload/"


def test_dirk_sees_why_a_file_waits_and_never_what_stands_in_it(people: Cast) -> None:
    secret = f"SECRET{factories.unique()}"
    data = examples.invoice(company_of(people.bakery)).replace(b"<cbc:IssueDate>", f"<cbc:IssueDate>{secret}".encode())  # fmt: skip
    take_files({"a.xml": data})
    assert secret in waiting(data).detail
    dirk = as_person(people.dirk)
    for page in (LIST, f"{LIST}{waiting(data).pk}/change/"):
        text = dirk.get(page).content.decode()
        assert "a.xml" in text
        assert Reason.FIELD.value in text
        assert secret not in text
        assert people.bakery.company_number not in text


def test_dirk_hands_files_in(people: Cast) -> None:
    month = examples.zipped(examples.a_month(company_of(people.bakery)))
    junk = unlike(b"junk")
    files = [SimpleUploadedFile("month.zip", month), SimpleUploadedFile("junk.cod", junk)]
    page = as_person(people.dirk).post(UPLOAD, {"chosen": files}, follow=True)
    text = page.content.decode()
    assert "From month.zip: 5 filed, 0 filed before." in text
    assert "From junk.cod: 0 filed, 0 filed before, 1 in quarantine." in text
    assert filed(people.bakery) == 5


def test_dirk_cannot_hand_in_more_than_a_person_can_wait_for(
    people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.admin.ingest.MOST_AT_ONCE", 10)
    files = [SimpleUploadedFile("a.cod", unlike(b"0123"))]
    page = as_person(people.dirk).post(UPLOAD, {"chosen": files})
    assert "too large together" in page.content.decode()
    assert as_person(people.dirk).post(UPLOAD, {}).status_code == 200


def test_dirk_discards_a_file_of_the_list_of_waiting_ones(people: Cast) -> None:
    """Afterwards the list has none of them, so they are counted before."""
    junk = unlike(b"junk")
    take_files({"b.cod": junk})
    discard = {"action": "discard", "_selected_action": [waiting(junk).pk], "sure": "yes"}
    only_waiting = f"{LIST}?state__exact={QuarantineState.WAITING.value}"
    done = as_person(people.dirk).post(only_waiting, discard, follow=True).content.decode()
    assert "1 of 1 discarded." in done


def test_dirk_tries_again_and_discards(people: Cast) -> None:
    number = factories.company_number()
    data = examples.invoice(replace(company_of(people.bakery), number=number))
    junk = unlike(b"junk")
    take_files({"a.xml": data, "b.cod": junk})
    newcomer = factories.make_client(people.peeters, company_number=number)
    dirk = as_person(people.dirk)
    both = [waiting(data).pk, waiting(junk).pk]
    page = dirk.post(LIST, {"action": "replay", "_selected_action": both}, follow=True)
    assert "1 of 2 filed." in page.content.decode()
    told = [str(message) for message in page.context["messages"]]
    assert told[1:] == ["b.cod waits: no format that the portal reads."]
    assert filed(newcomer) == 1
    discard = {"action": "discard", "_selected_action": both}
    asked = dirk.post(LIST, discard).content.decode()
    assert "This cannot be undone." in asked
    assert "b.cod" in asked
    assert waiting(junk).state == QuarantineState.WAITING, "first it asks"
    done = dirk.post(LIST, {**discard, "sure": "yes"}, follow=True).content.decode()
    assert "1 of 2 discarded." in done
    assert waiting(data).state == QuarantineState.FILED
    assert waiting(junk).state == QuarantineState.DISCARDED
    said = LogEntry.objects.filter(object_id=str(both[1]), user=people.dirk)
    assert [classification.change_message for classification in said.order_by("pk")] == [
        "Tried again.",
        "Discarded.",
    ]


def test_dirk_sees_how_many_files_wait_for_each_reason_and_finds_one(people: Cast) -> None:
    junk = unlike(b"junk")
    take_files({f"{factories.unique()}.cod": junk})
    dirk, name = as_person(people.dirk), waiting(junk).name
    counts = dirk.get(LIST).context["by_reason"]
    state = QuarantineState.WAITING
    for _filter, reason, _words, n in counts:
        assert n == QuarantinedFile.objects.filter(state=state, reason=reason).count() > 0
    assert sum(n for *_reason, n in counts) == QuarantinedFile.objects.filter(state=state).count()
    for words in (name, waiting(junk).sha256[:12]):
        found = dirk.get(LIST, {"q": words}).context["cl"].result_list
        assert [file.pk for file in found] == [waiting(junk).pk]


@pytest.mark.parametrize("who", ["anna", "chloe", "bram"])
def test_office_staff_cannot_hand_files_in(people: Cast, who: str) -> None:
    files = [SimpleUploadedFile("a.cod", examples.statement(company_of(people.bakery)))]
    answer = as_person(getattr(people, who)).post(UPLOAD, {"chosen": files})
    assert answer.status_code == 302
    assert filed(people.bakery) == 0
