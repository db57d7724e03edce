"""The evidence bundle: a ZIP that an auditor checks in any browser, without a network or our help.

It holds the signed receipt, the terms as they were shown, every event of the consent with the text
its hash is made of, a PDF to read, and a page that checks it all. `contents.json` lists the SHA-256
of each file and is signed like the receipt, so a changed byte anywhere is found.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

from django.template import Context, Template
from django.utils import timezone, translation

from consents.evidence.pdf import evidence_pdf
from consents.evidence.receipt import signed, signed_receipt, time_of
from consents.models import ConsentEvent
from consents.models.hash_chain import hashed_text, personal_text

CHECKER = Path(__file__).parent / "check.html"


def evidence_bundle(event: ConsentEvent) -> bytes:
    """Make the bundle of a consent in its office's language; `event` is the newest agreement."""
    with translation.override(event.office.language):
        history = _history(event)
        files = {
            "receipt.json": signed_receipt(event),
            "terms.txt": event.evidence.terms.body.encode(),
            "events.json": _events(history),
            "evidence.pdf": evidence_pdf(event, history),
        }
        checker = Template(CHECKER.read_text(encoding="utf-8")).render(Context())
    contents = {
        "consent": str(event.consent.uuid),
        "made_at": time_of(timezone.now()),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in files.items():
            bundle.writestr(name, content)
        bundle.writestr("contents.json", signed(contents))
        bundle.writestr("check.html", checker)
    return archive.getvalue()


def _history(event: ConsentEvent) -> list[ConsentEvent]:
    related = ("office", "consent__partner", "evidence")
    return list(event.consent.events.select_related(*related).order_by("number"))


def _events(history: list[ConsentEvent]) -> bytes:
    return json.dumps([proof_of(one) for one in history], ensure_ascii=False, indent=1).encode()


def proof_of(event: ConsentEvent) -> dict[str, str]:
    """The text that was hashed, its hash, and the people in it with their salt."""
    evidence = getattr(event, "evidence", None)
    return {
        "sealed": hashed_text(event.previous_hash, event, evidence),
        "seal": event.event_hash,
        "people": personal_text(event, evidence),
        "salt": event.salt,
    }
