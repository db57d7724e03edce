import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Heartbeat',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='monitoring_heartbeat_one_row')],
            },
        ),
        migrations.CreateModel(
            name='Timing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('call', 'Call'), ('job', 'Job')], max_length=4)),
                ('name', models.CharField(max_length=200)),
                ('method', models.CharField(blank=True, default='', max_length=7)),
                ('outcome', models.CharField(max_length=10)),
                ('bucket', models.PositiveSmallIntegerField()),
                ('count', models.BigIntegerField()),
                ('seconds', models.FloatField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'name', 'method', 'outcome', 'bucket'), name='monitoring_timing_once')],
            },
        ),
        migrations.CreateModel(
            name='StopMeasurement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('seconds', models.FloatField(null=True)),
                ('served', models.PositiveIntegerField(default=0)),
                ('fault', models.CharField(blank=True, default='', max_length=100)),
                ('released_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['-started_at'], name='monitoring_stop_newest')],
                'constraints': [models.UniqueConstraint(models.Value(1), condition=models.Q(('released_at', None)), name='monitoring_stop_one_at_once'), models.CheckConstraint(condition=models.Q(('released_at', None), models.Q(('fault', ''), ('seconds__isnull', False)), models.Q(('seconds', None), models.Q(('fault', ''), _negated=True)), _connector='OR'), name='monitoring_stop_measured_or_why_not')],
            },
        ),
    ]
