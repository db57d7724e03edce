"""A secret is replaced in two rolling restarts: nobody is asked to log in, no session is lost."""

from __future__ import annotations

from typing import Any

import pytest

from consents.models import Status
from tests.accounts.people import logged_in
from tests.conftest import Cast

OLD, NEW = ("a-secret-of-" + word + 40 * "x" for word in ("before", "now"))
# What a host has, before the first roll, after it, and after the second one (docs/operations/keys.md).
Secrets = tuple[str, list[str]]
BEFORE: Secrets = (OLD, [])
KNOWS_BOTH: Secrets = (OLD, [NEW])
AFTER: Secrets = (NEW, [OLD])


class Hosts:
    """The next request meets a host with these secrets."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    def meet(self, host: Secrets) -> None:
        self.settings.SECRET_KEY, self.settings.SECRET_KEY_FALLBACKS = host


@pytest.mark.requirement(96)
def test_anna_clicks_through_two_rolls_and_is_never_asked_who_she_is(
    cast: Cast, settings: Any
) -> None:
    hosts = Hosts(settings)
    hosts.meet(BEFORE)
    anna = logged_in(cast.anna)
    session = anna.cookies[settings.SESSION_COOKIE_NAME].value
    rolls = [BEFORE, KNOWS_BOTH, BEFORE, KNOWS_BOTH, AFTER, KNOWS_BOTH, AFTER, AFTER]
    for host in rolls:
        hosts.meet(host)
        for path in (f"/offices/{cast.janssens.slug}", f"/consent/{cast.consent.uuid}"):
            assert anna.get(path).status_code == 200, (host, path)
        # A request that another tab sent at the same time has the same cookie.
        assert anna.cookies[settings.SESSION_COOKIE_NAME].value == session, host
        (only,) = anna.get("/accounts/security/").context["sessions"]
        assert only.session_key == session, host


@pytest.mark.requirement(96)
def test_a_decision_begins_on_one_host_and_ends_on_the_other(cast: Cast, settings: Any) -> None:
    hosts = Hosts(settings)
    hosts.meet(KNOWS_BOTH)
    anna = logged_in(cast.anna)
    path = f"/consent/{cast.consent.uuid}"
    hosts.meet(AFTER)
    terms = anna.get(path).context["terms"].pk
    chosen = anna.post(path, {"choice": "allow", "accept_terms": "on", "terms": terms})
    hosts.meet(KNOWS_BOTH)
    signed = anna.get(chosen["Location"]).context["signed"]
    hosts.meet(AFTER)
    assert anna.post(f"{path}/confirm", {"choice": signed}).status_code == 303
    assert cast.fresh().status == Status.ALLOWED


def test_without_the_former_secret_every_session_ends(cast: Cast, settings: Any) -> None:
    """For the day on which somebody else knows the secret."""
    hosts = Hosts(settings)
    hosts.meet(BEFORE)
    anna = logged_in(cast.anna)
    hosts.meet((NEW, []))
    assert anna.get(f"/offices/{cast.janssens.slug}").status_code == 302


def test_a_new_password_ends_the_sessions_of_before(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    cast.anna.set_password("another long password")
    cast.anna.save()
    assert anna.get(f"/offices/{cast.janssens.slug}").status_code == 302
