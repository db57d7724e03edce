"""The bank accounts of the companies: statements are filed by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pgtrigger
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Office
from clients.admins import Outdated
from clients.models.event import ClientEvent, ClientEventKind
from core.locks import hold, retry_deadlock
from core.sandbox import NUMBERS_BEGIN_WITH
from core.triggers import Trigger

if TYPE_CHECKING:
    from accounts.models import User
    from clients.models import Client

OF_A_CONFIRMED_COMPANY = Trigger(
    name="of_a_confirmed_company",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.Update,
    condition=pgtrigger.Condition("NEW.confirmed_at IS NOT NULL"),
    func="""
        PERFORM 1 FROM clients_client c WHERE c.id = NEW.client_id AND c.archived_at IS NULL
            AND c.confirmed_at IS NOT NULL FOR SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'Company % is not confirmed', NEW.client_id;
        END IF;
        RETURN NEW;
    """,
)

# A real account in the sandbox would keep the statements of a real company from it.
NONE_IN_THE_SANDBOX = Trigger(
    name="none_in_the_sandbox",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    func=f"""
        IF EXISTS (
            SELECT 1 FROM clients_client c
            WHERE c.id = NEW.client_id AND c.company_number LIKE '{NUMBERS_BEGIN_WITH}%'
        ) THEN
            RAISE EXCEPTION 'Company % is of the sandbox: no account is its own', NEW.client_id
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    """,  # noqa: S608  # constants only
)


class Account(models.Model):
    """A bank account of a company: statements are filed by it once it is confirmed.

    Registered by the office, or learnt from the first file whose header names the company.
    """

    client = models.ForeignKey("clients.Client", models.PROTECT, related_name="accounts")
    iban = models.CharField(_("account number"), max_length=34)
    learnt = models.BooleanField(default=False)
    # When a file or an operator confirmed that it is this company's; None is a claim.
    confirmed_at = models.DateTimeField(null=True, editable=False)
    # A claim by which nothing is filed: another company had the account. No screen tells it.
    contested = models.BooleanField(default=False, db_default=False, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(iban__regex=r"^[A-Z0-9]{5,34}$"), name="clients_account_plain"
            ),
            models.UniqueConstraint(
                fields=["client", "iban"], name="clients_account_once_per_company"
            ),
            # Any office may claim an account, but statements of it go to one company.
            models.UniqueConstraint(
                fields=["iban"],
                condition=models.Q(confirmed_at__isnull=False),
                name="clients_account_one_confirmed",
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_at=None) | models.Q(contested=False),
                name="clients_account_confirmed_or_contested",
            ),
        ]
        indexes = [models.Index(fields=["iban"], name="clients_account_by_number")]
        triggers = [OF_A_CONFIRMED_COMPANY, NONE_IN_THE_SANDBOX]

    def __str__(self) -> str:
        return self.iban

    @retry_deadlock
    def confirm(self, by: User) -> None:
        """File its statements under the company: an operator looked. Whoever had it claims it now.

        Raises Outdated where the company or the account is no active claim any more.
        """
        with transaction.atomic():
            companies = self._hold_companies()
            rows = Account.objects.filter(iban=self.iban)
            others = list(rows.exclude(pk=self.pk).exclude(confirmed_at=None))
            mine = rows.filter(pk=self.pk, confirmed_at=None).first()
            company = companies.get(self.client_id)
            if mine is None or company is None or not company.confirmed_at or company.archived_at:
                raise Outdated
            rows.exclude(pk=self.pk).update(confirmed_at=None, contested=True)
            rows.filter(pk=self.pk).update(confirmed_at=Now(), contested=False)
            for other in others:
                self._write(companies[other.client_id], ClientEventKind.ACCOUNT_CONTESTED, by)
            self._write(company, ClientEventKind.ACCOUNT_CONFIRMED, by)

    @retry_deadlock
    def refuse(self, by: User) -> None:
        """Forget a claim: an operator looked. Raises Outdated where it is no claim any more."""
        with transaction.atomic():
            company = self._hold_companies()[self.client_id]
            if not Account.objects.filter(pk=self.pk, confirmed_at=None).delete()[0]:
                raise Outdated
            self._write(company, ClientEventKind.ACCOUNT_REFUSED, by)

    def _hold_companies(self) -> dict[int, Client]:
        """The companies that have or claim the account, locked to the end of the transaction."""
        ids = set(Account.objects.filter(iban=self.iban).values_list("client", flat=True))
        clients = Account.client.get_queryset(instance=self).filter(pk__in=ids | {self.client_id})
        hold(Office, *clients.values_list("office", flat=True))
        locked = clients.select_for_update(of=("self",), no_key=True).select_related("office")
        return {client.pk: client for client in locked.order_by("pk")}

    def _write(self, client: Client, kind: ClientEventKind, by: User) -> None:
        ClientEvent.objects.write(client, client.office, kind, by, iban=self.iban)
