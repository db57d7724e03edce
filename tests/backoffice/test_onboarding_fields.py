"""The entries of operators are checked field by field, and read as people write them."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Office
from partners.models import Partner
from tests import factories
from tests.backoffice.test_operators import ENTRY
from tests.conftest import Cast
from tests.test_access_matrix import as_person

FINGERPRINT = hashlib.sha256(b"a certificate").hexdigest()
AS_OPENSSL = "sha256 Fingerprint=" + ":".join(
    FINGERPRINT[at : at + 2].upper() for at in range(0, 64, 2)
)


def add_partner(cast: Cast, **entry: Any) -> Any:
    good = {"name": "Nova", "redirect_uris-0-uri": "https://nova.example/back"}
    return as_person(cast.dirk).post("/admin/partners/partner/add/", ENTRY | good | entry)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("legal_number", "BE 12"),
        ("legal_number", "0403170702"),
        ("colour", "chartreus"),
        ("redirect_uris-0-uri", "http://nova.example/back"),
        ("certificates-0-fingerprint", "not a fingerprint"),
    ],
)
def test_a_wrong_field_is_refused_and_named(cast: Cast, field: str, wrong: str) -> None:
    answer = add_partner(cast, **{"certificates-TOTAL_FORMS": 1, field: wrong})
    assert answer.status_code == 200
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not Partner.objects.filter(name="Nova").exists()


@pytest.mark.parametrize("number", ["BE 0403.170.701", "be0403170701", "403.170.701"])
def test_numbers_and_fingerprints_are_read_as_people_write_them(cast: Cast, number: str) -> None:
    add_partner(
        cast,
        legal_number=number,
        **{"certificates-TOTAL_FORMS": 1, "certificates-0-fingerprint": AS_OPENSSL},
    )
    nova = Partner.objects.get(name="Nova")
    assert nova.legal_number == "0403170701"
    assert [one.fingerprint for one in nova.certificates.all()] == [FINGERPRINT]


def test_dirk_reads_what_a_redirect_address_is(cast: Cast) -> None:
    page = as_person(cast.dirk).get("/admin/partners/partner/add/").content.decode()
    assert "Redirect addresses" in page
    assert "edirect uri" not in page
    assert "wants the browser back after the decision" in page
    assert "every address of this host" in page


def test_an_office_is_added_by_its_number_as_people_write_it(cast: Cast) -> None:
    number = factories.company_number()
    entry = {
        "name": "Nova Accounting",
        "company_number": f"BE {number[:4]}.{number[4:7]}.{number[7:]}",
        "language": "nl",
        "first_admin": "eva@nova.example",
    }
    as_person(cast.dirk).post("/admin/accounts/office/add/", entry)
    assert Office.objects.get(name="Nova Accounting").company_number == number


def test_the_database_knows_the_colours(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="known_colour"), transaction.atomic():
        Partner.objects.filter(pk=cast.ledgerly.pk).update(colour="chartreus")


def test_an_operator_adds_software_of_the_sandbox_and_it_stays_there(cast: Cast) -> None:
    add_partner(cast, kind="sandbox")
    nova = Partner.objects.get(name="Nova")
    assert (nova.kind, nova.listed) == ("sandbox", False)
    page = f"/admin/partners/partner/{nova.pk}/change/"
    assert "cannot be changed later" in as_person(cast.dirk).get(page).content.decode()
    entry = ENTRY | {"name": "Nova NV", "kind": "real"}
    answer = as_person(cast.dirk).post(page, entry)
    assert answer.status_code == 302
    nova.refresh_from_db()
    assert (nova.name, nova.kind, nova.listed) == ("Nova NV", "sandbox", False)


def test_software_is_real_unless_an_operator_says_otherwise(cast: Cast) -> None:
    add_partner(cast)
    nova = Partner.objects.get(name="Nova")
    assert (nova.kind, nova.listed) == ("real", True)
