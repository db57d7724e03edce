"""A company that goes to another office takes no exception along, and leaves none behind.

The new office's consents share it or not as each of them treats new companies; should it come
back one day, it is new again.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0005_tell_offices_of_their_software"),
        ("clients", "0003_name_clients_outside"),
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
