"""Find the position of a cursor, if the office has its document or had it when it arrived.

A document that left with its client for another office still has its position, so that a list
does not end early. The cursor of a stranger is as unknown as one that never existed.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0003_show_rows_to_their_office_only"),
        ("clients", "0001_create_clients"),
    ]

    operations = [
        migrations.RunSQL(
            """
            create function documents_position(cursor uuid, office bigint)
                returns table (available_at timestamptz, id bigint, client_id bigint)
                language plpgsql volatile as $$
                begin
                    perform set_config('portal.every_office', 'on', true);
                    return query select d.available_at, d.id, d.client_id from documents_document d
                        where d.uuid = documents_position.cursor and (
                            d.office_id = documents_position.office
                            or exists (
                                select 1 from clients_transfer t
                                where t.client_id = d.client_id
                                  and t.from_office_id = documents_position.office
                                  and t.moved_at > d.available_at
                            )
                        );
                    perform set_config('portal.every_office', '', true);
                end $$
            """,
            "drop function documents_position(uuid, bigint)",
        )
    ]
