"""What the database keeps about people: a last Admin, and rows that are history."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("accounts", "0001_create_accounts")]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name='membershipevent',
            trigger=pgtrigger.compiler.Trigger(name='keep_people_events', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='721c2ae1532f415555a713163e21f5d8a334fa90', operation='UPDATE OR DELETE', pgid='pgtrigger_keep_people_events_16a43', table='accounts_membershipevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='keep_an_admin', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN (OLD.is_active AND OLD.role = 'admin' AND NOT (NEW.is_active AND NEW.role = 'admin'))", func="\n        PERFORM 1 FROM accounts_office WHERE id = OLD.office_id AND is_active FOR NO KEY UPDATE;\n        IF FOUND AND NOT EXISTS (\n            SELECT 1 FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id\n            WHERE m.office_id = OLD.office_id AND m.is_active AND m.role = 'admin' AND u.is_active\n        ) THEN\n            RAISE EXCEPTION 'Office % would be left without an Admin', OLD.office_id\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_membership_keep_an_admin';\n        END IF;\n        RETURN NULL;\n    ", hash='9d25e23e525f34c826f73d58105970ab863c5628', operation='UPDATE OF "role", "is_active"', pgid='pgtrigger_keep_an_admin_feec6', table='accounts_membership', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='keep_memberships', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='3808b61306aea2aee0e9c84fd39e761c830a23d3', operation='DELETE', pgid='pgtrigger_keep_memberships_30acb', table='accounts_membership', when='BEFORE')),
        ),
    ]
