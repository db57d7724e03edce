"""Note the gap that a company leaves at its old office, and end the one at its new office.

Software of the new office reads the company's documents from the commit of the move on, also those
that arrived before. The moment of a gap is taken behind a lock that each search of that office
shares for a moment, so that no search ends between this moment and the commit.

This runs before the trigger that takes the company off the lists: the order is that of the names.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0004_end_consents_before_their_parties"),
    ]

    operations = [
        migrations.RunSQL(
            """
            create function consents_moment_of_gap(office bigint) returns timestamptz
                language plpgsql volatile as $$
                begin
                    perform pg_advisory_xact_lock(20005, office::int);
                    return clock_timestamp();
                end $$;

            create function consents_covers(consent bigint, client bigint) returns boolean
                language sql stable as $$
                    select c.allowlist_mode = exists (
                        select 1 from consents_listedclient l
                        where l.consent_id = c.id and l.client_id = consents_covers.client
                    ) from consents_consent c where c.id = consents_covers.consent
                $$;

            -- The last consent that each software was given by the office: it tells until when
            -- the software could read.
            create function consents_last_given(office bigint)
                returns table (id bigint, partner_id bigint, status varchar,
                    cancelled_at timestamptz)
                language sql stable as $$
                    select distinct on (c.partner_id) c.id, c.partner_id, c.status, c.cancelled_at
                    from consents_consent c
                    where c.office_id = consents_last_given.office
                      and c.status in ('allowed', 'cancelled')
                    order by c.partner_id, c.id desc
                $$;

            create function consents_note_gaps_of_moved() returns trigger language plpgsql as $$
                declare moment timestamptz;
                begin
                    moment := coalesce(old.leaves_at, clock_timestamp());
                    insert into consents_sharinggap
                        (office_id, partner_id, client_id, kind, since, hidden_at)
                    select old.office_id, g.partner_id, new.id, '',
                        case when g.status = 'allowed' then least(moment,
                            (select min(started_at) from documents_ingestbatch))
                        else g.cancelled_at end, moment
                    from consents_last_given(old.office_id) g
                    where consents_covers(g.id, new.id)
                    on conflict do nothing;
                    insert into consents_sharinggap (office_id, partner_id, client_id, kind)
                    select old.office_id, g.partner_id, new.id, ''
                    from consents_last_given(old.office_id) g
                    on conflict do nothing;

                    -- In the transaction of the move all waits for this lock, so it comes last.
                    moment := consents_moment_of_gap(new.office_id);
                    insert into consents_sharinggap
                        (office_id, partner_id, client_id, kind, since)
                    select new.office_id, g.partner_id, new.id, '', null
                    from consents_last_given(new.office_id) g
                    on conflict do nothing;
                    update consents_sharinggap s set until = moment
                    from consents_last_given(new.office_id) g
                    join consents_consent c on c.id = g.id
                    where s.office_id = new.office_id and s.partner_id = g.partner_id
                      and s.client_id = new.id and s.until is null
                      and c.status = 'allowed' and not c.allowlist_mode;
                    return null;
                end $$;
            create trigger consents_note_gaps_of_moved after update of office_id on clients_client
                for each row when (old.office_id is distinct from new.office_id)
                execute function consents_note_gaps_of_moved();
            """,
            """
            drop trigger consents_note_gaps_of_moved on clients_client;
            drop function consents_note_gaps_of_moved();
            drop function consents_last_given(bigint);
            drop function consents_covers(bigint, bigint);
            drop function consents_moment_of_gap(bigint);
            """,
        )
    ]
