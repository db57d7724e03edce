"""What is asked of each address: identifiers of one's own and of others, in path, query and body."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from consents.models import Terms
from core.document_kinds import KINDS, PDF
from documents.models import DocumentRead
from tests.isolation.marks import new_word
from tests.isolation.world import Actor, OfficeRows, World

# How often an identifier is somebody else's, in a request that is not an honest one.
FOREIGN = 0.6
# How often a page is asked for at somebody else's office.
ELSEWHERE = 0.2
# How often an Admin asks.
ADMINS = 0.7
Form = dict[str, Any]


@dataclass
class Asked:
    """One request."""

    name: str
    actor: Actor
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    form: Form | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        sent = self.form if self.body is None else self.body
        return f"{self.actor.role} {self.method} {self.path} {self.query} {sent}"


class Requests:
    """Makes requests of one actor; an honest one names only what is theirs."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world, self.rng = world, rng
        self.terms = {terms.language: terms.pk for terms in Terms.objects.all()}
        self.reads = list(DocumentRead.objects.order_by("pk").values_list("pk", flat=True))

    def ask(self, name: str, pattern: str, *, honest: bool) -> Asked:
        """Return a request for an address of the URL table."""
        self.honest = honest
        self.actor = self._actor(name)
        self.home = self._home()
        path = "/" + self._filled(name, pattern)
        if name.startswith("partner_api:"):
            return self._call(name, path)
        posted = FORMS.get(name)
        method = self.rng.choice(["GET", "POST"]) if posted else "GET"
        if honest and posted and name in POST_ONLY:
            method = "POST"
        if not honest and self.rng.random() < 0.1:
            method = self.rng.choice(["POST", "HEAD"])
        asked = Asked(name, self.actor, method, path, self._query())
        if method == "POST":
            asked.form = {**self._extra(), **(posted(self) if posted else {})}
        return asked

    def _actor(self, name: str) -> Actor:
        wanted = self.rng.random()
        by_role: Callable[[Actor], bool] = lambda actor: bool(actor.admin_of)  # noqa: E731
        if name.startswith("partner_api:") and (self.honest or wanted < 0.9):
            by_role = lambda actor: actor.role == "software"  # noqa: E731
        elif name.startswith("admin:"):
            if self.honest or wanted < 0.4:
                by_role = lambda actor: actor.is_operator  # noqa: E731
        elif not self.honest and wanted > ADMINS:
            by_role = lambda actor: actor.role != "software"  # noqa: E731
        return self.rng.choice([actor for actor in self.world.actors if by_role(actor)])

    def _home(self) -> OfficeRows:
        """An office of the actor; of software one that knows it; else any."""
        mine = self.actor.admin_of if self.honest and self.actor.admin_of else self.actor.offices
        if self.actor.partner is not None:
            partner = self.actor.partner.pk
            known = [
                rows
                for rows in self.world.offices
                if any(consent.partner_id == partner for consent in rows.consents)
            ]
            reading = [rows for rows in known if (rows.office.pk, partner) in self.world.reading]
            return self.rng.choice(reading if self.honest and reading else known)
        ours = [rows for rows in self.world.offices if rows.office.pk in mine]
        return self.rng.choice(ours or self.world.offices)

    def _somewhere(self) -> OfficeRows:
        """Where one identifier is from."""
        if self.honest or self.rng.random() > FOREIGN:
            return self.home
        return self.rng.choice(self.world.offices)

    def _office(self) -> OfficeRows:
        """The office at which a page is asked for: the other identifiers may be of another one."""
        if self.honest or self.rng.random() > ELSEWHERE:
            return self.home
        return self.rng.choice(self.world.offices)

    def _company(self) -> Any:
        rows = self._somewhere()
        # The first is out of all scopes, the last are offered and archived.
        return self.rng.choice(rows.clients[1:3] if self.honest else rows.clients)

    def consent(self) -> Any:
        consents = self._somewhere().consents
        if self.actor.partner is not None and self.honest:
            partner = self.actor.partner.pk
            consents = [consent for consent in consents if consent.partner_id == partner]
        return self.rng.choice(consents)

    def _filled(self, name: str, pattern: str) -> str:
        """The path with identifiers in it; those of one company mostly belong together."""
        document = self.rng.choice(self._somewhere().documents)
        if self.honest:
            # Of this company there are PDFs, and its software may read them.
            shared = [one for one in self.home.documents if one.client == self.home.clients[1]]
            document = self.rng.choice(shared)
        client = document.client if self.honest or self.rng.random() < 0.6 else self._company()
        kind = KINDS[0 if document.kind == KINDS[0].kind else 1]
        consent = self.consent()
        values: dict[str, Callable[[], object]] = {
            "<slug:slug>": lambda: self._office().office.slug,
            "<uuid:uuid>": lambda: self._uuid(name, document, client),
            "<str:number>": lambda: client.company_number,
            "<str:client>": lambda: client.company_number,
            "<str:office>": lambda: self._somewhere().office.uuid,
            "<str:consent>": lambda: consent.uuid,
            "<str:kind>": lambda: kind.path,
            "<str:document>": lambda: document.document.uuid,
            "<str:event>": lambda: self._delivery().event.uuid,
            "<str:token>": lambda: self._somewhere().invitation_token,
            "<str:iban>": lambda: self.rng.choice(self._somewhere().accounts).iban,
            "<path:media_type>": lambda: self.rng.choice([PDF, kind.media_type]),
            "<slug:sha256>": lambda: "0" * 64,
            "<int:pk>": lambda: self._row(name),
            "<uuid:member>": lambda: self.rng.choice(self._somewhere().colleagues).uuid,
            "<int:member>": lambda: self.rng.choice(self._somewhere().colleagues).pk,
            "<path:object_id>": lambda: self._row(name),
        }
        for what, value in values.items():
            if what in pattern:
                pattern = pattern.replace(what, str(value()))
        # What is left of a regular expression leads nowhere, and is asked for like that.
        return pattern.removeprefix("^").removesuffix("$") if "(" not in pattern else "webhooks/x"

    def _uuid(self, name: str, document: Any, client: Any) -> object:
        rows = self._somewhere()
        if not self.honest and self.rng.random() < 0.05:
            return uuid.uuid4()
        if name == "documents:software_use" or name.startswith("consents:"):
            return self.rng.choice(rows.consents).uuid
        if name.startswith("documents:"):
            return document.document.uuid
        if name == "clients:answer":
            assert rows.transfer_in is not None
            return rows.transfer_in.uuid
        if name == "clients:withdraw":
            return rows.clients[3].uuid
        if name == "clients:restore":
            return rows.clients[-1].uuid
        if name.startswith("clients:"):
            return client.uuid
        if name in ("accounts:resend", "accounts:revoke"):
            assert rows.invitation is not None
            return rows.invitation.uuid
        return self.rng.choice(rows.colleagues).uuid

    def _row(self, name: str) -> int:
        """The key of a row of the model that a page of the admin is about."""
        rows = self._somewhere()
        if "consent" in name and "terms" not in name:
            return int(self.rng.choice(rows.consents).pk)
        if "application" in name or "partner" in name:
            return int(self.rng.choice(self.world.partners).pk)
        if "delivery" in name:
            return int(self.rng.choice(self.world.deliveries).pk)
        if "quarantined" in name:
            return int(self.rng.choice(self.world.quarantined).pk)
        if "endpoint" in name:
            return int(self.rng.choice(list(self.world.endpoints.values())).pk)
        return int(rows.office.pk) if "office" in name or "mfa" in name else self.terms["en"]

    def _query(self) -> dict[str, str]:
        """Cursors and words of others; what a page does not know it must not mind."""
        if self.honest or self.rng.random() < 0.6:
            return {}
        rows = self.rng.choice(self.world.offices)
        client, consent = self.rng.choice(rows.clients), self.rng.choice(rows.consents)
        offered: Form = {
            "after": self.rng.choice([client.uuid, client.company_number]),
            "before": self.rng.choice(self.reads),
            "last": consent.pk,
            "q": self.rng.choice([client.company_number, rows.documents[0].number]),
            "sort": self.rng.choice(["name", "code", "oldest"]),
            "state": self.rng.choice(["all", "archived", "leaving"]),
            "office": rows.office.slug,
            "client": client.uuid,
            "consent": consent.uuid,
            "next": f"/offices/{rows.office.slug}",
            "wish": "allow",
            "fresh": "1",
        }
        names = self.rng.sample(sorted(offered), self.rng.randint(1, 3))
        return {name: str(offered[name]) for name in names}

    def _extra(self) -> Form:
        """Fields that no form has, with identifiers of somebody else."""
        if self.honest or self.rng.random() < 0.5:
            return {}
        rows = self.rng.choice(self.world.offices)
        return {
            "office": rows.office.pk,
            "office_id": rows.office.pk,
            "client": self.rng.choice(rows.clients).pk,
            "consent": self.rng.choice(rows.consents).uuid,
            "partner": self.rng.choice(self.world.partners).pk,
            "user": rows.admin.pk,
            "id": rows.admin.pk,
        }

    def _delivery(self) -> Any:
        deliveries = self.world.deliveries
        if self.honest and self.actor.partner is not None:
            mine = self.world.endpoints[self.actor.partner.pk].pk
            deliveries = [delivery for delivery in deliveries if delivery.endpoint_id == mine]
        return self.rng.choice(deliveries)

    def _call(self, name: str, path: str) -> Asked:
        """A call of the API, mostly with the token of the software that makes it."""
        method, body = "GET", None
        if name in CALLS:
            method, body = CALLS[name](self)
        asked = Asked(name, self.actor, method, path, body=body)
        if self.actor.token:
            asked.headers["authorization"] = f"Bearer {self.actor.token}"
        if name in ("partner_api:token", "partner_api:revoke"):
            asked.form, asked.body = body, None
        if name == "partner_api:document":
            accept = self.rng.choice([PDF, "*/*", "text/x-unknown"])
            asked.headers["accept"] = PDF if self.honest else accept
        if name == "partner_api:events" and self.rng.random() < 0.5:
            asked.query["after"] = str(self._delivery().event.uuid)
        if method != "GET" and self.rng.random() < 0.3:
            asked.headers["idempotency-key"] = f"key-{self.rng.randrange(3)}"
        return asked


