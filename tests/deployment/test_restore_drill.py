"""The restore drill of docs/operations.md: a real dump of yesterday, restored, revives nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx

from tests import factories
from tests.conftest import ROOT, Cast, Software, running_portal
from tests.deployment.durable import Durable
from tests.deployment.process_list import Deployment
from tests.factories import CODA, allow


def fetch_all(softwares: list[Software], there: Cast, document: object) -> list[int]:
    """Each software fetches the same document; the statuses they get."""
    number = there.bakery.company_number
    fetched = [
        software.document(there.janssens, number, document, accept=CODA) for software in softwares
    ]
    for answer in fetched:
        assert answer.status_code == 200 or answer.content.startswith(b'{"errors"')
    return [answer.status_code for answer in fetched]


def manage(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )


def test_a_backup_of_yesterday_revives_nothing_and_its_api_is_closed_before(
    there: Cast, deployment: Deployment, servers: Durable, tmp_path: Path
) -> None:
    partners = [there.ledgerly, there.tally, factories.make_partner("Kept")]
    softwares = [deployment.software(partner) for partner in partners]
    consents = [allow(factories.make_request(there.janssens, one), there.an) for one in partners]
    document = factories.make_document(there.bakery, contents={CODA: b"0" * 1280}).uuid
    assert fetch_all(softwares, there, document) == [200, 200, 200]

    dump = tmp_path / "portal.dump"
    servers.superuser("pg_dump", "--format=custom", f"--file={dump}", "portal")
    # The day goes on: An ends one access, the software gives up the other.
    with deployment.person(there.an) as an:
        assert an.cancel(there.janssens.slug, consents[0].uuid)
    path = f"/accounting-office-consents/{consents[1].uuid}"
    assert softwares[1].call("DELETE", path).status_code == 204
    assert fetch_all(softwares, there, document) == [403, 403, 200]

    # The disaster, and yesterday's backup in an empty database.
    servers.superuser(
        "createdb", "--owner=portal", "--encoding=UTF8", "--template=template0", "new"
    )
    servers.superuser("pg_restore", "--exit-on-error", "--dbname=new", str(dump))
    of_that_day = {
        "DATABASE_URL": servers.database_url.removesuffix("/portal") + "/new",
        "REDIS_URL": servers.redis_url,
        "PORTAL_ENDED_FILE": deployment.environment["PORTAL_ENDED_FILE"],
    }
    with running_portal(tmp_path, **of_that_day) as url:
        for software in softwares:
            software.http = httpx.Client(base_url=url)
        ready = httpx.get(f"{url}/health/ready")
        assert (ready.status_code, ready.text) == (503, "manage.py end_again waits\n")
        assert fetch_all(softwares, there, document) == [503, 503, 503]
        assert softwares[0].call("GET", "/events").status_code == 503
        told = manage(os.environ | of_that_day, "end_again")
        assert told.stdout == "2 ended again\n"
        assert httpx.get(f"{url}/health/ready").status_code == 200
        assert fetch_all(softwares, there, document) == [403, 403, 200]
        assert manage(os.environ | of_that_day, "verify_ledger").stdout.endswith(" 0 faults\n")
