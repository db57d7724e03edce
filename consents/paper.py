"""The evidence of a consent as a paper that a person can read."""

from __future__ import annotations

import io
from xml.sax.saxutils import escape

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer

from consents.models import ConsentEvent


def printed(event: ConsentEvent) -> bytes:
    """A PDF in the language that is active: who agreed to what, when, and in which words."""
    evidence, styles = event.evidence, getSampleStyleSheet()
    lines = [
        (_("Accounting office"), f"{event.office.name} ({event.office.company_number})"),
        (_("Software"), evidence.partner_name),
        (_("Consent ID"), str(event.consent.uuid)),
        (_("Allowed"), date_format(timezone.localtime(event.at), "DATETIME_FORMAT")),
        (_("Decided by"), f"{evidence.person_name}, {evidence.person_email}"),
        (_("Address"), evidence.address),
        (_("Browser"), evidence.browser),
        (_("Log-in"), ", ".join(evidence.authentication)),
        (_("Kinds of documents"), ", ".join(evidence.document_kinds)),
        (_("Companies"), str(evidence.companies)),
        (_("Fingerprint of the terms (SHA-256)"), evidence.terms_sha256),
        (_("Seal in the ledger"), f"{event.number}: {event.seal}"),
    ]
    story: list[Flowable] = [Paragraph(escape(_("Evidence of a consent")), styles["Title"])]
    story += [
        Paragraph(f"<b>{escape(title)}</b><br/>{escape(text) or '–'}", styles["BodyText"])
        for title, text in lines
    ]
    story.append(Spacer(1, 6 * mm))
    story.append(Paragraph(escape(_("Terms and conditions")), styles["Heading2"]))
    paragraphs = evidence.terms.body.split("\n\n")
    story += [Paragraph(escape(text), styles["BodyText"]) for text in paragraphs]
    paper = io.BytesIO()
    title = _("Evidence of a consent")
    SimpleDocTemplate(paper, pagesize=A4, invariant=1, title=title).build(story)
    return paper.getvalue()
