"""The evidence of a consent as a paper that a person can read."""

from __future__ import annotations

import io
import unicodedata
from datetime import datetime
from functools import cache
from xml.sax.saxutils import escape

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import StyleSheet1, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer

from consents.models import ConsentEvent
from partners.models import DocumentKind


def printed(event: ConsentEvent, story: list[ConsentEvent]) -> bytes:
    """A PDF in the active language: who agreed to what, in which words, and all that happened."""
    styles, title = _styles(), _("Evidence of a consent")
    flow: list[Flowable] = [Paragraph(_drawn(title), styles["Title"])]
    flow += [_line(name, text, styles) for name, text in _facts(event)]
    flow += _chapter(_("What happened"), styles)
    flow += [_line(_what(one), one.reason, styles) for one in story]
    flow += _chapter(_("Terms and conditions"), styles)
    paragraphs = event.evidence.terms.body.split("\n\n")
    flow += [Paragraph(_drawn(text), styles["BodyText"]) for text in paragraphs]
    paper = io.BytesIO()
    SimpleDocTemplate(paper, pagesize=A4, invariant=1, title=title).build(flow)
    return paper.getvalue()


def _facts(event: ConsentEvent) -> list[tuple[str, str]]:
    evidence = event.evidence
    kinds = [str(kind.label) for kind in DocumentKind if kind in evidence.document_kinds]
    return [
        (_("Accounting office"), f"{event.office.name} ({event.office.company_number})"),
        (_("Software"), evidence.partner_name),
        (_("Fingerprint of its logo (SHA-256)"), evidence.partner_logo or _("none")),
        (_("Consent ID"), str(event.consent.uuid)),
        (_("Status"), str(event.consent.get_status_display())),
        (event.get_kind_display(), _when(event.at)),
        (_("Decided by"), f"{evidence.person_name}, {evidence.person_email}"),
        (_("Address"), evidence.address),
        (_("Browser"), evidence.browser),
        (_("Log-in"), ", ".join(evidence.authentication)),
        (_("Kinds of documents"), ", ".join(kinds)),
        (_("Companies"), str(evidence.companies)),
        (_("Fingerprint of the terms (SHA-256)"), evidence.terms_sha256),
        (_("Seal in the ledger"), f"{event.number}: {event.seal}"),
    ]


def _what(event: ConsentEvent) -> str:
    parts = [_when(event.at), str(event.get_kind_display()), event.actor_name]
    return " · ".join(part for part in parts if part)


def _when(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def _line(title: str, text: str, styles: StyleSheet1) -> Flowable:
    told = f"<br/>{_drawn(text)}" if text else ""
    return Paragraph(f"<b>{_drawn(title)}</b>{told}", styles["BodyText"])


def _chapter(title: str, styles: StyleSheet1) -> list[Flowable]:
    return [Spacer(1, 6 * mm), Paragraph(_drawn(title), styles["Heading2"])]


def _drawn(text: str) -> str:
    """Text as markup; letters that the typeface lacks lose their accent. The receipt has them."""
    _styles()
    glyphs = pdfmetrics.getFont("Vera").face.charToGlyph
    letters = [c if ord(c) in glyphs else unicodedata.normalize("NFD", c)[0] for c in text]
    return escape("".join(letters))


@cache
def _styles() -> StyleSheet1:
    """ReportLab's styles in a typeface that travels with the paper: names have more than ASCII."""
    pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    pdfmetrics.registerFont(TTFont("VeraBd", "VeraBd.ttf"))
    pdfmetrics.registerFontFamily("Vera", normal="Vera", bold="VeraBd")
    styles = getSampleStyleSheet()
    styles["BodyText"].fontName = "Vera"
    for name in ("Title", "Heading2"):
        styles[name].fontName = "VeraBd"
    return styles
