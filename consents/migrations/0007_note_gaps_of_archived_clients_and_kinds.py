"""Note the gap of a company that is archived, and of a kind that software is not registered for.

Software that keeps a copy of what it may read must learn both, and when they end. A company that
leaves is hidden from a moment that no answer has passed: it is taken behind the lock that each
answer shares (`consents_moment_of_gap`).
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0006_keep_drafts_of_a_scope"),
        ("partners", "0001_create_partners"),
    ]

    operations = [
        migrations.RunSQL(
            """
            create function consents_moment_of_departure() returns trigger language plpgsql as $$
                begin
                    new.effective_at := greatest(
                        new.effective_at, consents_moment_of_gap(new.from_office_id));
                    return new;
                end $$;
            create trigger consents_moment_of_departure before update of agreed_at
                on clients_transfer for each row
                when (old.agreed_at is null and new.agreed_at is not null)
                execute function consents_moment_of_departure();

            create function consents_note_gaps_of_archived() returns trigger language plpgsql as $$
                declare moment timestamptz := consents_moment_of_gap(new.office_id);
                begin
                    if new.archived_at is not null then
                        insert into consents_sharinggap
                            (office_id, partner_id, client_id, kind, since, hidden_at)
                        select new.office_id, g.partner_id, new.id, '',
                            case when g.status = 'allowed' then least(moment,
                                (select min(started_at) from documents_ingestbatch))
                            else g.cancelled_at end, moment
                        from consents_last_given(new.office_id) g
                        where consents_covers(g.id, new.id)
                        on conflict do nothing;
                        return null;
                    end if;
                    -- Where it has no open gap, it was archived before it was ever shared.
                    insert into consents_sharinggap (office_id, partner_id, client_id, kind)
                    select new.office_id, g.partner_id, new.id, ''
                    from consents_last_given(new.office_id) g
                    on conflict do nothing;
                    update consents_sharinggap s set until = moment
                    from consents_last_given(new.office_id) g
                    where s.office_id = new.office_id and s.partner_id = g.partner_id
                      and s.client_id = new.id and s.until is null
                      and g.status = 'allowed' and consents_covers(g.id, new.id);
                    return null;
                end $$;
            create trigger consents_note_gaps_of_archived after update of archived_at
                on clients_client for each row
                when ((old.archived_at is null) <> (new.archived_at is null))
                execute function consents_note_gaps_of_archived();

            create function consents_last_given_to(partner bigint)
                returns table (office_id bigint, status varchar, excluded_kinds varchar[],
                    cancelled_at timestamptz)
                language sql stable as $$
                    select distinct on (c.office_id)
                        c.office_id, c.status, c.excluded_kinds, c.cancelled_at
                    from consents_consent c
                    where c.partner_id = consents_last_given_to.partner
                      and c.status in ('allowed', 'cancelled')
                    order by c.office_id, c.id desc
                $$;

            create function consents_note_gaps_of_kinds() returns trigger language plpgsql as $$
                declare
                    moment timestamptz;
                    gone varchar[] := array(select unnest(old.document_kinds)
                        except select unnest(new.document_kinds));
                    come varchar[] := array(select unnest(new.document_kinds)
                        except select unnest(old.document_kinds));
                begin
                    perform pg_advisory_xact_lock(20006, new.id::int);
                    moment := clock_timestamp();
                    insert into consents_sharinggap
                        (office_id, partner_id, kind, since, hidden_at)
                    select g.office_id, new.id, k,
                        case when g.status = 'allowed' then least(moment,
                            (select min(started_at) from documents_ingestbatch))
                        else g.cancelled_at end, moment
                    from consents_last_given_to(new.id) g, unnest(gone) k where k <> all(g.excluded_kinds)
                    on conflict do nothing;
                    insert into consents_sharinggap (office_id, partner_id, kind)
                    select g.office_id, new.id, k from consents_last_given_to(new.id) g, unnest(come) k
                    on conflict do nothing;
                    update consents_sharinggap s set until = moment from consents_last_given_to(new.id) g
                    where s.partner_id = new.id and s.office_id = g.office_id
                      and s.kind = any(come) and s.until is null
                      and g.status = 'allowed' and s.kind <> all(g.excluded_kinds);
                    return null;
                end $$;
            create trigger consents_note_gaps_of_kinds after update of document_kinds
                on partners_partner for each row
                when (old.document_kinds is distinct from new.document_kinds)
                execute function consents_note_gaps_of_kinds();
            """,
            """
            drop trigger consents_note_gaps_of_kinds on partners_partner;
            drop function consents_note_gaps_of_kinds();
            drop function consents_last_given_to(bigint);
            drop trigger consents_note_gaps_of_archived on clients_client;
            drop function consents_note_gaps_of_archived();
            drop trigger consents_moment_of_departure on clients_transfer;
            drop function consents_moment_of_departure();
            """,
        )
    ]
