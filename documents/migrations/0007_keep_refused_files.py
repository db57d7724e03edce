
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('documents', '0006_lock_filings_to_their_office'),
    ]

    operations = [
        migrations.CreateModel(
            name='Quarantined',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64, unique=True)),
                ('name', models.CharField(max_length=255)),
                ('size', models.BigIntegerField(help_text='bytes')),
                ('reason', models.CharField(choices=[('unknown_format', 'unknown_format'), ('too_large', 'too_large'), ('cut_off', 'cut_off'), ('charset', 'charset'), ('structure', 'structure'), ('sequence', 'sequence'), ('field', 'field'), ('totals', 'totals'), ('forbidden_xml', 'forbidden_xml'), ('unknown_company', 'unknown_company'), ('unknown_account', 'unknown_account'), ('paper_without_file', 'paper_without_file')], max_length=20)),
                ('detail', models.CharField(max_length=500)),
                ('line', models.PositiveIntegerField(null=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('filed', 'Filed'), ('discarded', 'Discarded')], default='waiting', max_length=9)),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('tried_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('tries', models.PositiveIntegerField(default=1)),
            ],
            options={
                'verbose_name_plural': 'quarantine',
                'indexes': [models.Index(fields=['state', '-id'], name='documents_quarantine_list')],
            },
        ),
    ]
