"""Nobody gets the documents of a company that another office keeps, whatever they claim.

A history is random: honest offices add companies, register accounts, archive, add again and
transfer; two offices that work together claim the same numbers and accounts in any spelling, give
their claims to each other, archive them and take them back; an operator looks now and then; and
files come in.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from accounts.models import Office, User
from clients.admins import Outdated, Taken
from clients.forms import AccountForm, AddForm
from clients.models import Account, Client, Transfer
from core.row_security import every_office
from demo.data.books import Company
from documents.models import DocumentDetails, QuarantinedFile
from tests import factories
from tests.conftest import Cast
from tests.documents import examples
from tests.documents.examples import company_of, take_files

pytestmark = pytest.mark.requirement(103)


@dataclass
class Truth:
    """A company as it is in the world, and the honest office that keeps its books now."""

    company: Company
    keeper: Client | None = None
    # An honest office got documents of it: from then on no claimer may ever get any.
    known: bool = False
    # A file named it together with its account, and an honest office got it.
    account_known: bool = False
    # The claimers were alone with it when a file came; an operator has to look.
    lost: bool = False


@dataclass
class History:
    seed: int
    honest: dict[int, tuple[Office, User]]
    claimers: dict[int, tuple[Office, User]]
    decoys: list[Client]
    operator: User
    log: list[str] = field(default_factory=list)
    filed: int = 0
    waiting: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.world = [Truth(_company()) for _ in range(3)]
        # One of them was there before anybody claimed it.
        truth, (office, _admin) = self.world[0], self.dice.choice(list(self.honest.values()))
        truth.keeper = factories.make_client(office, company_number=truth.company.number)
        truth.known = True

    def run(self, steps: int) -> None:
        acts: list[Callable[[Truth], None]] = [
            *[self.a_file_comes] * 6,
            *[self.honest_adds, self.honest_registers] * 3,
            *[self.claims_number, self.claims_account] * 3,
            self.honest_archives,
            self.honest_transfers,
            self.claimer_archives_or_restores,
            self.claimer_removes_account,
            self.claimer_transfers,
            *[self.operator_looks] * 2,
        ]
        for _ in range(steps):
            self.dice.choice(acts)(self.dice.choice(self.world))

    # Honest offices.

    def honest_adds(self, truth: Truth) -> None:
        if truth.keeper is None:
            office, admin = self.dice.choice(list(self.honest.values()))
            truth.keeper = self._add(office, admin, truth.company)

    def honest_registers(self, truth: Truth) -> None:
        if truth.keeper is not None:
            self._register(truth.keeper, self._admin_of(truth.keeper), truth.company)

    def honest_archives(self, truth: Truth) -> None:
        """At once the same office takes it back, or an honest office adds it again."""
        if (client := truth.keeper) is None:
            return
        admin = self._admin_of(client)
        client.archive(admin, "stopped")
        self.note("archived", client)
        if self.dice.random() < 0.5:
            client.restore(admin)
            self.note("restored", client)
        else:
            truth.keeper = None
            self.honest_adds(truth)

    def honest_transfers(self, truth: Truth) -> None:
        if (client := truth.keeper) is None:
            return
        to, admin = next(pair for key, pair in self.honest.items() if key != client.office_id)
        self._transfer(client, self._admin_of(client), to, admin)
        truth.keeper = Client.objects.get(pk=client.pk)

    # Claimers.

    def claims_number(self, truth: Truth) -> None:
        office, admin = self.dice.choice(list(self.claimers.values()))
        self._add(office, admin, truth.company)

    def claims_account(self, truth: Truth) -> None:
        client = self._of_claimers(archived_at=None)
        if client is not None:
            self._register(client, self._admin_of(client), truth.company)

    def claimer_archives_or_restores(self, _truth: Truth) -> None:
        client = self._of_claimers()
        if client is None:
            return
        admin = self._admin_of(client)
        if client.archived_at is None:
            client.archive(admin, "again")
        else:
            _passes(client.restore, admin)
        self.note("archived or restored", client)

    def claimer_removes_account(self, _truth: Truth) -> None:
        account = Account.objects.filter(client__office__in=self.claimers).order_by("?").first()
        if account is not None:
            _passes(account.client.remove_account, self._admin_of(account.client), account.iban)

    def claimer_transfers(self, _truth: Truth) -> None:
        """To the accomplice, or to an honest office, which does not answer or declines."""
        client = self._of_claimers(archived_at=None)
        if client is None:
            return
        admin = self._admin_of(client)
        if self.dice.random() < 0.3:
            to, _admin = self.dice.choice(list(self.honest.values()))
            asked = Transfer.objects.ask(client, admin, to)
            asked.withdraw(admin)
            return
        to, other = next(pair for key, pair in self.claimers.items() if key != client.office_id)
        self._transfer(client, admin, to, other)

    # The operator, who knows the truth.

    def operator_looks(self, truth: Truth) -> None:
        if truth.keeper is None:
            return
        truth.keeper.refresh_from_db()
        if not truth.keeper.confirmed_at:
            truth.keeper.confirm(self.operator)
            self.note("operator confirmed", truth.keeper)
        truth.lost = False
        for account in truth.keeper.accounts.filter(confirmed_at=None):
            account.confirm(self.operator)
            truth.account_known = True
            self.note(f"operator confirmed {account.iban}", truth.keeper)
        rivals = Client.objects.filter(
            company_number=truth.company.number, office__in=self.claimers, archived_at=None
        )
        for rival in rivals:
            if self.dice.random() < 0.3 and _passes(rival.refuse, self.operator):
                self.note("operator refused", rival)

    # Files.

    def a_file_comes(self, truth: Truth) -> None:
        data = self._file_of(truth)
        digest = hashlib.sha256(data).hexdigest()
        take_files({"file": data})
        with every_office():
            found = list(DocumentDetails.objects.filter(sha256=digest).select_related("client"))
        self.note(f"a file of {truth.company.number}", *(one.client for one in found))
        self.filed += sum(one.office_id in self.honest for one in found)
        if not found:
            assert QuarantinedFile.objects.filter(sha256=digest, state="waiting").exists()
            self.waiting += 1
        for document in found:
            self._check(truth, document)
            names_both = document.series == truth.company.iban
            truth.account_known |= names_both and document.office_id in self.honest

    def _check(self, truth: Truth, document: DocumentDetails) -> None:
        client, story = document.client, "\n".join([f"seed {self.seed}", *self.log])
        assert client.company_number == truth.company.number, story
        if document.office_id in self.honest:
            assert client == truth.keeper, story
            truth.known = True
            return
        assert not truth.known, story
        assert truth.keeper is None or truth.lost, story
        truth.lost = True

    def _file_of(self, truth: Truth) -> bytes:
        company, seed = truth.company, factories.unique()
        spelled = replace(company, number=self._spelled(company.number, "file"))
        make = self.dice.randrange(6)
        if make <= 2:
            # Nobody can tell whose a statement is that names no company and an unknown account.
            names_nobody = truth.account_known and make == 2
            company = replace(company, number=" " * 10) if names_nobody else company
            return examples.statement(company, seed % 900 + 1, cents=seed)
        if make == 3:
            return examples.payroll(spelled, seed)
        if make == 4:
            return examples.card(spelled, seed)
        return examples.invoice(spelled, f"N{seed}", bought=self.dice.random() < 0.5, seed=seed)

    # The verbs, as the screens call them.

    def _add(self, office: Office, admin: User, company: Company) -> Client | None:
        written = self._spelled(company.number, "form")
        code = f"C{factories.unique()}"
        form = AddForm({"company_number": written, "name": "x", "code": code, "language": "nl"})
        assert form.is_valid(), form.errors
        try:
            client = Client.objects.add(office, admin, **form.cleaned_data)
        except Taken:
            return None
        self.note("added", client)
        return client

    def _register(self, client: Client, admin: User, company: Company) -> None:
        iban = company.iban
        written = self.dice.choice([iban, iban.lower(), " ".join([iban[:4], iban[4:]])])
        form = AccountForm({"iban": written})
        assert form.is_valid(), form.errors
        if _passes(client.register_account, admin, form.cleaned_data["iban"]):
            self.note(f"registered {iban} of {company.number}", client)

    def _transfer(self, client: Client, admin: User, to: Office, other: User) -> None:
        asked = Transfer.objects.ask(client, admin, to)
        if not _passes(asked.agree, other, f"C{factories.unique()}"):
            asked.decline(other)
        self.note(f"transferred to {to.pk}", client)

    def _spelled(self, number: str, where: str) -> str:
        dotted = f"{number[:4]}.{number[4:7]}.{number[7:]}"
        spellings = [number, f"BE{number}", f"BE {dotted}", f"be{number}"]
        if where == "file" and number.startswith("0"):
            spellings.append(number[1:])
        return self.dice.choice(spellings)

    def _of_claimers(self, **state: Any) -> Client | None:
        """One of their companies; every second time one that they made up."""
        if self.dice.random() < 0.5:
            clients = Client.objects.filter(pk__in=[decoy.pk for decoy in self.decoys], **state)
        else:
            clients = Client.objects.filter(office__in=self.claimers, **state)
        found = list(clients.order_by("pk"))
        return self.dice.choice(found) if found else None

    def _admin_of(self, client: Client) -> User:
        return (self.honest | self.claimers)[client.office_id][1]

    def note(self, what: str, *clients: Client) -> None:
        self.log.append(f"{what}: " + ", ".join(f"{c.company_number} of {c.office_id}" for c in clients))  # fmt: skip


def _passes(verb: Callable[..., object], *arguments: object) -> bool:
    """Call the verb; tell whether it was not refused."""
    try:
        verb(*arguments)
    except (Taken, Outdated):
        return False
    return True


def _company() -> Company:
    return replace(company_of(Client(name="Bakkerij", code="B", language="nl")), number=factories.company_number())  # fmt: skip


def _pair(office: Office) -> tuple[Office, User]:
    return office, factories.make_person("Mila", office)


def test_no_claim_ever_gets_a_file_of_another_office(people: Cast, rounds: float) -> None:
    """A release asks for 1,000 histories: `--rounds 200`."""
    honest: dict[int, tuple[Office, User]] = {}
    filed = waiting = 0
    for seed in range(int(5 * rounds)):
        if seed % 50 == 0:  # An office claims no more than a thousand times a day.
            keepers = [factories.make_office(name) for name in ("Janssens", "Peeters")]
            honest = {office.pk: _pair(office) for office in keepers}
        offices = [factories.make_office(name) for name in ("Maes", "Claes")]
        claimers = {office.pk: _pair(office) for office in offices}
        decoys = [factories.make_client(office) for office in offices]
        history = History(seed, honest, claimers, decoys, people.dirk)
        history.run(30)
        filed += history.filed
        waiting += history.waiting
    assert filed > 0, (filed, waiting)
    assert waiting > 0, (filed, waiting)
