"""Why is this software refused? An office or software calls, and Dirk answers within three clicks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consents.models import ConsentActivity, EventKind
from mailer.models import OutgoingEmail
from partners.models import Partner
from tests import factories
from tests.backoffice.test_roles import with_role
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.test_access_matrix import as_person


def nothing(cast: Cast) -> None:
    allow(cast.consent, cast.anna)


def pause(cast: Cast) -> None:
    nothing(cast)
    cast.fresh().pause(acting(cast.anna))


def cancel(cast: Cast) -> None:
    nothing(cast)
    cast.fresh().cancel(acting(cast.anna))


def suspend_software(cast: Cast) -> None:
    nothing(cast)
    Partner.objects.filter(pk=cast.ledgerly.pk).update(status="suspended")


def suspend_office(cast: Cast) -> None:
    nothing(cast)
    cast.janssens.set_active(False)


def open_request(cast: Cast) -> None:
    """The cast begins with one."""


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        (nothing, "Granted"),
        (open_request, "has not decided"),
        (pause, "paused it, until an Admin resumes it"),
        (cancel, "was cancelled"),
        (suspend_software, "the software is not active"),
        (suspend_office, "the office is suspended"),
    ],
)
def test_dirk_reads_why_from_the_number_of_the_office(
    cast: Cast, situation: Callable[[Cast], None], words: str
) -> None:
    """Search, the office, the consent: three clicks, and the second page says it already."""
    situation(cast)
    dirk = as_person(cast.dirk)
    found = dirk.get("/admin/search/", {"q": cast.janssens.company_number}).content.decode()
    office = f"/admin/accounts/office/{cast.janssens.pk}/change/"
    consent = f"/admin/consents/consent/{cast.consent.pk}/change/"
    assert office in found
    of_office, of_consent = (dirk.get(page).content.decode() for page in (office, consent))
    assert consent in of_office
    assert words in of_office
    assert words in of_consent


def test_dirk_reads_scope_terms_downloads_and_mails(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    day = "2026-11-29"
    served = ConsentActivity.objects.create(consent=cast.consent, day=day, served=3)
    ConsentActivity.objects.filter(pk=served.pk).update(last_served_at=f"{day} 10:00+01:00")
    event = cast.consent.events.get(kind=EventKind.ALLOWED)
    OutgoingEmail.objects.create(
        message="consent_allowed",
        recipient=cast.anna.email,
        dedupe_key=f"{event.uuid}.{cast.anna.pk}",
    )
    page = as_person(cast.dirk).get(f"/admin/consents/consent/{cast.consent.pk}/change/")
    shown = page.content.decode()
    assert f"consent_allowed · {cast.anna.email} · waits" in shown
    assert "29 November 2026, 10:00" in shown
    assert f"Version {factories.terms_in_force().version}, read in" in shown
    assert "companies." in shown
    assert cast.bakery.name not in shown, "numbers of companies, not their names"


def test_finn_who_sees_no_consents_reads_none_on_the_page_of_the_office(cast: Cast) -> None:
    finn = as_person(with_role("onboarding"))
    page = finn.get(f"/admin/accounts/office/{cast.janssens.pk}/change/").content.decode()
    assert cast.janssens.name in page
    assert "/admin/consents/consent/" not in page
