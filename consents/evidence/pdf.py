"""The evidence of a consent as a PDF that a person can read."""

from __future__ import annotations

import re
from datetime import datetime

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from consents.models import ConsentEvent
from core.dates import moment_in_words
from core.document_kinds import labels_of
from core.pdf import Cell, Column, PdfDocument, Row

NUMBERED_TITLE = re.compile(r"\d+\. [^\n]{1,80}")
POINT = "•"


def evidence_pdf(event: ConsentEvent, history: list[ConsentEvent]) -> bytes:
    """A PDF in the active language: who agreed to what, in which words, and all that happened."""
    document = PdfDocument(_("Evidence of consent"), get_language() or "en")
    document.facts(_facts(event))
    document.chapter(_("History"))
    columns = [Column(_("When")), Column(_("Event"), None), Column(_("Who"), 130)]
    document.table(columns, map(_happened, history))
    document.chapter(_("Terms and conditions"))
    for paragraph in event.evidence.terms.body.split("\n\n"):
        _write_terms(document, paragraph)
    return document.finish(str(event.consent.uuid), made=timezone.now())


def _happened(event: ConsentEvent) -> Row:
    what = Cell(str(event.get_kind_display()), below=[event.reason])
    return Row([Cell(_when(event.at)), what, Cell(event.actor_name)])


def _write_terms(document: PdfDocument, paragraph: str) -> None:
    """Write a numbered title as a heading, and lines with a dot before them as a list."""
    if NUMBERED_TITLE.fullmatch(paragraph):
        document.section(paragraph)
    elif paragraph.startswith(POINT):
        points = (line.removeprefix(POINT).strip() for line in paragraph.splitlines())
        document.points(points)
    else:
        document.paragraph(paragraph)


def _facts(event: ConsentEvent) -> list[tuple[str, str]]:
    evidence = event.evidence
    kinds = labels_of(evidence.document_kinds)
    return [
        (_("Accounting office"), f"{event.office.name} ({event.office.company_number})"),
        (_("Software"), evidence.partner_name),
        (_("Logo fingerprint (SHA-256)"), evidence.partner_logo or _("none")),
        (_("Consent ID"), str(event.consent.uuid)),
        (_("Status"), str(event.consent.get_status_display())),
        (event.get_kind_display(), _when(event.at)),
        (_("Decided by"), f"{evidence.person_name}, {evidence.person_email}"),
        (_("IP address"), evidence.address),
        (_("Browser"), evidence.browser),
        (_("Login method"), ", ".join(map(_login_method, evidence.authentication))),
        (_("Document types"), ", ".join(kinds)),
        (_("Companies"), str(evidence.companies)),
        (_("Terms fingerprint (SHA-256)"), evidence.terms_sha256),
        (_("Ledger seal"), f"{event.number}: {event.event_hash}"),
    ]


def _login_method(name: str) -> str:
    names = {
        "password": _("Password"),
        "totp": _("Authenticator app"),
        "recovery_codes": _("Recovery code"),
        "webauthn": _("Passkey"),
    }
    return names.get(name, name)


def _when(moment: datetime) -> str:
    return moment_in_words(moment)
