"""The logo of software: what operators may give, what offices see, and what stays as proof."""

from __future__ import annotations

import hashlib
import io
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from PIL import Image, PngImagePlugin

from consents.evidence.verify import faults
from consents.models import Evidence
from partners.logos import Logo
from partners.models import Partner
from tests.accounts.people import logged_in
from tests.backoffice.test_operators import ENTRY
from tests.conftest import Cast
from tests.test_access_matrix import as_person

HIDDEN = "taken at the office of the vendor"


def picture(
    kind: str = "PNG",
    size: tuple[int, int] = (300, 200),
    tone: str = "#b52a2a",
    mode: str = "RGB",
    **options: object,
) -> bytes:
    drawn = io.BytesIO()
    Image.new(mode, size, tone).save(drawn, kind, **options)
    return drawn.getvalue()


def give(cast: Cast, content: bytes | None, name: str = "logo.png", **fields: object) -> Any:
    """Dirk saves the entry of Ledgerly, with this file in the field of its logo."""
    entry = {
        **ENTRY,
        "name": cast.ledgerly.name,
        "redirect_uris-TOTAL_FORMS": 0,
        "webhook_endpoint-TOTAL_FORMS": 0,
        **fields,
    }
    if content is not None:
        entry["picture"] = SimpleUploadedFile(name, content)
    path = f"/admin/partners/partner/{cast.ledgerly.pk}/change/"
    answer = as_person(cast.dirk).post(path, entry)
    cast.ledgerly.refresh_from_db()
    return answer


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_anna_sees_the_logo_that_dirk_gave(cast: Cast, kind: str) -> None:
    assert give(cast, picture(kind)).status_code == 302
    page = logged_in(cast.anna).get(f"/consent/{cast.consent.uuid}").content.decode()
    address = re.search(r'<img class="software-logo"\s+src="([^"]+)"', page)
    assert address is not None
    served = as_person(None).get(address[1])
    assert (served.status_code, served["Content-Type"]) == (200, "image/png")
    assert served["Cache-Control"] == "public, max-age=31536000, immutable"
    assert served["X-Content-Type-Options"] == "nosniff"
    drawn = Image.open(io.BytesIO(served.content))
    assert (drawn.size, drawn.mode) == ((192, 192), "RGBA")
    # The whole picture, in the middle of a square that is empty around it.
    assert drawn.getpixel((96, 10)) == (0, 0, 0, 0)
    middle: Any = drawn.getpixel((96, 96))
    assert middle[0] > 150


def test_without_a_logo_anna_sees_the_first_letters(cast: Cast) -> None:
    page = logged_in(cast.anna).get(f"/consent/{cast.consent.uuid}").content.decode()
    assert '<svg class="software-logo' in page
    assert '<img class="software-logo' not in page


def test_a_logo_nobody_gave_is_not_there(cast: Cast) -> None:
    assert as_person(None).get(f"/software/logos/{'0' * 64}.png").status_code == 404
    assert as_person(None).get("/software/logos/x.png").status_code == 404
    assert as_person(None).get("/software/logos/%00.png").status_code == 404


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (SVG, "PNG, JPEG or WebP"),
        (b"<html><script>alert(1)</script>", "PNG, JPEG or WebP"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "PNG, JPEG or WebP"),
        (picture()[:-40], "PNG, JPEG or WebP"),
        (picture("GIF"), "PNG, JPEG or WebP"),
        (picture("BMP"), "PNG, JPEG or WebP"),
        (picture("JPEG")[:300], "PNG, JPEG or WebP"),
        (picture(size=(47, 200)), "48 to 4096 pixels"),
        (picture(size=(4097, 100)), "48 to 4096 pixels"),
        # A few kilobytes that would fill the memory.
        (picture(size=(20_000, 20_000), mode="1"), "48 to 4096 pixels"),
        (picture() + b"\0" * 1024 * 1024, "at most 1 MB"),
        (b"", "empty"),
    ],
    ids=["svg", "html", "no-png", "cut-png", "gif", "bmp", "cut-jpeg", "small", "wide", "bomb", "big", "empty"],
)  # fmt: skip
def test_dirk_is_told_what_is_no_logo_and_nothing_changes(
    cast: Cast, content: bytes, told: str
) -> None:
    give(cast, picture())
    before = cast.ledgerly.logo_id
    answer = give(cast, content, vendor="Another NV")
    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert 'value="Another NV"' in answer.content.decode(), "what he typed is lost"
    assert (cast.ledgerly.logo_id, cast.ledgerly.vendor) == (before, "Nova NV")
    assert Logo.objects.count() == 1


def test_nothing_but_the_pixels_of_an_upload_is_served(cast: Cast) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", HIDDEN)
    place = Image.Exif()
    place[0x010E] = HIDDEN
    for content in (
        picture(pnginfo=text),
        picture("JPEG", exif=place, comment=HIDDEN),
        picture("PNG") + HIDDEN.encode(),
    ):
        assert HIDDEN.encode() in content
        assert give(cast, content).status_code == 302
        logo = cast.ledgerly.logo
        assert logo is not None
        assert HIDDEN.encode() not in bytes(logo.png)


def test_dirk_saves_other_things_and_the_logo_stays(cast: Cast) -> None:
    give(cast, picture())
    given = cast.ledgerly.logo_id
    assert give(cast, None, vendor="Another NV").status_code == 302
    assert (cast.ledgerly.logo_id, cast.ledgerly.vendor) == (given, "Another NV")


def test_dirk_takes_a_logo_away_and_the_history_tells(cast: Cast) -> None:
    give(cast, picture())
    short = str(cast.ledgerly.logo_id)[:12]
    assert f"logo: empty → {short}" in LogEntry.objects.latest("pk").change_message
    assert give(cast, None, **{"picture-clear": "on"}).status_code == 302
    assert cast.ledgerly.logo_id is None
    assert f"logo: {short} → empty" in LogEntry.objects.latest("pk").change_message
    # What an office saw stays to be looked at.
    assert as_person(None).get(Logo.objects.get().url).status_code == 200


def test_two_partners_with_one_picture_share_the_row(cast: Cast) -> None:
    give(cast, picture())
    cast.ledgerly, cast.tally = cast.tally, cast.ledgerly
    assert give(cast, picture()).status_code == 302
    assert cast.ledgerly.logo_id == cast.tally.logo_id == Logo.objects.get().pk


def test_the_database_keeps_a_logo_as_it_was(cast: Cast) -> None:
    give(cast, picture())
    rows = Logo.objects.filter(pk=cast.ledgerly.logo_id)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(png=b"another")
    Partner.objects.update(logo=None)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        Logo.objects.create(sha256=hashlib.sha256(b"one").hexdigest(), png=b"another")


def test_the_proof_names_the_logo_that_anna_saw_not_a_later_one(cast: Cast) -> None:
    give(cast, picture())
    seen = cast.ledgerly.logo_id
    anna, path = logged_in(cast.anna), f"/consent/{cast.consent.uuid}"
    terms = anna.get(path).context["terms"].pk
    wish = {"choice": "allow", "accept_terms": "on", "terms": terms}
    confirm = anna.post(path, wish)["Location"]
    give(cast, picture(tone="#1d5fc4"))
    assert cast.ledgerly.logo_id != seen
    anna.post(confirm, {"choice": parse_qs(urlsplit(confirm).query)["choice"][0]})
    assert Evidence.objects.get(event__consent=cast.consent).partner_logo == seen
    assert list(faults(cast.janssens.pk)) == []
