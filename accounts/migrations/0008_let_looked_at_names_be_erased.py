
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_mail_by_an_outbox'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='operatorlook',
            name='keep_looks',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='operatorlook',
            trigger=pgtrigger.compiler.Trigger(name='keep_looks', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='4426bf0dff44febb2609a659a862fafafbc887fa', operation='DELETE', pgid='pgtrigger_keep_looks_dfe4b', table='accounts_operatorlook', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='operatorlook',
            trigger=pgtrigger.compiler.Trigger(name='only_erase_looks', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN (NOT (\n    OLD.seen = 'person' AND NEW.about ~ '^Person [0-9]+$'\n    AND (to_jsonb(NEW) - 'about') = (to_jsonb(OLD) - 'about')\n))", func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='9dcc298b58c06d473299c75409c005de01d859a5', operation='UPDATE', pgid='pgtrigger_only_erase_looks_071f2', table='accounts_operatorlook', when='BEFORE')),
        ),
    ]
