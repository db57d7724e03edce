"""The list of sessions names browsers as people know them."""

from __future__ import annotations

import pytest

from accounts.user_agents import name_of_user_agent
from tests.accounts.people import logged_in
from tests.conftest import Cast

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/140.0 Safari/537.36", "Chrome (Linux)"),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64) {WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge (Windows)",
        ),
        (f"Mozilla/5.0 (Linux; Android 15) {WEBKIT} Chrome/140.0 Mobile", "Chrome (Android)"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox (Linux)",
        ),
        (f"{IPHONE} Version/18.5 Mobile/15E148 Safari/604.1", "Safari (iPhone)"),
        (f"{IPHONE} CriOS/140.0 Mobile/15E148 Safari/604.1", "Chrome (iPhone)"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15_5) Version/18.5 Safari/605", "Safari (macOS)"),
        ("curl/8.5", "curl/8.5"),
        ("", ""),
    ],
)
def test_a_browser_is_named_in_two_words(header: str, name: str) -> None:
    assert name_of_user_agent(header) == name


def test_anna_reads_which_browser_is_logged_in(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    anna.get("/offices", headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"})
    (session,) = anna.get("/accounts/security/").context["sessions"]
    assert session.browser == name_of_user_agent(session.user_agent)
