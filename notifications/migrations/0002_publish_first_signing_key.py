"""Publish the key that signs webhooks, so that whoever fetches the keys first writes nothing."""

from typing import Any

from django.db import migrations

from notifications.webhooks.signing_keys import new_key


def publish(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("notifications", "WebhookKey")
    keys = model.objects.using(schema_editor.connection.alias)
    if not keys.exists():
        keys.create(**new_key())


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_create_notifications")]

    operations = [migrations.RunPython(publish, migrations.RunPython.noop)]
