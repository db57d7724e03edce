"""Software that makes the last `to` its next `from` gets everything, once, whatever happens.

So does software that follows the list of changes: its copy is what it may read, at every end.

A history is random: documents arrive, some commit late; an office leaves companies and kinds out
and shares them again, gives companies away and takes them back, archives, pauses, cancels and
allows again; two partners poll two offices and crash in between.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import AccessToken

from accounts.models import Office, User
from clients.models import Client
from consents.models import Consent, Status
from consents.scope import ScopeChange, change_scope, clients_in_scope
from core.clock import database_time
from core.document_kinds import BY_TYPE
from core.row_security import every_office
from documents.ingest.visibility_horizon import horizon_held_back
from documents.models import Document, IngestBatch
from documents.retention import delete_rows
from partners.models import Application, Partner
from tests import factories
from tests.conftest import Cast
from tests.factories import acting, allow, terms_in_force
from tests.partner_api.change_poller import ChangePoller

pytestmark = pytest.mark.requirement(117)

TYPES = ("bankAccountStatement", "salesInvoice")
KINDS = {kind: BY_TYPE[kind].kind for kind in TYPES}
# So many unknown numbers that the office is walked in time order, not company by company.
STRANGERS = [f"{n:010d}" for n in range(300)]


@dataclass
class Poller:
    """Software that knows nothing but the recipe; it keeps one `from` for all kinds, or one each."""

    consent: Consent
    token: str
    one_cursor: bool
    starts: dict[str, str | None] = field(default_factory=dict)
    found: Counter[str] = field(default_factory=Counter)
    # The same software follows the list of changes beside its searches.
    follower: ChangePoller | None = None


@dataclass
class Late:
    """A batch that has inserted a document and not committed it."""

    client: Client
    line: psycopg.Connection
    batch: int
    document: str
    kind: str


@dataclass
class Made:
    """A document of the history."""

    client: Client
    type: str


class History:
    def __init__(self, seed: int, people: Cast, http: Browser) -> None:
        self.dice = random.Random(seed)
        self.http = http
        self.offices: dict[int, tuple[Office, User]] = {
            people.janssens.pk: (people.janssens, people.anna),
            people.peeters.pk: (people.peeters, people.chloe),
        }
        self.clients = [factories.make_client(people.janssens) for _ in "123"]
        self.clients.append(factories.make_client(people.peeters))
        self.made: dict[str, Made] = {}
        self.late: list[Late] = []
        self.log: list[str] = []
        # What a partner could have fetched before it was hidden; it may have come too late for it.
        self.could_be_fetched: set[tuple[int, str]] = set()
        self.pollers: list[Poller] = []
        for partner in (factories.make_partner("Ledgerly"), factories.make_partner("Tally")):
            token = _token(partner)
            for office, admin in self.offices.values():
                consent = factories.make_request(office, partner)
                poller = Poller(consent, token, self.dice.random() < 0.5)
                poller.follower = ChangePoller(office, token, http, self.fail)
                self.pollers.append(poller)
                for _ in range(self.dice.randrange(3)):
                    self.change_scope(poller)
                allow(consent, admin)

    def run(self, steps: int) -> None:
        actions: list[Callable[[], None]] = [
            *[self.arrives] * 8,
            *[self.poll_one] * 6,
            *[self.follow_one] * 6,
            *[self.scope] * 6,
            *[self.begin_late, self.end_late] * 2,
            *[self.transfer] * 2,
            self.archive_or_restore,
            self.pause_or_resume,
            self.cancel,
            self.allow_again,
            self.retention,
            self.registration,
        ]
        try:
            for _ in range(steps):
                self.dice.choice(actions)()
        finally:
            while self.late:
                self.commit(self.late[0])

    # What happens.

    def arrives(self) -> None:
        """A document, or the next version of one: both are documents of their own."""
        client, kind = self._someone(), self.dice.choice(TYPES)
        if client is not None:
            document = factories.make_document(client, kind=KINDS[kind])
            self.made[str(document.uuid)] = Made(client, kind)
            self.log.append(f"arrives {client.pk} {kind} {document.uuid}")

    def begin_late(self) -> None:
        client, kind = self._someone(), self.dice.choice(TYPES)
        if client is None or len(self.late) > 2:
            return
        batch = IngestBatch.objects.create()
        at = connection.settings_dict
        line = psycopg.connect(
            host=at["HOST"], port=at["PORT"], user=at["USER"], dbname=at["NAME"],
            password=at["PASSWORD"],
        )  # fmt: skip
        line.execute("select set_config('portal.every_office', 'on', true)")
        row = line.execute(
            "insert into documents_document (uuid, office_id, client_id, kind, attributes)"
            ' values (gen_random_uuid(), %s, %s, %s, \'{"iban": "BE1"}\') returning uuid::text',
            [client.office_id, client.pk, KINDS[kind].value],
        ).fetchone()
        assert row is not None
        self.late.append(Late(client, line, batch.pk, row[0], kind))
        self.log.append(f"late {client.pk} {kind} {row[0]}")

    def end_late(self) -> None:
        if self.late:
            self.commit(self.dice.choice(self.late))

    def commit(self, late: Late) -> None:
        late.line.commit()
        late.line.close()
        IngestBatch.objects.filter(pk=late.batch).delete()
        self.late.remove(late)
        self.made[late.document] = Made(late.client, late.kind)
        self.log.append(f"committed {late.document}")

    def scope(self) -> None:
        self.change_scope(self.dice.choice(self.pollers))

    def change_scope(self, poller: Poller) -> None:
        consent = Consent.objects.get(pk=poller.consent.pk)
        if consent.status == Status.CANCELLED:
            return
        office, admin = self.offices[consent.office_id]
        ours = [c.pk for c in Client.objects.filter(office=office)]
        some = tuple(self.dice.sample(ours, min(len(ours), self.dice.randrange(3))))
        kinds = tuple(self.dice.sample(TYPES, self.dice.randrange(2)))
        change = ScopeChange(new_clients=self.dice.choice([None, None, None, True, False]))
        if self.dice.random() < 0.5:
            change = ScopeChange(
                kinds_in=kinds, clients_in=some, new_clients=change.new_clients or None
            )
        else:
            new = None if change.new_clients else change.new_clients
            change = ScopeChange(kinds_out=kinds, clients_out=some, new_clients=new)
        self.hides(poller, exactly=True)
        change_scope(consent, acting(admin), change, terms_in_force())
        self.log.append(f"scope {consent.pk} {change}")

    def transfer(self) -> None:
        client = self._someone()
        if client is None:
            return
        self._commit_late_of(client)
        for poller in self.pollers:
            self.hides(poller)
        _office, admin = self.offices[client.office_id]
        (to, agreeing) = next(pair for pk, pair in self.offices.items() if pk != client.office_id)
        factories.transfer(client, admin, to, agreeing)
        self.log.append(f"transfer {client.pk} to {to.pk}")

    def archive_or_restore(self) -> None:
        client = self.dice.choice(self.clients)
        client.refresh_from_db()
        _office, admin = self.offices[client.office_id]
        if client.archived_at:
            client.restore(admin)
        else:
            self._commit_late_of(client)
            for poller in self.pollers:
                self.hides(poller)
            client.archive(admin, "stops")
        self.log.append(f"archive or restore {client.pk}")

    def pause_or_resume(self) -> None:
        poller = self.dice.choice(self.pollers)
        consent = Consent.objects.get(pk=poller.consent.pk)
        _office, admin = self.offices[consent.office_id]
        if consent.status == Status.ALLOWED:
            if consent.is_paused(database_time()):
                consent.resume(acting(admin))
            else:
                consent.pause(acting(admin))
            self.log.append(f"pause or resume {consent.pk}")

    def cancel(self) -> None:
        poller = self.dice.choice(self.pollers)
        consent = Consent.objects.get(pk=poller.consent.pk)
        _office, admin = self.offices[consent.office_id]
        if consent.status == Status.ALLOWED:
            self.hides(poller)
            consent.cancel(acting(admin))
            self.log.append(f"cancel {consent.pk}")

    def allow_again(self) -> None:
        for poller in self.pollers:
            consent = Consent.objects.get(pk=poller.consent.pk)
            if consent.status != Status.CANCELLED:
                continue
            office, admin = self.offices[consent.office_id]
            poller.consent = factories.make_request(office, consent.partner)
            for _ in range(self.dice.randrange(3)):
                self.change_scope(poller)
            allow(poller.consent, admin)
            self.log.append(f"again {poller.consent.pk} of {consent.pk}")

    def retention(self) -> None:
        if self.made and self.dice.random() < 0.3:
            uuid = self.dice.choice(list(self.made))
            with horizon_held_back(), every_office():
                delete_rows([Document.objects.get(uuid=uuid).pk])
            del self.made[uuid]
            self.log.append(f"deleted {uuid}")

    def registration(self) -> None:
        """An operator registers software for other kinds."""
        partner = self.dice.choice(self.pollers).consent.partner
        for poller in self.pollers:
            if poller.consent.partner_id == partner.pk:
                self.hides(poller)
        kinds = self.dice.choice([list(TYPES), list(TYPES), [TYPES[0]], [TYPES[1]]])
        Partner.objects.filter(pk=partner.pk).update(document_kinds=kinds)
        self.log.append(f"registration {partner.pk} {kinds}")

    def hides(self, poller: Poller, *, exactly: bool = False) -> None:
        """Note what the partner could have fetched up to now, because it may be hidden next.

        What it did not fetch in time is not given again. `exactly`: what is newer than the
        horizon could not be fetched yet.
        """
        consent = Consent.objects.get(pk=poller.consent.pk)
        horizon = min([database_time(), *IngestBatch.objects.values_list("started_at", flat=True)])
        for document in self.readable(consent):
            if not exactly or document.available_at < horizon:
                self.could_be_fetched.add((self.pollers.index(poller), str(document.uuid)))

    def readable(
        self, consent: Consent, kind: str | None = None, *, of_all_histories: bool = False
    ) -> list[Document]:
        if consent.status != Status.ALLOWED:
            return []
        registered = consent.partner.document_kinds
        kinds = [k for t, k in KINDS.items() if t in registered and t not in consent.excluded_kinds]
        if kind is not None:
            kinds = [k for k in kinds if k == KINDS[kind]]
        with every_office():
            rows = Document.objects.filter(
                client__in=clients_in_scope(consent), kind__in=[k.value for k in kinds]
            )
            if not of_all_histories:
                rows = rows.filter(uuid__in=list(self.made))
            return list(rows.order_by("available_at", "id"))

    # What software does.

    def poll_one(self) -> None:
        self.poll(self.dice.choice(self.pollers))

    def follow_one(self) -> None:
        follower = self.dice.choice(self.pollers).follower
        assert follower is not None
        done = follower.poll(self.dice)
        self.log.append(f"follow {follower.office.pk} {done} {follower.after}")

    def fail(self, what: str) -> None:
        raise AssertionError("\n".join([what, *self.log]))

    def poll(self, poller: Poller, *, crashes: bool = True) -> None:
        """All kinds once; a crash forgets what was read and asks again from the same moment."""
        end: str | None = None
        read: list[str] = []
        for kind in self.dice.sample(TYPES, 2):
            window = {"from": poller.starts.get("all" if poller.one_cursor else kind)}
            if poller.one_cursor and end:
                window["to"] = end
            dies = self.dice.randrange(4) if crashes and self.dice.random() < 0.2 else None
            pages = self.pages(poller, kind, window, dies)
            if pages is None:
                if dies is not None and poller.one_cursor:
                    return  # Nothing of this round is kept.
                continue
            ids, kind_end = pages
            self.log.append(f"poll {poller.consent.pk} {kind} {window} {kind_end} {ids}")
            end = end or kind_end
            if poller.one_cursor:
                read += ids
            else:
                poller.found.update(ids)
                poller.starts[kind] = kind_end
        if poller.one_cursor and end:
            poller.found.update(read)
            poller.starts["all"] = end

    def pages(
        self, poller: Poller, kind: str, window: dict[str, Any], dies: int | None = None
    ) -> tuple[list[str], str] | None:
        """Everything of one window, page by page; None where access is refused or it crashed."""
        limit = self.dice.choice([1, 2, 3, 5, 1000])
        strangers = STRANGERS if self.dice.random() < 0.3 else []
        found: list[str] = []
        after = end = None
        turn = 0
        while end is None or after is not None:
            if dies == turn:
                return None
            turn += 1
            body = self.search(poller, kind, {**window, "to": end or window.get("to")}, strangers,
                limit, after)  # fmt: skip
            if body is None:
                return None
            found += [document["id"] for document in body["included"]["documents"]]
            end = body["data"]["attributes"]["to"]
            after = body["meta"]["paging"].get("after")
        assert len(found) == len(set(found)), "a document came twice in one search"
        return found, end

    def search(
        self, poller: Poller, kind: str, window: dict[str, Any], strangers: list[str], limit: int,
        after: str | None,
    ) -> dict[str, Any] | None:  # fmt: skip
        office, _admin = self.offices[poller.consent.office_id]
        numbers = [client.company_number for client in self.clients] + strangers
        clients = [{"type": "client", "id": number} for number in numbers]
        answer = self.http.post(
            f"/codabox-connect/accounting-offices/{office.uuid}/document-searches",
            json.dumps(
                {
                    "data": {
                        "type": "documentSearch",
                        "attributes": {"documentType": kind, **window},
                        "relationships": {"clients": {"data": clients}},
                    },
                    "meta": {"paging": {"limit": limit, "after": after}},
                }
            ),
            content_type="application/json",
            headers={"Authorization": f"Bearer {poller.token}"},
        )
        assert answer.status_code in (201, 403), answer.content
        found: dict[str, Any] = answer.json()
        return found if answer.status_code == 201 else None

    # What must be true in the end.

    def check(self) -> int:
        """All that is readable came once; return how many documents that were."""
        came = 0
        for place, poller in enumerate(self.pollers):
            consent = Consent.objects.get(pk=poller.consent.pk)
            _office, admin = self.offices[consent.office_id]
            if consent.status == Status.ALLOWED:
                consent.resume(acting(admin))
            self.poll(poller, crashes=False)
            twice = [uuid for uuid, times in poller.found.items() if times > 1]
            assert not twice, "\n".join(["twice", str(poller.consent), *twice, *self.log])
            owed = {str(document.uuid) for document in self.readable(consent)}
            late = {uuid for who, uuid in self.could_be_fetched if who == place}
            missing = owed - set(poller.found) - late
            assert not missing, "\n".join(["missing", str(poller.consent), *missing, *self.log])
            came += len(owed & set(poller.found))
            self.windows_in_the_past(poller, consent)
            if consent.status == Status.ALLOWED:
                self.copies(poller, consent)
        return came

    def copies(self, poller: Poller, consent: Consent) -> None:
        """Whoever followed, and whoever begins now, has what is readable and nothing else."""
        follower = poller.follower
        everything = self.readable(consent, of_all_histories=True)
        owed = {str(document.uuid) for document in everything}
        assert follower is not None
        begins = ChangePoller(follower.office, poller.token, self.http, self.fail)
        for one in (follower, begins):
            assert one.poll(self.dice, to_the_end=True)
            if one.copy != owed:
                who = f"consent {poller.consent.pk}, {'new' if one is begins else 'old'}"
                self.fail(f"{who}: missing {owed - one.copy}, too much {one.copy - owed}")

    def windows_in_the_past(self, poller: Poller, consent: Consent) -> None:
        """Any window gives what arrived in it and is readable now; the rest arrived before it."""
        for kind in TYPES:
            readable = self.readable(consent, kind)
            if not readable or consent.status != Status.ALLOWED:
                continue
            first, last = sorted(self.dice.choice(readable).available_at for _ in "12")
            window = {"from": first.isoformat(), "to": (last + self._moment()).isoformat()}
            pages = self.pages(poller, kind, window)
            whole = self.search(poller, kind, window, [], 1000, None)
            assert pages is not None
            assert whole is not None
            ids = [document["id"] for document in whole["included"]["documents"]]
            assert pages[0] == ids, "\n".join(["pages differ", *self.log])
            end = datetime.fromisoformat(whole["data"]["attributes"]["to"])
            arrived = [str(d.uuid) for d in readable if first <= d.available_at < end]
            before = {str(d.uuid) for d in readable if d.available_at < first}
            assert [uuid for uuid in ids if uuid not in before] == arrived

    def _moment(self) -> timedelta:
        return timedelta(milliseconds=self.dice.choice([0, 1, 5, 200]))

    def _someone(self) -> Client | None:
        """A company that has documents and whose books are kept now."""
        client = self.dice.choice(self.clients)
        client.refresh_from_db()
        return None if client.archived_at else client

    def _commit_late_of(self, client: Client) -> None:
        """A transfer and an archiving wait for the batch that has the company."""
        for late in [late for late in self.late if late.client.pk == client.pk]:
            self.commit(late)


def _token(partner: Partner) -> str:
    client_id, secret = factories.make_application(partner)
    AccessToken.objects.create(
        application=Application.objects.get(client_id=client_id),
        token=secret,
        token_checksum=hashlib.sha256(secret.encode()).hexdigest(),
        expires=timezone.now() + timedelta(hours=2),
    )
    return secret


@pytest.mark.parametrize("quarter", range(4))
def test_everything_readable_comes_once_in_any_history(
    people: Cast, client: Browser, rounds: float, settings: Any, quarter: int
) -> None:
    settings.PORTAL_CALLS_PER_MINUTE = 10_000_000
    came = 0
    for seed in range(quarter, 8 if rounds <= 1 else int(20 * rounds), 4):
        history = History(seed, people, client)
        history.run(45)
        came += history.check()
    assert came > 0
