"""Whose books does this office keep?"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pgtrigger
from django.contrib.postgres.functions import RandomUUID
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import LANGUAGES, Office, User
from clients.admins import AccountTaken, CodeTaken, NumberTaken, Outdated, acting_for
from clients.models.account import Account
from clients.models.event import ClientEvent, ClientEventKind
from clients.models.transfer import Transfer
from core.enterprise_number import validate_company_number
from core.locks import hold, retry_deadlock
from core.plain_text import Plain, plain
from core.sandbox import NUMBERS_BEGIN_WITH
from core.triggers import Trigger

__all__ = ["AccountTaken", "ClientEvent", "CodeTaken", "NumberTaken", "Outdated", "Transfer"]

STATES = [
    ("active", _("Active companies")),
    ("leaving", _("Being transferred")),
    ("archived", _("Archived companies")),
    ("all", _("All companies")),
]
# An enterprise number or a part of it, as people write it.
AS_A_NUMBER = re.compile(r"\s*(?:BE)?[\s.\-]*\d[\d\s.\-]*", re.IGNORECASE)
AS_AN_ACCOUNT = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{8,30}")


# A company that is archived, or a claim again, holds no confirmed account.
ACCOUNTS_FIRST = Trigger(
    name="accounts_first",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    condition=pgtrigger.Condition("NEW.archived_at IS NOT NULL OR NEW.confirmed_at IS NULL"),
    func="""
        IF EXISTS (
            SELECT 1 FROM clients_account a
            WHERE a.client_id = NEW.id AND a.confirmed_at IS NOT NULL
        ) THEN
            RAISE EXCEPTION 'The accounts of company % are confirmed', NEW.id;
        END IF;
        RETURN NEW;
    """,
)

# The companies of the sandbox have numbers of their own, and stay in their offices.
SANDBOX_APART = Trigger(
    name="sandbox_apart",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("office_id", "company_number"),  # type: ignore[no-untyped-call]
    func=f"""
        IF EXISTS (
            SELECT 1 FROM accounts_office o WHERE o.id = NEW.office_id
                AND (o.kind = 'sandbox') <> (NEW.company_number LIKE '{NUMBERS_BEGIN_WITH}%')
        ) THEN
            RAISE EXCEPTION 'Company % and office % are of two worlds',
                NEW.company_number, NEW.office_id USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,  # noqa: S608  # constants only
)


class Counts(NamedTuple):
    """How many companies an office has, in each state."""

    active: int
    leaving: int
    archived: int


