"""Keep who sent a waiting file, as far as it says so: operators filter and count by it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0013_show_acknowledgements_to_their_office_only")]

    operations = [
        migrations.AddField(
            model_name="quarantinedfile",
            name="sender",
            field=models.CharField(blank=True, db_default="", max_length=200),
        ),
    ]
