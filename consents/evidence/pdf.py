"""The evidence of a consent as a PDF that a person can read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from consents.models import ConsentEvent
from core.dates import moment_in_words
from core.document_kinds import labels_of
from core.pdf import LEFT, TITLE, TOP, Page, PdfDocument, printable

NUMBERED_TITLE = re.compile(r"\d+\. [^\n]{1,80}")


def evidence_pdf(event: ConsentEvent, history: list[ConsentEvent]) -> bytes:
    """A PDF in the active language: who agreed to what, in which words, and all that happened."""
    title = _("Evidence of consent")
    document = PdfDocument(title, _head(printable(title)), get_language())
    for name, text in _facts(event):
        document.fact(name, text)
    document.chapter(_("History"))
    for one in history:
        document.fact(_what(one), one.reason)
    document.chapter(_("Terms and conditions"))
    for paragraph in event.evidence.terms.body.split("\n\n"):
        _write_terms(document, paragraph)
    return document.finish(str(event.consent.uuid))


def _write_terms(document: PdfDocument, paragraph: str) -> None:
    """Write a numbered title on the page of its text, and each point of a list on its own line."""
    if NUMBERED_TITLE.fullmatch(paragraph):
        document.chapter(paragraph)
    elif paragraph.startswith("•"):
        for point in paragraph.splitlines():
            document.paragraph(point)
    else:
        document.paragraph(paragraph)


def _head(title: str) -> Callable[[Page], int]:
    """Writes the title on every page."""

    def write(page: Page) -> int:
        page.left(TITLE, LEFT, TOP, title)
        return TOP - 36

    return write


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


def _what(event: ConsentEvent) -> str:
    parts = [_when(event.at), str(event.get_kind_display()), event.actor_name]
    return " · ".join(part for part in parts if part)


def _when(moment: datetime) -> str:
    return moment_in_words(moment)
