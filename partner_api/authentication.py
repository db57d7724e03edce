"""Which software calls, and what it may do at the office in the path: one statement."""

from __future__ import annotations

import hashlib
from typing import NamedTuple
from uuid import UUID

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.queries import point_query
from consents.access import STANDING_COLUMNS, Standing
from consents.ended import reopens_what_ended
from partner_api.errors import Fault, invalid, not_found, restoring, unauthorized
from partners.certificates import NoCertificate, presented_fingerprint

# The live consent if there is one, else the newest: that one says why access is refused.
CALLER = f"""
    select a.id, p.id, p.status = 'active', p.calls_per_minute,
        %(fingerprint)s::text is null or exists (
            select 1 from partners_clientcertificate f
            where f.partner_id = p.id and f.fingerprint = %(fingerprint)s
        ),
        {STANDING_COLUMNS}
    from oauth2_provider_accesstoken t
    join partners_application a on a.id = t.application_id
    join partners_partner p on p.id = a.partner_id
    left join accounts_office o on o.uuid = %(office)s
    left join lateral (
        select * from consents_consent c
        where c.office_id = o.id and c.partner_id = p.id
        order by (c.status = 'allowed') desc, c.id desc limit 1
    ) c on true
    where t.token_checksum = %(token)s and t.expires > statement_timestamp()
      and p.status in ('active', 'suspended')
"""  # noqa: S608  # constants only


class Caller(NamedTuple):
    """The software that calls, and its standing at the office in the path."""

    application_id: int
    partner_id: int
    partner_active: bool
    calls_per_minute: int | None
    standing: Standing | None

    @property
    def at_office(self) -> Standing:
        """The standing, or 404: an office that was never asked is as good as none."""
        if self.standing is None:
            raise not_found()
        return self.standing


class BearerToken(BaseAuthentication):
    """RFC 6750 bearer tokens of oauth-toolkit, looked up by their SHA-256."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthorized()
        try:
            fingerprint = presented_fingerprint(request.META)
        except NoCertificate as error:
            raise unauthorized(str(error)) from error
        checksum = hashlib.sha256(token.strip().encode("utf-8", "replace")).hexdigest()
        office = request.parser_context["kwargs"].get("office")
        rows = point_query(
            CALLER, fingerprint=fingerprint, office=_uuid_or_none(office), token=checksum
        )
        if not rows:
            raise unauthorized()
        (row,) = rows
        application_id, partner_id, active, calls_per_minute, certified = row[:5]
        if reopens_what_ended():
            raise restoring()
        if not certified:
            raise unauthorized("This client certificate is not registered for your software.")
        if office is not None:
            uuid_in_path(office, "accountingOfficeId")
        standing = Standing.from_row(row[5:]) if row[5] is not None else None
        caller = Caller(application_id, partner_id, active, calls_per_minute, standing)
        request._request.partner_id = caller.partner_id  # type: ignore[attr-defined]  # for the log
        return caller, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _uuid_or_none(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def uuid_in_path(text: str, name: str) -> UUID:
    """Return the UUID, or raise 400 `invalidParameter` naming the part of the path."""
    found = _uuid_or_none(text)
    # Written as everybody does: Python would also read braces, other digits, no hyphens.
    if found is None or str(found) != text.lower():
        raise invalid(Fault("invalidParameter", f"{name} in the path is not a UUID."))
    return found
