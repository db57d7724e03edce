"""What offices claim, for the pages on which operators decide: they open no other company."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from clients.models import Account, Client


class CompanyClaims(models.Manager["CompanyClaim"]):
    def get_queryset(self) -> models.QuerySet[CompanyClaim]:
        return super().get_queryset().filter(archived_at=None, confirmed_at=None)


class CompanyClaim(Client):
    """A company that neither a file nor an operator has confirmed."""

    objects: ClassVar[CompanyClaims] = CompanyClaims()  # type: ignore[assignment]

    class Meta:
        proxy = True


class AccountClaims(models.Manager["AccountClaim"]):
    def get_queryset(self) -> models.QuerySet[AccountClaim]:
        return super().get_queryset().filter(client__archived_at=None, confirmed_at=None)


class AccountClaim(Account):
    """A bank account that neither a file nor an operator has confirmed."""

    objects: ClassVar[AccountClaims] = AccountClaims()

    class Meta:
        proxy = True
