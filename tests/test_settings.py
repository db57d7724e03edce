"""Settings that are missing or wrong stop the start with a sentence; the deployment is safe."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.db import connection

pytestmark = pytest.mark.requirement(97)


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


# Reads cases, and reads the settings anew for each: a process each would cost a minute.
READ = """
import json, os, runpy, sys
right, said = dict(os.environ), {}
for name, change in json.load(sys.stdin).items():
    os.environ.clear()
    os.environ.update({k: v for k, v in (right | change).items() if v is not None})
    try:
        found = runpy.run_path("codabox_portal/settings.py")
        said[name] = {k: v for k, v in found.items() if k.isupper() and k != "LOGGING"}
        said[name]["known"] = {k: type(v).__name__ for k, v in found["_env"].known.items()}
    except SystemExit as end:
        said[name] = end.code
print(json.dumps(said, default=str))
"""


def read(cases: dict[str, dict[str, str | None]]) -> dict[str, Any]:
    """The settings of each environment, or the sentences with which they stop the start."""
    given = {"PATH": os.environ["PATH"], **DEPLOYED}
    command = [sys.executable, "-c", READ]
    done = subprocess.run(
        command, cwd=ROOT, env=given, input=json.dumps(cases), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    """Every setting and the type of its value."""
    found: dict[str, str] = read({"right": {}})["right"]["known"]
    return found


NEEDED = ("PORTAL_SECRET_KEY", "PORTAL_URL", "DATABASE_URL", "REDIS_URL")
# What is wrong for each that is neither a number nor a switch, and cannot be any text.
WRONG = {
    "DATABASE_URL": "sqlite:///portal.db",
    "DATABASE_OWNER_URL": "postgres://owner@host:many/portal",
    "DATABASE_SUPERUSER_URL": "postgres://host",
    "REDIS_URL": "http://redis.example",
    "EMAIL_URL": "mail.example",
    "PORTAL_URL": "portal.example",
    "PORTAL_PROBE_URL": "https://portal.example/path",
    "PORTAL_DEMO_SOFTWARE_URL": "software",
    "PORTAL_SUPPORT_EMAIL": "support",
    "PORTAL_MAIL_FROM": "MyCodaBox <no-reply>",
    "PORTAL_NGINX_LOCATION": "_documents",
    "PORTAL_METRICS_FROM": "10.0/8",
    "PORTAL_CERTIFICATE_PROXIES": "nginx",
    "PORTAL_WEBHOOKS_CA": "/no/such/file",
    "PORTAL_OPERATOR_OIDC_ISSUER": "http://login.example/realm",
    "PORTAL_RECEIPT_KEY": "c2hvcnQ=",
    "PORTAL_STORAGE_S3": "s3://bucket",
    "PORTAL_CHECKPOINTS": "s3://bucket",
    "PORTAL_RETENTION_MONTHS": "payslip=12",
    "PORTAL_ACCESS_LOG_MONTHS": "119",
    "PORTAL_QUEUE": "two words",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318",
    "PORTAL_SENTRY_DSN": "https://sentry.example/1",
}
SECRETS = (
    *("PORTAL_SECRET_KEY", "PORTAL_FORMER_SECRET_KEYS", "PORTAL_RECEIPT_KEY"),
    *("PORTAL_PROBE_SECRET", "PORTAL_STORAGE_S3", "PORTAL_CHECKPOINTS", "EMAIL_URL"),
    *("PORTAL_OPERATOR_OIDC_CLIENT_SECRET", "PORTAL_SENTRY_DSN"),
    *("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SUPERUSER_URL", "REDIS_URL"),
)
ANY_TEXT = {
    *("PORTAL_NAME", "PORTAL_MAIL_DIR", "PORTAL_PROBE_CLIENT", "PORTAL_PROBE_SECRET"),
    *("PORTAL_ENDED_CONSENTS_FILE", "PORTAL_SECRET_KEY", "PORTAL_FORMER_SECRET_KEYS"),
    *("PORTAL_HOSTS", "PORTAL_DROP_FOLDER", "PORTAL_STORAGE", "PORTAL_OPERATOR_OIDC_NAME"),
    *("PORTAL_OPERATOR_OIDC_CLIENT_ID", "PORTAL_OPERATOR_OIDC_CLIENT_SECRET"),
}


@pytest.mark.requirement(121)
def test_each_wrong_value_stops_the_start_with_a_sentence_that_names_it(
    known: dict[str, str],
) -> None:
    numbers = [name for name, kind in known.items() if kind == "int"]
    flags = [name for name, kind in known.items() if kind == "bool"]
    assert len(numbers) >= 9
    assert len(flags) >= 4
    files = {f"{name}_FILE" for name in SECRETS}
    assert known.keys() == {*numbers, *flags, *WRONG, *ANY_TEXT, *files}
    cases = [(name, text) for name in numbers for text in ("many", "1.5", "-1")]
    cases += [(name, "perhaps") for name in flags]
    cases += [*WRONG.items(), *((name, "/no/such/file") for name in files)]
    told = read(
        # A file takes the place of the secret itself.
        {f"{name}={text}": {name.removesuffix("_FILE"): None, name: text} for name, text in cases}
    )
    for name, text in cases:
        (sentence,) = told[f"{name}={text}"].splitlines()
        assert re.match(rf"{name} (must|names)\b.*\.$", sentence), sentence
        # The word of a secret is shown to nobody.
        shown = repr(text) in sentence or text == "/no/such/file"
        assert shown != (name in SECRETS), sentence


@pytest.mark.requirement(109, 121)
def test_an_openid_provider_needs_credentials_and_is_called_by_its_host() -> None:
    issuer: dict[str, str | None] = {"PORTAL_OPERATOR_OIDC_ISSUER": "https://login.example/realm"}
    client: dict[str, str | None] = {"PORTAL_OPERATOR_OIDC_CLIENT_ID": "portal"}
    secret: dict[str, str | None] = {"PORTAL_OPERATOR_OIDC_CLIENT_SECRET": "s"}
    told = read(
        {
            "alone": dict(issuer),
            "no secret": issuer | client,
            "whole": issuer | client | secret,
            "description": {
                "PORTAL_OPERATOR_OIDC_ISSUER": "https://a.be/.well-known/openid-configuration"
            },
        }
    )
    for case in ("alone", "no secret"):
        assert told[case] == (
            "PORTAL_OPERATOR_OIDC_ISSUER needs PORTAL_OPERATOR_OIDC_CLIENT_ID and "
            "PORTAL_OPERATOR_OIDC_CLIENT_SECRET."
        )
    assert told["whole"]["PORTAL_OPERATOR_OIDC_NAME"] == "login.example"
    assert "must be the issuer alone" in told["description"]


@pytest.mark.requirement(121)
def test_what_is_absent_or_empty_is_named_with_an_example_or_has_its_default(
    known: dict[str, str],
) -> None:
    cases: dict[str, dict[str, str | None]] = {name: {name: None} for name in NEEDED}
    cases |= {f"empty {name}": {name: ""} for name in known}
    cases["right"] = {}
    told = read(cases)
    for name in NEEDED:
        assert told[name] == told[f"empty {name}"]
        assert re.match(rf"{name} is not set\. Set it \(for example {name}=", told[name])
        assert told[name].endswith("start everything with `python3 portal.py demo`.")
    for name in known.keys() - set(NEEDED) - {"PORTAL_DEMO", "PORTAL_TRUSTED_PROXIES"}:
        assert told[f"empty {name}"] == told["right"], name


@pytest.mark.requirement(121)
def test_a_wrong_start_says_all_that_is_wrong_and_shows_no_traceback() -> None:
    told = python(
        "from django.conf import settings; settings.DEBUG", PORTAL_URL="", PORTAL_QUEUE="a b"
    )
    assert told.returncode == 1
    first, second = told.stderr.splitlines()
    assert first.startswith("PORTAL_URL is not set.")
    assert second.startswith("PORTAL_QUEUE must be one word")


@pytest.mark.requirement(121)
def test_a_secret_can_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("postgres://portal:from-a-file@db.example/portal\n")
    cases: dict[str, dict[str, str | None]] = {
        "file": {"DATABASE_URL": None, "DATABASE_URL_FILE": str(file)},
        "both": {"DATABASE_URL_FILE": str(file)},
    }
    told = read(cases)
    assert told["file"]["DATABASES"]["default"]["PASSWORD"] == "from-a-file"
    assert told["both"] == (
        "DATABASE_URL and DATABASE_URL_FILE are both set: take one of them away."
    )


@pytest.mark.requirement(121)
def test_a_name_that_is_no_setting_is_told_with_the_one_that_is_meant() -> None:
    cases: dict[str, dict[str, str | None]] = {
        "mistyped": {"PORTAL_TRUSTED_PROXY": "1", "PORTAL_BREAD": "1"},
        "kubernetes": {"PORTAL_SERVICE_HOST": "10.0.0.1", "PORTAL_PORT_8000_TCP": "tcp://10.0.0.1"},
    }
    told = read(cases)
    assert told["mistyped"]["UNKNOWN_ENVIRONMENT"] == {
        "PORTAL_TRUSTED_PROXY": "PORTAL_TRUSTED_PROXIES",
        "PORTAL_BREAD": "",
    }
    assert told["kubernetes"]["UNKNOWN_ENVIRONMENT"] == {}
    program = "import codabox_portal.wsgi"
    said = python(program, PORTAL_TRUSTED_PROXY="1", DATABASE_URL="postgres://x@127.0.0.1:9/x")
    assert "unknown_setting" in said.stderr
    assert '"meant":"PORTAL_TRUSTED_PROXIES"' in said.stderr


@pytest.mark.requirement(121)
def test_a_bucket_has_no_place_in_nginx() -> None:
    bucket: dict[str, str | None] = {"PORTAL_STORAGE_S3": "https://s3.example/bucket"}
    told = read({"both": {**bucket, "PORTAL_NGINX_LOCATION": "/_documents"}, "one": bucket})
    assert told["both"].startswith("PORTAL_NGINX_LOCATION is for a folder")
    assert told["one"]["STORAGES"]["documents"]["OPTIONS"]["bucket_name"] == "bucket"


@pytest.mark.requirement(122)
def test_the_docs_have_the_defaults_of_the_code() -> None:
    page = (ROOT / "docs/operations/environment.md").read_text()
    rows = re.findall(r"^\| `(PORTAL_\w+)` \| .* \| `([^`]+)` \|$", page, re.M)
    assert len(rows) >= 12
    program = (
        "import json; from codabox_portal.settings import _env, BASE_DIR;"
        "print(json.dumps({k: str(v).replace(f'{BASE_DIR}/', '') for k, v in _env.known.items()}))"
    )
    defaults = json.loads(python(program).stdout)
    for name, said in rows:
        if "…" not in said and not said.startswith("PORTAL_"):
            found = (
                ",".join(json.loads(defaults[name].replace("'", '"')))
                if (defaults[name].startswith("["))
                else defaults[name]
            )
            assert found == said, name


@pytest.mark.requirement(35)
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


@pytest.mark.requirement(50)
@pytest.mark.django_db
def test_a_role_that_skips_row_security_is_refused() -> None:
    assert not [error for error in run_checks(databases=["default"]) if error.id == "portal.E001"]
    with connection.cursor() as cursor:
        cursor.execute("select rolsuper or rolbypassrls from pg_roles where rolname = current_user")
        assert cursor.fetchone() == (False,)


@pytest.mark.requirement(32)
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


def test_further_host_names_do_not_take_the_portals_own_away() -> None:
    """`PORTAL_HOSTS=127.0.0.1` lets Prometheus in; people still come by the name of PORTAL_URL."""
    said = read({"none": {}, "one": {"PORTAL_HOSTS": "127.0.0.1"}})
    assert said["none"]["ALLOWED_HOSTS"] == ["portal.example"]
    assert said["one"]["ALLOWED_HOSTS"] == ["portal.example", "127.0.0.1"]
