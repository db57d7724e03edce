"""Settings that are missing or wrong stop the start with a sentence; the deployment is safe."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
DEPLOYED = {
    "DATABASE_URL": "postgres://portal:word@db.example/portal",
    "REDIS_URL": "redis://redis.example:6379/0",
    "PORTAL_SECRET_KEY": "x" * 20 + "0123456789abcdefghijklmnopqrstuvwxyz-XYZ",
    "PORTAL_URL": "https://portal.example",
    "PORTAL_DEMO": "0",
    "PORTAL_TRUSTED_PROXIES": "1",
}


def python(program: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh interpreter, with nothing in the environment but what is given."""
    given = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "codabox_portal.settings"}
    given |= {name: value for name, value in (DEPLOYED | environment).items() if value is not None}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["PORTAL_SECRET_KEY", "DATABASE_URL", "REDIS_URL"])
def test_a_missing_setting_is_named_with_an_example(name: str) -> None:
    done = python("from django.conf import settings; settings.DEBUG", **{name: ""})
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert f"{name} is not set" in last
    assert f"{name}=" in last
    assert "python3 portal.py demo" in last


def test_an_address_without_scheme_is_refused() -> None:
    done = python("from django.conf import settings; settings.DEBUG", PORTAL_URL="portal.example")
    assert "PORTAL_URL must be a full address" in done.stderr.strip().splitlines()[-1]


def test_proof_cannot_be_kept_for_less_than_ten_years() -> None:
    done = python("from django.conf import settings; settings.DEBUG", PORTAL_PROOF_YEARS="9")
    assert "PORTAL_PROOF_YEARS must be at least 10" in done.stderr.strip().splitlines()[-1]
    program = "from django.conf import settings; print(settings.PORTAL_PROOF_YEARS)"
    assert python(program, PORTAL_PROOF_YEARS="12").stdout == "12\n"


def test_a_network_that_is_none_is_refused() -> None:
    done = python("from django.conf import settings; settings.DEBUG", PORTAL_METRICS_FROM="10.0/8")
    last = done.stderr.strip().splitlines()[-1]
    assert "PORTAL_METRICS_FROM" in last
    assert "10.0/8" in last


def test_cookies_of_a_deployment_are_bound_to_the_host() -> None:
    program = (
        "from django.conf import settings as s\n"
        "for c in ('SESSION', 'CSRF', 'LANGUAGE'):\n"
        "    print(*(getattr(s, f'{c}_COOKIE_{w}') for w in"
        " ('NAME', 'SECURE', 'HTTPONLY', 'SAMESITE')))\n"
        "print(s.SECURE_HSTS_SECONDS >= 31_536_000, s.SECURE_HSTS_INCLUDE_SUBDOMAINS, s.DEBUG)"
    )
    assert python(program).stdout.splitlines() == [
        "__Host-portal_session True True Lax",
        "__Host-portal_csrf True True Lax",
        "__Host-portal_language True True Lax",
        "True True False",
    ]


@pytest.mark.django_db
def test_a_role_that_skips_row_security_is_refused() -> None:
    assert not [error for error in run_checks(databases=["default"]) if error.id == "portal.E001"]
    with connection.cursor() as cursor:
        cursor.execute("select rolsuper or rolbypassrls from pg_roles where rolname = current_user")
        assert cursor.fetchone() == (False,)


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/no-such-page",
        "/static/portal/portal.css",
        "/codabox-connect",
        "/codabox-connect/no",
    ],
)
def test_every_answer_is_framed_by_nobody(portal: str, path: str) -> None:
    headers: Any = httpx.get(portal + path).headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_people_are_never_told_in_english_only() -> None:
    assert [code for code, _name in settings.LANGUAGES] == ["en", "nl", "fr", "de"]
