"""Row security: the last lock, should a view ever forget its filter.

FORCE, because the portal's ordinary role owns the tables. After a transaction the setting reads
'' and not NULL, hence NULLIF. A plain comparison, because a policy that looks consents up would
cost two to three times the query itself.
"""

from django.db import migrations

# CASE and not OR: with OR the planner guesses a handful of rows and sorts the whole office.
IN_SCOPE = """
    case when (select current_setting('portal.every_office', true)) = 'on' then true
    else office_id = (select nullif(current_setting('portal.office', true), '')::bigint) end
"""
OF_A_DOCUMENT = "exists (select 1 from documents_document d where d.id = document_id)"


def lock(table, condition):
    return migrations.RunSQL(
        f"""
        alter table {table} enable row level security;
        alter table {table} force row level security;
        create policy of_the_office on {table} using ({condition}) with check ({condition});
        """,
        f"""
        drop policy of_the_office on {table};
        alter table {table} no force row level security;
        alter table {table} disable row level security;
        """,
    )


class Migration(migrations.Migration):
    dependencies = [("documents", "0002_lock_documents_to_their_office")]

    operations = [
        lock("documents_document", IN_SCOPE),
        lock("documents_content", OF_A_DOCUMENT),
        # Anybody may write a read down; only its office may look at it.
        migrations.RunSQL(
            f"""
            alter table documents_documentread enable row level security;
            alter table documents_documentread force row level security;
            create policy of_the_office on documents_documentread for select using ({IN_SCOPE});
            create policy written_by_anybody on documents_documentread for insert with check (true);
            """,
            """
            drop policy written_by_anybody on documents_documentread;
            drop policy of_the_office on documents_documentread;
            alter table documents_documentread no force row level security;
            alter table documents_documentread disable row level security;
            """,
        ),
    ]
