"""Keep which companies a waiting file names, so that their offices see it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0008_keep_attachments")]

    operations = [
        migrations.CreateModel(
            name="QuarantinedName",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(blank=True, max_length=10)),
                ("account", models.CharField(blank=True, max_length=34)),
                ("file", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="names", to="documents.quarantinedfile")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["number"], name="documents_quarantined_number"),
                    models.Index(fields=["account"], name="documents_quarantined_account"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("file", "number", "account"), name="documents_quarantinedname_once"),
                    models.CheckConstraint(condition=models.Q(("number", ""), ("account", ""), _connector="XOR"), name="documents_quarantinedname_one_of_both"),
                ],
            },
        ),
    ]
