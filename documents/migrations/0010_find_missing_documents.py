"""Keep what is missing from the documents of a company, and when its office was told."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

KINDS = [(1, "Bank account statements (CODA)"), (2, "Payroll statements (SODA)"), (3, "Credit card statements (CARO)"), (4, "Purchase invoices"), (5, "Sales invoices")]


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0009_name_companies_of_waiting_files"),
        ("clients", "0001_create_clients"),
        ("accounts", "0001_create_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="CompletenessCheck",
            fields=[
                ("office", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="+", serialize=False, to="accounts.office")),
                ("checked_at", models.DateTimeField()),
                ("emailed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="MissingMonth",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.SmallIntegerField(choices=KINDS)),
                ("series", models.CharField(blank=True, max_length=64)),
                ("month", models.DateField(help_text="its first day")),
                ("documents", models.PositiveIntegerField()),
                ("first", models.BigIntegerField(default=0)),
                ("last", models.BigIntegerField(default=0)),
                ("found_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ("client", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="missing_months", to="clients.client")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("client", "kind", "series", "month"), name="documents_missingmonth_once")],
            },
        ),
    ]
