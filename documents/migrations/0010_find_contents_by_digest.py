"""Before bytes are removed: does anything name them still?"""

from django.contrib.postgres.indexes import HashIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):

    # A big table: its index must not hold up those who write there.
    atomic = False

    dependencies = [
        ('documents', '0009_index_what_offices_look_at'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='content',
            index=HashIndex(fields=['sha256'], name='documents_content_by_digest'),
        ),
    ]
