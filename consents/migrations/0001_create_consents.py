import core.triggers
import django.contrib.postgres.fields
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
        ('clients', '0001_create_clients'),
        ('partners', '0001_create_partners'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ViewLog',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'verbose_name_plural': 'view log',
            },
        ),
        migrations.CreateModel(
            name='Block',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('blocked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('blocked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='blocks', to='accounts.office')),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='partners.partner')),
            ],
        ),
        migrations.CreateModel(
            name='ChainHead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('length', models.BigIntegerField(default=0)),
                ('event_hash', models.CharField(blank=True, default='', max_length=64)),
                ('logged', models.BigIntegerField(db_default=0)),
                ('office', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='chain_head', to='accounts.office')),
            ],
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('status', models.CharField(choices=[('to_be_determined', 'To be determined'), ('allowed', 'Allowed'), ('denied', 'Denied'), ('cancelled', 'Cancelled')], default='to_be_determined', editable=False, max_length=16)),
                ('requested_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('lapses_at', models.DateTimeField()),
                ('redirect_uri', models.TextField(blank=True, default='')),
                ('state', models.CharField(blank=True, default='', max_length=500)),
                ('decided_at', models.DateTimeField(editable=False, null=True)),
                ('cancelled_at', models.DateTimeField(editable=False, null=True)),
                ('closed_at', models.DateTimeField(editable=False, null=True)),
                ('closed_reason', models.CharField(blank=True, choices=[('lapsed', 'Request lapsed'), ('withdrawn', 'Withdrawn by the software')], default='', max_length=9)),
                ('paused_at', models.DateTimeField(null=True)),
                ('paused_until', models.DateTimeField(null=True)),
                ('accept_terms_by', models.DateTimeField(null=True)),
                ('excluded_kinds', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('bankAccountStatement', 'Bank account statements (CODA)'), ('payrollStatement', 'Payroll statements (SODA)'), ('creditCardStatement', 'Credit card statements (CARO)'), ('purchaseInvoice', 'Purchase invoices'), ('salesInvoice', 'Sales invoices')], max_length=24), db_default=[], default=list, size=None)),
                ('allowlist_mode', models.BooleanField(db_default=False, default=False)),
                ('scope_number', models.PositiveIntegerField(db_default=0, default=0)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='accounts.office')),
                ('partner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='partners.partner')),
            ],
        ),
        migrations.CreateModel(
            name='ConsentActivity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('served', models.PositiveIntegerField(db_default=0)),
                ('refused', models.PositiveIntegerField(db_default=0)),
                ('refused_ended', models.PositiveIntegerField(db_default=0)),
                ('first_served_at', models.DateTimeField(null=True)),
                ('last_served_at', models.DateTimeField(null=True)),
                ('last_refused_at', models.DateTimeField(null=True)),
                ('consent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='activity', to='consents.consent')),
            ],
            options={
                'verbose_name_plural': 'consent activity',
            },
        ),
        migrations.CreateModel(
            name='ConsentEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(choices=[('requested', 'Requested'), ('allowed', 'Allowed'), ('denied', 'Denied'), ('cancelled', 'Cancelled'), ('lapsed', 'Request lapsed'), ('withdrawn', 'Withdrawn by the software'), ('asked', 'Decision requested'), ('paused', 'Paused'), ('resumed', 'Resumed'), ('reminded', 'Reminder sent'), ('first_fetched', 'First download'), ('unused', 'Not used for 60 days'), ('unusual', 'Unusually many downloads'), ('blocked', 'Software blocked'), ('unblocked', 'Software unblocked'), ('narrowed', 'Sharing reduced'), ('widened', 'Sharing extended'), ('terms_changed', 'Terms changed'), ('terms_reminded', 'Reminder about changed terms sent'), ('reaccepted', 'Changed terms accepted'), ('reaffirmed', 'Reconfirmed'), ('suspended', 'Software suspended'), ('reinstated', 'Software active again')], max_length=16)),
                ('at', models.DateTimeField(editable=False)),
                ('actor_kind', models.CharField(choices=[('person', 'Person'), ('partner', 'Partner'), ('operator', 'Operator'), ('clock', 'Clock')], max_length=8)),
                ('actor_name', models.CharField(blank=True, max_length=200)),
                ('reason', models.CharField(blank=True, default='', max_length=500)),
                ('until', models.DateTimeField(null=True)),
                ('asked', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('scope', models.JSONField(null=True)),
                ('salt', models.CharField(blank=True, max_length=32)),
                ('personal_hash', models.CharField(max_length=64)),
                ('number', models.BigIntegerField()),
                ('previous_hash', models.CharField(blank=True, max_length=64)),
                ('event_hash', models.CharField(max_length=64)),
                ('consent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='consents.consent')),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='accounts.office')),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='ListedClient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('consent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='listed', to='consents.consent')),
            ],
        ),
        migrations.CreateModel(
            name='Terms',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('language', models.CharField(choices=[('en', 'English'), ('nl', 'Nederlands'), ('fr', 'Français'), ('de', 'Deutsch')], max_length=2)),
                ('body', models.TextField()),
                ('sha256', models.CharField(editable=False, max_length=64)),
                ('material', models.BooleanField(db_default=False, default=False)),
                ('published_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('effective_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name_plural': 'terms',
                'constraints': [models.UniqueConstraint(fields=('version', 'language'), name='consents_terms_one_per_language')],
            },
        ),
        migrations.CreateModel(
            name='Evidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('person_name', models.CharField(max_length=200)),
                ('person_email', models.EmailField(max_length=254)),
                ('role', models.CharField(choices=[('admin', 'Admin'), ('user', 'User')], max_length=5)),
                ('address', models.CharField(blank=True, max_length=45)),
                ('browser', models.CharField(blank=True, max_length=400)),
                ('authentication', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), size=None)),
                ('terms_version', models.PositiveIntegerField()),
                ('terms_language', models.CharField(max_length=2)),
                ('terms_sha256', models.CharField(max_length=64)),
                ('partner_name', models.CharField(max_length=80)),
                ('partner_logo', models.CharField(blank=True, db_default='', default='', max_length=64)),
                ('document_kinds', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=24), size=None)),
                ('companies', models.PositiveIntegerField()),
                ('event', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='consents.consentevent')),
                ('terms', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consents.terms')),
            ],
            options={
                'verbose_name_plural': 'evidence',
            },
        ),
        migrations.AddField(
            model_name='consent',
            name='terms',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consents.terms'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='terms',
            trigger=pgtrigger.compiler.Trigger(name='keep_terms', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='8c21976a3f61e3ec21bc1b3d0fb7bd007ac86cf0', operation='UPDATE OR DELETE', pgid='pgtrigger_keep_terms_18d70', table='consents_terms', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='terms',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_terms', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='69a68d40c866a64376d23558c0cf3c322bd7487a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_terms_5f62d', table='consents_terms', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='viewlog',
            name='consent',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='view_log', to='consents.consent'),
        ),
        migrations.AddField(
            model_name='viewlog',
            name='person',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='block',
            constraint=models.UniqueConstraint(fields=('office', 'partner'), name='consents_block_once'),
        ),
        migrations.AddConstraint(
            model_name='consentactivity',
            constraint=models.UniqueConstraint(fields=('consent', 'day'), name='consents_activity_one_per_day'),
        ),
        migrations.AddConstraint(
            model_name='consentevent',
            constraint=models.UniqueConstraint(condition=models.Q(('kind__in', ['asked', 'paused', 'resumed', 'reminded', 'unused', 'unusual', 'blocked', 'unblocked', 'narrowed', 'widened', 'terms_changed', 'terms_reminded', 'reaccepted', 'reaffirmed', 'suspended', 'reinstated']), _negated=True), fields=('consent', 'kind'), name='consents_consentevent_once'),
        ),
        migrations.AddConstraint(
            model_name='consentevent',
            constraint=models.UniqueConstraint(fields=('office', 'number'), name='consents_consentevent_place'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consentevent',
            trigger=pgtrigger.compiler.Trigger(name='keep_events', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='cc6ba986a90fcaae13ac6073f165977bee4c6c68', operation='DELETE', pgid='pgtrigger_keep_events_0b41e', table='consents_consentevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consentevent',
            trigger=pgtrigger.compiler.Trigger(name='only_erase_events', sql=core.triggers.TriggerSql(condition="WHEN (NOT (OLD.person_id is not null AND OLD.salt <> '' AND NEW.salt = '' AND NEW.reason = '' AND NEW.actor_name = 'Person ' || OLD.person_id AND (to_jsonb(NEW) - '{salt, reason, actor_name}'::text[]) = (to_jsonb(OLD) - '{salt, reason, actor_name}'::text[])))", func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='2e73ce6a80e9a6e946b560a65a12da650b77b4ed', operation='UPDATE', pgid='pgtrigger_only_erase_events_e18d3', table='consents_consentevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consentevent',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_events', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='72e6df675a15b502c93a179acd694b78c98f7f02', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_events_74f4e', table='consents_consentevent', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='listedclient',
            constraint=models.UniqueConstraint(fields=('consent', 'client'), name='consents_listedclient_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='evidence',
            trigger=pgtrigger.compiler.Trigger(name='keep_evidence', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='9f85db28025ffa83659c1209c6c94582cd426fe0', operation='DELETE', pgid='pgtrigger_keep_evidence_84955', table='consents_evidence', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='evidence',
            trigger=pgtrigger.compiler.Trigger(name='only_erase_evidence', sql=core.triggers.TriggerSql(condition="WHEN (NOT (NEW.person_name ~ '^Person [0-9]+$' AND NEW.person_email = '' AND NEW.address = '' AND NEW.browser = '' AND (to_jsonb(NEW) - '{person_name, person_email, address, browser}'::text[]) = (to_jsonb(OLD) - '{person_name, person_email, address, browser}'::text[])))", func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='0c14216936e3a7f3b98e09f3093aa25c2a4075bf', operation='UPDATE', pgid='pgtrigger_only_erase_evidence_4e588', table='consents_evidence', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='evidence',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_evidence', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='6de8a58b66f4b978267849e3a244a54895443165', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_evidence_893ed', table='consents_evidence', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(fields=['office', 'partner', '-id'], name='consents_consent_of_pair'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(fields=['office', '-id'], name='consents_consent_overview'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(condition=models.Q(('closed_at', None), ('status', 'to_be_determined')), fields=['lapses_at'], name='consents_consent_to_lapse'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['to_be_determined', 'allowed', 'denied', 'cancelled'])), name='consents_consent_known_status'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('status', 'to_be_determined')), models.Q(models.Q(('status', 'to_be_determined'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='consents_consent_decided_has_a_date'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['allowed', 'cancelled']), _negated=True), models.Q(('decided_by__isnull', False), ('terms__isnull', False)), _connector='OR'), name='consents_consent_allowed_has_terms_and_person'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cancelled_at__isnull', False), ('status', 'cancelled')), models.Q(models.Q(('status', 'cancelled'), _negated=True), ('cancelled_at', None)), _connector='OR'), name='consents_consent_cancelled_has_a_date'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('closed_reason', '')), models.Q(('closed_at__isnull', False), ('closed_reason__in', ['lapsed', 'withdrawn']), ('status', 'to_be_determined')), _connector='OR'), name='consents_consent_only_requests_close'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'allowed'), models.Q(('closed_at', None), ('status', 'to_be_determined')), _connector='OR'), fields=('office', 'partner'), name='consents_consent_one_live'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='status_moves', sql=core.triggers.TriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{to_be_determined:allowed,to_be_determined:denied,allowed:cancelled}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='2d98fd429e891192d8ce84a7e268f46abe96e2c1', operation='UPDATE', pgid='pgtrigger_status_moves_f9cba', table='consents_consent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='begin_undecided', sql=core.triggers.TriggerSql(condition="WHEN (NEW.status <> 'to_be_determined')", func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='a0d0125a22d0e8b545793579237259cc78124483', operation='INSERT', pgid='pgtrigger_begin_undecided_7954d', table='consents_consent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='keep_consents', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='3cef608960487a7cdbc64ccd13b96cc23ab5a41f', operation='DELETE', pgid='pgtrigger_keep_consents_9ae1c', table='consents_consent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='stay_closed', sql=core.triggers.TriggerSql(condition='WHEN (OLD."closed_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='39c19d91736fa651ca05c1e27eff70cb2bb0fb2f', operation='UPDATE', pgid='pgtrigger_stay_closed_52c5a', table='consents_consent', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='viewlog',
            constraint=models.UniqueConstraint(fields=('consent', 'person'), name='consents_viewlog_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='viewlog',
            trigger=pgtrigger.compiler.Trigger(name='keep_view_log', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='bc3e6b500a3f4db3baeed46f606298e106250db4', operation='UPDATE OR DELETE', pgid='pgtrigger_keep_view_log_b0a0b', table='consents_viewlog', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='viewlog',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_view_log', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='6c8ab8a50fca53a1528732150f71fe8595debec4', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_view_log_f14a6', table='consents_viewlog', when='BEFORE')),
        ),
        migrations.CreateModel(
            name='SharingGap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(blank=True, choices=[('bankAccountStatement', 'Bank account statements (CODA)'), ('payrollStatement', 'Payroll statements (SODA)'), ('creditCardStatement', 'Credit card statements (CARO)'), ('purchaseInvoice', 'Purchase invoices'), ('salesInvoice', 'Sales invoices')], default='', max_length=24)),
                ('since', models.DateTimeField(null=True)),
                ('hidden_at', models.DateTimeField(null=True)),
                ('until', models.DateTimeField(null=True)),
                ('client', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clients.client')),
                ('office', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.office')),
                ('partner', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='partners.partner')),
            ],
            options={
                'indexes': [models.Index(fields=['office', 'partner', 'until'], name='consents_sharinggap_ended')],
                'constraints': [models.CheckConstraint(condition=models.Q(('client', None), ('kind', ''), _connector='XOR'), name='consents_sharinggap_company_or_kind'), models.UniqueConstraint(condition=models.Q(('until', None)), fields=('office', 'partner', 'client', 'kind'), name='consents_sharinggap_one_open', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='LogCheckpoint',
            fields=[
                ('size', models.BigIntegerField(primary_key=True, serialize=False)),
                ('edge', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), size=None)),
                ('note', models.TextField()),
                ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('delivered_at', models.DateTimeField(editable=False, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='LogEntry',
            fields=[
                ('position', models.BigIntegerField(primary_key=True, serialize=False)),
                ('event', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='log_entry', to='consents.consentevent')),
            ],
            options={
                'verbose_name_plural': 'log entries',
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logcheckpoint',
            trigger=pgtrigger.compiler.Trigger(name='keep_checkpoints', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='ddf7a195d6358528462790735b1825ffd1986bca', operation='DELETE', pgid='pgtrigger_keep_checkpoints_5b0db', table='consents_logcheckpoint', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logcheckpoint',
            trigger=pgtrigger.compiler.Trigger(name='only_erase_checkpoints', sql=core.triggers.TriggerSql(condition="WHEN (NOT (OLD.delivered_at IS NULL AND NEW.delivered_at IS NOT NULL AND (to_jsonb(NEW) - '{delivered_at}'::text[]) = (to_jsonb(OLD) - '{delivered_at}'::text[])))", func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='3cbc055c6000af8385e2bcb31735e8c4ed51e4df', operation='UPDATE', pgid='pgtrigger_only_erase_checkpoints_a980f', table='consents_logcheckpoint', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logcheckpoint',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_checkpoints', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='6a6815649c33db5abd9701ffc34778b8cab181e6', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_checkpoints_5dc0c', table='consents_logcheckpoint', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logentry',
            trigger=pgtrigger.compiler.Trigger(name='keep_log_entries', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='b4d14d01bbaf0a1a88848ef6ea4ce1531fd027bb', operation='UPDATE OR DELETE', pgid='pgtrigger_keep_log_entries_1fac7', table='consents_logentry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logentry',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_log_entries', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='a87b417e310ee323574024e30da64300fe97d35e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_log_entries_39377', table='consents_logentry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='consent',
            trigger=pgtrigger.compiler.Trigger(name='worlds_apart', sql=core.triggers.TriggerSql(func="\n        IF EXISTS (\n            SELECT 1 FROM accounts_office o, partners_partner p\n            WHERE o.id = NEW.office_id AND p.id = NEW.partner_id AND o.made_for\n                IS DISTINCT FROM CASE WHEN p.kind = 'sandbox' THEN p.uuid END\n        ) THEN\n            RAISE EXCEPTION 'Office % is not in the world of partner %',\n                NEW.office_id, NEW.partner_id USING ERRCODE = 'check_violation';\n        END IF;\n        RETURN NEW;\n    ", hash='83ccb36438163baddc9a1055ea534a6716ad86fd', operation='INSERT OR UPDATE OF "office_id", "partner_id"', pgid='pgtrigger_worlds_apart_88150', table='consents_consent', when='BEFORE')),
        ),
    ]
