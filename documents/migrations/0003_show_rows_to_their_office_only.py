"""Row security: the last line of defence if a view forgets its filter.

FORCE, so that the policies hold for the owner of the tables as well. After a transaction the setting reads
'' and not NULL, hence NULLIF. The policy is a plain comparison: one that looked consents up would
make the query two to three times as slow.
"""

from django.db import migrations

# CASE and not OR: with OR the planner expects a handful of rows and sorts the whole office.
IN_SCOPE = """
    case when (select current_setting('portal.every_office', true)) = 'on' then true
    else office_id = (select nullif(current_setting('portal.office', true), '')::bigint) end
"""
OF_A_DOCUMENT = "exists (select 1 from documents_document d where d.id = document_id)"
# The office that has the company now; the row itself never changes.
OFFICE_OF_THE_CLIENT = """
    case when (select current_setting('portal.every_office', true)) = 'on' then true
    else exists (
        select 1 from clients_client c where c.id = client_id and c.office_id =
            (select nullif(current_setting('portal.office', true), '')::bigint)
    ) end
"""


def enable(table, policies):
    return migrations.RunSQL(
        f"""
        alter table {table} enable row level security;
        alter table {table} force row level security;
        """
        + "".join(f"create policy {name} on {table} {rule};" for name, rule in policies.items()),
        "".join(f"drop policy {name} on {table};" for name in policies)
        + f"""
        alter table {table} no force row level security;
        alter table {table} disable row level security;
        """,
    )


def read_and_write(condition):
    return {"of_the_office": f"using ({condition}) with check ({condition})"}


class Migration(migrations.Migration):
    dependencies = [("documents", "0002_keep_rows_with_the_office_of_their_client")]

    operations = [
        enable("documents_document", read_and_write(IN_SCOPE)),
        enable("documents_content", read_and_write(OF_A_DOCUMENT)),
        enable("documents_documentdetails", read_and_write(IN_SCOPE)),
        enable("documents_deletionrecord", read_and_write(OFFICE_OF_THE_CLIENT)),
        # Anybody may record a read; only the office it concerns may see it.
        enable(
            "documents_documentread",
            {
                "of_the_office": f"for select using ({IN_SCOPE})",
                "written_by_anybody": "for insert with check (true)",
            },
        ),
    ]
