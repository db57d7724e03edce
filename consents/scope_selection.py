"""One remembered selection of companies, over all pages and searches of the scope page."""

from __future__ import annotations

from collections.abc import Collection

from accounts.models import User
from clients.company_lists import Named, named_in
from clients.models import Client, ClientQuerySet
from consents.forms import ScopeForm
from consents.models import Consent, ScopeDraft
from consents.scope import ScopeChange, clients_in_scope


class Selection:
    """What will be shared once the draft is saved."""

    def __init__(self, consent: Consent, person: User) -> None:
        self.consent = consent
        self.draft = ScopeDraft.of(consent, person)
        self.covered = set(clients_in_scope(consent).values_list("pk", flat=True))
        ours = Client.objects.active().filter(office=consent.office_id)
        self.ours: ClientQuerySet = ours

    @property
    def shared(self) -> set[int]:
        return (self.covered | set(self.draft.clients_in)) - set(self.draft.clients_out)

    @property
    def kinds(self) -> list[str]:
        now = self.consent.shared_kinds
        return now if self.draft.kinds is None else self.draft.kinds

    @property
    def shares_new(self) -> bool:
        now = not self.consent.allowlist_mode
        return now if self.draft.new_clients is None else self.draft.new_clients

    @property
    def changes(self) -> int:
        """How much differs from what is shared now."""
        kinds = set(self.kinds) ^ set(self.consent.shared_kinds)
        new = self.shares_new == self.consent.allowlist_mode
        return len(self.draft.clients_in) + len(self.draft.clients_out) + len(kinds) + new

    def take(self, form: ScopeForm) -> None:
        """Take over the ticks of a page, also where something else on it was wrong."""
        data = form.cleaned_data
        shown = self.ours.filter(company_number__in=data.get("shown", ()))
        pks = dict(shown.values_list("company_number", "pk"))
        ticked = {pk for number, pk in pks.items() if number in data.get("companies", ())}
        self.draft.mark(ticked, self.covered, shared=True)
        self.draft.mark(set(pks.values()) - ticked, self.covered, shared=False)
        self.draft.kinds = data.get("kinds", [])
        self.draft.new_clients = data.get("new_companies", False)

    def mark(self, clients: Collection[int], *, shared: bool) -> None:
        self.draft.mark(clients, self.covered, shared=shared)

    def found(self, words: str) -> list[int]:
        return list(self.ours.named(words).values_list("pk", flat=True))

    def pasted(self, text: str) -> Named:
        """The companies that a pasted or uploaded list names by enterprise number or code."""
        return named_in(text, self.ours)

    def change(self) -> ScopeChange:
        """What saving asks for. What holds already is left out when it is carried out."""
        kinds = set(self.kinds)
        return ScopeChange(
            kinds_in=tuple(sorted(kinds)),
            kinds_out=tuple(sorted(set(self.consent.partner.document_kinds) - kinds)),
            clients_in=tuple(self.draft.clients_in),
            clients_out=tuple(self.draft.clients_out),
            new_clients=self.shares_new,
        )
