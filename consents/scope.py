"""The scope of a consent: an office may leave out companies and kinds of documents.

A listed company is left out. In allowlist mode it is the other way round: only the listed companies
are shared, and new ones stay out. So a company is in scope when being listed equals the mode.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from django.core import signing
from django.db import connection, transaction
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Greatest

from accounts.models import Office
from clients.models import Client, ClientQuerySet
from consents.actors import Actor
from consents.models import (
    Consent,
    ConsentEvent,
    DecisionConflict,
    EventKind,
    Evidence,
    EvidenceSnapshot,
    ListedClient,
    SharingGap,
    Status,
    Terms,
)
from consents.sharing_gaps import Pair, note_left_out, note_shared_again
from core.clock import database_time
from core.locks import hold, retry_deadlock

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


class NeedsTerms(Exception):
    """To share more under an allowed consent, the terms must be accepted."""


def clients_in_scope(consent: Consent) -> ClientQuerySet:
    """The companies of the office that the consent covers now."""
    clients = Client.objects.active().filter(office_id=consent.office_id)
    listed = ListedClient.objects.filter(consent=consent).values("client")
    if consent.allowlist_mode:
        return clients.filter(pk__in=listed)
    return clients.exclude(pk__in=listed)


def clients_with_shared_since(consent: Consent) -> ClientQuerySet:
    """The companies that an allowed consent covers now, each with `shared_since`.

    That is the allow, the day the company came, or the end of its last sharing gap: the latest.
    """
    gaps = SharingGap.objects.filter(
        office=consent.office_id, partner=consent.partner_id, client=OuterRef("pk")
    )
    ended = gaps.order_by("-until").exclude(until=None).values("until")[:1]
    return clients_in_scope(consent).annotate(
        # GREATEST ignores NULL: most companies have no gap.
        shared_since=Greatest("created_at", Value(consent.decided_at), Subquery(ended))
    )


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


@retry_deadlock
def change_scope(
    consent: Consent, by: Actor, change: ScopeChange, terms: Terms | None = None
) -> None:
    """Carry out what differs from now, with its events.

    Sharing more of a consent that was given keeps evidence of the `terms` that were accepted.
    Raises DecisionConflict when the consent has ended, NotAnAdmin, and NeedsTerms.
    """
    with transaction.atomic():
        consent.hold_admin(by)
        held = Consent.objects.select_for_update(no_key=True, of=("self",)).get(pk=consent.pk)
        if not (held.is_open(database_time()) or held.status == Status.ALLOWED):
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
            ConsentEvent.objects.write(
                held, kind, by, scope=ScopeRecord.of(part).as_json(), evidence=evidence
            )
            if held.status == Status.ALLOWED:
                pair = Pair(held.office_id, held.partner_id)
                note_left_out(pair, part.clients_out, part.kinds_out)
                note_shared_again(pair, part.clients_in, part.kinds_in)
    consent.reread()


def difference_to(
    consent: Consent, kinds: list[str], allowlist: bool, listed: list[str]
) -> ScopeChange:
    """What must be left out so that no more is shared than this scope shares."""
    named = Client.objects.filter(uuid__in=listed, office=consent.office_id)
    covered = clients_in_scope(consent)
    out = covered.exclude(pk__in=named) if allowlist else covered.filter(pk__in=named)
    return differing(
        consent,
        ScopeChange(
            kinds_out=tuple(kinds),
            clients_out=tuple(out.values_list("pk", flat=True)),
            new_clients=False if allowlist else None,
        ),
    )


@retry_deadlock
def narrow_after_restore(consent: Consent, by: Actor, change: ScopeChange, reason: str) -> None:
    """Leave out again what was left out when the database was lost; no Admin acts."""
    with transaction.atomic():
        hold(Office, consent.office_id)
        held = Consent.objects.select_for_update(no_key=True, of=("self",)).get(pk=consent.pk)
        part = differing(held, change.narrowing())
        if part:
            _carry_out(held, part)
            scope = ScopeRecord.of(part).as_json()
            ConsentEvent.objects.write(held, EventKind.NARROWED, by, scope=scope, reason=reason)
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
        snapshot_of(consent),
    )


def snapshot_of(consent: Consent) -> EvidenceSnapshot:
    """What a screen shows of this consent now: the software and what it may read."""
    return EvidenceSnapshot(
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
    shares_new = not consent.allowlist_mode
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
    if not consent.allowlist_mode:
        come, go = go, come
    rows.filter(client__in=go).delete()
    ListedClient.objects.bulk_create(
        [ListedClient(consent=consent, client_id=client) for client in come], ignore_conflicts=True
    )
    if change.new_clients is not None:
        with connection.cursor() as cursor:
            cursor.execute(TURN_AROUND, {"consent": consent.pk, "office": consent.office_id})
        consent.allowlist_mode = not change.new_clients
    kinds = (set(consent.excluded_kinds) | set(change.kinds_out)) - set(change.kinds_in)
    consent.excluded_kinds = sorted(kinds)
    consent.scope_number += 1
    Consent.objects.filter(pk=consent.pk).update(
        excluded_kinds=consent.excluded_kinds,
        allowlist_mode=consent.allowlist_mode,
        scope_number=consent.scope_number,
    )


@dataclass(frozen=True)
class ScopeRecord:
    """A change of scope as its event keeps it: kinds by code, companies by enterprise number.

    The kind of the event says whether these are shared from now on, or are not.
    """

    kinds: list[str]
    companies: list[str]
    # Whether companies that join later are shared; None where that did not change.
    new_companies: bool | None = None

    @classmethod
    def of(cls, change: ScopeChange) -> ScopeRecord:
        clients = change.clients_in + change.clients_out
        numbers = Client.objects.filter(pk__in=clients).order_by("company_number")
        return cls(
            kinds=[*change.kinds_in, *change.kinds_out],
            companies=list(numbers.values_list("company_number", flat=True)),
            new_companies=change.new_clients,
        )

    def as_json(self) -> dict[str, Any]:
        """As it is stored and hashed: what did not change is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}
