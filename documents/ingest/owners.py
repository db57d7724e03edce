"""Find the company that owns each document of a batch.

A company and a bank account are confirmed by the first file that names them together with nothing
that speaks against it, or by an operator. Before that an office only claims them. A claim counts
where nobody else has or claims the same and the file names no other company. Everything else is a
contradiction, which operators settle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from clients.lookup import (
    ActiveCompany,
    Proof,
    account_holders,
    active_companies,
    as_operators_read,
    companies_of_sandbox,
    confirm,
)
from documents.formats import Reason, Refused
from documents.ingest.classify import Classification


def numbers_of(document: Classification) -> tuple[str, ...]:
    """All enterprise numbers by which the document names the company."""
    numbers = (document.company_number, *document.other_numbers)
    return tuple(number for number in numbers if number)


class AccountClaim(NamedTuple):
    """An active company that has or claims a bank account."""

    company: ActiveCompany
    confirmed: bool
    contested: bool


class Owned(NamedTuple):
    """The documents of a file that have an owner, and why another one of them waits, if any."""

    documents: list[tuple[Classification, ActiveCompany]]
    refused: Refused | None = None


@dataclass
class Owners:
    """The active companies that the documents of a batch name, by number and by bank account.

    `proofs` are what the documents confirmed so far; later documents are judged with them.
    """

    by_number: dict[str, list[ActiveCompany]] = field(default_factory=dict)
    by_account: dict[str, list[AccountClaim]] = field(default_factory=dict)
    proofs: set[Proof] = field(default_factory=set)
    # In the sandbox, where a company is known by its number alone, nothing is proven.
    in_sandbox: bool = False

    @classmethod
    def of(
        cls,
        documents: Iterable[Classification],
        *,
        lock: bool = False,
        sandbox_office: int | None = None,
    ) -> Owners:
        """Look the companies up; with `lock` none of them changes before this transaction ends.

        With a sandbox office only its companies are looked up, without one only real ones.

        Companies are locked in the order of their ids, and accounts are confirmed in the order of
        their numbers. So two batches that meet wait for each other and never deadlock.
        """
        documents = list(documents)
        accounts = {one.account for one in documents if one.account}
        numbers = {number for one in documents for number in numbers_of(one)}
        if sandbox_office is not None:
            found = companies_of_sandbox(sandbox_office, numbers, lock=lock)
            by_number = {company.company_number: [company] for company in found}
            return cls(by_number, in_sandbox=True)
        holders = account_holders(accounts)
        ids = {holder.client_id for holder in holders}
        companies = active_companies(numbers, ids, lock=lock)
        by_id = {company.client_id: company for company in companies}
        if lock:  # They may have changed before the companies were locked.
            holders = account_holders(accounts)
        owners = cls()
        for company in companies:
            owners.by_number.setdefault(company.company_number, []).append(company)
        for iban, client, confirmed, contested in holders:
            if client in by_id:
                claim = AccountClaim(by_id[client], confirmed, contested)
                owners.by_account.setdefault(iban, []).append(claim)
        return owners

    def owned(self, documents: Iterable[Classification]) -> Owned:
        """Each document that has an owner, with its owner; raises Refused when none has one."""
        found: list[tuple[Classification, ActiveCompany]] = []
        refusals: list[Refused] = []
        for document in documents:
            try:
                found.append((document, self.owner_of(document)))
            except Refused as refused:
                refusals.append(refused)
        against = [one for one in refusals if one.reason == Reason.CONTRADICTION]
        if found:
            return Owned(found, against[0] if against else None)
        if against:
            raise against[0]
        raise self._nobody(documents)

    def owner_of(self, document: Classification) -> ActiveCompany:
        """The company to which the document belongs. Raises Refused."""
        named = self._named(document)
        claims = self.by_account.get(document.account, [])
        holder = next((claim.company for claim in claims if claim.confirmed), None)
        if named is None:
            return holder or self._claimer(document, claims)
        if holder and holder.office_id == named.office_id:
            return holder  # An office decides for itself which of its companies an account is of.
        companies = [claim.company for claim in claims]
        if others := [one for one in companies if one.company_number != named.company_number]:
            raise self._contradiction(f"account {document.account}", others, [named])
        self._prove(document.account, named)
        return named

    def _named(self, document: Classification) -> ActiveCompany | None:
        """The company that the document names; None where no active company has its numbers."""
        numbers = [number for number in numbers_of(document) if number in self.by_number]
        companies = [self._company_of(number) for number in numbers]
        if len(companies) > 1:
            raise self._contradiction("one company", companies[:1], companies[1:])
        return companies[0] if companies else None

    def _company_of(self, number: str) -> ActiveCompany:
        """The company with this number: the confirmed one, or the only one that claims it."""
        companies = self.by_number[number]
        confirmed = [company for company in companies if company.confirmed]
        if confirmed:
            return confirmed[0]
        if len(companies) > 1 or companies[0].contested:
            raise self._contradiction(f"number {number}", companies, [])
        return companies[0]

    def _claimer(self, document: Classification, claims: list[AccountClaim]) -> ActiveCompany:
        """The only company that claims the account of a document that names no company here."""
        if not claims:
            raise self._nobody([document])
        about = f"account {document.account}"
        companies = [claim.company for claim in claims]
        if numbers := numbers_of(document):
            says = f"the file names {' and '.join(numbers)}"
            raise self._contradiction(about, companies, [], says)
        company = companies[0]
        alone = len(claims) == 1 and not claims[0].contested
        if alone and self._company_of(company.company_number).client_id == company.client_id:
            return company
        raise self._contradiction(about, companies, [])

    def _prove(self, account: str, company: ActiveCompany) -> None:
        """The document names the company, with the account where it has one: both are right."""
        if self.in_sandbox:
            return
        confirmed = company._replace(confirmed=True)
        if not company.confirmed:
            self.proofs.add(Proof("", company.client_id))
            self.by_number[company.company_number] = [confirmed]
        if account:
            self.proofs.add(Proof(account, company.client_id))
            self.by_account[account] = [AccountClaim(confirmed, confirmed=True, contested=False)]

    def confirm(self) -> None:
        """Write down what the documents confirmed; only with the companies locked.

        Raises IntegrityError where somebody else was confirmed meanwhile.
        """
        if self.proofs:
            confirm(self.proofs)

    def _contradiction(
        self, about: str, claimers: list[ActiveCompany], named: list[ActiveCompany], says: str = ""
    ) -> Refused:
        """Both sides by number and office: for operators, and for nobody else."""
        words = as_operators_read({one.client_id for one in [*claimers, *named]})
        claimed = " and ".join(words[one.client_id] for one in claimers)
        against = " and ".join(words[one.client_id] for one in named)
        says = says or (f"the file names {against}" if against else "nobody has confirmed it")
        return Refused(Reason.CONTRADICTION, f"{about}: claimed by {claimed}; {says}")

    def _nobody(self, documents: Iterable[Classification]) -> Refused:
        """Why none of the documents has an owner, where nothing speaks against anything."""
        documents = list(documents)
        named = sorted({number for one in documents for number in numbers_of(one)})
        if named:
            return Refused(Reason.UNKNOWN_COMPANY, f"no active company has {' or '.join(named)}")
        account = next((one.account for one in documents if one.account), "")
        if account:
            return Refused(Reason.UNKNOWN_ACCOUNT, f"no active company has the account {account}")
        return Refused(Reason.UNKNOWN_COMPANY, "the file names no company by its number")
