"""What a wrong deployment is told at start, what https adds, and the checks of the house."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
NEEDED = ("DATABASE_URL", "REDIS_URL", "PORTAL_SECRET_KEY")
# Long and varied enough that Django has nothing to say about it.
SECRET = "Zr7!kq0Vw2#xLm9$Tb4&Nc6*Hd8(Js1)Yf3_Pg5+Ea"


def run(
    *command: str, without: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command of the project; an empty variable is as good as none, whatever var/env says."""
    given = os.environ | environment | dict.fromkeys(without, "")
    return subprocess.run(
        command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=240, check=False
    )


def manage(
    *words: str, without: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "manage.py", *words, without=without, **environment)


def settings_over(url: str, *names: str, **environment: str) -> dict[str, object]:
    """The settings of a process of its own, whose public address is `url`."""
    environment = {"PORTAL_DEMO": "0", "PORTAL_DEBUG": "0"} | environment
    code = (
        "import json, os; os.environ.pop('PORTAL_HOSTS', None);"
        "from codabox_portal import settings as s;"
        f"print(json.dumps({{n: getattr(s, n) for n in {names!r}}}, default=str))"
    )
    done = run(sys.executable, "-c", code, PORTAL_URL=url, **environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("missing", NEEDED)
def test_a_missing_setting_stops_the_start_with_a_sentence(missing: str) -> None:
    done = manage("check", without=(missing,))
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert f"{missing} is not set. Set it (for example {missing}=" in last
    assert "python3 portal.py demo" in last


def test_an_address_that_is_none_stops_the_start_with_a_sentence() -> None:
    done = manage("check", PORTAL_URL="portal.example")
    assert done.returncode != 0
    assert "PORTAL_URL must be a full address, not 'portal.example'" in done.stderr


def test_the_deploy_check_has_nothing_to_say_over_https() -> None:
    done = manage(
        *("check", "--deploy", "--fail-level", "WARNING", "--database", "default"),
        PORTAL_URL="https://portal.example",
        PORTAL_SECRET_KEY=SECRET * 2,
        PORTAL_DEMO="0",
        PORTAL_DEBUG="0",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "no issues" in done.stdout


def test_cookies_over_https_belong_to_this_host_alone() -> None:
    got = settings_over(
        "https://portal.example",
        *("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "LANGUAGE_COOKIE_NAME"),
        *("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "LANGUAGE_COOKIE_SECURE"),
        *("SESSION_COOKIE_HTTPONLY", "CSRF_COOKIE_HTTPONLY", "LANGUAGE_COOKIE_HTTPONLY"),
        *("SESSION_COOKIE_SAMESITE", "CSRF_COOKIE_SAMESITE", "LANGUAGE_COOKIE_SAMESITE"),
        *("SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "ALLOWED_HOSTS"),
    )
    for cookie in ("SESSION", "CSRF", "LANGUAGE"):
        assert str(got[f"{cookie}_COOKIE_NAME"]).startswith("__Host-"), cookie
        assert got[f"{cookie}_COOKIE_SECURE"] is True, cookie
        assert got[f"{cookie}_COOKIE_HTTPONLY"] is True, cookie
        assert got[f"{cookie}_COOKIE_SAMESITE"] == "Lax", cookie
    assert int(str(got["SECURE_HSTS_SECONDS"])) >= 365 * 24 * 3600
    assert got["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is True
    assert got["ALLOWED_HOSTS"] == ["portal.example"]


def test_a_portal_on_this_machine_keeps_plain_cookies() -> None:
    got = settings_over(
        "http://localhost:8000",
        *("SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SECURE_HSTS_SECONDS"),
    )
    assert got == {
        "SESSION_COOKIE_NAME": "portal_session",
        "SESSION_COOKIE_SECURE": False,
        "SECURE_HSTS_SECONDS": 0,
    }


def test_imports_run_one_way() -> None:
    done = run(str(TOOLS / "lint-imports"), "--no-cache")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "0 broken" in done.stdout


def test_ruff_finds_nothing() -> None:
    done = run(str(TOOLS / "ruff"), "check", "--no-cache", "--output-format", "concise", ".")
    assert done.returncode == 0, done.stdout[-3000:]


def test_ruff_would_format_nothing_anew() -> None:
    done = run(str(TOOLS / "ruff"), "format", "--no-cache", "--check", ".")
    assert done.returncode == 0, done.stdout[-3000:]


def test_mypy_finds_nothing() -> None:
    done = run(str(TOOLS / "mypy"))
    assert done.returncode == 0, done.stdout[-3000:]
