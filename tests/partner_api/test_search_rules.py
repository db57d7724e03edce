"""connect-api section 5: each member of a search has its rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests import factories
from tests.conftest import Cast, Software
from tests.partner_api.answers import T0, errors, ids, iso

NUMBER = "/data/relationships/clients/data"
BAD = [
    ("documentType", None, "/data/attributes/documentType"),
    ("documentType", "invoice", "/data/attributes/documentType"),
    ("documentType", ["salesInvoice"], "/data/attributes/documentType"),
    ("from", "yesterday", "/data/attributes/from"),
    ("from", "2026-01-01T00:00:00", "/data/attributes/from"),
    ("from", "2026-13-01T00:00:00Z", "/data/attributes/from"),
    ("from", 5, "/data/attributes/from"),
    ("to", "0001-01-01T00:00:00+14:00", "/data/attributes/to"),
    ("limit", 0, "/meta/paging/limit"),
    ("limit", 1001, "/meta/paging/limit"),
    ("limit", "50", "/meta/paging/limit"),
    ("limit", True, "/meta/paging/limit"),
    ("limit", 1.5, "/meta/paging/limit"),
    ("after", "x", "/meta/paging/after"),
    ("after", 7, "/meta/paging/after"),
    ("after", "0f8fad5b-d9cb-469f-a165-70867728950e", "/meta/paging/after"),
    ("clients", [], NUMBER),
    ("clients", "0762460580", NUMBER),
    ("clients", [{"type": "client"}], f"{NUMBER}/0"),
    ("clients", [{"id": "1"}, {"id": 5}], f"{NUMBER}/1"),
    ("clients", [{"id": "1"}] * 5001, NUMBER),
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


def post(reader: Software, people: Cast, body: Any) -> Any:
    return reader.call(
        "POST", f"/accounting-offices/{people.janssens.uuid}/document-searches", json=body
    )


def test_all_faults_of_a_search_are_told_at_once(people: Cast, reader: Software) -> None:
    body = {
        "data": {
            "type": "client",
            "attributes": {"documentType": 5, "from": "x", "to": "y"},
            "relationships": {"clients": {"data": []}},
        },
        "meta": {"paging": {"limit": 0, "after": "z"}},
    }
    answer = post(reader, people, body)
    assert answer.status_code == 400
    assert {pointer for _code, pointer in errors(answer)} == {
        "/data/type", "/data/attributes/documentType", "/data/attributes/from",
        "/data/attributes/to", NUMBER, "/meta/paging/limit", "/meta/paging/after",
    }  # fmt: skip
    assert {code for code, _pointer in errors(answer)} == {"validationError"}


WRONG_VALUES = [7, True, 1.5, "", "x", [], [1], {}, {"a": 1}, 10**30, -1, "\u00e9", "9" * 5000]


@pytest.mark.parametrize("value", WRONG_VALUES, ids=range(len(WRONG_VALUES)))
@pytest.mark.parametrize(
    "path",
    [("data",), ("data", "type"), ("data", "attributes"), ("data", "attributes", "documentType"),
     ("data", "attributes", "from"), ("data", "attributes", "to"), ("data", "relationships"),
     ("data", "relationships", "clients"), ("data", "relationships", "clients", "data"),
     ("data", "relationships", "clients", "data", 0),
     ("data", "relationships", "clients", "data", 0, "id"), ("meta", "paging", "after")],
    ids=lambda path: ".".join(map(str, path)),
)  # fmt: skip
def test_no_value_at_any_member_crashes_a_search(
    people: Cast, reader: Software, path: tuple[Any, ...], value: Any
) -> None:
    body: Any = {
        "data": {
            "type": "documentSearch",
            "attributes": {"documentType": "bankAccountStatement", "from": None, "to": None},
            "relationships": {"clients": {"data": [{"type": "client", "id": "0762460580"}]}},
        },
        "meta": {"paging": {"after": None}},
    }
    place = body
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    answer = post(reader, people, body)
    if path[-1] == "id" and isinstance(value, str):
        # Any text may be the number of a client; it is just not known here.
        assert answer.status_code == 201
        assert answer.json()["meta"]["unknownClients"] == [value]
    else:
        assert answer.status_code == 400
        assert all(error["detail"] for error in answer.json()["errors"])


@pytest.mark.parametrize("moment", [
    "", " ", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-01-01T00:00Z",
    "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
    "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.12345678Z", "2026-01-01T00:00:00+25:00",
    "2026-01-01T00:00:00+1", "2026-01-01T00:00:00Zx", "x2026-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
    "+2026-01-01T00:00:00Z", "２０２６-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "1767225600",
])  # fmt: skip
def test_a_moment_that_is_none_is_400(people: Cast, reader: Software, moment: str) -> None:
    for name in ("from", "to"):
        answer = reader.search(people.janssens, ["0762460580"], **{name: moment})
        assert errors(answer) == [("validationError", f"/data/attributes/{name}")]


@pytest.mark.parametrize("ending", ["Z", "z", "+00:00", "-00:00", "+0000", "+14:00", "-11:30", ".1Z", ".1234567Z", ".123+01:00"])  # fmt: skip
def test_every_way_to_write_a_moment_is_read(people: Cast, reader: Software, ending: str) -> None:
    for separator in ("T", "t"):
        moment = f"{T0:%Y-%m-%d}{separator}{T0:%H:%M:%S}{ending}"
        answer = reader.search(people.janssens, ["0762460580"], **{"from": moment})
        assert answer.status_code == 201, moment


@pytest.mark.parametrize("limit", [1, 100, 1000])
def test_the_limit_reaches_from_1_to_1000(people: Cast, reader: Software, limit: int) -> None:
    answer = reader.search(people.janssens, ["0762460580"], meta={"paging": {"limit": limit}})
    assert answer.status_code == 201
    assert answer.json()["meta"]["paging"] == {"limit": limit}


def test_paging_inside_data_is_no_paging(people: Cast, reader: Software) -> None:
    body = {
        "data": {
            "attributes": {"documentType": "bankAccountStatement"},
            "relationships": {"clients": {"data": [{"id": "0762460580"}]}},
            "meta": {"paging": {"limit": 0}},
        }
    }
    answer = post(reader, people, body)
    assert answer.json()["meta"]["paging"] == {"limit": 100}


def test_five_thousand_clients_are_searched_at_once(people: Cast, reader: Software) -> None:
    document = factories.make_document(people.bakery, available_at=T0)
    numbers = [f"{n:010d}" for n in range(4999)] + [people.bakery.company_number]
    answer = reader.search(people.janssens, numbers)
    assert ids(answer) == [str(document.uuid)]
    assert answer.json()["meta"]["unknownClients"] == numbers[:-1]


def test_a_client_named_twice_is_searched_once(people: Cast, reader: Software) -> None:
    document = factories.make_document(people.bakery, available_at=T0)
    number = people.bakery.company_number
    answer = reader.search(people.janssens, [number, number, "x", "x"])
    assert ids(answer) == [str(document.uuid)]
    assert answer.json()["meta"]["unknownClients"] == ["x"]


def test_unknown_members_of_a_search_are_ignored(people: Cast, reader: Software) -> None:
    body = {
        "data": {
            "id": "x",
            "attributes": {"documentType": "bankAccountStatement", "new": [1]},
            "relationships": {"clients": {"data": [{"id": "1", "x": 1}], "links": {}}, "x": 1},
            "x": {},
        },
        "meta": {"paging": {"limit": 5, "x": 1}, "x": 1},
        "jsonapi": {"version": "1.0"},
        "links": None,
    }
    assert post(reader, people, body).status_code == 201
