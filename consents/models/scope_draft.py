"""What a person has ticked on the scope page and not saved yet."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

if TYPE_CHECKING:
    from accounts.models import User
    from consents.models import Consent


class ScopeDraft(models.Model):
    """One selection over all pages and searches, of one person for one consent.

    It says how companies will differ from what is shared now; whatever is in neither list stays
    as it is. A draft is nobody's decision: it changes nothing until it is saved.
    """

    consent = models.ForeignKey("consents.Consent", models.CASCADE, related_name="+")
    person = models.ForeignKey("accounts.User", models.CASCADE, related_name="+")
    clients_in = ArrayField(models.BigIntegerField(), default=list)
    clients_out = ArrayField(models.BigIntegerField(), default=list)
    # None: as it is now.
    kinds = ArrayField(models.CharField(max_length=24), null=True)
    new_clients = models.BooleanField(null=True)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["consent", "person"], name="consents_scopedraft_one_a_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.consent_id}"

    @classmethod
    def of(cls, consent: Consent, person: User) -> ScopeDraft:
        """The draft of this person, or an empty one that is not stored yet."""
        found = cls.objects.filter(consent=consent, person=person).first()
        return found or cls(consent=consent, person=person)

    def mark(self, clients: Collection[int], covered: Collection[int], *, shared: bool) -> None:
        """Note that these companies are to be shared, or not; `covered` are shared now."""
        marked, now = set(clients), set(covered)
        come, go = set(self.clients_in) - marked, set(self.clients_out) - marked
        if shared:
            come |= marked - now
        else:
            go |= marked & now
        self.clients_in, self.clients_out = sorted(come), sorted(go)

    def keep(self) -> None:
        """Store it; a second window of the same person writes into the same draft."""
        changes = {
            "clients_in": self.clients_in,
            "clients_out": self.clients_out,
            "kinds": self.kinds,
            "new_clients": self.new_clients,
            "changed_at": Now(),
        }
        ScopeDraft.objects.update_or_create(changes, consent=self.consent, person=self.person)

    def discard(self) -> None:
        ScopeDraft.objects.filter(consent=self.consent, person=self.person).delete()
