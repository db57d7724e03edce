"""Keep the warnings of a file with its document, and recognise copies by what they say."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0005_vacuum_documents_early")]

    operations = [
        migrations.AddField(
            "documentdetails", "warnings", models.JSONField(default=list, db_default=[])
        ),
        migrations.AddField(
            "documentdetails",
            "sender",
            models.CharField(max_length=200, blank=True, db_default=""),
        ),
        migrations.AddField(
            "documentdetails",
            "fingerprint",
            models.CharField(max_length=64, blank=True, db_default=""),
        ),
        migrations.AddIndex(
            "documentdetails",
            models.Index(
                fields=["sender"],
                condition=models.Q(("warnings", []), _negated=True),
                name="documents_details_odd_files",
            ),
        ),
        migrations.AddConstraint(
            "documentdetails",
            models.UniqueConstraint(
                fields=["client", "kind", "fingerprint"],
                condition=models.Q(("fingerprint", ""), _negated=True),
                name="documents_details_copy_once",
            ),
        ),
    ]
