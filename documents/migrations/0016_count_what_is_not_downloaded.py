"""Count for each company what no software has downloaded: the completeness board filters by it."""

import django.db.models.deletion
from django.db import migrations, models

KINDS = [(1, "Bank account statements (CODA)"), (2, "Payroll statements (SODA)"), (3, "Credit card statements (CARO)"), (4, "Purchase invoices"), (5, "Sales invoices")]


class Migration(migrations.Migration):
    dependencies = [("documents", "0015_name_the_attachment_that_was_opened")]

    operations = [
        migrations.CreateModel(
            name="NotDownloaded",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.SmallIntegerField(choices=KINDS)),
                ("documents", models.PositiveIntegerField()),
                ("client", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="not_downloaded", to="clients.client")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("client", "kind"), name="documents_notdownloaded_once")],
            },
        ),
    ]
