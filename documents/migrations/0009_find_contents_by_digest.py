import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('documents', '0008_bury_documents'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='content',
            index=django.contrib.postgres.indexes.HashIndex(
                fields=['sha256'], name='documents_content_by_digest'
            ),
        ),
    ]
