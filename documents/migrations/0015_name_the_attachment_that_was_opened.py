"""Keep the name of the file inside a document that a person downloaded."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0014_name_senders_of_waiting_files")]

    operations = [
        migrations.AddField(
            model_name="documentview",
            name="attachment",
            field=models.CharField(blank=True, db_default="", default="", max_length=140),
        ),
    ]
