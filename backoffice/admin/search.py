"""One search over what operators look for: offices, software, consents, people, documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Membership, Office, User
from backoffice.admin.lists import uuids_beginning
from consents.models import Consent
from core.enterprise_number import plain_number
from core.row_security import every_office
from documents.models import Document
from partners.models import Partner

# Of each kind.
MOST = 20


class Hit(NamedTuple):
    """One row that was found."""

    kind: str
    name: str
    note: str
    url: str


def search(request: HttpRequest, words: str) -> list[Hit]:
    """Find rows by name, enterprise number, e-mail address or identifier.

    Only what the operator may see; raises PermissionDenied where that is nothing. A document leads
    to its office: operators do not read it.
    """
    operator, words = cast(User, request.user), words.strip()
    kinds = {
        "accounts.view_office": (_offices, _people, _documents),
        "partners.view_partner": (_software,),
        "consents.view_consent": (_consents,),
    }
    allowed = [finders for right, finders in kinds.items() if operator.has_perm(right)]
    if not allowed:
        raise PermissionDenied
    if not words:
        return []
    return [hit for finders in allowed for find in finders for hit in find(words)]


def _office_page(office_id: int) -> str:
    return reverse("admin:accounts_office_change", args=[office_id])


def _offices(words: str) -> Iterator[Hit]:
    found = Office.objects.filter(
        Q(name__icontains=words) | Q(company_number=plain_number(words) or None)
    )
    for office in found.order_by("name")[:MOST]:
        yield Hit("Office", office.name, office.company_number, _office_page(office.pk))


def _people(words: str) -> Iterator[Hit]:
    """By the whole address only: nobody browses people."""
    members = Membership.objects.filter(user__email__iexact=words, is_active=True)
    for member in members.select_related("user", "office").order_by("office__name")[:MOST]:
        note = f"{member.get_role_display()} of {member.office}"
        yield Hit("Person", member.user.email, note, _office_page(member.office_id))


def _documents(words: str) -> Iterator[Hit]:
    try:
        identifier = UUID(words)
    except ValueError:
        return
    with every_office():
        found = Document.objects.filter(uuid=identifier).select_related("client__office")
        for document in found[:MOST]:
            office = document.client.office
            yield Hit("Document", str(identifier), f"of {office}", _office_page(office.pk))


def _software(words: str) -> Iterator[Hit]:
    by_number = Q(legal_number=plain_number(words))
    found = Partner.objects.filter(
        Q(name__icontains=words) | Q(vendor__icontains=words) | by_number
    )
    for partner in found.order_by("name")[:MOST]:
        url = reverse("admin:partners_partner_change", args=[partner.pk])
        yield Hit("Software", partner.name, partner.get_status_display(), url)


def _consents(words: str) -> Iterator[Hit]:
    """By identifier or its beginning, by the number of the office, by who decided."""
    found = Q(office__company_number=plain_number(words))
    if "@" in words:
        people = User.objects.filter(email__iexact=words)
        found = Q(decided_by__in=list(people))
    elif (beginning := uuids_beginning("uuid", words)) and len(words) >= 4:
        found |= beginning
    rows = Consent.objects.filter(found).select_related("office", "partner")
    for consent in rows.order_by("-pk")[:MOST]:
        url = reverse("admin:consents_consent_change", args=[consent.pk])
        note = f"{consent.partner} at {consent.office}, {consent.get_status_display()}"
        yield Hit("Consent", str(consent.uuid), note, url)
