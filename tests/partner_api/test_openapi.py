"""The document, the URL table and what the server really answers are one and the same."""

from __future__ import annotations

import re
from typing import Any

import httpx
import orjson
import pytest
import schemathesis
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from partner_api import urls
from partner_api.openapi import openapi
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA, allow

pytestmark = pytest.mark.requirement(56, 59)


SHAPE: dict[str, Any] = orjson.loads(openapi())
METHODS = {"get", "post", "delete"}


def test_null_is_described_as_absent_wherever_a_search_takes_it() -> None:
    search: dict[str, Any] = {
        "data": {
            "type": "documentSearch",
            "attributes": {"documentType": "salesInvoice", "from": None, "to": None},
            "relationships": {"clients": {"data": [{"type": "client", "id": "0762460580"}]}},
        },
        "meta": {"paging": {"limit": None, "after": None}},
    }
    shape = {"$ref": "#/components/schemas/SearchRequest", "components": SHAPE["components"]}
    assert not [e.message for e in Draft202012Validator(shape).iter_errors(search)]


def test_every_path_of_the_url_table_is_described() -> None:
    described = set(SHAPE["paths"])
    table = {
        "/" + re.sub(r"<str:(\w+)>", r"{\1}", str(entry.pattern))
        for entry in urls.urlpatterns
        if entry.name not in ("nothing", "openapi", "developers", "reference", "guide", "postman")
    }
    assert described == table
    assert SHAPE["openapi"].startswith("3.1")


@pytest.mark.requirement(55)
def test_every_method_that_is_described_exists_and_no_other(
    portal: str, ledgerly: Software
) -> None:
    for path, operations in SHAPE["paths"].items():
        url = portal + re.sub(r"{\w+}", "00000000-0000-0000-0000-000000000000", path)
        for method in METHODS | {"put", "patch", "options"}:
            bearer = {"Authorization": f"Bearer {ledgerly.token}"}
            refused = httpx.request(method, url, headers=bearer).status_code == 405
            assert refused == (method not in operations), f"{method} {path}"


def test_the_shapes_are_valid_json_schema_and_all_are_used() -> None:
    text = orjson.dumps(SHAPE).decode()
    for name, shape in SHAPE["components"]["schemas"].items():
        Draft202012Validator.check_schema(shape)
        assert f"#/components/schemas/{name}" in text


def test_every_answer_names_its_request_id() -> None:
    for operations in SHAPE["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                assert "ibanity-request-id" in answer["headers"], status


def test_every_refusal_names_the_header_that_says_what_to_do() -> None:
    """As the contract has them; a 500 is described too, as everything may fail once."""
    named = {"401": "WWW-Authenticate", "405": "Allow", "429": "Retry-After", "503": "Retry-After"}
    for path, operations in SHAPE["paths"].items():
        for method, operation in operations.items():
            assert "500" in operation["responses"], f"{method} {path}"
            for status, answer in operation["responses"].items():
                assert named.get(status, "ibanity-request-id") in answer["headers"], status


def test_every_call_has_a_name_that_a_person_would_choose() -> None:
    """Generators name their methods so; each call stands in a group of the reference."""
    operations = [one for path in SHAPE["paths"].values() for one in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    groups = {tag["name"] for tag in SHAPE["tags"]}
    for operation in operations:
        assert re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", operation["operationId"])
        assert set(operation["tags"]) <= groups
        assert operation["summary"]
        assert operation["description"]


def test_the_document_is_served(portal: str) -> None:
    answer = httpx.get(f"{portal}/codabox-connect/openapi.json")
    served = answer.json()
    assert served.pop("servers") == [{"url": portal}]
    assert served["info"].pop("contact")["url"] == f"{portal}/developers"
    assert served == SHAPE
    assert answer.headers["Content-Type"] == "application/json"


@pytest.fixture
def software(portal: str, people: Cast) -> Software:
    allow(people.consent, people.anna)
    factories.make_document(people.bakery, contents={CODA: b"0" * 256})
    return Software(portal, people.ledgerly)


@pytest.mark.requirement(54)
def test_the_document_holds_against_generated_requests(
    portal: str, software: Software, people: Cast, rounds: float
) -> None:
    """Schemathesis: no 5xx and no answer that is not described; `--rounds 1000` for 100,000."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    schema = schemathesis.openapi.from_dict(SHAPE)
    schema.config.update(base_url=portal)
    strategies = [
        operation.ok().as_strategy(generation_mode=mode)  # type: ignore[union-attr]
        for operation in schema.get_all_operations()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]
    known = {
        "office": str(people.janssens.uuid),
        "consent": str(people.consent.uuid),
        "client": people.bakery.company_number,
    }
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
    ]
    seen: dict[int, int] = {}

    @settings(
        max_examples=int(100 * rounds),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(strategies), real=st.booleans())
    def one(case: Any, real: bool) -> None:
        # Half of the requests name what exists, or they would all end at 404.
        if real and case.method != "DELETE":
            for name in set(case.path_parameters or {}) & set(known):
                case.path_parameters[name] = known[name]
        # A revoked or another token would end at 401 for all that follows.
        headers = {"Authorization": f"Bearer {software.token}"}
        answer = case.call(headers=headers)
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        case.validate_response(answer, checks=checks)

    one()
    assert {200, 201} & set(seen), seen
    assert sum(seen.values()) >= 100 * min(rounds, 1)
