"""Every sample of the guide does what it says, word by word, in the languages at hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import orjson
import pytest

from core.row_security import every_office
from core.sandbox import World
from documents.models import Document
from notifications.models import WebhookEndpoint
from notifications.webhooks.standard_webhooks import headers, secret_of
from partner_api.guide import FOLDER, LANGUAGES
from partner_api.openapi import openapi
from tests import factories
from tests.conftest import Cast, free_port
from tests.factories import CODA, allow

# What each language needs, and where Debian has it.
TOOLS = {
    "bash": {"curl": "curl", "jq": "jq", "openssl": "openssl"},
    "python": {},
    "typescript": {"node": "nodejs"},
    "php": {"php": "php-cli"},
    "java": {"java": "openjdk-17-jdk-headless"},
}
BODY = b'{"data":{"type":"codaboxConnect.test"}}'
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
# How a program of each language is told the answer of the sample: 0, or another status.
ASKS = {
    "bash": "ID=$WEBHOOK_ID TIMESTAMP=$WEBHOOK_TIMESTAMP SIGNATURE=$WEBHOOK_SIGNATURE\n"
    "is_genuine body\n",
    "python": "import os, sys\n"
    f"sent = {{n: os.environ[n.upper().replace('-', '_')] for n in {HEADERS}}}\n"
    "sys.exit(not is_genuine(os.environ['SECRET'], sent, open('body', 'rb').read()))\n",
    "typescript": 'import { readFileSync } from "node:fs";\n'
    f"const sent = Object.fromEntries({list(HEADERS)}.map("
    "(n) => [n, process.env[n.toUpperCase().replace('-', '_')]]));\n"
    "process.exit(isGenuine(process.env.SECRET, sent, readFileSync('body')) ? 0 : 1);\n",
    "php": f"foreach ({list(HEADERS)} as $n) "
    "$sent[$n] = getenv(strtoupper(str_replace('-', '_', $n)));\n"
    "exit(is_genuine(getenv('SECRET'), $sent, file_get_contents('body')) ? 0 : 1);\n",
    "java": "public static void main(String[] args) throws Exception {\n"
    "  var env = System.getenv();\n"
    + "".join(f'  String h{n} = "{name}";\n' for n, name in enumerate(HEADERS))
    + '  var sent = Map.of(h0, env.get("WEBHOOK_ID"), h1, env.get("WEBHOOK_TIMESTAMP"),'
    ' h2, env.get("WEBHOOK_SIGNATURE"));\n'
    '  var body = java.nio.file.Files.readAllBytes(java.nio.file.Path.of("body"));\n'
    '  System.exit(isGenuine(env.get("SECRET"), sent, body) ? 0 : 1);\n}\n',
}


def all_samples(page: str, language: str) -> list[str]:
    text = (FOLDER / f"{page}.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.S | re.M)


def samples(page: str, language: str) -> str:
    """All samples of one language on one page, one after the other."""
    return "".join(all_samples(page, language))


def java(program: str, *, in_main: bool) -> str:
    imports = re.findall(r"^import .*\n", program, re.M)
    rest = re.sub(r"^import .*\n", "", program, flags=re.M)
    if in_main:
        rest = f"public static void main(String[] args) throws Exception {{\n{rest}}}\n"
    return f"{''.join(imports)}class Sample {{\n{rest}}}\n"


def run(language: str, program: str, folder: Path, told: Mapping[str, str]) -> int:
    """Run a program in the folder, with these variables; return its status."""
    return done(language, program, folder, told).returncode


def done(
    language: str, program: str, folder: Path, told: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a program in the folder, with these variables."""
    for tool, package in TOOLS[language].items():
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} (Debian: apt install {package})")
    commands: dict[str, tuple[str, list[str]]] = {
        "bash": ("sample.sh", ["bash", "-eu"]),
        "python": ("sample.py", [sys.executable]),
        "typescript": ("sample.mjs", ["node"]),
        "php": ("sample.php", ["php"]),
        "java": ("Sample.java", ["java", "-XX:TieredStopAtLevel=1"]),
    }
    name, command = commands[language]
    (folder / name).write_text(("<?php\n" if language == "php" else "") + program)
    ended = subprocess.run(
        [*command, name],
        cwd=folder,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    print(ended.stdout, ended.stderr)
    return ended


@pytest.mark.parametrize("language", TOOLS)
def test_the_quick_start_fetches_the_first_statement(
    language: str, portal: str, people: Cast, tmp_path: Path
) -> None:
    """Ledgerly, whose consent Anna has allowed, has the file on its disk in the end."""
    allow(people.consent, people.anna)
    statement = b"0" * 126 + b"\r\n"
    document = factories.make_document(people.bakery, contents={CODA: statement})
    client_id, secret = factories.make_application(people.ledgerly)
    program = samples("quick-start", language)
    told = {
        "API": f"{portal}/codabox-connect",
        "CLIENT_ID": client_id,
        "CLIENT_SECRET": secret,
        "OFFICE_NUMBER": people.janssens.company_number,
    }
    program = java(program, in_main=True) if language == "java" else program
    assert run(language, program, tmp_path, told) == 0
    assert (tmp_path / f"{document.uuid}.cod").read_bytes() == statement


@pytest.mark.requirement(122)
@pytest.mark.parametrize("language", TOOLS)
def test_the_sandbox_is_tried_word_by_word(
    language: str, portal: str, people: Cast, tmp_path: Path
) -> None:
    """From the token to the first file, with the credentials of the sandbox."""
    partner = factories.make_partner("Sandly", kind=World.SANDBOX, listed=False)
    client_id, secret = factories.make_application(partner)
    told = {
        "API": f"{portal}/codabox-connect",
        "CLIENT_ID": client_id,
        "CLIENT_SECRET": secret,
    }
    program = "".join(
        [
            all_samples("quick-start", language)[0],
            samples("sandbox", language),
            all_samples("quick-start", language)[-1],
        ]
    )
    program = java(program, in_main=True) if language == "java" else program
    ended = done(language, program, tmp_path, told)
    assert ended.returncode == 0
    status, filed, document = ended.stdout.split()
    assert (status, filed) == ("confirmed", "1")
    with every_office():
        assert Document.objects.filter(uuid=document).exists()
    assert (tmp_path / f"{document}.cod").read_bytes().startswith(b"0000")


@pytest.mark.parametrize("language", TOOLS)
def test_a_webhook_is_found_genuine_and_a_changed_one_is_not(
    language: str, cast: Cast, tmp_path: Path
) -> None:
    endpoint = WebhookEndpoint.objects.create(partner=cast.ledgerly, url="https://software.example")
    sent = {
        name.upper().replace("-", "_"): value for name, value in headers(endpoint, "an-id", BODY)
    }
    told = {**sent, "SECRET": secret_of(endpoint)}
    program = samples("webhooks", language) + ASKS[language]
    program = java(program, in_main=False) if language == "java" else program
    (tmp_path / "body").write_bytes(BODY)
    assert run(language, program, tmp_path, told) == 0
    (tmp_path / "body").write_bytes(BODY + b" ")
    assert run(language, program, tmp_path, told) == 1
    (tmp_path / "body").write_bytes(BODY)
    old = {**told, "WEBHOOK_TIMESTAMP": str(int(told["WEBHOOK_TIMESTAMP"]) - 400)}
    assert run(language, program, tmp_path, old) == 1


def test_the_receiver_says_what_is_genuine(cast: Cast, tmp_path: Path) -> None:
    endpoint = WebhookEndpoint.objects.create(partner=cast.ledgerly, url="https://software.example")
    (receiver,) = all_samples("webhooks", "py")
    (tmp_path / "genuine.py").write_text(samples("webhooks", "python"))
    (tmp_path / "receiver.py").write_text(receiver)
    port = free_port()
    told = {**os.environ, "SECRET": secret_of(endpoint), "PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "receiver.py"], cwd=tmp_path, env=told, stdout=subprocess.PIPE, text=True
    )
    try:
        line = httpx.Client(
            base_url=f"http://localhost:{port}", transport=httpx.HTTPTransport(retries=8)
        )
        signed = dict(headers(endpoint, "an-id", BODY))
        assert line.post("/", content=BODY, headers=signed).status_code == 200
        assert line.post("/", content=BODY + b" ", headers=signed).status_code == 400
    finally:
        process.terminate()
    said, _errors = process.communicate(timeout=10)
    assert [one.split(" {")[0] for one in said.splitlines()] == ["genuine", "not genuine"]


def test_each_sample_comes_in_every_language() -> None:
    for page in ("quick-start", "sandbox", "webhooks"):
        text = (FOLDER / f"{page}.md").read_text()
        counts = {
            language: len(re.findall(rf"^```{language}$", text, re.M)) for language in LANGUAGES
        }
        assert len(set(counts.values())) == 1, counts
        assert all(counts.values())


def test_csharp_that_nothing_here_can_run_is_read_against_the_contract() -> None:
    """Its addresses are real, and its members are those that Python's sample reads when it runs."""
    csharp, python = samples("quick-start", "csharp"), samples("quick-start", "python")
    known = {re.sub(r"\{\w+\}", "{}", path) for path in orjson.loads(openapi())["paths"]}
    texts = re.findall(r'\$"(\{(?:Env|office)[^"]*(?:"\w+"[^"]*)*)"', csharp)
    found = {
        re.sub(r"\{[^}]*\}", "{}", re.sub(r"^\{office\}", "/accounting-offices/{}", text))
        for text in (text.replace('{Env("API")}', "").replace("{query}", "") for text in texts)
        if "CLIENT" not in text
    }
    office = "/accounting-offices/{}"
    expected = {"/oauth2/token", "/accounting-office-consents", f"{office}/document-changes"}
    assert expected <= found
    for address in found - {office}:
        path = f"/codabox-connect{address}"
        assert path.replace("bank-account-statements", "{}") in known, address
    members = set(re.findall(r'\["(\w+)"\]', csharp))
    assert {"access_token", "accountingOfficeId", "included", "after"} <= members
    assert members <= set(re.findall(r"\w+", python))
