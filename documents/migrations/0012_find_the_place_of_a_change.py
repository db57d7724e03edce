"""Find when a document arrived that the list of changes named before, wherever it is now.

It may be deleted, or have left with its company. The document of a stranger is as unknown as one
that never existed.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0011_record_who_opens_a_document"),
        ("clients", "0001_create_clients"),
    ]

    operations = [
        migrations.RunSQL(
            """
            create function documents_arrival(document bigint, office bigint) returns timestamptz
                language plpgsql volatile as $$
                declare arrival timestamptz;
                begin
                    perform set_config('portal.every_office', 'on', true);
                    select d.available_at into arrival from documents_document d
                    where d.id = documents_arrival.document and (
                        d.office_id = documents_arrival.office
                        or exists (
                            select 1 from clients_transfer t where t.client_id = d.client_id
                              and t.from_office_id = documents_arrival.office
                              and t.moved_at is not null
                        )
                    );
                    if arrival is null then
                        select r.available_at into arrival from documents_deletionrecord r
                        where r.document_id = documents_arrival.document and (
                            r.office_id = documents_arrival.office
                            or exists (
                                select 1 from clients_transfer t where t.client_id = r.client_id
                                  and t.from_office_id = documents_arrival.office
                                  and t.moved_at is not null
                            )
                        );
                    end if;
                    perform set_config('portal.every_office', '', true);
                    return arrival;
                end $$
            """,
            "drop function documents_arrival(bigint, bigint)",
        )
    ]
