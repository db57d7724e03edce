"""What software was promised stays: a break is seen before they see it.

`python3 portal.py test tests/partner_api/test_contract.py --renew-contract` writes the contract
down anew, on purpose: an addition with a line in the changelog, a break after it was announced.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.partner_api.contract import Shape, breaking, contract, promise, promised

pytestmark = pytest.mark.requirement(59)


def test_nothing_that_was_promised_is_broken(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    now = contract()
    if request.config.getoption("--renew-contract"):
        promise(now)
    breaks = breaking(promised(), now)
    operations = sum(map(len, promised()["openapi"]["paths"].values()))
    told = f"{operations} operations, {len(now['codes'])} codes: {len(breaks)} breaking changes"
    record_property("measured", told)
    assert breaks == []
    # Nothing is added by accident either, nor promised without being written down.
    assert now == promised(), "only additions: renew the contract (see the top of this file)"


def schemas(document: Shape) -> Any:
    return document["openapi"]["components"]["schemas"]


def search(document: Shape) -> Any:
    path = "/codabox-connect/accounting-offices/{office}/document-searches"
    return document["openapi"]["paths"][path]["post"]


BREAKS: dict[str, Callable[[Shape], Any]] = {
    "a path": lambda c: c["openapi"]["paths"].popitem(),
    "a method": lambda c: c["openapi"]["paths"]["/codabox-connect/accounting-office-consents/{consent}"].popitem(),
    "a status": lambda c: search(c)["responses"].pop("201"),
    "a header": lambda c: search(c)["responses"]["201"]["headers"].popitem(),
    "a media type": lambda c: search(c)["requestBody"]["content"].popitem(),
    "a code": lambda c: c["codes"].pop(),
    "a member": lambda c: schemas(c)["Token"]["properties"].pop("expires_in"),
    "a certain member": lambda c: schemas(c)["Token"]["required"].remove("scope"),
    "a deep member": lambda c: schemas(c)["Fault"]["properties"].pop("code"),
    "an attribute of one kind": lambda c: schemas(c)["SalesInvoiceAttributes"]["properties"].pop("invoicingSoftware"),
    "a certain attribute of one kind": lambda c: schemas(c)["SalesInvoiceAttributes"]["required"].remove("version"),
    "a kind": lambda c: schemas(c)["Document"]["oneOf"].pop(),
    "a type": lambda c: schemas(c)["Token"]["properties"]["expires_in"].update(type="string"),
    "a type that may be null": lambda c: schemas(c)["Token"]["properties"]["expires_in"].update(type=["integer", "null"]),
    "authentication": lambda c: search(c).update(security=[]),
    "a required parameter": lambda c: search(c).setdefault("parameters", []).append(
        {"in": "query", "name": "new", "required": True, "schema": {}}
    ),
}  # fmt: skip
ADDITIONS: dict[str, Callable[[Shape], Any]] = {
    "a path": lambda c: c["openapi"]["paths"].update({"/codabox-connect/new": {"get": {}}}),
    "a code": lambda c: c["codes"].append("brandNew"),
    "a member": lambda c: schemas(c)["Token"]["properties"].update(new={"type": "string"}),
    "a certain member": lambda c: schemas(c)["Token"]["required"].append("new"),
    "a status": lambda c: search(c)["responses"].update({"418": {"headers": {}}}),
    "a parameter": lambda c: search(c).setdefault("parameters", []).append(
        {"in": "query", "name": "new", "schema": {}}
    ),
    "words": lambda c: search(c).update(description="Said otherwise."),
}  # fmt: skip


@pytest.mark.parametrize("what", BREAKS)
def test_a_break_is_told(what: str) -> None:
    changed = deepcopy(promised())
    BREAKS[what](changed)
    assert breaking(promised(), changed), what


@pytest.mark.parametrize("what", ADDITIONS)
def test_an_addition_is_no_break(what: str) -> None:
    changed = deepcopy(promised())
    ADDITIONS[what](changed)
    assert changed != promised()
    assert breaking(promised(), changed) == []
