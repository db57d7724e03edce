"""Refuse to retire a partner or close an office that still has a live consent.

The tables of partners and offices know nothing of consents, so the rule lives here. The triggers
run at the end of the transaction, so the order of the statements before it does not matter.
"""

from django.db import migrations

LIVE = "closed_at is null and status in ('to_be_determined', 'allowed')"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_create_accounts"),
        ("partners", "0001_create_partners"),
        ("consents", "0003_drop_moved_clients_from_scope_lists"),
    ]

    operations = [
        migrations.RunSQL(
            f"""
            create function consents_of_a_party_have_ended() returns trigger language plpgsql as $$
                begin
                    if exists (
                        select 1 from consents_consent c where {LIVE} and (
                            (tg_argv[0] = 'partner' and c.partner_id = new.id)
                            or (tg_argv[0] = 'office' and c.office_id = new.id)
                        )
                    ) then
                        raise exception 'End the consents of % % first', tg_argv[0], new.id;
                    end if;
                    return null;
                end $$;
            create constraint trigger consents_end_before_their_software
                after update of status on partners_partner
                deferrable initially deferred for each row
                when (new.status = 'retired')
                execute function consents_of_a_party_have_ended('partner');
            create constraint trigger consents_end_before_their_office
                after update of closed_at on accounts_office
                deferrable initially deferred for each row
                when (new.closed_at is not null)
                execute function consents_of_a_party_have_ended('office');
            """,
            """
            drop trigger consents_end_before_their_software on partners_partner;
            drop trigger consents_end_before_their_office on accounts_office;
            drop function consents_of_a_party_have_ended();
            """,
        )
    ]
