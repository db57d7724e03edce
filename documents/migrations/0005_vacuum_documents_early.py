"""Vacuum after few inserts: index-only scans need the visibility map."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("documents", "0004_find_the_position_of_a_cursor")]

    operations = [
        migrations.RunSQL(
            """
            alter table documents_document set (autovacuum_vacuum_insert_scale_factor = 0.01)
            """,
            "alter table documents_document reset (autovacuum_vacuum_insert_scale_factor)",
        ),
    ]
