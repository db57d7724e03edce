"""What a consent covers: an office may leave companies and kinds of documents out.

A listed company is left out; where new companies stay out (`only_listed`), the listed ones are
those that are shared. So a company is covered exactly when being listed equals `only_listed`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.core import signing
from django.db import connection, models, transaction

from clients.models import Client, ClientQuerySet
from consents.actors import Actor
from consents.evidence import Evidence

if TYPE_CHECKING:
    from consents.models import Consent, Terms

SALT = "consents.scope"
VALID_SECONDS = 3600
# Every company that was not listed is listed from now on, and the other way round; archived ones
# too, so that one that comes back is shared exactly when it was before.
TURN_AROUND = """
    with was as (
        delete from consents_listedclient where consent_id = %(consent)s returning client_id
    )
    insert into consents_listedclient (consent_id, client_id)
    select %(consent)s, id from clients_client
    where office_id = %(office)s and id not in (select client_id from was)
"""


class ListedClient(models.Model):
    """A company that a consent names: as left out, or as shared where new ones stay out."""

    consent = models.ForeignKey("consents.Consent", models.PROTECT, related_name="listed")
    client = models.ForeignKey(Client, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["consent", "client"], name="consents_listedclient_once")
        ]

    def __str__(self) -> str:
        return f"{self.consent_id} · {self.client_id}"


class NeedsTerms(Exception):
    """Sharing more of a given consent is agreed to like the consent itself."""


def clients_in_scope(consent: Consent) -> ClientQuerySet:
    """The companies of the office that the consent covers now."""
    clients = Client.objects.active().filter(office_id=consent.office_id)
    listed = ListedClient.objects.filter(consent=consent).values("client")
    if consent.only_listed:
        return clients.filter(pk__in=listed)
    return clients.exclude(pk__in=listed)


@dataclass(frozen=True)
class ScopeChange:
    """What an Admin wants to share (`_in`) and to leave out (`_out`); None: as it is."""

    kinds_in: tuple[str, ...] = ()
    kinds_out: tuple[str, ...] = ()
    clients_in: tuple[int, ...] = ()
    clients_out: tuple[int, ...] = ()
    new_clients: bool | None = None

    def narrowing(self) -> ScopeChange:
        """The part that shares less."""
        less = False if self.new_clients is False else None
        return replace(self, kinds_in=(), clients_in=(), new_clients=less)

    def widening(self) -> ScopeChange:
        """The part that shares more."""
        more = True if self.new_clients else None
        return replace(self, kinds_out=(), clients_out=(), new_clients=more)

    def __bool__(self) -> bool:
        return self != ScopeChange()

    def sign(self, consent: Consent) -> str:
        """The widening for the way to its confirmation, bound to what the consent covers now."""
        members = [self.kinds_in, self.clients_in, self.new_clients]
        bound = [str(consent.uuid), consent.scope_number]
        return signing.dumps([*bound, *members], salt=SALT, compress=True)

    @classmethod
    def read(cls, signed: str, consent: Consent) -> ScopeChange | None:
        """The widening signed within the hour for this consent as it stands; else None."""
        try:
            *bound, kinds, clients, new = signing.loads(signed, salt=SALT, max_age=VALID_SECONDS)
        except (signing.BadSignature, ValueError):
            return None
        if bound != [str(consent.uuid), consent.scope_number]:
            return None
        return cls(kinds_in=tuple(kinds), clients_in=tuple(clients), new_clients=new)


def change_scope(
    consent: Consent, by: Actor, change: ScopeChange, terms: Terms | None = None
) -> None:
    """Carry out what differs from now, with its events.

    Sharing more of a consent that was given keeps evidence of the `terms` that were accepted.
    Raises DecisionConflict when the consent has ended, NotAnAdmin, and NeedsTerms.
    """
    from consents.models import Consent, ConsentEvent, DecisionConflict, EventKind, Status

    with transaction.atomic():
        consent.hold_admin(by)
        held = Consent.objects.select_for_update(no_key=True, of=("self",)).get(pk=consent.pk)
        if not (held.is_open or held.status == Status.ALLOWED):
            raise DecisionConflict(held)
        for part, kind in (
            (differing(held, change.narrowing()), EventKind.NARROWED),
            (differing(held, change.widening()), EventKind.WIDENED),
        ):
            if not part:
                continue
            _carry_out(held, part)
            evidence = None
            if kind == EventKind.WIDENED and held.status == Status.ALLOWED:
                evidence = _agreed(held, by, terms)
            ConsentEvent.objects.write(held, kind, by, scope=_told(part), evidence=evidence)
    consent.reread()


def _agreed(consent: Consent, by: Actor, terms: Terms | None) -> Evidence:
    if terms is None:
        raise NeedsTerms
    return agreement(consent, by, terms)


def agreement(consent: Consent, by: Actor, terms: Terms) -> Evidence:
    """Evidence that a person agreed to these terms for what the consent covers now."""
    return Evidence.describe(
        by,
        terms,
        partner_name=consent.partner.name,
        partner_logo=consent.partner.logo_id or "",
        document_kinds=consent.shared_kinds,
        companies=clients_in_scope(consent).count(),
    )


def differing(consent: Consent, change: ScopeChange) -> ScopeChange:
    """Only what is not so already; companies of other offices and unknown kinds fall away."""
    out, known = set(consent.excluded_kinds), set(consent.partner.document_kinds)
    covered = set(clients_in_scope(consent).values_list("pk", flat=True))
    active = Client.objects.active().filter(office=consent.office_id)
    ours = set(active.values_list("pk", flat=True))
    shares_new = not consent.only_listed
    return ScopeChange(
        kinds_in=tuple(sorted(out & set(change.kinds_in))),
        kinds_out=tuple(sorted((set(change.kinds_out) & known) - out)),
        clients_in=tuple(sorted((set(change.clients_in) & ours) - covered)),
        clients_out=tuple(sorted(set(change.clients_out) & covered)),
        new_clients=None if change.new_clients in (None, shares_new) else change.new_clients,
    )


def _carry_out(consent: Consent, change: ScopeChange) -> None:
    rows = ListedClient.objects.filter(consent=consent)
    come, go = change.clients_in, change.clients_out
    if not consent.only_listed:
        come, go = go, come
    rows.filter(client__in=go).delete()
    ListedClient.objects.bulk_create(
        [ListedClient(consent=consent, client_id=client) for client in come], ignore_conflicts=True
    )
    if change.new_clients is not None:
        with connection.cursor() as cursor:
            cursor.execute(TURN_AROUND, {"consent": consent.pk, "office": consent.office_id})
        consent.only_listed = not change.new_clients
    kinds = (set(consent.excluded_kinds) | set(change.kinds_out)) - set(change.kinds_in)
    consent.excluded_kinds = sorted(kinds)
    consent.scope_number += 1
    type(consent).objects.filter(pk=consent.pk).update(
        excluded_kinds=consent.excluded_kinds,
        only_listed=consent.only_listed,
        scope_number=consent.scope_number,
    )


def _told(change: ScopeChange) -> dict[str, Any]:
    """The change as the event keeps it: kinds by name, companies by enterprise number."""
    clients = change.clients_in + change.clients_out
    numbers = Client.objects.filter(pk__in=clients).order_by("company_number")
    told: dict[str, Any] = {
        "kinds": [*change.kinds_in, *change.kinds_out],
        "companies": list(numbers.values_list("company_number", flat=True)),
    }
    if change.new_clients is not None:
        told["new_companies"] = change.new_clients
    return told
