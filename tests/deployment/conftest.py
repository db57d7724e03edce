"""What runs in production, on servers of its own, and the servers of the partners."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from partners.models import Partner
from tests.conftest import Cast, make_cast
from tests.databases import address_of_database
from tests.deployment.durable import Durable, durable, rows_of, wait_for_the_database
from tests.deployment.process_list import Deployment, deployed
from tests.deployment.receivers import HANGS, Receivers
from tests.deployment.test_nginx import NGINX


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    HANGS.clear()
    with HTTPServer(threaded=True) as server:
        yield Receivers(server)
        HANGS.set()
        # The public directory, which other tests look at, would list all of these.
        crowd = Partner.objects.filter(webhook_endpoint__url__startswith=server.url_for("/"))
        crowd.update(listed=False)


@pytest.fixture(scope="package")
def servers() -> Iterator[Durable]:
    """A PostgreSQL and a Valkey of our own, as durable as in production."""
    with durable() as servers:
        yield servers


@pytest.fixture(scope="package")
def whole_list(
    servers: Durable,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
    rounds: float,
) -> Iterator[Deployment]:
    """The whole process list; every test of this folder that needs it uses the same.

    The everyday round takes its tables from the test database, a release migrates.
    """
    if NGINX is None:
        pytest.skip("no nginx (Debian: apt install nginx-light)")
    folder = tmp_path_factory.mktemp("deployment")
    given = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
    if rounds <= 1:
        with django_db_blocker.unblock():
            servers.copy_tables(address_of_database("owner"))
    owner_url = servers.owner_url if rounds > 1 else None
    with deployed(folder, owner_url, **given) as deployment:
        yield deployment


@pytest.fixture
def deployment(
    whole_list: Deployment, servers: Durable, django_db_blocker: Any
) -> Iterator[Deployment]:
    """The running list; the rows of this test are those of its database."""
    with django_db_blocker.unblock(), rows_of(servers):
        yield whole_list
        wait_for_the_database()


@pytest.fixture
def there(deployment: Deployment) -> Cast:
    """The cast, in the database of the running list."""
    return make_cast()
