"""The place of a cursor, also when its document left for another office while somebody pages.

It tells no more than a time and a number that are compared with; nothing of the document.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("documents", "0003_show_rows_to_their_office_only")]

    operations = [
        migrations.RunSQL(
            """
            create function documents_position(cursor uuid)
                returns table (available_at timestamptz, id bigint)
                language plpgsql volatile as $$
                begin
                    perform set_config('portal.every_office', 'on', true);
                    return query select d.available_at, d.id
                        from documents_document d where d.uuid = documents_position.cursor;
                    perform set_config('portal.every_office', '', true);
                end $$
            """,
            "drop function documents_position(uuid)",
        ),
        # Index-only scans need the visibility map, so inserts must be vacuumed early.
        migrations.RunSQL(
            """
            alter table documents_document set (autovacuum_vacuum_insert_scale_factor = 0.01)
            """,
            "alter table documents_document reset (autovacuum_vacuum_insert_scale_factor)",
        ),
    ]
