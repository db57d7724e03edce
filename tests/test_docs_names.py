"""What the documentation names is there: files, headings, commands, settings, metrics, tests."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands

pytestmark = pytest.mark.requirement(122)

ROOT = Path(__file__).resolve().parent.parent
FRONT = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
PAGES = [*FRONT, *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs" / "adr").glob("0*.md"))
# Made by a command or by the reader, so not in the repository.
MADE = ("var/", "certs/")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def in_code(page: Path) -> list[str]:
    """What stands between backticks in a page, and the lines of its blocks."""
    text = page.read_text()
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.S | re.M)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    return [*re.findall(r"`([^`\n]+)`", prose), *"".join(blocks).splitlines()]


@cache
def tracked() -> set[str]:
    """Every file and folder of the repository."""
    told = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    folders = {str(parent) for path in told for parent in Path(path).parents}
    return {*told, *folders}


@pytest.mark.parametrize("doc", PAGES, ids=name_of)
def test_every_path_that_a_page_names_exists(doc: Path) -> None:
    first = {path for path in tracked() if "/" not in path and path != "."}
    named = {
        code.rstrip("/").partition("::")[0]
        for code in in_code(doc)
        if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?(::\w+)?", code)
        and code.partition("/")[0] in first
        and not code.startswith(MADE)
        and ("/" in code or "." in code)
    }
    assert sorted(named - tracked()) == []


@pytest.mark.parametrize("doc", PAGES, ids=name_of)
def test_every_heading_that_a_link_names_exists(doc: Path) -> None:
    for target, heading in re.findall(r"\]\((?!http)([^)#]*)#([^)]+)\)", doc.read_text()):
        text = (doc.parent / target).read_text() if target else doc.read_text()
        headings = re.findall(r"^#+ (.+)$", text, re.M)
        slugs = {re.sub(r"[^\w\- ]", "", one).strip().lower().replace(" ", "-") for one in headings}
        assert heading in slugs, (target, heading)


@pytest.mark.parametrize("doc", PAGES, ids=name_of)
def test_every_command_that_a_page_names_exists(doc: Path) -> None:
    """Commands of `manage.py`, words of `portal.py` and of `make`."""
    code = "\n".join(in_code(doc))
    commands = set(re.findall(r"manage\.py ([a-z]\w+)", code))
    assert sorted(commands - set(get_commands())) == []
    words = set(re.findall(r"portal\.py ([a-z][\w-]+)", code))
    assert sorted(words - portal_words()) == []
    made = {
        word for line in re.findall(r"^make ([a-z][a-z -]+)", code, re.M) for word in line.split()
    }
    assert sorted(made - make_words()) == []


@cache
def portal_words() -> set[str]:
    told = subprocess.run(
        [sys.executable, "portal.py", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return set(re.findall(r"^    ([a-z][\w-]+)(?:  |$)", told, re.M))


@cache
def make_words() -> set[str]:
    text = (ROOT / "Makefile").read_text()
    words = re.search(r"^WORDS = (.*)$", text, re.M)
    rules = re.findall(r"^([a-z][\w-]*):", text, re.M)
    return {*rules, *(words[1].split() if words else [])}


def test_every_setting_is_documented_and_no_other() -> None:
    read = re.findall(r"\bPORTAL_[A-Z0-9_]+", (ROOT / "codabox_portal" / "settings.py").read_text())
    text = "\n".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"\bPORTAL_[A-Z0-9_]+", text))
    named -= {
        "PORTAL_DB_PASSWORD",
        "PORTAL_DB_OWNER_PASSWORD",
        "PORTAL_REDIS_PASSWORD",
    }  # of Docker
    # Secrets can lie in files.
    assert sorted({name.removesuffix("_FILE") for name in named - set(read)} - set(read)) == []
    environment = (ROOT / "docs" / "operations" / "environment.md").read_text()
    settings = (ROOT / "codabox_portal" / "settings.py").read_text()
    wanted = set(re.findall(r"[\"'](PORTAL_[A-Z0-9_]+)[\"']", settings))
    assert not {name for name in wanted if f"`{name}`" not in environment}


def test_every_metric_that_the_alarms_name_exists() -> None:
    text = (ROOT / "docs" / "operations" / "monitoring.md").read_text()
    code = (ROOT / "monitoring" / "metrics.py").read_text()
    named = set(re.findall(r"\bportal_[a-z_]+", text))
    assert named
    assert not {name for name in named if name.removesuffix("_total") not in code}


@cache
def names_of_tests() -> set[str]:
    return {
        node.name
        for file in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("doc", PAGES, ids=name_of)
def test_every_test_that_a_page_names_exists(doc: Path) -> None:
    named = {code for code in in_code(doc) if re.fullmatch(r"test_\w+", code)}
    assert sorted(named - names_of_tests()) == []


def test_every_case_of_the_domain_names_a_test() -> None:
    text = (ROOT / "docs" / "domain.md").read_text()
    rows = [line for line in text.splitlines() if re.match(r"\| [^-|]", line)]
    cases = [row for row in rows if not re.match(r"\| (rule|case) \|", row)]
    assert len(cases) > 80
    assert not [case for case in cases if "`test_" not in case]


@pytest.mark.parametrize("doc", DECISIONS, ids=name_of)
def test_a_decision_has_its_form(doc: Path) -> None:
    """Title with its number, status, date, context, options, decision, consequences."""
    text = doc.read_text()
    number = int(doc.name[:4])
    assert re.match(rf"# {number}\. \S", text)
    assert re.search(r"^\* Status: (proposed|accepted|superseded by \[)", text, re.M)
    assert re.search(r"^\* Date: 20\d\d-\d\d-\d\d$", text, re.M)
    headings = re.findall(r"^## (.+)$", text, re.M)
    assert headings == ["Context", "Options", "Decision", "Consequences"]
