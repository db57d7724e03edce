"""Record which person opened which document; only the office it concerns may see that."""

import core.triggers
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# As for the other tables of documents.
IN_SCOPE = """
    case when (select current_setting('portal.every_office', true)) = 'on' then true
    else office_id = (select nullif(current_setting('portal.office', true), '')::bigint) end
"""


class Migration(migrations.Migration):

    dependencies = [
        ('documents', '0010_find_missing_documents'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DocumentView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('office_id', models.BigIntegerField()),
                ('document_id', models.BigIntegerField()),
                ('client_id', models.BigIntegerField()),
                ('media_type', models.CharField(blank=True, default='', max_length=60)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['client_id', '-id'], name='documents_view_of_client'), models.Index(fields=['document_id', '-id'], name='documents_view_of_document')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='documentview',
            trigger=pgtrigger.compiler.Trigger(name='keep_document_views', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='37e5d80357f7d1a6199e23ac7cbcb85e6aa2d357', operation='UPDATE OR DELETE', pgid='pgtrigger_keep_document_views_c3868', table='documents_documentview', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='documentview',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_document_views', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='d8dd6bb7269d27c9a0864fef96d42c5c41b57276', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_document_views_8c7a0', table='documents_documentview', when='BEFORE')),
        ),
        migrations.RunSQL(
            f"""
            alter table documents_documentview enable row level security;
            alter table documents_documentview force row level security;
            create policy of_the_office on documents_documentview
                using ({IN_SCOPE}) with check ({IN_SCOPE});
            """,
            """
            drop policy of_the_office on documents_documentview;
            alter table documents_documentview no force row level security;
            alter table documents_documentview disable row level security;
            """,
        ),
    ]
