"""Which partner calls, and what it may do at the office in the path, in one statement."""

from __future__ import annotations

import hashlib
from typing import NamedTuple
from uuid import UUID

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from consents.access import ACCESS_COLUMNS, AccessContext
from consents.restore_guard import has_revived_consents
from core.prepared_sql import point_query
from partner_api.errors import Fault, invalid, invalid_token, not_found, restoring, unauthorized
from partners.certificates import NoCertificate, presented_fingerprint

# The live consent if there is one, else the newest: that one says why access is refused.
CALLER = f"""
    select application.id, partner.id, partner.status = 'active', partner.calls_per_minute,
        %(fingerprint)s::text is null or exists (
            select 1 from partners_clientcertificate certificate
            where certificate.partner_id = partner.id
              and certificate.fingerprint = %(fingerprint)s
        ),
        token.expires <= statement_timestamp(),
        {ACCESS_COLUMNS}
    from oauth2_provider_accesstoken token
    join partners_application application on application.id = token.application_id
    join partners_partner partner on partner.id = application.partner_id
    left join accounts_office office on office.uuid = %(office)s
    left join lateral (
        select * from consents_consent every
        where every.office_id = office.id and every.partner_id = partner.id
        order by (every.status = 'allowed') desc, every.id desc limit 1
    ) consent on true
    where token.token_checksum = %(token)s and partner.status in ('active', 'suspended')
"""  # noqa: S608  # constants only


class Caller(NamedTuple):
    """The software that calls, and its access at the office in the path."""

    application_id: int
    partner_id: int
    partner_active: bool
    calls_per_minute: int | None
    access: AccessContext | None

    @property
    def at_office(self) -> AccessContext:
        """The access; 404 for an office that was never asked, as if there were none."""
        if self.access is None:
            raise not_found()
        return self.access


class BearerToken(BaseAuthentication):
    """RFC 6750 bearer tokens of oauth-toolkit, looked up by their SHA-256."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        token = bearer_token(request.META.get("HTTP_AUTHORIZATION", ""))
        try:
            fingerprint = presented_fingerprint(request.META)
        except NoCertificate as error:
            raise unauthorized(str(error)) from error
        checksum = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        office = request.parser_context["kwargs"].get("office")
        rows = point_query(
            CALLER, fingerprint=fingerprint, office=_uuid_or_none(office), token=checksum
        )
        if not rows:
            raise invalid_token("The access token is unknown or was revoked; take a new one.")
        (row,) = rows
        application_id, partner_id, active, calls_per_minute, certified, expired, *context = row
        if expired:
            raise invalid_token("The access token has expired; take a new one.")
        if has_revived_consents():
            raise restoring()
        if not certified:
            raise unauthorized("This client certificate is not registered for your software.")
        if office is not None:
            uuid_in_path(office, "accountingOfficeId")
        access = AccessContext(*context) if context[0] is not None else None
        caller = Caller(application_id, partner_id, active, calls_per_minute, access)
        request._request.partner_id = caller.partner_id  # type: ignore[attr-defined]  # for the log
        return caller, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def bearer_token(header: str) -> str:
    """The token of an `Authorization` header; raise 401 that says what is wrong with it."""
    scheme, _, token = header.strip().partition(" ")
    token = token.strip()
    match scheme.lower():
        case "bearer" if token and " " not in token and "," not in token:
            return token
        case "bearer" if "bearer" in token.lower():
            raise invalid_token("The Authorization header contains Bearer twice; send it once.")
        case "bearer" if token:
            raise invalid_token("An access token contains no space and no comma.")
        case "" | "bearer":
            raise unauthorized(
                "The access token is missing; send the header Authorization: Bearer <token>."
            )
        case "basic":
            raise unauthorized(
                "The Authorization header must be Bearer with an access token, not Basic: "
                "client credentials are for the token endpoint only."
            )
        case _:
            raise unauthorized("The Authorization header must begin with Bearer and a space.")


def _uuid_or_none(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def uuid_in_path(text: str, name: str) -> UUID:
    """Return the UUID, or raise 400 `invalidParameter` naming the part of the path."""
    found = _uuid_or_none(text)
    # The usual form only: Python would also read braces, other digits and no hyphens.
    if found is None or str(found) != text.lower():
        raise invalid(Fault("invalidParameter", f"{name} in the path is not a UUID."))
    return found
