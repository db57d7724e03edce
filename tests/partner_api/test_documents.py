"""connect-api sections 5 and 6: search and documents, over real HTTP."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.document_kinds import Kind
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA, allow

PDF = "application/pdf"
T0 = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
NUMBER = "/data/relationships/clients/data"


@pytest.fixture
def reader(people: Cast, ledgerly: Software) -> Software:
    """Ledgerly, allowed."""
    allow(people.consent, people.anna)
    return ledgerly


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 201, answer.text
    return [document["id"] for document in answer.json()["included"]["documents"]]


def iso(moment: datetime) -> str:
    return moment.isoformat()


def test_the_answer_has_the_shape_clients_expect(people: Cast, reader: Software) -> None:
    document = factories.make_document(
        people.bakery, attributes={"iban": "BE00 é"}, available_at=T0
    )
    number = people.bakery.company_number
    answer = reader.search(people.janssens, [number], meta={"paging": {"limit": 50}})
    assert answer.headers["Content-Type"] == "application/vnd.api+json"
    body = answer.json()
    attributes = body["data"].pop("attributes")
    assert attributes["documentType"] == "bankAccountStatement"
    assert attributes["from"].endswith("Z")
    assert attributes["to"].endswith("Z")
    assert len(body["data"].pop("id")) == 36
    resource = {
        "type": "bankAccountStatement",
        "id": str(document.uuid),
        "attributes": {
            "iban": "BE00 é",
            "version": 1,
            "replaces": None,
            "createdAt": T0.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        },
        "relationships": {"client": {"data": {"type": "client", "id": number}}},
    }
    assert body == {
        "data": {
            "type": "documentSearch",
            "relationships": {
                "clients": {"data": [{"type": "client", "id": number}]},
                "documents": {"data": [{"type": "bankAccountStatement", "id": resource["id"]}]},
            },
        },
        "included": {"documents": [resource]},
        "meta": {"paging": {"limit": 50}},
    }
    read = reader.document(people.janssens, number, document.uuid)
    assert read.json() == {"data": resource}


def test_nothing_found_is_an_empty_list_in_an_object(people: Cast, reader: Software) -> None:
    answer = reader.search(people.janssens, [people.bakery.company_number]).json()
    assert answer["included"] == {"documents": []}
    assert "after" not in answer["meta"]["paging"]
    assert answer["meta"]["paging"]["limit"] == 100


def test_the_window_is_half_open(people: Cast, reader: Software) -> None:
    made = factories.make_documents(people.bakery, [T0 + timedelta(hours=n) for n in range(4)])
    number = people.bakery.company_number
    window = {"from": iso(T0 + timedelta(hours=1)), "to": iso(T0 + timedelta(hours=3))}
    found = reader.search(people.janssens, [number], **window)
    assert ids(found) == [str(document.uuid) for document in made[1:3]]
    empty = {"from": iso(T0), "to": iso(T0)}
    assert ids(reader.search(people.janssens, [number], **empty)) == []


def test_seven_decimals_and_offsets_are_read(people: Cast, reader: Software) -> None:
    moment = T0 + timedelta(microseconds=123456)
    document = factories.make_document(people.bakery, available_at=moment)
    number = people.bakery.company_number
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
    assert ids(reader.search(people.janssens, [number], **{"from": f"{stamp}7Z"})) == [
        str(document.uuid)
    ]
    assert ids(reader.search(people.janssens, [number], to=f"{stamp}0+00:00")) == []


def test_the_last_end_is_the_next_beginning(people: Cast, reader: Software) -> None:
    number = people.bakery.company_number
    first = factories.make_document(people.bakery)
    one = reader.search(people.janssens, [number])
    seen = ids(one)
    end = one.json()["data"]["attributes"]["to"]
    second = factories.make_document(people.bakery)
    seen += ids(reader.search(people.janssens, [number], **{"from": end}))
    assert seen == [str(first.uuid), str(second.uuid)]


def test_an_end_in_the_future_is_cut_to_now(people: Cast, reader: Software) -> None:
    number = people.bakery.company_number
    future = iso(datetime.now(UTC) + timedelta(days=9))
    answer = reader.search(people.janssens, [number], to=future)
    ends = datetime.fromisoformat(answer.json()["data"]["attributes"]["to"])
    assert ends <= datetime.now(UTC)


def test_older_than_two_years_is_not_searched(people: Cast, reader: Software) -> None:
    old = datetime.now(UTC) - timedelta(days=800)
    factories.make_document(people.bakery, available_at=old)
    number = people.bakery.company_number
    answer = reader.search(people.janssens, [number], **{"from": iso(old)})
    assert ids(answer) == []
    begins = datetime.fromisoformat(answer.json()["data"]["attributes"]["from"])
    assert timedelta(days=729) < datetime.now(UTC) - begins < timedelta(days=732)


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
@pytest.mark.parametrize("by_last_id", [True, False])
def test_paging_gives_each_document_once_in_order(
    people: Cast, reader: Software, limit: int, by_last_id: bool
) -> None:
    same = [T0, T0, T0, T0 + timedelta(microseconds=1), T0 + timedelta(microseconds=2)]
    made = factories.make_documents(
        people.bakery, [*same, *(T0 + timedelta(hours=n) for n in (1, 2))]
    )
    number = people.bakery.company_number
    seen: list[str] = []
    after = None
    for _ in range(20):
        meta = {"paging": {"limit": limit, "after": after}}
        answer = reader.search(people.janssens, [number], meta=meta)
        assert ids(answer) == ids(reader.search(people.janssens, [number], meta=meta))
        seen += ids(answer)
        after = answer.json()["meta"]["paging"].get("after")
        if after is None:
            break
        if by_last_id:
            after = seen[-1]
    assert seen == [str(document.uuid) for document in made]


@pytest.mark.requirement(58)
def test_a_cursor_still_works_when_its_client_left(people: Cast, reader: Software) -> None:
    leaving = factories.make_client(people.janssens, "Leaving on")
    first = factories.make_document(leaving, available_at=T0)
    second = factories.make_document(people.bakery, available_at=T0 + timedelta(hours=1))
    numbers = [leaving.company_number, people.bakery.company_number]
    page = reader.search(people.janssens, numbers, meta={"paging": {"limit": 1}})
    assert ids(page) == [str(first.uuid)]
    factories.transfer(leaving, people.anna, people.peeters, people.chloe)
    meta = {"paging": {"limit": 1, "after": page.json()["meta"]["paging"]["after"]}}
    assert ids(reader.search(people.janssens, numbers, meta=meta)) == [str(second.uuid)]


def test_a_cursor_of_another_office_is_as_unknown_as_none(people: Cast, reader: Software) -> None:
    theirs = factories.make_document(factories.make_client(people.peeters), available_at=T0)
    leaving = factories.make_client(people.janssens, "Leaving on")
    factories.transfer(leaving, people.anna, people.peeters, people.chloe)
    later = factories.make_document(leaving)
    number = people.bakery.company_number
    answers = [
        reader.search(people.janssens, [number], meta={"paging": {"after": str(after)}})
        for after in (theirs.uuid, later.uuid, "0f8fad5b-d9cb-469f-a165-70867728950e")
    ]
    assert {answer.status_code for answer in answers} == {400}
    assert len({answer.content for answer in answers}) == 1


def test_foreign_and_unknown_clients_yield_nothing_and_are_listed(
    people: Cast, reader: Software
) -> None:
    foreign = factories.make_client(people.peeters)
    factories.make_document(foreign)
    asked = [foreign.company_number, "0762460580", people.bakery.company_number]
    answer = reader.search(people.janssens, asked)
    assert ids(answer) == []
    assert answer.json()["meta"]["unknownClients"] == asked[:2]


def test_a_large_office_and_few_or_many_clients(people: Cast, reader: Software) -> None:
    others = [factories.make_client(people.janssens, f"C{n}") for n in range(140)]
    document = factories.make_document(people.bakery, available_at=T0)
    other = factories.make_document(others[5], available_at=T0 + timedelta(hours=1))
    few = reader.search(people.janssens, [people.bakery.company_number])
    assert ids(few) == [str(document.uuid)]
    everybody = [people.bakery.company_number, *(client.company_number for client in others)]
    both = [str(document.uuid), str(other.uuid)]
    assert ids(reader.search(people.janssens, everybody)) == both
    assert ids(reader.search(people.janssens, everybody[:30])) == both


GOOD = {
    "data": {
        "type": "documentSearch",
        "attributes": {"documentType": "bankAccountStatement"},
        "relationships": {"clients": {"data": [{"type": "client", "id": "0762460580"}]}},
    }
}


@pytest.mark.parametrize(
    "moment",
    ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.0000000+00:00",
     # Business Central pads to 24 characters, Java leaves seconds of nought out, Go counts nine
     # decimals, PostgreSQL writes the hours of an offset only, and ISO 8601 knows the comma.
     "2026-01-01T00:00:00Z    ", "    2026-01-01T00:00:00Z", "2026-01-01T00:00Z",
     "2026-01-01T01:00+01:00", "2026-01-01T00:00:00.000000000Z", "2026-01-01T01:00:00+01",
     "2026-01-01T00:00:00,000Z", "2026-01-01t00:00:00z"],
)  # fmt: skip
def test_a_moment_is_read_as_its_program_writes_it(
    people: Cast, reader: Software, moment: str
) -> None:
    for name in ("from", "to"):
        answer = reader.search(people.janssens, ["0762460580"], **{name: moment})
        assert answer.status_code == 201, answer.text
    echoed = datetime.fromisoformat(answer.json()["data"]["attributes"]["to"])
    assert echoed == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_limit_of_a_decimal_type_is_a_number_too(people: Cast, reader: Software) -> None:
    path = f"/accounting-offices/{people.janssens.uuid}/document-searches"
    body = json.dumps({**GOOD, "meta": {"paging": {"limit": 50}}}).replace("50", "50.0")
    answer = reader.call("POST", path, content=body)
    assert answer.status_code == 201
    assert answer.json()["meta"]["paging"]["limit"] == 50


BAD = [
    ("documentType", None, "/data/attributes/documentType"),
    ("documentType", "invoice", "/data/attributes/documentType"),
    ("documentType", ["salesInvoice"], "/data/attributes/documentType"),
    ("from", "yesterday", "/data/attributes/from"),
    ("from", "2026-01-01T00:00:00", "/data/attributes/from"),
    ("from", "2026-13-01T00:00:00Z", "/data/attributes/from"),
    ("from", 5, "/data/attributes/from"),
    ("from", "2026-01-01T00Z", "/data/attributes/from"),
    ("from", "2026-01-01T00:00:00.0000000000Z", "/data/attributes/from"),
    ("from", "٢٠٢٦-01-01T00:00:00Z", "/data/attributes/from"),
    ("from", "", "/data/attributes/from"),
    ("to", "0001-01-01T00:00:00+14:00", "/data/attributes/to"),
    ("limit", 0, "/meta/paging/limit"),
    ("limit", 1001, "/meta/paging/limit"),
    ("limit", "50", "/meta/paging/limit"),
    ("limit", True, "/meta/paging/limit"),
    ("limit", 1.5, "/meta/paging/limit"),
    ("limit", 0.0, "/meta/paging/limit"),
    ("after", "x", "/meta/paging/after"),
    ("after", 7, "/meta/paging/after"),
    ("after", "0f8fad5b-d9cb-469f-a165-70867728950e", "/meta/paging/after"),
    ("clients", [], NUMBER),
    ("clients", "0762460580", NUMBER),
    ("clients", [{"type": "client"}], f"{NUMBER}/0"),
    ("clients", [{"id": "0762460580"}, {"id": 5}], f"{NUMBER}/1"),
    ("clients", [{"id": "0762460580"}] * 5001, NUMBER),
]


@pytest.mark.parametrize(("name", "value", "pointer"), BAD)
def test_a_wrong_member_is_400_and_pointed_at(
    people: Cast, reader: Software, name: str, value: Any, pointer: str
) -> None:
    attributes = {"documentType": "bankAccountStatement"}
    clients: Any = [{"type": "client", "id": "0762460580"}]
    meta: dict[str, Any] = {}
    if name in ("limit", "after"):
        meta = {"paging": {name: value}}
    elif name == "clients":
        clients = value
    else:
        attributes[name] = value
    body = {
        "data": {"attributes": attributes, "relationships": {"clients": {"data": clients}}},
        "meta": meta,
    }
    path = f"/accounting-offices/{people.janssens.uuid}/document-searches"
    answer = reader.call("POST", path, json=body)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["code"], error["source"]["pointer"]) == ("validationError", pointer)


def test_an_end_before_the_beginning_is_400(people: Cast, reader: Software) -> None:
    window = {"from": iso(T0), "to": iso(T0 - timedelta(seconds=1))}
    assert reader.search(people.janssens, ["1"], **window).status_code == 400


def test_explicit_nulls_and_another_order_of_members_are_fine(
    people: Cast, reader: Software
) -> None:
    path = f"/accounting-offices/{people.janssens.uuid}/document-searches"
    body = {
        "meta": {"paging": {"after": None, "limit": None}},
        "data": {
            "relationships": {"clients": {"data": [{"id": "0762460580", "type": "client"}]}},
            "attributes": {"to": None, "from": None, "documentType": "bankAccountStatement"},
        },
    }
    assert reader.call("POST", path, json=body).status_code == 201
    assert reader.call("POST", path, json={**body, "meta": None}).status_code == 201


DATA = bytes(range(128, 256)) * 10


@pytest.fixture
def statement(people: Cast) -> Any:
    return factories.make_document(people.bakery, contents={CODA: DATA, PDF: b"%PDF-1.4 x"})


def test_the_bytes_are_untouched(people: Cast, reader: Software, statement: Any) -> None:
    number = people.bakery.company_number
    answer = reader.document(people.janssens, number, statement.uuid, accept=CODA)
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["Content-Type"] == CODA
    assert answer.headers["Content-Length"] == str(len(DATA))
    assert answer.headers["ETag"] == f'"{hashlib.sha256(DATA).hexdigest()}"'
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    ("accept", "got"),
    [(None, "json"), ("*/*", "json"), ("application/*", "json"), ("application/json", "json"),
     (PDF, PDF), (CODA, CODA), (f"{PDF};q=0.3, {CODA};q=0.9", CODA), (f"text/html, {PDF}", PDF),
     (f"{CODA};q=0, {PDF}", PDF), (f"*/*;q=0.1, {PDF};q=0.2", PDF),
     # The typed .NET client names the version it speaks, others a charset; Java its old defaults.
     ("application/vnd.api+json;version=2", "json"), ("application/json; charset=utf-8", "json"),
     (f"{PDF};version=2", PDF), (f"{CODA}; charset=iso-8859-1", CODA), (PDF.upper(), PDF),
     ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "json"), ("*", "json"),
     (f"{PDF}, */*", PDF), (f"{PDF};q=0.5, application/json", "json"), (f"{PDF};q=x", PDF),
     ("application/json;q=0, application/vnd.api+json;q=0, */*;q=0.1", CODA),
     (f"{PDF};q=0", 406), (f"{PDF};x*=nope''y", PDF), (",;", 406), ("*/*;q=0", 406),
     ("text/html", 406), ("application/xml", 406), ("text/html, image/*", 406)],
)  # fmt: skip
def test_accept_picks_the_format(
    people: Cast, reader: Software, statement: Any, accept: str | None, got: Any
) -> None:
    number = people.bakery.company_number
    reader.http.headers.pop("Accept", None)
    answer = reader.document(people.janssens, number, statement.uuid, accept=accept)
    if got == 406:
        assert answer.status_code == 406
        assert answer.json()["errors"][0]["code"] == "notAcceptable"
        return
    assert answer.status_code == 200
    wanted = "application/vnd.api+json" if got == "json" else got
    assert answer.headers["Content-Type"] == wanted


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=1270-", 1270, 1280), ("bytes=-5", 1275, 1280), ("bytes=1270-99999", 1270, 1280),
     # Who can resume a download asks for the whole in this way, and looks for a 206.
     ("bytes=0-", 0, 1280), ("bytes=-1280", 0, 1280), ("bytes=0-1279", 0, 1280)],
)  # fmt: skip
def test_a_range_gives_its_part(
    people: Cast, reader: Software, statement: Any, asked: str, start: int, end: int
) -> None:
    answer = reader.document(
        people.janssens,
        people.bakery.company_number,
        statement.uuid,
        accept=CODA,
        headers={"Range": asked},
    )
    assert (answer.status_code, answer.content) == (206, DATA[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/1280"


@pytest.mark.parametrize("asked", ["bytes=1280-", "bytes=99999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(
    people: Cast, reader: Software, statement: Any, asked: str
) -> None:
    answer = reader.document(
        people.janssens,
        people.bakery.company_number,
        statement.uuid,
        accept=CODA,
        headers={"Range": asked},
    )
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */1280"
    assert answer.content.startswith(b'{"errors"')


@pytest.mark.parametrize("asked", ["bytes=5-1", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", "bytes=-"])  # fmt: skip
def test_a_range_we_do_not_read_gives_the_whole(
    people: Cast, reader: Software, statement: Any, asked: str
) -> None:
    answer = reader.document(
        people.janssens,
        people.bakery.company_number,
        statement.uuid,
        accept=CODA,
        headers={"Range": asked},
    )
    assert (answer.status_code, answer.content) == (200, DATA)


def test_head_and_etag(people: Cast, reader: Software, statement: Any) -> None:
    number = people.bakery.company_number
    path = (
        f"/accounting-offices/{people.janssens.uuid}/clients/{number}"
        f"/bank-account-statements/{statement.uuid}"
    )
    head = reader.call("HEAD", path, headers={"Accept": CODA})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(DATA))
    etag = head.headers["ETag"]
    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        same = reader.call("GET", path, headers={"Accept": CODA, "If-None-Match": known})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["ETag"] == etag
        assert not {"content-type", "content-length"} & set(same.headers)


def test_a_document_of_another_client_office_kind_or_none_is_404(
    people: Cast, reader: Software, statement: Any
) -> None:
    number = people.bakery.company_number
    other = factories.make_client(people.janssens)
    theirs = factories.make_client(people.peeters)
    foreign = factories.make_document(theirs, contents={CODA: DATA})
    answers = [
        reader.document(people.janssens, other.company_number, statement.uuid),
        reader.document(people.janssens, number, foreign.uuid),
        reader.document(people.janssens, theirs.company_number, foreign.uuid),
        reader.document(people.janssens, number, statement.uuid, kind="sales-invoices"),
        reader.document(people.janssens, number, statement.uuid, kind="letters"),
        reader.document(people.peeters, theirs.company_number, foreign.uuid),
        reader.document(people.janssens, number, "0f8fad5b-d9cb-469f-a165-70867728950e"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_malformed_identifiers_in_the_path_are_400(people: Cast, reader: Software) -> None:
    number = people.bakery.company_number
    wrong = [reader.document(people.janssens, number, text) for text in ("x", "%00")]
    path = f"/accounting-offices/x/clients/{number}/bank-account-statements/x"
    for answer in (*wrong, reader.call("GET", path)):
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == "invalidParameter"


@pytest.mark.parametrize(
    ("kind", "path", "attributes", "date"),
    [(Kind.PAYROLL_STATEMENT, "payroll-statements", {"socialOfficeId": "S1"}, "createdAt"),
     (Kind.CREDIT_CARD_STATEMENT, "credit-card-statements",
      {"bankName": "B", "billingPeriod": "2026-01", "clientReference": "R"}, "receivedAt"),
     (Kind.SALES_INVOICE, "sales-invoices", {"invoicingSoftware": "I"}, "createdAt"),
     (Kind.PURCHASE_INVOICE, "purchase-invoices", {"availableContentTypes": ["application/xml"]},
      "receivedAt")],
)  # fmt: skip
def test_every_kind_is_searched_and_read(
    people: Cast, reader: Software, kind: Kind, path: str, attributes: Any, date: str
) -> None:
    card = kind == Kind.CREDIT_CARD_STATEMENT
    document = factories.make_document(
        people.bakery,
        kind=kind,
        attributes=attributes,
        contents={"application/xml": b"<x/>"},
        # A name that JSON has to escape.
        public_id=f'AB "{people.bakery.pk}" \\é' if card else None,
    )
    number = people.bakery.company_number
    names = {
        "payroll-statements": "payrollStatement",
        "credit-card-statements": "creditCardStatement",
        "sales-invoices": "salesInvoice",
        "purchase-invoices": "purchaseInvoice",
    }
    answer = reader.search(people.janssens, [number], documentType=names[path])
    public = document.public_id or str(document.uuid)
    assert ids(answer) == [public]
    read = reader.document(people.janssens, number, public, kind=path).json()["data"]
    assert read == answer.json()["included"]["documents"][0]
    assert set(read["attributes"]) == {*attributes, "version", "replaces", date}
    xml = reader.document(people.janssens, number, public, kind=path, accept="application/xml")
    assert xml.content == b"<x/>"


def test_soda_is_also_plain_xml(people: Cast, reader: Software) -> None:
    soda = "application/vnd.soda.v1+xml"
    document = factories.make_document(
        people.bakery,
        kind=Kind.PAYROLL_STATEMENT,
        attributes={"socialOfficeId": "S"},
        contents={soda: b"<soda/>"},
    )
    for accept in (soda, "application/xml"):
        answer = reader.document(
            people.janssens,
            people.bakery.company_number,
            document.uuid,
            kind="payroll-statements",
            accept=accept,
        )
        assert answer.content == b"<soda/>"
        assert answer.headers["Content-Type"] == accept


def test_credit_card_statements_page_by_a_uuid_of_their_own(people: Cast, reader: Software) -> None:
    for n in range(3):
        factories.make_document(
            people.bakery,
            kind=Kind.CREDIT_CARD_STATEMENT,
            attributes={},
            public_id=f"CARD{people.bakery.pk}-{n}",
            available_at=T0 + timedelta(hours=n),
        )
    number = people.bakery.company_number
    page = reader.search(
        people.janssens, [number], meta={"paging": {"limit": 2}}, documentType="creditCardStatement"
    )
    after = page.json()["meta"]["paging"]["after"]
    assert len(after) == 36
    rest = reader.search(
        people.janssens,
        [number],
        meta={"paging": {"limit": 2, "after": after}},
        documentType="creditCardStatement",
    )
    assert [*ids(page), *ids(rest)] == [f"CARD{people.bakery.pk}-{n}" for n in range(3)]