def _search(this: Requests) -> tuple[str, Any]:
    numbers = {this._company().company_number for _ in range(3)}
    kind = this.rng.choice(KINDS[:2]).type
    attributes: Form = {"documentType": kind, "from": "2026-01-01T00:00:00Z"}
    clients = [{"type": "client", "id": number} for number in sorted(numbers)]
    data = {
        "type": "documentSearch",
        "attributes": attributes,
        "relationships": {"clients": {"data": clients}},
    }
    return "POST", json.dumps({"data": data})


def _consent_request(this: Requests) -> tuple[str, Any]:
    number = this._somewhere().office.company_number
    attributes = {"accountingOfficeCompanyNumber": number, "state": new_word()}
    data = {"type": "accountingOfficeConsent", "attributes": attributes}
    return "POST", json.dumps({"data": data})


def _endpoint(this: Requests) -> tuple[str, Any]:
    method = this.rng.choice(["GET", "PUT", "DELETE"])
    attributes = {"url": f"https://192.0.2.1/{new_word()}"}
    body = json.dumps({"data": {"type": "webhookEndpoint", "attributes": attributes}})
    return method, body if method == "PUT" else None


def _token(this: Requests) -> tuple[str, Any]:
    identifier, secret = this.actor.credentials
    others = [actor for actor in this.world.actors if actor.token]
    other = this.rng.choice(others)
    if not this.honest:
        identifier = this.rng.choice([identifier, other.credentials[0]])
    form = {"client_id": identifier, "client_secret": secret, "token": other.token}
    return "POST", {"grant_type": "client_credentials", **form}


