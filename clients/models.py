"""Whose books does this office keep?"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.company_number import validate_company_number
from accounts.models import LANGUAGES, Office


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
