"""Publish version 1 of the terms, so that no portal is ever without a text to agree to."""

import hashlib
from pathlib import Path

from django.db import migrations

TEXTS = Path(__file__).resolve().parent.parent / "terms"


def publish(apps, schema_editor):
    terms = apps.get_model("consents", "Terms").objects.using(schema_editor.connection.alias)
    for language in ("en", "nl", "fr", "de"):
        body = (TEXTS / f"1.{language}.txt").read_text(encoding="utf-8").strip()
        digest = hashlib.sha256(body.encode()).hexdigest()
        terms.create(version=1, language=language, body=body, sha256=digest)


class Migration(migrations.Migration):
    dependencies = [("consents", "0001_create_consents")]

    # Published texts stay; the table itself goes with 0001.
    operations = [migrations.RunPython(publish, migrations.RunPython.noop)]
