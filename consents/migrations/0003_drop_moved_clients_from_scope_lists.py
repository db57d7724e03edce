"""Remove a company from the scope lists of all consents when it moves to another office.

The consents of the new office treat it like any new company. If it comes back later, it is new
again for the old office.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0002_publish_first_terms"),
        ("clients", "0001_create_clients"),
    ]

    operations = [
        migrations.RunSQL(
            """
            create function consents_take_off_lists() returns trigger language plpgsql as $$
                begin
                    delete from consents_listedclient where client_id = new.id;
                    return null;
                end $$;
            create trigger consents_take_off_lists after update of office_id on clients_client
                for each row when (old.office_id is distinct from new.office_id)
                execute function consents_take_off_lists();
            """,
            """
            drop trigger consents_take_off_lists on clients_client;
            drop function consents_take_off_lists();
            """,
        )
    ]
