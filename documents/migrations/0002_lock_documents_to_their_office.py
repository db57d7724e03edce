"""The office of a document is its client's office, held by the database.

A transfer changes `clients_client.office_id`, and the documents follow in the same statement.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_create_documents")]

    operations = [
        migrations.RunSQL(
            """
            alter table documents_document add constraint documents_document_office_of_client
                foreign key (client_id, office_id) references clients_client (id, office_id)
                on update cascade
            """,
            "alter table documents_document drop constraint documents_document_office_of_client",
        )
    ]
