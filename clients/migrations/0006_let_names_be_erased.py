
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('clients', '0005_write_events_of_clients'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='clientevent',
            name='keep_client_events',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clientevent',
            trigger=pgtrigger.compiler.Trigger(name='keep_client_events', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='7de2ca7afb06f546e3c88bbd2c2834bb33e31484', operation='DELETE', pgid='pgtrigger_keep_client_events_d412e', table='clients_clientevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clientevent',
            trigger=pgtrigger.compiler.Trigger(name='only_erase_client_events', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN (NOT (\n    NEW.by_name = 'Person ' || OLD.by_id\n    AND (to_jsonb(NEW) - 'by_name') = (to_jsonb(OLD) - 'by_name')\n))", func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b3b3e4ee819504ae17cf34c6dccbadbef7b5a282', operation='UPDATE', pgid='pgtrigger_only_erase_client_events_b0d9a', table='clients_clientevent', when='BEFORE')),
        ),
    ]
