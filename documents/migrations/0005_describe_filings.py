
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clients', '0002_keep_accounts_and_transfers'),
        ('documents', '0004_find_the_place_of_a_cursor'),
    ]

    operations = [
        migrations.CreateModel(
            name='Filing',
            fields=[
                ('document', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='filing', serialize=False, to='documents.document')),
                ('office_id', models.BigIntegerField()),
                ('kind', models.SmallIntegerField(choices=[(1, 'Bank Account Statement'), (2, 'Payroll Statement'), (3, 'Credit Card Statement'), (4, 'Purchase Invoice'), (5, 'Sales Invoice')])),
                ('natural_key', models.CharField(max_length=200)),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('sha256', models.CharField(max_length=64)),
                ('series', models.CharField(blank=True, max_length=64)),
                ('number', models.CharField(max_length=100)),
                ('dated_on', models.DateField()),
                ('counterparty', models.CharField(blank=True, max_length=200)),
                ('currency', models.CharField(max_length=3)),
                ('amount', models.DecimalField(decimal_places=3, max_digits=18)),
                ('opening', models.DecimalField(decimal_places=3, max_digits=18, null=True)),
                ('words', models.TextField(blank=True)),
                ('filed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
            ],
            options={
                'indexes': [models.Index(fields=['client', 'kind', 'series', '-dated_on', '-document'], name='documents_filing_of_series'), models.Index(fields=['client', '-dated_on', '-document'], name='documents_filing_of_client')],
                'constraints': [models.UniqueConstraint(fields=('client', 'kind', 'natural_key', 'version'), name='documents_filing_one_per_version'), models.UniqueConstraint(fields=('client', 'kind', 'sha256'), name='documents_filing_once')],
            },
        ),
    ]
