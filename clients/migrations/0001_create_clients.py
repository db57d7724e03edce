import core.enterprise_number
import core.triggers
import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_create_accounts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Client',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, unique=True)),
                ('company_number', models.CharField(max_length=10, validators=[core.enterprise_number.validate_company_number], verbose_name='enterprise number')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('code', models.CharField(max_length=40, verbose_name='company code')),
                ('language', models.CharField(choices=[('en', 'English'), ('nl', 'Nederlands'), ('fr', 'Français'), ('de', 'Deutsch')], default='nl', max_length=2)),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('archived_at', models.DateTimeField(blank=True, null=True)),
                ('archived_reason', models.CharField(blank=True, default='', max_length=300)),
                ('confirmed_at', models.DateTimeField(editable=False, null=True)),
                ('contested', models.BooleanField(db_default=False, default=False, editable=False)),
                ('leaves_at', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='clients', to='accounts.office')),
            ],
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('iban', models.CharField(max_length=34, verbose_name='account number')),
                ('learnt', models.BooleanField(default=False)),
                ('confirmed_at', models.DateTimeField(editable=False, null=True)),
                ('contested', models.BooleanField(db_default=False, default=False, editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='clients.client')),
            ],
        ),
        migrations.CreateModel(
            name='ClientEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(choices=[('added', 'Company added'), ('changed', 'Company changed'), ('archived', 'Company archived'), ('restored', 'Company restored from the archive'), ('confirmed', 'Company confirmed'), ('contested', 'Company no longer confirmed'), ('refused', 'Company refused by an operator'), ('account_registered', 'Bank account added'), ('account_removed', 'Bank account removed'), ('account_confirmed', 'Bank account confirmed'), ('account_contested', 'Bank account no longer confirmed'), ('account_refused', 'Bank account refused by an operator'), ('transfer_asked', 'Transfer requested'), ('transfer_agreed', 'Transfer accepted'), ('transfer_declined', 'Transfer declined'), ('transfer_withdrawn', 'Transfer withdrawn'), ('moved', 'Company transferred')], max_length=18)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('by_name', models.CharField(blank=True, max_length=120)),
                ('client_name', models.CharField(max_length=200)),
                ('details', models.JSONField(default=dict)),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='clients.client')),
                ('office', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.office')),
            ],
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), editable=False, unique=True)),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('preferred_at', models.DateTimeField(null=True)),
                ('agreed_at', models.DateTimeField(null=True)),
                ('code', models.CharField(blank=True, default='', max_length=40)),
                ('effective_at', models.DateTimeField(null=True)),
                ('moved_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('agreed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='clients.client')),
                ('closed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('from_office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='transfers_out', to='accounts.office')),
                ('to_office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='transfers_in', to='accounts.office')),
            ],
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(fields=['office', 'company_number'], name='clients_client_by_number'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(fields=['company_number'], name='clients_client_in_any_office'),
        ),
        migrations.AddIndex(
            model_name='client',
            index=models.Index(condition=models.Q(('archived_at__isnull', False), ('leaves_at__isnull', False), _connector='OR'), fields=['office'], name='clients_client_not_active'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.UniqueConstraint(fields=('office', 'code'), name='clients_client_one_per_code'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.UniqueConstraint(fields=('id', 'office'), name='clients_client_and_office'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.UniqueConstraint(condition=models.Q(('archived_at', None)), fields=('office', 'company_number'), name='clients_client_one_active_in_office'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.UniqueConstraint(condition=models.Q(('archived_at', None), ('confirmed_at__isnull', False)), fields=('company_number',), name='clients_client_one_confirmed_per_number'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.CheckConstraint(condition=models.Q(('confirmed_at', None), ('contested', False), _connector='OR'), name='clients_client_confirmed_or_contested'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.CheckConstraint(condition=models.Q(('company_number__regex', '^[01][0-9]{9}$')), name='clients_client_ten_digits'),
        ),
        migrations.AddConstraint(
            model_name='client',
            constraint=models.CheckConstraint(condition=models.Q(('archived_at', None), ('leaves_at', None), _connector='OR'), name='clients_client_archived_stays'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='client',
            trigger=pgtrigger.compiler.Trigger(name='accounts_first', sql=core.triggers.TriggerSql(condition='WHEN (NEW.archived_at IS NOT NULL OR NEW.confirmed_at IS NULL)', func="\n        IF EXISTS (\n            SELECT 1 FROM clients_account a\n            WHERE a.client_id = NEW.id AND a.confirmed_at IS NOT NULL\n        ) THEN\n            RAISE EXCEPTION 'The accounts of company % are confirmed', NEW.id;\n        END IF;\n        RETURN NEW;\n    ", hash='e6855dbfe8098cf203c159034c983de255624851', operation='UPDATE', pgid='pgtrigger_accounts_first_1625e', table='clients_client', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='account',
            index=models.Index(fields=['iban'], name='clients_account_by_number'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('iban__regex', '^[A-Z0-9]{5,34}$')), name='clients_account_plain'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.UniqueConstraint(fields=('client', 'iban'), name='clients_account_once_per_company'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.UniqueConstraint(condition=models.Q(('confirmed_at__isnull', False)), fields=('iban',), name='clients_account_one_confirmed'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('confirmed_at', None), ('contested', False), _connector='OR'), name='clients_account_confirmed_or_contested'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='account',
            trigger=pgtrigger.compiler.Trigger(name='of_a_confirmed_company', sql=core.triggers.TriggerSql(condition='WHEN (NEW.confirmed_at IS NOT NULL)', func="\n        PERFORM 1 FROM clients_client c WHERE c.id = NEW.client_id AND c.archived_at IS NULL\n            AND c.confirmed_at IS NOT NULL FOR SHARE;\n        IF NOT FOUND THEN\n            RAISE EXCEPTION 'Company % is not confirmed', NEW.client_id;\n        END IF;\n        RETURN NEW;\n    ", hash='9cd9c6f06e238c091fadc6b50fe9ea0cb214dfe8', operation='INSERT OR UPDATE', pgid='pgtrigger_of_a_confirmed_company_a6651', table='clients_account', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='clientevent',
            index=models.Index(fields=['client', 'office', '-id'], name='clients_event_of_client'),
        ),
        migrations.AddIndex(
            model_name='clientevent',
            index=models.Index(condition=models.Q(('kind__in', ('added', 'restored', 'account_registered'))), fields=['office', 'at'], name='clients_event_claims'),
        ),
        migrations.AddConstraint(
            model_name='clientevent',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['added', 'changed', 'archived', 'restored', 'confirmed', 'contested', 'refused', 'account_registered', 'account_removed', 'account_confirmed', 'account_contested', 'account_refused', 'transfer_asked', 'transfer_agreed', 'transfer_declined', 'transfer_withdrawn', 'moved'])), name='clients_clientevent_known_kind'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clientevent',
            trigger=pgtrigger.compiler.Trigger(name='keep_client_events', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f4dd071a8ea114a2e23152cd94202e7d84b65a89', operation='DELETE', pgid='pgtrigger_keep_client_events_d412e', table='clients_clientevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clientevent',
            trigger=pgtrigger.compiler.Trigger(name='only_erase_client_events', sql=core.triggers.TriggerSql(condition="WHEN (NOT (OLD.by_id IS NOT NULL AND NEW.by_name = 'Person ' || OLD.by_id AND (to_jsonb(NEW) - '{by_name}'::text[]) = (to_jsonb(OLD) - '{by_name}'::text[])))", func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='41a64f329e59ed12a3b7aca05317280aa9c1cc9a', operation='UPDATE', pgid='pgtrigger_only_erase_client_events_b0d9a', table='clients_clientevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clientevent',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_client_events', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='455342594f37f776effd62affca40656810d4462', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_client_events_11048', table='clients_clientevent', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at', None), ('moved_at', None)), fields=('client',), name='clients_transfer_one_open'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('from_office', models.F('to_office')), _negated=True), name='clients_transfer_elsewhere'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('agreed_at', None), ('agreed_by', None), ('code', ''), ('effective_at', None)), models.Q(models.Q(('code', ''), _negated=True), ('agreed_at__isnull', False), ('agreed_by__isnull', False), ('effective_at__gte', models.F('agreed_at'))), _connector='OR'), name='clients_transfer_agreed_has_a_person_and_a_moment'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('moved_at', None), models.Q(('closed_at', None), ('moved_at__gte', models.F('effective_at'))), _connector='OR'), name='clients_transfer_moves_when_agreed'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('closed_by', None)), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False)), _connector='OR'), name='clients_transfer_closed_by_a_person'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='transfer',
            trigger=pgtrigger.compiler.Trigger(name='keep_transfers', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='df8ee16528c275920ff591b27ed10993314695a7', operation='DELETE', pgid='pgtrigger_keep_transfers_19fc4', table='clients_transfer', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='transfer',
            trigger=pgtrigger.compiler.Trigger(name='only_forward', sql=core.triggers.TriggerSql(condition='WHEN (OLD.closed_at IS NOT NULL OR OLD.moved_at IS NOT NULL OR (OLD.agreed_at IS NOT NULL AND (NEW.agreed_at, NEW.agreed_by_id, NEW.effective_at, NEW.code) IS DISTINCT FROM (OLD.agreed_at, OLD.agreed_by_id, OLD.effective_at, OLD.code)) OR (NEW.client_id, NEW.from_office_id, NEW.to_office_id, NEW.asked_at, NEW.asked_by_id, NEW.preferred_at) IS DISTINCT FROM (OLD.client_id, OLD.from_office_id, OLD.to_office_id, OLD.asked_at, OLD.asked_by_id, OLD.preferred_at))', func="RAISE EXCEPTION 'A transfer only moves forward';", hash='4f7038d12a12b9b5fe92e274863861f33af6992c', operation='UPDATE', pgid='pgtrigger_only_forward_b0b1c', table='clients_transfer', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='account',
            trigger=pgtrigger.compiler.Trigger(name='none_in_the_sandbox', sql=core.triggers.TriggerSql(func="\n        IF EXISTS (\n            SELECT 1 FROM clients_client c\n            WHERE c.id = NEW.client_id AND c.company_number LIKE '19%'\n        ) THEN\n            RAISE EXCEPTION 'Company % is of the sandbox: no account is its own', NEW.client_id\n                USING ERRCODE = 'check_violation';\n        END IF;\n        RETURN NEW;\n    ", hash='e2972c9dda171eebc990f015b5f0f7338409c7e3', operation='INSERT', pgid='pgtrigger_none_in_the_sandbox_0a63b', table='clients_account', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='client',
            trigger=pgtrigger.compiler.Trigger(name='sandbox_apart', sql=core.triggers.TriggerSql(func="\n        IF EXISTS (\n            SELECT 1 FROM accounts_office o WHERE o.id = NEW.office_id\n                AND (o.kind = 'sandbox') <> (NEW.company_number LIKE '19%')\n        ) THEN\n            RAISE EXCEPTION 'Company % and office % are of two worlds',\n                NEW.company_number, NEW.office_id USING ERRCODE = 'check_violation';\n        END IF;\n        RETURN NEW;\n    ", hash='7203bcca85667b6c33c92d64d3d2e513e54ee0fa', operation='INSERT OR UPDATE OF "office_id", "company_number"', pgid='pgtrigger_sandbox_apart_7fd74', table='clients_client', when='BEFORE')),
        ),
    ]
