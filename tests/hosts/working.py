"""What people and software do while hosts are lost, and what they were answered."""

from __future__ import annotations

import random
import threading
import time
from typing import NamedTuple

import httpx

from partners.models import Partner
from tests import factories
from tests.conftest import Software
from tests.deployment.deciding import Day, Promise
from tests.factories import CODA
from tests.hosts.portal import Hosts

AFTER_A_CANCEL = 10  # calls of the software that was stopped, ten a second


class Answer(NamedTuple):
    """One call: when it began (`time.monotonic`), its status (0 for none) and its seconds."""

    began: float
    status: int
    took: float


class Caller(threading.Thread):
    """Software that fetches a document once a second, whatever it is answered."""

    def __init__(self, software: Software, path: tuple[object, str, object]) -> None:
        super().__init__(daemon=True)
        self.software, self.path = software, path
        self.ends = threading.Event()
        self.answers: list[Answer] = []

    def run(self) -> None:
        office, company, document = self.path
        due = time.monotonic() + random.random()
        while not self.ends.wait(max(0, due - time.monotonic())):
            due = max(due + 1, time.monotonic())
            began = time.monotonic()
            try:
                answer = self.software.document(office, company, document, accept=CODA)  # type: ignore[arg-type]
                status = answer.status_code
            except httpx.TransportError:
                status = 0
            self.answers.append(Answer(began, status, time.monotonic() - began))


class Stopper(Day):
    """An Admin who allows and cancels all day, and software that reads before and after.

    `served_after` counts documents that were given to calls which began after the portal had said
    that the consent is cancelled.
    """

    def __init__(self, hosts: Hosts) -> None:
        super().__init__(hosts, "http://127.0.0.1:9/", 0)
        self.hosts = hosts
        self.ends = threading.Event()
        self.company = factories.make_client(self.usual[0])
        self.document = factories.make_document(self.company, contents={CODA: b"0" * 20_000})
        self.served_before = self.served_after = self.refused_after = 0
        # One software makes ten new requests a day of an office, no more: enough for two minutes.
        self.programs = [self.software]
        self.programs += [hosts.software(_with_no_webhook()) for _more in range(11)]
        self.asked = 0

    def run(self) -> None:
        try:
            while not self.ends.is_set():
                self._one_story()
        except Exception as error:
            self.surprises.append(repr(error))

    def _one_story(self) -> None:
        office = self.usual[0]
        self.software = self.programs[self.asked // 9 % len(self.programs)]
        self.asked += 1
        consent = self._ask(office)
        self._insist(Promise(consent, "allowed"), lambda: self.person.decide(consent, "allow"))
        for _call in range(3):
            self.served_before += self._fetch() == 200
        cancel = Promise(consent, "cancelled")
        self._insist(cancel, lambda: self.person.cancel(office.slug, consent))
        for _call in range(AFTER_A_CANCEL):
            status = self._fetch()
            self.served_after += status == 200
            self.refused_after += status == 403
            time.sleep(0.1)

    def _fetch(self) -> int:
        office, company = self.usual[0], self.company.company_number
        try:
            answer = self.software.document(office, company, self.document.uuid, accept=CODA)
        except httpx.TransportError:
            return 0
        return answer.status_code


def _with_no_webhook() -> Partner:
    return factories.make_partner("Ledgerly")
