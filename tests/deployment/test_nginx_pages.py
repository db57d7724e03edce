"""What nginx itself writes down, and what it shows to people."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.deployment.test_nginx import NGINX, running_nginx

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx (Debian: apt install nginx-light)")


def test_the_log_names_no_key_of_a_link(tmp_path: Path) -> None:
    keys = [f"key{uuid.uuid4().hex}" for _ in range(5)]
    paths = [
        f"/invitation/{keys[0]}",
        f"/me/email/{keys[1]}",
        f"/accounts/password/reset/key/5-{keys[2]}/",
        f"/consent/{uuid.uuid4()}/confirm?choice={keys[3]}",
        f"//invitation/./{keys[4]}",
    ]
    away = f"http://localhost:{free_port()}"
    with running_nginx(tmp_path, away) as front, front.client() as http:
        for path in paths:
            http.get(front.url + path)
    log = (tmp_path / "access.log").read_text()
    assert "/invitation/..." in log
    assert "/me/email/..." in log
    assert "/accounts/password/reset/key/..." in log
    assert [key for key in keys if key in log] == []


def test_people_read_a_page_while_no_web_process_answers(tmp_path: Path) -> None:
    with (
        running_nginx(tmp_path, f"http://localhost:{free_port()}") as front,
        front.client() as http,
    ):
        page = http.get(f"{front.url}/accounts/login/")
        answer = http.get(f"{front.url}/codabox-connect/accounting-office-consents/x")
    assert page.status_code == 503
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Retry-After"] == "5"
    assert all(f'lang="{language}"' in page.text for language in ("en", "nl", "fr", "de"))
    assert answer.json()["errors"][0]["code"] == "temporarilyUnavailable"
