"""A software that is retired and an office that is closed have no consent that still lives.

Both tables know nothing of consents, so the rule lies here. It looks when the transaction ends:
the order in which consents and their party end does not count.
"""

from django.db import migrations

LIVE = "closed_at is null and status in ('to_be_determined', 'allowed')"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_keep_histories_as_the_ledger_is_kept"),
        ("partners", "0003_give_software_a_logo"),
        ("consents", "0008_end_access_by_joint_acts"),
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