class ClientQuerySet(models.QuerySet["Client"]):
    def not_transferred(self) -> ClientQuerySet:
        """All but those whose agreed moment of leaving has passed: nobody sees these any more."""
        return self.filter(models.Q(leaves_at=None) | models.Q(leaves_at__gt=Now()))

    def active(self) -> ClientQuerySet:
        """Whose books are kept now: not archived, not gone."""
        return self.not_transferred().filter(archived_at=None)

    def elsewhere(self, office_id: int, number: str) -> ClientQuerySet:
        """The companies of other offices that have or claim this number."""
        return self.active().filter(company_number=number).exclude(office=office_id)

    def in_state(self, state: str) -> ClientQuerySet:
        """Those that are `active`, `archived` or `leaving`; both for another word."""
        if state == "active":
            return self.active()
        if state == "archived":
            return self.not_transferred().exclude(archived_at=None)
        if state == "leaving":
            return self.active().filter(_being_transferred())
        return self.not_transferred()

    def counts(self) -> Counts:
        """One statement for all numbers above the list."""
        active = models.Q(archived_at=None)
        ours = self.not_transferred().annotate(leaving=_being_transferred())
        numbers = ours.aggregate(
            active=models.Count("pk", filter=active),
            archived=models.Count("pk", filter=~active),
            leaves=models.Count("pk", filter=models.Q(leaving=True)),
        )
        return Counts(numbers["active"], numbers["leaves"], numbers["archived"])

    def named(self, words: str) -> ClientQuerySet:
        """Those with these words in name or code, these digits in the number, or this account."""
        if not words:
            return self
        found = models.Q(plain_name__contains=plain(words)) | models.Q(code__icontains=words)
        account = re.sub(r"\s", "", words).upper()
        if AS_AN_ACCOUNT.fullmatch(account):
            holders = Account.objects.filter(iban=account)
            found |= models.Q(pk__in=holders.values("client"))
        if AS_A_NUMBER.fullmatch(words):
            digits = "".join(filter(str.isdigit, words))
            found |= models.Q(company_number__contains=digits)
        return self.alias(plain_name=Plain("name")).filter(found)

    def with_transfer(self) -> ClientQuerySet:
        """Add `open_transfers`: the transfer that is asked or agreed, if any."""
        transfers = Transfer.objects.open().select_related("to_office")
        return self.prefetch_related(
            models.Prefetch("transfers", transfers, to_attr="open_transfers")
        )

    @retry_deadlock
    def add(self, office: Office, by: User, **fields: Any) -> Client:
        """Take a company into the books, on behalf of an Admin.

        It is a claim, and nobody is told whether another office has the number. Raises
        PermissionDenied, NumberTaken, CodeTaken, TooManyClaims.
        """
        with acting_for(office, by):
            ClientEvent.objects.check_claims(office)
            contested = self.elsewhere(office.pk, fields["company_number"]).exists()
            client = self.create(office=office, contested=contested, **fields)
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
    email = models.EmailField(_("email address"), blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    archived_reason = models.CharField(max_length=300, blank=True, default="")
    # When a file or an operator confirmed that it is this office's; None is a claim.
    confirmed_at = models.DateTimeField(null=True, editable=False)
    # A claim that only an operator confirms: another office had the number. No screen tells it.
    contested = models.BooleanField(default=False, db_default=False, editable=False)
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
                fields=["office", "company_number"],
                condition=models.Q(archived_at=None),
                name="clients_client_one_active_in_office",
            ),
            # Any office may claim a number, but files of it go to one.
            models.UniqueConstraint(
                fields=["company_number"],
                condition=models.Q(archived_at=None, confirmed_at__isnull=False),
                name="clients_client_one_confirmed_per_number",
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_at=None) | models.Q(contested=False),
                name="clients_client_confirmed_or_contested",
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
            models.Index(fields=["company_number"], name="clients_client_in_any_office"),
            # The list of changes asks which of an office's companies it does not share any more.
            models.Index(
                fields=["office"],
                name="clients_client_not_active",
                condition=models.Q(archived_at__isnull=False) | models.Q(leaves_at__isnull=False),
            ),
        ]
        triggers = [ACCOUNTS_FIRST, SANDBOX_APART]

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

    @retry_deadlock
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

    @retry_deadlock
    def archive(self, by: User, reason: str) -> None:
        """Put the company away: no software sees it any more, its number is free again.

        Raises PermissionDenied, and Outdated while it is being transferred.
        """
        with acting_for(self.office, by):
            held = self.hold()
            if held.transfer_under_way():
                raise Outdated
            self.accounts.update(confirmed_at=None)
            Client.objects.filter(pk=self.pk).update(archived_at=Now(), archived_reason=reason)
            self._write(ClientEventKind.ARCHIVED, by, reason=reason)

    @retry_deadlock
    def restore(self, by: User) -> None:
        """Take the company back into the books, as a claim: as one that is added.

        Raises PermissionDenied, NumberTaken, TooManyClaims, Outdated.
        """
        with acting_for(self.office, by):
            ClientEvent.objects.check_claims(self.office)
            archived = Client.objects.filter(pk=self.pk, office_id=self.office_id)
            away = archived.exclude(archived_at=None)
            held = Client.objects.elsewhere(self.office_id, self.company_number).exists()
            contested = models.Case(models.When(contested=True, then=True), default=held)
            claim = {"confirmed_at": None, "contested": contested}
            if not away.update(archived_at=None, archived_reason="", **claim):
                raise Outdated
            self._write(ClientEventKind.RESTORED, by)

    @retry_deadlock
    def confirm(self, by: User) -> None:
        """File here what names this number: an operator looked. Whoever had it claims it now.

        Raises Outdated where it is no active claim any more.
        """
        with transaction.atomic():
            rows = Client.objects.filter(company_number=self.company_number, archived_at=None)
            hold(Office, *rows.values_list("office", flat=True))
            held = {one.pk: one for one in rows.select_for_update(no_key=True).order_by("pk")}
            mine = held.pop(self.pk, None)
            if mine is None or mine.confirmed_at:
                raise Outdated
            Account.objects.filter(client__in=held).update(confirmed_at=None, contested=True)
            rows.filter(pk__in=held).update(confirmed_at=None, contested=True)
            rows.filter(pk=self.pk).update(confirmed_at=Now(), contested=False)
            for other in held.values():
                if other.confirmed_at:
                    other._write(ClientEventKind.CONTESTED, by)
            mine._write(ClientEventKind.CONFIRMED, by)

    @retry_deadlock
    def refuse(self, by: User) -> None:
        """Archive a claim: an operator looked. Raises Outdated where it is no claim any more."""
        with transaction.atomic():
            hold(Office, self.office_id)
            held = self.hold()
            if held.confirmed_at or held.transfer_under_way():
                raise Outdated
            Client.objects.filter(pk=self.pk).update(archived_at=Now(), contested=True)
            held._write(ClientEventKind.REFUSED, by)

    @retry_deadlock
    def register_account(self, by: User, iban: str) -> Account:
        """Claim that this bank account is the company's, on behalf of an Admin.

        Nobody is told whether a company of another office has it. Raises PermissionDenied,
        AccountTaken, TooManyClaims, Outdated.
        """
        with acting_for(self.office, by):
            ClientEvent.objects.check_claims(self.office)
            self.hold()
            known = Account.objects.filter(iban=iban)
            if known.filter(client__in=Client.objects.active().filter(office=self.office)).exists():
                raise AccountTaken
            contested = known.exclude(client__company_number=self.company_number).exists()
            account = self.accounts.create(iban=iban, contested=contested)
            self._write(ClientEventKind.ACCOUNT_REGISTERED, by, iban=iban)
        return account

    @retry_deadlock
    def remove_account(self, by: User, iban: str) -> None:
        """Forget a bank account; what was filed stays. Raises PermissionDenied, Outdated."""
        with acting_for(self.office, by):
            self.hold()
            if not self.accounts.filter(iban=iban).delete()[0]:
                raise Outdated
            self._write(ClientEventKind.ACCOUNT_REMOVED, by, iban=iban)

    def _write(self, kind: ClientEventKind, by: User, **details: Any) -> None:
        ClientEvent.objects.write(self, self.office, kind, by, **details)
