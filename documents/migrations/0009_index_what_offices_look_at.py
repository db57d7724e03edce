"""What the office's own view asks for: years of a company, reads of a document, what was buried."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # The reads are the big table: its index must not hold up those who write there.
    atomic = False

    dependencies = [
        ('clients', '0002_keep_accounts_and_transfers'),
        ('documents', '0008_bury_documents'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='filing',
            name='documents_filing_of_series',
        ),
        migrations.AddIndex(
            model_name='filing',
            index=models.Index(fields=['client', 'kind', 'series', '-dated_on', '-document'], include=('office_id',), name='documents_filing_of_series'),
        ),
        migrations.AddIndex(
            model_name='tombstone',
            index=models.Index(fields=['client', 'kind', '-id'], name='documents_tombstone_list'),
        ),
        AddIndexConcurrently(
            model_name='documentread',
            index=models.Index(fields=['document_id', '-id'], name='documents_read_of_document'),
        ),
    ]
