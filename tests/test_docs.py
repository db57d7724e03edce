"""What the documentation tells a newcomer to type really works, and its links lead somewhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from consents.models import Consent
from demo.sandbox import SITUATIONS
from tests import factories
from tests.conftest import Cast, running_portal
from tests.factories import CODA, allow

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_the_docs_leads_to_a_file(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", text):
        assert (page.parent / target).exists(), target


def test_the_map_of_the_readme_names_every_folder() -> None:
    text = (ROOT / "README.md").read_text()
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    folders = {path.split("/")[0] for path in tracked if "/" in path}
    unnamed = {f for f in folders if f"`{f}/`" not in text} - {".ci", "docker", "requirements"}
    assert not unnamed


def test_every_error_code_is_explained_to_partners() -> None:
    told = (ROOT / "docs" / "partner-api.md").read_text()
    code = "".join(path.read_text() for path in (ROOT / "partner_api").rglob("*.py"))
    code += (ROOT / "consents" / "access.py").read_text()
    codes = set(re.findall(r'(?:refused\(\s*\d+,|Fault\(|= )\s*"([a-z]+[A-Z][A-Za-z]+)"', code))
    assert {"idempotencyConflict", "consentPaused", "notFound", "internalError"} <= codes
    missing = {c for c in codes if f"`{c}`" not in told}
    # 405 to 416 stand in one line by their numbers.
    assert missing <= {"methodNotAllowed", "notAcceptable", "payloadTooLarge",
                       "unsupportedMediaType"}  # fmt: skip


def test_every_situation_of_the_sandbox_is_named() -> None:
    told = (ROOT / "docs" / "partner-api.md").read_text()
    assert not [name for name in SITUATIONS if f"`{name}`" not in told]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl (Debian: apt install curl)")
def test_the_quick_start_of_the_partner_api_works(people: Cast, tmp_path: Path) -> None:
    """The shell blocks, word by word; the Admin allows after the first, as the text says."""
    text = (ROOT / "docs/partner-api.md").read_text()
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.S | re.M)
    asks, fetches, sandbox = [block for language, block in blocks if not language]
    data = b"0" * 128
    factories.make_document(people.bakery, contents={CODA: data})
    name, secret = factories.make_application(people.tally)
    factories.RedirectUri.objects.create(
        partner=people.tally, uri="https://software.example/callback"
    )
    with running_portal(tmp_path, PORTAL_DEMO="1") as portal:
        (tmp_path / "var").mkdir()
        told = {
            "api": f"{portal}/codabox-connect",
            "partners": [{"clientId": name, "clientSecret": secret}],
            "offices": [
                {
                    "companyNumber": people.janssens.company_number,
                    "clients": [{"companyNumber": people.bakery.company_number}],
                }
            ],
        }
        (tmp_path / "var" / "demo.json").write_text(json.dumps(told))
        kept = 'echo "API=$API ID=$ID SECRET=$SECRET OFFICE=$OFFICE CLIENT=$CLIENT TOKEN=$TOKEN" > kept\n'
        _shell(asks + kept, tmp_path)
        consent = json.loads((tmp_path / "consent.json").read_text())["data"]
        assert consent["attributes"]["status"] == "unconfirmed"
        allow(
            Consent.objects.select_related("office", "partner").get(uuid=consent["id"]), people.an
        )
        _shell(". ./kept\n" + fetches, tmp_path)
        assert (tmp_path / "statement.cod").read_bytes() == data
        answer = _shell(". ./kept\n" + sandbox, tmp_path)
        assert json.loads(answer)["situation"] == "paused"


def _shell(commands: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-euc", commands], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
