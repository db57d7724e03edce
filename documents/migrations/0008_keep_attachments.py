"""Keep the files inside a document, each under its name, and write down who read which."""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

OF_A_DOCUMENT = "exists (select 1 from documents_document d where d.id = document_id)"


class Migration(migrations.Migration):
    dependencies = [("documents", "0007_search_all_documents_of_an_office")]

    operations = [
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.PositiveSmallIntegerField(help_text="in the file of the document")),
                ("name", models.CharField(max_length=140)),
                ("media_type", models.CharField(max_length=130)),
                ("size", models.BigIntegerField(help_text="bytes")),
                ("sha256", models.CharField(max_length=64)),
                ("document", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="attachments", to="documents.document")),
            ],
            options={
                "indexes": [django.contrib.postgres.indexes.HashIndex(fields=["sha256"], name="documents_attachment_by_digest")],
                "constraints": [models.UniqueConstraint(fields=("document", "name"), name="documents_attachment_own_name")],
            },
        ),
        migrations.RunSQL(
            f"""
            alter table documents_attachment enable row level security;
            alter table documents_attachment force row level security;
            create policy of_the_office on documents_attachment
                using ({OF_A_DOCUMENT}) with check ({OF_A_DOCUMENT});
            """,
            """
            drop policy of_the_office on documents_attachment;
            alter table documents_attachment no force row level security;
            alter table documents_attachment disable row level security;
            """,
        ),
        migrations.AlterField("documentread", "media_type", models.CharField(max_length=130)),
        migrations.AddField(
            "documentread",
            "attachment",
            models.CharField(blank=True, db_default="", max_length=140),
        ),
    ]
