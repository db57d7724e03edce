"""A file that waits because it was refused, or because no company owns it."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.models import Office
from clients.models import Account, Client
from documents.formats import Reason


class QuarantineState(models.TextChoices):
    WAITING = "waiting"
    FILED = "filed"
    DISCARDED = "discarded"


class QuarantineQuerySet(models.QuerySet["QuarantinedFile"]):
    def concerning(self, office: Office) -> QuarantineQuerySet:
        """What waits for a company of the office: the file names its number or its account.

        A contradiction, and a file with an account of another office, is for operators alone.
        """
        active = Client.objects.active()
        same_number = active.filter(company_number=models.OuterRef("company_number"))
        alone = ~models.Exists(same_number.exclude(pk=models.OuterRef("pk")))
        # A claim counts where nobody else has or claims the same.
        certain = models.Q(confirmed_at__isnull=False) | (models.Q(contested=False) & alone)
        ours = active.filter(certain, office=office)
        accounts = Account.objects.filter(client__in=active)
        own = accounts.filter(client__in=ours, confirmed_at__isnull=False)
        named = QuarantinedName.objects.filter(
            models.Q(number__in=ours.values("company_number"))
            | models.Q(account__in=own.values("iban"))
        )
        others = accounts.exclude(client__office=office)
        of_others = QuarantinedName.objects.filter(account__in=others.values("iban"))
        waiting = self.filter(state=QuarantineState.WAITING, pdf_of=None)
        mine = waiting.filter(pk__in=named.values("file")).exclude(reason=Reason.CONTRADICTION)
        return mine.exclude(pk__in=of_others.values("file"))


class QuarantinedFile(models.Model):
    """A file that could not be filed. Its bytes stay stored, so that it can be replayed."""

    sha256 = models.CharField(max_length=64, unique=True)
    # The bank, agency, card issuer or supplier, as far as the file says so.
    sender = models.CharField(max_length=200, blank=True, db_default="")
    name = models.CharField(max_length=255)
    size = models.BigIntegerField(help_text="bytes")
    reason = models.CharField(max_length=20, choices=[(r.value, r.value) for r in Reason])
    detail = models.CharField(max_length=500)
    line = models.PositiveIntegerField(null=True)
    # Of a PDF: the waiting file with which it was delivered. A replay files both.
    pdf_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="pdfs")
    state = models.CharField(
        max_length=9, choices=QuarantineState.choices, default=QuarantineState.WAITING
    )
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    tried_at = models.DateTimeField(db_default=Now())
    tries = models.PositiveIntegerField(default=1)

    objects = QuarantineQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "quarantine"
        indexes = [models.Index(fields=["state", "-id"], name="documents_quarantine_list")]

    def __str__(self) -> str:
        return f"{self.reason} {self.name}"

    @property
    def belongs_to_nobody(self) -> bool:
        """Tell whether the file names no active company, by its number or its account."""
        active = Client.objects.active()
        accounts = Account.objects.filter(client__in=active)
        known = models.Q(number__in=active.values("company_number")) | models.Q(
            account__in=accounts.values("iban")
        )
        return not self.names.filter(known).exists()

    def discard(self) -> bool:
        """Give the file up: garbage collection removes its bytes. Tell whether it was waiting."""
        waiting = QuarantinedFile.objects.filter(pk=self.pk, state=QuarantineState.WAITING)
        return bool(waiting.update(state=QuarantineState.DISCARDED, tried_at=Now()))


class QuarantinedName(models.Model):
    """A company that a waiting file names: by its enterprise number, or by its bank account."""

    file = models.ForeignKey(QuarantinedFile, models.CASCADE, related_name="names")
    number = models.CharField(max_length=10, blank=True)
    account = models.CharField(max_length=34, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["file", "number", "account"], name="documents_quarantinedname_once"
            ),
            models.CheckConstraint(
                condition=models.Q(number="") ^ models.Q(account=""),
                name="documents_quarantinedname_one_of_both",
            ),
        ]
        indexes = [
            models.Index(fields=["number"], name="documents_quarantined_number"),
            models.Index(fields=["account"], name="documents_quarantined_account"),
        ]

    def __str__(self) -> str:
        return self.number or self.account
