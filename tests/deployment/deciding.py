"""An office and its software that decide and ask all day, whatever dies meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import httpx

from accounts.models import Membership, Office, User
from notifications.models import WebhookEndpoint
from partners.models import Partner
from tests import factories
from tests.deployment.browsing import NotNow, Person
from tests.deployment.process_list import Deployment

STORIES = 8  # with one office
PATIENCE = 120  # seconds until a step that never succeeds fails the test


class Promise(NamedTuple):
    """What the portal said is done."""

    consent: str
    kind: str


class Day(threading.Thread):
    """One office and one software: ask, allow, cancel; every third time in a new office a denial.

    Whoever gets no answer looks how things stand and does it once more. `decided` has what was
    done, in its order; `unheard` of these were found to be made though no answer came.
    """

    def __init__(self, deployment: Deployment, hook: str, decisions: int) -> None:
        super().__init__(daemon=True)
        self.decisions = decisions
        self.anna, self.bea = factories.make_person("Anna"), factories.make_person("Bea")
        # Ten new requests to one office are allowed a day. A story has two decisions at least.
        self.usual = [self._office() for _one in range(1 + decisions // (2 * STORIES))]
        self.stories = 0
        # A denied software waits a day before it may ask the same office again.
        self.others = [self._office() for _one in range((decisions + 4) // 5)]
        partner = factories.make_partner("Ledgerly")
        WebhookEndpoint.objects.create(partner=partner, url=hook)
        self.software = deployment.software(partner)
        self.http = deployment.front.client()
        self.person = Person(self.http, deployment.front.url, self.anna)
        self.person.log_in()
        self.decided: list[Promise] = []
        self.unheard = 0
        self.surprises: list[str] = []
        self.broken = 0

    @property
    def done(self) -> int:
        return len(self.decided)

    @property
    def partner(self) -> Partner:
        return self.software.partner

    @property
    def people(self) -> tuple[User, User]:
        return self.anna, self.bea

    def run(self) -> None:
        try:
            while self.done < self.decisions:
                self._one_story()
        except Exception as error:
            self.surprises.append(repr(error))

    def _office(self) -> Office:
        office = factories.make_office("Janssens")
        for person in (self.anna, self.bea):
            Membership.objects.create(office=office, user=person, role="admin")
        return office

    def _one_story(self) -> None:
        office = self.usual[self.stories // STORIES]
        self.stories += 1
        consent = self._ask(office)
        self._insist(Promise(consent, "allowed"), lambda: self.person.decide(consent, "allow"))
        if self.done % 4 == 1:
            self._insist(Promise(consent, "cancelled"), lambda: self._give_up(consent))
        else:
            cancel = Promise(consent, "cancelled")
            self._insist(cancel, lambda: self.person.cancel(office.slug, consent))
        if self.done % 3 == 0 and self.others:
            other = self._ask(self.others.pop())
            self._insist(Promise(other, "denied"), lambda: self.person.decide(other, "deny"))

    def _insist(self, promise: Promise, act: Callable[[], bool]) -> None:
        """Do it until the portal said yes, or says on being asked that it is so."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if act():
                    self.decided.append(promise)
                    return
                if self._status(promise.consent) == promise.kind:
                    self.decided.append(promise)
                    self.unheard += 1
                    return
                self.surprises.append(f"neither done nor refused: {promise}")
            except NotNow:
                self.broken += 1
            time.sleep(0.2)
        raise TimeoutError(promise)

    def _ask(self, office: Office) -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                answer = self._call(
                    lambda: self.software.create(
                        accountingOfficeCompanyNumber=office.company_number,
                        redirectUri=factories.CALLBACK,
                        state="s",
                    )
                )
                return str(answer.json()["data"]["id"])
            except NotNow:
                self.broken += 1
                time.sleep(0.2)
        raise TimeoutError(office)

    def _status(self, consent: str) -> str:
        path = f"/accounting-office-consents/{consent}"
        body = self._call(lambda: self.software.call("GET", path)).json()
        return str(body["data"]["attributes"]["portalStatus"])

    def _give_up(self, consent: str) -> bool:
        path = f"/accounting-office-consents/{consent}"
        return self._call(lambda: self.software.call("DELETE", path)).status_code == 204

    def _call(self, call: Callable[[], httpx.Response]) -> httpx.Response:
        try:
            answer = call()
        except httpx.TransportError as error:
            raise NotNow from error
        if answer.status_code == 401:  # a token lives for half an hour
            self._log_in()
            raise NotNow
        if answer.status_code >= 500:
            raise NotNow(answer.status_code)
        assert answer.status_code < 300, answer.text
        return answer

    def _log_in(self) -> None:
        try:
            self.software.token = self.software.login()
        except (AssertionError, httpx.TransportError) as error:
            raise NotNow from error
