"""Keep the access log in months: a month that nobody needs any more is dropped as a whole.

The portal's role writes and reads through `documents_documentread` alone. Two functions of the
owner add and drop months for it; their limits stand in them, so no setting can shorten the log. A
row whose month does not exist lies in `documents_documentread_rest` until its month is added.
"""

from django.db import migrations, models

IN_SCOPE = """
    case when (select current_setting('portal.every_office', true)) = 'on' then true
    else office_id = (select nullif(current_setting('portal.office', true), '')::bigint) end
"""
KEEP, KEEP_ALL = "pgtrigger_keep_reads_1003c", "pgtrigger_keep_all_reads_ad39b"
# What the table is called while its rows are brought over.
BEFORE = """
    select set_config('portal.every_office', 'on', true);
    alter table documents_documentread rename to documents_documentread_before;
    alter table documents_documentread_before
        rename constraint documents_documentread_pkey to documents_documentread_before_pkey;
    alter index documents_read_of_consent rename to documents_read_before_of_consent;
    alter index documents_read_of_document rename to documents_read_before_of_document;
    alter sequence documents_documentread_id_seq rename to documents_documentread_before_seq;
"""
INDEX_OF_CONSENT = """
    create index documents_read_of_consent on documents_documentread (consent_id, at desc)
        where outcome = 'served';
"""
RULES = f"""
    create trigger {KEEP} before update or delete on documents_documentread
        for each row execute function {KEEP}();
    comment on trigger {KEEP} on documents_documentread
        is '04afe9eb478166afc255fce8d9654cd68e381075';
    create trigger {KEEP_ALL} before truncate on documents_documentread
        for each statement execute function {KEEP_ALL}();
    comment on trigger {KEEP_ALL} on documents_documentread
        is 'd8cbde5e8dec622a1c27359ab0a47fb190af47d0';
    alter table documents_documentread enable row level security;
    alter table documents_documentread force row level security;
    create policy of_the_office on documents_documentread for select using ({IN_SCOPE});
    create policy written_by_anybody on documents_documentread for insert with check (true);
"""
BRING_OVER = """
    insert into documents_documentread select * from documents_documentread_before;
    select setval('documents_documentread_id_seq', last_value, is_called)
        from documents_documentread_before_seq;
    drop table documents_documentread_before;
    select set_config('portal.every_office', '', true);
"""
PARENT = """
    create table documents_documentread
        (like documents_documentread_before including defaults) partition by range (at);
    create sequence documents_documentread_id_seq owned by documents_documentread.id;
    alter table documents_documentread
        alter id set default nextval('documents_documentread_id_seq'), add primary key (id, at);
    create index documents_read_of_document on documents_documentread (document_id, at desc);
"""
# Its rows are seen by the function that gives them a month. Each partition needs its own trigger
# against truncate; those for rows come with the parent's.
REST = f"""
    create table documents_documentread_rest partition of documents_documentread default;
    create trigger {KEEP_ALL} before truncate on documents_documentread_rest
        for each statement execute function {KEEP_ALL}();
    alter table documents_documentread_rest enable row level security;
    alter table documents_documentread_rest force row level security;
    create policy of_the_office on documents_documentread_rest for select using ({IN_SCOPE});
"""
# A month that is attached locks nobody out of the others. Rows are moved only out of the rest.
ADD_MONTHS = f"""
create function documents_add_months_of_reads() returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set lock_timeout = '2s'
as $$
declare
    months timestamptz[];
    month timestamptz;
    name text;
    strays boolean;
    scope text := coalesce(current_setting('portal.every_office', true), '');
    added integer := 0;
begin
    perform pg_advisory_xact_lock(20013, 0);
    perform set_config('portal.every_office', 'on', true);
    select exists (select from public.documents_documentread_rest where isfinite(at)) into strays;
    select array_agg(wanted.month order by wanted.month) into months from (
        select generate_series(
            date_trunc('month', now()), date_trunc('month', now()) + interval '3 months',
            interval '1 month'
        ) as month
        union
        select date_trunc('month', at) from public.documents_documentread_rest where isfinite(at)
    ) wanted;
    if strays then
        alter table public.documents_documentread_rest disable trigger {KEEP};
        alter table public.documents_documentread_rest no force row level security;
    end if;
    foreach month in array months loop
        name := 'documents_documentread_' || to_char(month, 'YYYY_MM');
        continue when to_regclass(format('public.%I', name)) is not null;
        execute format(
            'create table public.%I (like public.documents_documentread including defaults)', name);
        if strays then
            execute format(
                'with moved as (
                    delete from public.documents_documentread_rest
                    where at >= %1$L and at < %2$L returning *
                ) insert into public.%3$I select * from moved',
                month, month + interval '1 month', name);
        end if;
        execute format(
            'alter table public.documents_documentread attach partition public.%I
                for values from (%L) to (%L)', name, month, month + interval '1 month');
        execute format('alter table public.%I enable row level security', name);
        execute format('alter table public.%I force row level security', name);
        execute format(
            'create trigger {KEEP_ALL} before truncate on public.%I
                for each statement execute function public.{KEEP_ALL}()', name);
        added := added + 1;
    end loop;
    if strays then
        alter table public.documents_documentread_rest force row level security;
        alter table public.documents_documentread_rest enable trigger {KEEP};
    end if;
    perform set_config('portal.every_office', scope, true);
    return added;
end $$;
revoke all on function documents_add_months_of_reads() from public;
"""
# A clock that runs ahead cannot empty the log: so many later months must have reads.
DROP_MONTH = """
create function documents_drop_month_of_reads(kept integer) returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
set lock_timeout = '1s'
as $$
declare
    months timestamptz[];
    month timestamptz;
    later integer := 0;
    scope text := coalesce(current_setting('portal.every_office', true), '');
begin
    if kept is null or kept < 120 then
        raise exception 'The access log is kept for at least 120 months, not %', kept;
    end if;
    perform pg_advisory_xact_lock(20013, 0);
    select array_agg(to_date(right(relname, 7), 'YYYY_MM')::timestamptz order by relname)
        into months
        from pg_inherits join pg_class on pg_class.oid = inhrelid
        where inhparent = 'public.documents_documentread'::regclass
          and relname ~ '^documents_documentread_[0-9]{4}_[0-9]{2}$';
    if months is null
        or months[1] + interval '1 month' > date_trunc('month', now()) - make_interval(months => kept)
    then
        return 0;
    end if;
    perform set_config('portal.every_office', 'on', true);
    foreach month in array months[2:] loop
        if exists (
            select from public.documents_documentread
            where at >= month and at < month + interval '1 month'
        ) then
            later := later + 1;
        end if;
    end loop;
    perform set_config('portal.every_office', scope, true);
    if later < kept then
        return 0;
    end if;
    execute format('drop table public.%I', 'documents_documentread_' || to_char(months[1], 'YYYY_MM'));
    return 1;
end $$;
revoke all on function documents_drop_month_of_reads(integer) from public;
"""
FORTH = f"""
    {BEFORE} {PARENT} {INDEX_OF_CONSENT} {RULES} {REST} {BRING_OVER} {ADD_MONTHS} {DROP_MONTH}
    select documents_add_months_of_reads();
"""
BACK = f"""
    drop function documents_add_months_of_reads();
    drop function documents_drop_month_of_reads(integer);
    {BEFORE}
    create table documents_documentread (like documents_documentread_before including defaults);
    alter table documents_documentread alter id drop default;
    alter table documents_documentread
        alter id add generated by default as identity, add primary key (id);
    create index documents_read_of_document on documents_documentread (document_id, id desc);
    {INDEX_OF_CONSENT} {RULES} {BRING_OVER}
"""


class Migration(migrations.Migration):
    dependencies = [("documents", "0016_count_what_is_not_downloaded")]

    operations = [
        migrations.RunSQL(
            FORTH,
            BACK,
            state_operations=[
                migrations.RemoveIndex("documentread", "documents_read_of_document"),
                migrations.AddIndex(
                    "documentread",
                    models.Index(fields=["document_id", "-at"], name="documents_read_of_document"),
                ),
            ],
        ),
    ]
