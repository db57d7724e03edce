"""Row security: only the office whose document it was sees what software did with it."""

from django.db import migrations

IN_SCOPE = """
    case when (select current_setting('portal.every_office', true)) = 'on' then true
    else office_id = (select nullif(current_setting('portal.office', true), '')::bigint) end
"""


class Migration(migrations.Migration):
    dependencies = [("documents", "0012_find_the_place_of_a_change")]

    operations = [
        migrations.RunSQL(
            f"""
            alter table documents_acknowledgement enable row level security;
            alter table documents_acknowledgement force row level security;
            create policy of_the_office on documents_acknowledgement
                using ({IN_SCOPE}) with check ({IN_SCOPE});
            """,
            """
            drop policy of_the_office on documents_acknowledgement;
            alter table documents_acknowledgement no force row level security;
            alter table documents_acknowledgement disable row level security;
            """,
        )
    ]
