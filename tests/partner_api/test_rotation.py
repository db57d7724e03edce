"""A secret is changed without a failed call: two are valid for a while, and both tell their use."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from django.db.models.functions import Now

from partners.models import Application
from tests import factories
from tests.conftest import Cast

pytestmark = pytest.mark.requirement(42)


def login(portal: str, name: str, secret: str) -> int:
    answer = httpx.post(
        f"{portal}/codabox-connect/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(name, secret),
    )
    return answer.status_code


def test_both_secrets_work_during_a_rotation(portal: str, people: Cast) -> None:
    name, old = factories.make_application(people.ledgerly)
    assert login(portal, name, old) == 200
    application = Application.objects.get(client_id=name)
    assert application.secret_used_at is not None
    new = application.rotate_secret()
    assert login(portal, name, old) == 200
    assert login(portal, name, new) == 200
    application.refresh_from_db()
    assert application.secret_used_at is not None
    assert application.previous_secret_used_at is not None
    assert old not in (application.client_secret, application.previous_secret)
    assert new not in application.client_secret


def test_the_old_secret_ends_with_its_time(portal: str, people: Cast) -> None:
    name, old = factories.make_application(people.ledgerly)
    application = Application.objects.get(client_id=name)
    new = application.rotate_secret(keep_for=timedelta(hours=1))
    Application.objects.filter(pk=application.pk).update(previous_secret_until=Now())
    assert login(portal, name, old) == 401
    assert login(portal, name, new) == 200


def test_a_second_new_secret_never_ends_the_one_in_use(portal: str, people: Cast) -> None:
    name, first = factories.make_application(people.ledgerly)
    application = Application.objects.get(client_id=name)
    second, third = application.rotate_secret(), application.rotate_secret()
    # Nobody used the second one yet, so it makes room, and the software goes on with the first.
    assert [login(portal, name, secret) for secret in (first, second, third)] == [200, 401, 200]


def test_a_wrong_or_empty_secret_is_none_of_both(portal: str, people: Cast) -> None:
    name, _secret = factories.make_application(people.ledgerly)
    assert login(portal, name, "") == 401
    Application.objects.get(client_id=name).rotate_secret()
    assert login(portal, name, "") == 401
    assert login(portal, name, "wrong") == 401


def test_an_operator_rotates_by_command_and_sees_the_last_use(portal: str, people: Cast) -> None:
    from io import StringIO

    from django.core.management import CommandError, call_command
    from django.test import Client as Browser

    name, old = factories.make_application(people.ledgerly)
    out = StringIO()
    call_command("rotate_secret", name, stdout=out)
    new = out.getvalue().split("shown this once: ")[1].split()[0]
    assert [login(portal, name, secret) for secret in (old, new)] == [200, 200]
    operator = Browser()
    operator.force_login(people.dirk)
    page = operator.get(f"/admin/partners/application/?q={name}").content.decode()
    assert name in page
    application = Application.objects.get(client_id=name)
    page += operator.get(f"/admin/partners/application/{application.pk}/change/").content.decode()
    for secret in (old, new, application.client_secret, application.previous_secret):
        assert secret not in page
    with pytest.raises(CommandError, match="No credentials"):
        call_command("rotate_secret", "nobody")
