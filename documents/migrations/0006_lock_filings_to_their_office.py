"""What a reader says of a document is shown to its client's office only, and follows a transfer."""

from django.db import migrations

IN_SCOPE = """
    case when (select current_setting('portal.every_office', true)) = 'on' then true
    else office_id = (select nullif(current_setting('portal.office', true), '')::bigint) end
"""


class Migration(migrations.Migration):
    dependencies = [("documents", "0005_describe_filings")]

    operations = [
        migrations.RunSQL(
            """
            alter table documents_filing add constraint documents_filing_office_of_client
                foreign key (client_id, office_id) references clients_client (id, office_id)
                on update cascade
            """,
            "alter table documents_filing drop constraint documents_filing_office_of_client",
        ),
        migrations.RunSQL(
            f"""
            alter table documents_filing enable row level security;
            alter table documents_filing force row level security;
            create policy of_the_office on documents_filing
                using ({IN_SCOPE}) with check ({IN_SCOPE});
            """,
            """
            drop policy of_the_office on documents_filing;
            alter table documents_filing no force row level security;
            alter table documents_filing disable row level security;
            """,
        ),
    ]
