"""Ask every address at random; find what somebody got or changed that is not theirs."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.test import Client as Browser

from clients.models.event import ANNOUNCED_KINDS
from mailer.delivery import compose
from mailer.models import OutgoingEmail
from notifications.fan_out import fan_out, fan_out_company
from tests.isolation.asking import Asked, Requests
from tests.isolation.marks import kind_of, texts_of
from tests.isolation.rows import Owners, Row, Tables, read
from tests.isolation.world import Actor, World

# A company is offered to another office: both hear the name of the other and of the company.
OFFERS = {"clients:transfer", "clients:withdraw", "clients:answer"}
# Tables that both sides of an offer get rows in.
OF_BOTH = {"clients_transfer", "clients_clientevent", "mailer_outgoingemail", "clients_client"}
OF_REQUESTS = {"consents_chainhead", "consents_consentevent"}
# Of so many requests for an address one is honest.
HONEST = 3
# The addresses that are about an office; of the others some have their turn.
OF_OFFICES = (
    *("clients:", "consents:", "documents:", "dashboard:", "backoffice:"),
    *("accounts:", "partner_api:"),
)
SELDOM = 0.2
# Files, decisions, of which e-mails tell, and what software asks for have more turns.
OFTEN = (
    *("partner_api:document", "partner_api:consent", "partner_api:events"),
    *("documents:file", "consents:evidence"),
    *("consents:ask", "consents:confirm", "consents:cancel"),
)


class Leak(AssertionError):
    """Somebody got, or changed, what is not theirs."""


class Walk:
    """Requests in one world; each is undone before the next."""

    def __init__(self, world: World, addresses: dict[str, str], seed: int) -> None:
        self.world, self.addresses = world, addresses
        self.rng = random.Random(seed)
        self.requests = Requests(world, self.rng)
        self.tables = Tables(world)
        self.browser = Browser(raise_request_exception=False)
        self.by_mailbox = {
            actor.person.email: actor for actor in world.actors if actor.person is not None
        }
        self.names_of = {
            office_pk: world.marks.found_in(marks) | marks
            for office_pk, marks in world.introduced.items()
        }
        # What was served, so that a walk which nobody answers fails.
        self.seen: Counter[str] = Counter()
        self.served: Counter[str] = Counter()
        self.asked = 0
        self.leaks: list[str] = []
        self._turns: list[str] = []

    def go(self, requests: int) -> None:
        """Make so many requests, in turns of all addresses."""
        for name in self._names(requests):
            self.asked += 1
            honest = self.asked % HONEST == 1
            asked = self.requests.ask(name, self.addresses[name], honest=honest)
            with transaction.atomic():
                try:
                    self._check(asked)
                except AssertionError as leak:
                    self.leaks.append(f"request {self.asked}: {leak}")
                transaction.set_rollback(True)
            self.tables.forget()

    def _names(self, requests: int) -> Iterator[str]:
        """Each address honestly, then twice at random; those of no office less often."""
        names = self._turns
        for _ in range(requests):
            if not names:
                names += [name for name in sorted(self.addresses) if self._has_its_turn(name)]
                names += 3 * [name for name in names if name.startswith(OFTEN)]
                self.rng.shuffle(names)
            yield names[-1]
            if self.asked % HONEST == 0:
                names.pop()

    def _has_its_turn(self, name: str) -> bool:
        return name.startswith(OF_OFFICES) or self.rng.random() < SELDOM

    def _check(self, asked: Asked) -> None:
        answers = [self._send(asked)]
        answers += self._followed(answers[0])
        known = self.world.marks.found_in(_said(asked))
        for answer in answers:
            self._check_answer(asked, answer, known)
        changed = list(self.tables.changed())
        for table, row in changed:
            self._check_row(asked, table, row)
        self._check_mails(asked, known, changed)
        if changed and asked.method not in ("GET", "HEAD"):
            self.seen[f"{asked.actor.role} wrote"] += 1
            self.served[f"{asked.name} wrote"] += 1

    def _send(self, asked: Asked) -> Any:
        browser = self.browser
        browser.cookies.clear()
        if asked.actor.session:
            browser.cookies[settings.SESSION_COOKIE_NAME] = asked.actor.session
        # Limits by address are of no interest here.
        address = ".".join(str(self.rng.randrange(1, 255)) for _ in range(3))
        more: dict[str, Any] = {"headers": asked.headers, "REMOTE_ADDR": f"10.{address}"}
        if asked.form is not None:
            return browser.post(asked.path, asked.form, query_params=asked.query, **more)
        body, media_type = asked.body or "", "application/vnd.api+json"
        if not body:
            # Django's client does not let anybody read past the end of a body.
            more["wsgi.input"] = io.BytesIO()
        return browser.generic(
            asked.method, asked.path, body, media_type, query_params=asked.query, **more
        )

    def _followed(self, answer: Any) -> list[Any]:
        """The page behind a redirect of ours: it says what was done."""
        place = urlsplit(answer.headers.get("Location", ""))
        if answer.status_code not in (302, 303) or place.netloc or not place.path:
            return []
        return [self.browser.get(place.path + (f"?{place.query}" if place.query else ""))]

    def _check_answer(self, asked: Asked, answer: Any, known: set[str]) -> None:
        data = b"".join(answer.streaming_content) if answer.streaming else answer.content
        said = [str(answer.headers).lower(), str(answer.cookies).lower(), *texts_of(data)]
        found = self.world.marks.found_in(said)
        assert answer.status_code < 500, f"{answer.status_code}: {asked}"
        foreign = {mark for mark in found - known if not self._may_read(asked, mark)}
        if foreign:
            raise Leak(f"{asked} got {sorted(foreign)}")
        mine = found - known
        if mine and answer.status_code < 300:
            role = asked.actor.role
            self.seen[role] += 1
            self.served[asked.name] += 1
            if kind := kind_of(data, answer.headers.get("Content-Type", "")):
                self.seen[f"{role} {kind}"] += 1

    def _may_read(self, asked: Asked, mark: str) -> bool:
        if asked.actor.is_operator and asked.name.startswith("admin:"):
            return self.world.marks.readers[mark].operators
        if asked.name in OFFERS and self._is_named(mark, asked):
            return True
        if asked.name == "accounts:invitation" and self._is_invited(asked, mark):
            return True
        if asked.name == "partner_api:consents" and self._is_asked_for(asked, mark):
            return True
        return self._knows(asked.actor, mark)

    def _knows(self, actor: Actor, mark: str) -> bool:
        readers = self.world.marks.readers[mark]
        if actor.partner is not None:
            return actor.partner.pk in readers.partners
        own = actor.person is not None and mark in f"{actor.person.name} {actor.person.email}"
        return own or bool(actor.offices & readers.offices)

    def _is_named(self, mark: str, asked: Asked) -> bool:
        """The name of the office whose number the form names."""
        number = str((asked.form or {}).get("number", ""))
        return any(
            mark == rows.office.name
            for rows in self.world.offices
            if rows.office.company_number == number
        )

    def _is_asked_for(self, asked: Asked, mark: str) -> bool:
        """Software that asks an office, by its number, gets the identifier of it."""
        return any(
            mark == str(rows.office.uuid)
            for rows in self.world.offices
            if rows.office.company_number in str(asked.body)
        )

    def _is_invited(self, asked: Asked, mark: str) -> bool:
        """Who holds the link of an invitation reads which office invites, and by whom."""
        return any(
            mark in (*self.names_of[rows.office.pk], rows.invitation.email.split(".")[1][:8])
            for rows in self.world.offices
            if rows.invitation_token in asked.path and rows.invitation is not None
        )

    def _check_row(self, asked: Asked, table: str, row: Row) -> None:
        owners = self.tables.owners(table, row)
        if asked.actor.is_operator and asked.name.startswith("admin:"):
            return
        if not self._may_write(asked, table, owners):
            raise Leak(f"{asked} wrote {table} {row}")

    def _may_write(self, asked: Asked, table: str, owners: Owners) -> bool:
        actor = asked.actor
        if actor.partner is not None:
            # The request of software is an event of the office, and so in its hash chain.
            alone = not owners.partners and bool(owners.offices) and table not in OF_REQUESTS
            return not alone and owners.partners <= {actor.partner.pk}
        if asked.name in OFFERS and table in OF_BOTH:
            return not owners.offices or bool(owners.offices & actor.offices)
        if asked.name == "accounts:invitation":
            return not owners.partners
        strangers = owners.people - {actor.person.pk if actor.person else 0}
        if strangers and not self._are_colleagues(actor, strangers):
            return False
        return owners.offices <= actor.offices and bool(owners.offices or not owners.partners)

    def _are_colleagues(self, actor: Actor, people: set[int]) -> bool:
        theirs = [one for one in self.world.actors if one.person and one.person.pk in people]
        return all(one.offices & actor.admin_of for one in theirs)

    def _check_mails(self, asked: Asked, known: set[str], changed: list[tuple[str, Row]]) -> None:
        """Write the e-mails that a worker would, and read what each mailbox gets."""
        for table, row in changed:
            if table == "consents_consentevent" and row["id"] > 0:
                fan_out(row["id"])
            if table == "clients_clientevent" and row["kind"] in ANNOUNCED_KINDS:
                fan_out_company(row["id"])
        if not any(table.endswith(("event", "email")) for table, _row in changed):
            return
        new = read("mailer_outgoingemail") - self.tables.before["mailer_outgoingemail"]
        keys = [json.loads(row)["id"] for row in new]
        for email in OutgoingEmail.objects.filter(pk__in=keys).order_by("pk"):
            self._check_mail(asked, email, known)

    def _check_mail(self, asked: Asked, email: OutgoingEmail, known: set[str]) -> None:
        message = compose(email)
        reader = self.by_mailbox.get(email.recipient)
        if message is None or reader is None or reader.is_operator:
            return
        found = self.world.marks.found_in(texts_of(message.message().as_bytes()))
        for mark in found - known:
            offered = asked.name in OFFERS and self._is_introduced(asked, mark)
            if not (offered or self._knows(reader, mark)):
                raise Leak(f"{asked} mailed {mark} to {email.recipient}")
        if found:
            self.seen["mails"] += 1

    def _is_introduced(self, asked: Asked, mark: str) -> bool:
        return any(mark in self.names_of[office] for office in asked.actor.offices)


def _said(asked: Asked) -> Iterator[str]:
    """What the request itself names: an answer may repeat it."""
    yield asked.path.lower()
    yield " ".join(map(str, (asked.query, asked.form, asked.body))).lower()
