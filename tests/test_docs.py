"""What the documentation tells a newcomer to type really works, and its links lead somewhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from demo.sandbox import SITUATIONS
from partner_api.views.tokens import DESCRIPTIONS
from tests import factories
from tests.conftest import Cast, running_portal

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
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
    told = (ROOT / "docs" / "partner-api" / "errors.md").read_text()
    code = "".join(path.read_text() for path in (ROOT / "partner_api").rglob("*.py"))
    code += (ROOT / "consents" / "access.py").read_text()
    codes = set(re.findall(r'(?:refused\(\s*\d+,|Fault\(|= )\s*"([a-z]+[A-Z][A-Za-z]+)"', code))
    assert {"idempotencyConflict", "consentPaused", "notFound", "internalError"} <= codes
    missing = {c for c in codes if f"`{c}`" not in told}
    # 405 to 416 stand in one line by their numbers.
    assert missing <= {"methodNotAllowed", "notAcceptable", "payloadTooLarge",
                       "unsupportedMediaType"}  # fmt: skip


def test_every_error_of_the_token_endpoint_is_explained_to_partners() -> None:
    told = (ROOT / "docs" / "partner-api" / "errors.md").read_text()
    codes = {*DESCRIPTIONS, "too_many_requests"}
    assert not {one for one in codes if f"`{one}`" not in told}


def test_every_situation_of_the_sandbox_is_named() -> None:
    told = (ROOT / "docs" / "partner-api" / "sandbox.md").read_text()
    assert not [name for name in SITUATIONS if f"`{name}`" not in told]


def shell_blocks(page: str) -> dict[str, list[str]]:
    """The blocks of a page of the guide, by their language."""
    found: dict[str, list[str]] = {}
    text = (ROOT / "docs" / "partner-api" / f"{page}.md").read_text()
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.S | re.M):
        found.setdefault(language, []).append(block)
    return found


@pytest.mark.requirement(122)
@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl (Debian: apt install curl)")
def test_the_sandbox_takes_what_the_demo_wrote(people: Cast, tmp_path: Path) -> None:
    """The shell blocks, word by word; tests/partner_api/test_samples.py runs the samples."""
    blocks = shell_blocks("sandbox")
    name, secret = factories.make_application(people.tally)
    with running_portal(tmp_path, PORTAL_DEMO="1") as portal:
        (tmp_path / "var").mkdir()
        told = {
            "api": f"{portal}/codabox-connect",
            "partners": [{"clientId": name, "clientSecret": secret}],
            "offices": [{"companyNumber": people.janssens.company_number}],
        }
        (tmp_path / "var" / "demo.json").write_text(json.dumps(told))
        commands = "".join(blocks[""])
        done = subprocess.run(
            ["bash", "-euc", commands], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["situation"] == "paused"
