"""The place of a cursor, only of an office that has the document, or had it when it came.

A document that left with its client for another office still has its place, so that a list does
not end early. That of a stranger is as unknown as none. The function of before stays for the
release of before.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0010_find_contents_by_digest"),
        ("clients", "0004_move_transfers_only_forward"),
    ]

    operations = [
        migrations.RunSQL(
            """
            create function documents_position(cursor uuid, office bigint)
                returns table (available_at timestamptz, id bigint)
                language plpgsql volatile as $$
                begin
                    perform set_config('portal.every_office', 'on', true);
                    return query select d.available_at, d.id from documents_document d
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
