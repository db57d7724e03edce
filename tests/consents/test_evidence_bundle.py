"""Receipt and evidence bundle: what an auditor keeps, and can check without us."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.test import Client as Browser
from pypdf import PdfReader

from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.pdf_parts import parts

pytestmark = pytest.mark.requirement(76)


TEXT = {"type": "string", "minLength": 1}


def a_list(**members: Any) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": an_object(**members)}


def an_object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(members), "properties": members}


# The sections of a consent record: ISO/IEC TS 27560:2023, 6.3.3 to 6.3.7.
TS_27560 = an_object(
    schema_version={"const": "ISO/IEC TS 27560:2023"},
    record_id={"type": "string", "pattern": "^[0-9a-f-]{36}$"},
    pii_principal_id={"type": "string", "pattern": "^[0-9]{10}$"},
    pii_processing=an_object(
        privacy_notice=an_object(
            terms_version={"type": "integer"},
            sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"},
        ),
        language={"enum": ["en", "nl", "fr", "de"]},
        purposes=a_list(
            purpose=TEXT,
            lawful_basis={"const": "consent"},
            pii_information=a_list(pii_type=TEXT),
            pii_controllers={"type": "array", "minItems": 1, "items": TEXT},
            collection_method=TEXT,
            withdrawal_method={"type": "string", "pattern": "^https?://"},
            jurisdiction=TEXT,
        ),
    ),
    party_identification=a_list(party_id=TEXT, party_name=TEXT, party_role=TEXT),
    event=a_list(
        event_time={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT.*Z$"},
        event_type=TEXT,
        event_state={"enum": ["given"]},
        entity_id=TEXT,
        validity_duration=TEXT,
    ),
)


@pytest.fixture
def anna(cast: Cast) -> Browser:
    return logged_in(cast.anna)


def path_of(cast: Cast, name: str) -> str:
    return f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}/{name}"


def unpacked(cast: Cast, anna: Browser) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(anna.get(path_of(cast, "evidence")).content)) as pack:
        assert pack.testzip() is None
        return {name: pack.read(name) for name in pack.namelist()}


def read_signed(content: bytes, key: dict[str, str]) -> dict[str, Any]:
    """The record of a signed file, once its signature fits the key; never with a changed letter."""
    signed = json.loads(content)
    public = Ed25519PublicKey.from_public_bytes(_bytes(key["x"]))
    signature = _bytes(signed["signature"]["value"])
    public.verify(signature, signed["record"].encode())
    with pytest.raises(InvalidSignature):
        public.verify(signature, (signed["record"] + " ").encode())
    record: dict[str, Any] = json.loads(signed["record"])
    return record


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_receipt_has_the_shape_of_the_standard_and_the_published_key(
    cast: Cast, anna: Browser
) -> None:
    allow(cast.consent, cast.anna)
    content = anna.get(path_of(cast, "receipt")).content
    published = Browser().get("/receipt-keys").json()["keys"][0]
    assert json.loads(content)["key"] == published
    told = read_signed(content, published)
    jsonschema.validate(told, TS_27560)
    assert told["given_by"]["email"] == cast.anna.email
    assert told["consent"]["id"] == str(cast.consent.uuid)
    assert told["ledger"]["seal"] == cast.consent.events.get(kind="allowed").event_hash
    names = [party["party_name"] for party in told["party_identification"]]
    assert names == [cast.ledgerly.name, cast.janssens.name]
    kinds = told["pii_processing"]["purposes"][0]["pii_information"]
    assert [kind["pii_type"] for kind in kinds] == cast.ledgerly.document_kinds


def test_every_file_of_the_bundle_is_proved(cast: Cast, anna: Browser) -> None:
    allow(cast.consent, cast.anna)
    cast.fresh().pause(acting(cast.anna))
    cast.fresh().cancel(acting(cast.anna), reason="moved to other software")
    files = unpacked(cast, anna)
    key = Browser().get("/receipt-keys").json()["keys"][0]
    receipt = read_signed(files["receipt.json"], key)
    listed = read_signed(files["contents.json"], key)["files"]
    assert set(files) == {*listed, "contents.json", "check.html"}
    for name, digest in listed.items():
        assert hashlib.sha256(files[name]).hexdigest() == digest, name
    terms = hashlib.sha256(files["terms.txt"]).hexdigest()
    assert terms == receipt["pii_processing"]["privacy_notice"]["sha256"]
    told = []
    for one in json.loads(files["events.json"]):
        assert hashlib.sha256(one["sealed"].encode()).hexdigest() == one["seal"]
        event = json.loads(one["sealed"])["event"]
        people = hashlib.sha256((one["salt"] + one["people"]).encode())
        assert event["personal"] == people.hexdigest()
        told.append(event | json.loads(one["people"]))
    assert [event["kind"] for event in told] == ["requested", "allowed", "paused", "cancelled"]
    assert (told[3]["name"], told[3]["reason"]) == ("Anna", "moved to other software")
    hashes = [one["seal"] for one in json.loads(files["events.json"])]
    assert hashes == list(
        cast.consent.events.order_by("number").values_list("event_hash", flat=True)
    )


@pytest.mark.parametrize(
    ("language", "words"),
    {
        "en": ("Evidence", "History", "Purchase invoices"),
        "nl": ("Bewijs", "Geschiedenis", "Aankoopfacturen", "Wachtwoord"),
        "fr": ("Preuve", "Historique", "Factures d’achat", "de passe"),
        "de": ("Nachweis", "Verlauf", "Eingangsrechnungen", "Passwort"),
    }.items(),
)
def test_the_pdf_speaks_the_language_of_the_office(
    cast: Cast, anna: Browser, language: str, words: tuple[str, ...]
) -> None:
    cast.janssens.language = language
    cast.janssens.save()
    allow(cast.consent, cast.anna)
    cast.fresh().cancel(acting(cast.anna), reason="Łódź & <Zonen>")
    files = unpacked(cast, anna)
    paper = PdfReader(io.BytesIO(files["evidence.pdf"]), strict=True)
    text = " ".join("".join(page.extract_text() for page in paper.pages).split())
    for word in (*words, str(cast.consent.uuid), "Łódź & <Zonen>", cast.anna.email):
        assert word in text
    root: Any = paper.trailer["/Root"]
    assert root["/Lang"] == language
    # Each point of a list has a line of its own, as on the screen.
    lines = "\n".join(page.extract_text() for page in paper.pages).splitlines()
    points = [one for one in factories.terms_in_force().body.splitlines() if "•" in one]
    assert len(points) > 1
    assert [line for line in lines if "•" in line] == points
    assert f'<html lang="{language}">' in files["check.html"].decode()
    pages: list[Any] = list(paper.pages)
    fonts = {font for page in pages for font in page["/Resources"]["/Font"].values()}
    # The typeface travels along, and so do its letters beyond Latin-1.
    for font in fonts:
        (embedded,) = font.get_object()["/DescendantFonts"]
        assert "/FontFile2" in embedded.get_object()["/FontDescriptor"]
    assert paper.metadata is not None
    assert paper.metadata.creation_date is not None
    age = datetime.now(UTC) - paper.metadata.creation_date
    assert timedelta() <= age < timedelta(minutes=5)
    # Title, facts, the history as a table with three named columns, the terms with their lists.
    names = [part.name for part in parts(paper)]
    assert names[1:3] == ["/Title", "/L"]
    assert (names.count("/Table"), names.count("/TH"), names.count("/H1")) == (1, 3, 2)
    assert names.count("/LI") == names.count("/Lbl") > len(points)
