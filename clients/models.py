"""Whose books does this office keep?"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.company_number import validate_company_number
from accounts.models import LANGUAGES, Office, User
from clients.admins import AccountTaken, CodeTaken, NumberTaken, Outdated, acting_for
from clients.events import ClientEvent, ClientEventKind
from clients.transfers import Transfer

__all__ = ["AccountTaken", "ClientEvent", "CodeTaken", "NumberTaken", "Outdated", "Transfer"]

STATES = [
    ("active", _("Active companies")),
    ("leaving", _("Being transferred")),
    ("archived", _("Archived companies")),
    ("all", _("All companies")),
]
# An enterprise number or a part of it, as people write it.
AS_A_NUMBER = re.compile(r"\s*(?:BE)?[\s.\-]*\d[\d\s.\-]*", re.IGNORECASE)


class Counts(NamedTuple):
    """How many companies an office has, in each state."""

    active: int
    leaving: int
    archived: int


class ClientQuerySet(models.QuerySet["Client"]):
    def kept(self) -> ClientQuerySet:
        """All but those whose agreed moment of leaving has passed: nobody sees these any more."""
        return self.filter(models.Q(leaves_at=None) | models.Q(leaves_at__gt=Now()))

    def active(self) -> ClientQuerySet:
        """Whose books are kept now: not archived, not gone."""
        return self.kept().filter(archived_at=None)

    def in_state(self, state: str) -> ClientQuerySet:
        """Those that are `active`, `archived` or `leaving`; all that are kept for another word."""
        if state == "active":
            return self.active()
        if state == "archived":
            return self.kept().exclude(archived_at=None)
        if state == "leaving":
            return self.active().filter(_being_transferred())
        return self.kept()

    def counts(self) -> Counts:
        """One statement for all numbers above the list."""
        active = models.Q(archived_at=None)
        kept = self.kept().annotate(leaving=_being_transferred())
        numbers = kept.aggregate(
            active=models.Count("pk", filter=active),
            archived=models.Count("pk", filter=~active),
            leaves=models.Count("pk", filter=models.Q(leaving=True)),
        )
        return Counts(numbers["active"], numbers["leaves"], numbers["archived"])

    def named(self, words: str) -> ClientQuerySet:
        """Those with these words in name or code, or these digits in the enterprise number."""
        if not words:
            return self
        found = models.Q(name__icontains=words) | models.Q(code__icontains=words)
        if AS_A_NUMBER.fullmatch(words):
            digits = "".join(filter(str.isdigit, words))
            found |= models.Q(company_number__contains=digits)
        return self.filter(found)

    def by_name(self, after: str = "") -> ClientQuerySet:
        """In the order of their names, those after the one with the number `after`."""
        last = self.filter(company_number=after).first() if after else None
        return self.sorted_after("name", last.uuid if last else None)

    def sorted_after(self, sort: str, after: UUID | None) -> ClientQuerySet:
        """By `name` or by `code`; those after the one named."""
        last = self.filter(uuid=after).first() if after else None
        if last is None:
            return self.order_by(sort, "pk")
        place = getattr(last, sort)
        same = models.Q(**{sort: place}, pk__gt=last.pk)
        return self.filter(models.Q(**{f"{sort}__gt": place}) | same).order_by(sort, "pk")

    def with_transfer(self) -> ClientQuerySet:
        """Add `open_transfers`: the transfer that is asked or agreed, if any."""
        transfers = Transfer.objects.open().select_related("to_office")
        return self.prefetch_related(
            models.Prefetch("transfers", transfers, to_attr="open_transfers")
        )

    def add(self, office: Office, by: User, **fields: Any) -> Client:
        """Take a company into the books, on behalf of an Admin.

        Raises PermissionDenied, NumberTaken, CodeTaken.
        """
        with acting_for(office, by):
            client = self.create(office=office, **fields)
            ClientEvent.objects.write(client, office, ClientEventKind.ADDED, by)
        return client


def _being_transferred() -> models.Exists:
    return models.Exists(Transfer.objects.open().filter(client=models.OuterRef("pk")))


class Client(models.Model):
    """A company whose books an office keeps; people see it as *Company*, *Dossier*, *Akte*."""

    uuid = models.UUIDField(db_default=RandomUUID(), unique=True, editable=False)
    office = models.ForeignKey(Office, models.PROTECT, related_name="clients")
    company_number = models.CharField(
        _("enterprise number"), max_length=10, validators=[validate_company_number]
    )
    name = models.CharField(_("name"), max_length=200)
    code = models.CharField(_("company code"), max_length=40)
    language = models.CharField(max_length=2, choices=LANGUAGES, default="nl")
    email = models.EmailField(_("e-mail address"), blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    archived_reason = models.CharField(max_length=300, blank=True, default="")
    # From this moment on the office and its software see nothing of it: an agreed transfer.
    leaves_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ClientQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["office", "code"], name="clients_client_one_per_code"),
            # Documents copy the office of their client; this pair is what they point at.
            models.UniqueConstraint(fields=["id", "office"], name="clients_client_and_office"),
            models.UniqueConstraint(
                fields=["company_number"],
                condition=models.Q(archived_at=None),
                name="clients_client_one_active_per_number",
            ),
            models.CheckConstraint(
                condition=models.Q(company_number__regex=r"^[01][0-9]{9}$"),
                name="clients_client_ten_digits",
            ),
            models.CheckConstraint(
                condition=models.Q(archived_at=None) | models.Q(leaves_at=None),
                name="clients_client_archived_stays",
            ),
        ]
        indexes = [
            models.Index(fields=["office", "company_number"], name="clients_client_by_number"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_leaving(self) -> bool:
        """A transfer is agreed and its moment not yet here; for the screens only."""
        return self.leaves_at is not None and self.leaves_at > timezone.now()

    def transfer_under_way(self) -> Transfer | None:
        """The transfer that is asked or agreed and did not happen yet."""
        return self.transfers.open().select_related("from_office", "to_office").first()

    def hold(self) -> Client:
        """The row as it stands, locked to the end of the transaction. Raises Outdated."""
        rows = Client.objects.active().select_for_update(no_key=True)
        held = rows.filter(pk=self.pk, office_id=self.office_id).first()
        if held is None:
            raise Outdated
        return held

    def change(self, by: User, **said: str) -> None:
        """Change what the office says about the company, on behalf of an Admin.

        Raises PermissionDenied, CodeTaken, Outdated.
        """
        with acting_for(self.office, by):
            held = self.hold()
            changes = {
                field: [getattr(held, field), value]
                for field, value in said.items()
                if getattr(held, field) != value
            }
            if changes:
                Client.objects.filter(pk=self.pk).update(**said)
                self._write(ClientEventKind.CHANGED, by, **changes)

    def archive(self, by: User, reason: str) -> None:
        """Put the company away: no software sees it any more, its number is free again.

        Raises PermissionDenied, and Outdated while it is being transferred.
        """
        with acting_for(self.office, by):
            held = self.hold()
            if held.transfer_under_way():
                raise Outdated
            Client.objects.filter(pk=self.pk).update(archived_at=Now(), archived_reason=reason)
            self._write(ClientEventKind.ARCHIVED, by, reason=reason)

    def restore(self, by: User) -> None:
        """Take the company back into the books, when its number is free.

        Raises PermissionDenied, NumberTaken, Outdated.
        """
        with acting_for(self.office, by):
            archived = Client.objects.filter(pk=self.pk, office_id=self.office_id)
            away = archived.exclude(archived_at=None)
            if not away.update(archived_at=None, archived_reason=""):
                raise Outdated
            self._write(ClientEventKind.RESTORED, by)

    def register_account(self, by: User, iban: str) -> Account:
        """File the statements of this bank account under the company, on behalf of an Admin.

        Raises PermissionDenied, AccountTaken, Outdated.
        """
        with acting_for(self.office, by):
            self.hold()
            account = Account.objects.create(client=self, iban=iban)
            self._write(ClientEventKind.ACCOUNT_REGISTERED, by, iban=iban)
        return account

    def remove_account(self, by: User, iban: str) -> None:
        """Forget a bank account; what was filed stays. Raises PermissionDenied, Outdated."""
        with acting_for(self.office, by):
            self.hold()
            if not self.accounts.filter(iban=iban).delete()[0]:
                raise Outdated
            self._write(ClientEventKind.ACCOUNT_REMOVED, by, iban=iban)

    def _write(self, kind: ClientEventKind, by: User, **details: Any) -> None:
        ClientEvent.objects.write(self, self.office, kind, by, **details)


class Account(models.Model):
    """A bank account of a company: statements are filed by it.

    Registered by the office, or learnt from the first file whose header names the company.
    """

    client = models.ForeignKey(Client, models.PROTECT, related_name="accounts")
    iban = models.CharField(_("account number"), max_length=34, unique=True)
    learnt = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(iban__regex=r"^[A-Z0-9]{5,34}$"), name="clients_account_plain"
            )
        ]

    def __str__(self) -> str:
        return self.iban
