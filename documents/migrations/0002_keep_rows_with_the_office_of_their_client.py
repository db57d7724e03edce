"""Keep the office of a document equal to the office of its client, by foreign key.

A transfer changes `clients_client.office_id`, and the rows follow in the same statement.
"""

from django.db import migrations


def same_office(table, name):
    return migrations.RunSQL(
        f"""
        alter table {table} add constraint {name}
            foreign key (client_id, office_id) references clients_client (id, office_id)
            on update cascade
        """,
        f"alter table {table} drop constraint {name}",
    )


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_create_documents")]

    operations = [
        same_office("documents_document", "documents_document_office_of_client"),
        same_office("documents_documentdetails", "documents_details_office_of_client"),
    ]
