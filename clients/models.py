"""Whose books does this office keep?"""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.company_number import validate_company_number
from accounts.models import LANGUAGES, Office, User


class ClientQuerySet(models.QuerySet["Client"]):
    def active(self) -> ClientQuerySet:
        return self.filter(archived_at=None)

    def named(self, words: str) -> ClientQuerySet:
        """Those with these words in name or code, or these digits in the enterprise number."""
        if not words:
            return self
        digits = "".join(filter(str.isdigit, words)) or words
        by_name = models.Q(name__icontains=words) | models.Q(code__icontains=words)
        return self.filter(by_name | models.Q(company_number__contains=digits))

    def by_name(self, after: str = "") -> ClientQuerySet:
        """In the order of their names, those after the one with the number `after`."""
        last = self.filter(company_number=after).first() if after else None
        if last is None:
            return self.order_by("name", "pk")
        further = models.Q(name__gt=last.name) | models.Q(name=last.name, pk__gt=last.pk)
        return self.filter(further).order_by("name", "pk")


class Client(models.Model):
    """A company whose books an office keeps; people see it as *Company*, *Dossier*, *Akte*."""

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
    # From this moment on the office's software sees nothing of it: an agreed transfer.
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
        ]
        indexes = [
            models.Index(fields=["office", "company_number"], name="clients_client_by_number"),
        ]

    def __str__(self) -> str:
        return self.name


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


class Transfer(models.Model):
    """A company goes to another office: the old one asks, the new one agrees, the clock decides.

    Written forward only: asked, then agreed, declined or withdrawn; agreed, then moved.
    """

    client = models.ForeignKey(Client, models.PROTECT, related_name="transfers")
    from_office = models.ForeignKey(Office, models.PROTECT, related_name="transfers_out")
    to_office = models.ForeignKey(Office, models.PROTECT, related_name="transfers_in")
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    # The moment that the old office wishes; None is the moment of the agreement.
    wished_at = models.DateTimeField(null=True)
    agreed_at = models.DateTimeField(null=True)
    agreed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    # From here on the old office's software sees nothing; at least `agreed_at`.
    effective_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client"],
                condition=models.Q(closed_at=None, moved_at=None),
                name="clients_transfer_one_open",
            ),
            models.CheckConstraint(
                condition=~models.Q(from_office=models.F("to_office")),
                name="clients_transfer_elsewhere",
            ),
            models.CheckConstraint(
                condition=models.Q(agreed_at=None, agreed_by=None, effective_at=None)
                | models.Q(
                    agreed_at__isnull=False,
                    agreed_by__isnull=False,
                    effective_at__gte=models.F("agreed_at"),
                ),
                name="clients_transfer_agreed_has_a_person_and_a_moment",
            ),
            models.CheckConstraint(
                condition=models.Q(moved_at=None)
                | models.Q(closed_at=None, moved_at__gte=models.F("effective_at")),
                name="clients_transfer_moves_when_agreed",
            ),
        ]
        triggers = [pgtrigger.Protect(name="keep_transfers", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.client}: {self.from_office} → {self.to_office}"
