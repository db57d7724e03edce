"""The evidence pack: a ZIP that an auditor checks in any browser, without a network and without us.

It holds the signed receipt, the terms as they were shown, every event of the consent with the text
its seal is over, a paper to read, and a page that checks it all. `contents.json` lists the SHA-256
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

from consents.ledger import personal_text, sealed_text
from consents.models import ConsentEvent
from consents.paper import printed
from consents.receipt import signed, signed_receipt, time_of

CHECKER = Path(__file__).parent / "check.html"


def evidence_pack(event: ConsentEvent) -> bytes:
    """All proof of a consent; `event` is its newest agreement. Texts in the office's language."""
    with translation.override(event.office.language):
        story = _story(event)
        files = {
            "receipt.json": signed_receipt(event),
            "terms.txt": event.evidence.terms.body.encode(),
            "events.json": _events(story),
            "evidence.pdf": printed(event, story),
        }
        checker = Template(CHECKER.read_text(encoding="utf-8")).render(Context())
    contents = {
        "consent": str(event.consent.uuid),
        "made_at": time_of(timezone.now()),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in files.items():
            pack.writestr(name, content)
        pack.writestr("contents.json", signed(contents))
        pack.writestr("check.html", checker)
    return packed.getvalue()


def _story(event: ConsentEvent) -> list[ConsentEvent]:
    related = ("office", "consent__partner", "evidence")
    return list(event.consent.events.select_related(*related).order_by("number"))


def _events(story: list[ConsentEvent]) -> bytes:
    return json.dumps([_line(one) for one in story], ensure_ascii=False, indent=1).encode()


def _line(event: ConsentEvent) -> dict[str, str]:
    """The text that was sealed, its seal, and the people in it with their salt."""
    evidence = getattr(event, "evidence", None)
    return {
        "sealed": sealed_text(event.before, event, evidence),
        "seal": event.seal,
        "people": personal_text(event, evidence),
        "salt": event.salt,
    }
