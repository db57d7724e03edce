
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


# The office of the company now; the row itself never changes.
OF_THE_OFFICE = """
    case when (select current_setting('portal.every_office', true)) = 'on' then true
    else exists (
        select 1 from clients_client c where c.id = client_id and c.office_id =
            (select nullif(current_setting('portal.office', true), '')::bigint)
    ) end
"""


class Migration(migrations.Migration):

    dependencies = [
        ('documents', '0007_keep_refused_files'),
    ]

    operations = [
        migrations.CreateModel(
            name='Tombstone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(unique=True)),
                ('kind', models.SmallIntegerField(choices=[(1, 'Bank Account Statement'), (2, 'Payroll Statement'), (3, 'Credit Card Statement'), (4, 'Purchase Invoice'), (5, 'Sales Invoice')])),
                ('natural_key', models.CharField(max_length=200)),
                ('available_at', models.DateTimeField()),
                ('hashes', models.JSONField()),
                ('buried_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='tombstone',
            trigger=pgtrigger.compiler.Trigger(name='keep_tombstones', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='1104fc3deba42573665a33c33d82849c7f172099', operation='UPDATE OR DELETE', pgid='pgtrigger_keep_tombstones_6c26c', table='documents_tombstone', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='tombstone',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_tombstones', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='c698c9800831f239f2d1701f8c80323267f21a5f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_tombstones_8bfc7', table='documents_tombstone', when='BEFORE')),
        ),
        migrations.RunSQL(
            f"""
            alter table documents_tombstone enable row level security;
            alter table documents_tombstone force row level security;
            create policy of_the_office on documents_tombstone
                using ({OF_THE_OFFICE}) with check ({OF_THE_OFFICE});
            """,
            """
            drop policy of_the_office on documents_tombstone;
            alter table documents_tombstone no force row level security;
            alter table documents_tombstone disable row level security;
            """,
        ),
    ]