CALLS: dict[str, Callable[[Requests], tuple[str, Any]]] = {
    "partner_api:document_searches": _search,
    "partner_api:consents": _consent_request,
    "partner_api:consent": lambda this: (this.rng.choice(["GET", "GET", "DELETE"]), None),
    "partner_api:webhook_endpoint": _endpoint,
    "partner_api:webhook_endpoint_test": lambda _this: ("POST", None),
    "partner_api:redelivery": lambda _this: ("POST", None),
    "partner_api:token": _token,
    "partner_api:revoke": _token,
}


def _scope(this: Requests) -> Form:
    shown = [client.company_number for client in this.home.clients[:3]]
    shown.append(this._company().company_number)
    return {
        "kinds": [KINDS[0].type, KINDS[1].type],
        "new_companies": "on",
        "shown": shown,
        "companies": this.rng.sample(shown, 2),
    }


def _company_form(this: Requests) -> Form:
    return {"name": new_word(), "code": new_word(), "language": "nl", "email": ""}


POST_ONLY = {
    *("accounts:language", "accounts:resend", "accounts:revoke", "clients:withdraw"),
    *("clients:remove_account", "consents:ask", "end_session"),
}
# What fills each form in so that it is carried out.
FORMS: dict[str, Callable[[Requests], Form]] = {
    "consents:manage": lambda this: {"choice": "deny", "terms": this.terms["en"]},
    "consents:ask": lambda this: {
        "note": new_word(),
        "admins": [str(this._somewhere().colleagues[0].uuid)] if this.rng.random() < 0.5 else [],
    },
    "consents:cancel": lambda _this: {"understood": "on"},
    "consents:pause": lambda _this: {},
    "consents:resume": lambda _this: {},
    "consents:scope": _scope,
    "consents:block": lambda this: {"wish": this.rng.choice(["block", "unblock"])},
    "consents:terms": lambda this: {"accept_terms": "on", "terms": this.terms["en"]},
    "consents:reaffirm": lambda this: {"accept_terms": "on", "terms": this.terms["en"]},
    "clients:add": lambda this: {
        **_company_form(this),
        "company_number": this._company().company_number,
    },
    "clients:edit": _company_form,
    "clients:accounts": lambda this: {"iban": this.rng.choice(this._somewhere().accounts).iban},
    "clients:remove_account": lambda _this: {},
    "clients:archive": lambda _this: {"understood": "on", "reason": new_word()},
    "clients:restore": lambda _this: {},
    "clients:transfer": lambda this: {
        "understood": "on",
        "number": this.rng.choice(this.world.offices).office.company_number,
    },
    "clients:withdraw": lambda _this: {},
    "clients:answer": lambda this: {
        "wish": this.rng.choice(["agree", "decline"]),
        "code": new_word(),
    },
    "accounts:language": lambda _this: {"language": "nl"},
    "accounts:me": lambda _this: {"name": new_word(), "language": "en"},
    "accounts:organization": lambda _this: {"name": new_word(), "language": "nl"},
    "accounts:invite": lambda this: {
        "email": this.rng.choice([f"{new_word()}@office.example", this._somewhere().admin.email]),
        "role": "user",
        "language": "en",
    },
    "accounts:role": lambda this: {"role": this.rng.choice(["admin", "user"])},
    "accounts:remove": lambda _this: {},
    "accounts:resend": lambda _this: {},
    "accounts:revoke": lambda _this: {},
    "accounts:leave": lambda _this: {},
    "accounts:invitation": lambda _this: {},
    "end_session": lambda _this: {"session": "all"},
}
