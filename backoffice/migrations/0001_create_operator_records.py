import core.triggers
import datetime
import django.contrib.admin.models
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_create_accounts'),
        ('admin', '0003_logentry_add_action_flag_choices'),
        ('clients', '0001_create_clients'),
        ('consents', '0001_create_consents'),
        ('partners', '0001_create_partners'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AccountClaim',
            fields=[
            ],
            options={
                'proxy': True,
                'indexes': [],
                'constraints': [],
            },
            bases=('clients.account',),
        ),
        migrations.CreateModel(
            name='CompanyClaim',
            fields=[
            ],
            options={
                'proxy': True,
                'indexes': [],
                'constraints': [],
            },
            bases=('clients.client',),
        ),
        migrations.CreateModel(
            name='Operator',
            fields=[
            ],
            options={
                'permissions': (('suspend_office', 'Suspend an office, or reactivate it'), ('invite_first_admin', 'Invite the first Admin of an office, or withdraw the invitation'), ('close_office', 'Close an office, or change its number (two operators)'), ('reset_factor', "Reset the second factor of an office's person (two operators)"), ('end_access', 'End the access of software to an office (two operators)'), ('change_state', 'Activate or suspend software'), ('retire_partner', 'Retire software (two operators)'), ('rotate_secret', 'Create and revoke the secrets of software'), ('test_webhook', 'Send a test webhook'), ('read_first_lines', 'Read the first lines of a file that belongs to nobody'), ('manage_operators', 'Invite operators, change roles, reset factors, end access and sessions'), ('read_event_log', 'Read the event log of the operators')),
                'proxy': True,
                'default_permissions': ('view',),
                'indexes': [],
                'constraints': [],
            },
            bases=('accounts.user',),
        ),
        migrations.CreateModel(
            name='OperatorIdentity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('issuer', models.CharField(max_length=400)),
                ('subject', models.CharField(max_length=255)),
                ('linked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('operator', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('issuer', 'subject'), name='backoffice_identity_is_one_operator'), models.UniqueConstraint(fields=('operator', 'issuer'), name='backoffice_identity_one_per_operator')],
            },
        ),
        migrations.CreateModel(
            name='OperatorLogin',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('address', models.CharField(blank=True, max_length=45)),
                ('browser', models.CharField(blank=True, max_length=200)),
                ('proofs', models.CharField(blank=True, max_length=100)),
                ('operator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='SupportAccess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('operator_name', models.CharField(max_length=120)),
                ('accessed', models.CharField(choices=[('people', 'All users of the office'), ('person', 'The account and two-factor authentication of a user'), ('consent', 'The history of a consent'), ('company', 'A company and its bank accounts')], max_length=7)),
                ('about', models.CharField(blank=True, default='', max_length=200)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='support_accesses', to='accounts.office')),
                ('operator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='TermsProposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('compared_with', models.PositiveIntegerField()),
                ('bodies', models.JSONField()),
                ('material', models.BooleanField()),
                ('effective_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='FourEyesApproval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('reset_mfa', 'Reset of the second factor'), ('close_office', 'Closing of the office'), ('change_number', 'Change of the enterprise number'), ('retire_partner', 'Retirement of the software'), ('end_access', 'End of the access'), ('new_operator', 'New operator'), ('change_role', "Change of an operator's role"), ('reset_operator', "Reset of an operator's second factor"), ('publish_terms', 'Publication of terms')], max_length=14)),
                ('detail', models.CharField(blank=True, default='', max_length=400)),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('confirmed_at', models.DateTimeField(editable=False, null=True)),
                ('lapsed_at', models.DateTimeField(editable=False, null=True)),
                ('confirmed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('consent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consents.consent')),
                ('office', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.office')),
                ('partner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='partners.partner')),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('terms', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='backoffice.termsproposal')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at', None), ('confirmed_by', None)), models.Q(models.Q(('confirmed_by', None), _negated=True), models.Q(('confirmed_by', models.F('requested_by')), _negated=True), ('confirmed_at__lte', django.db.models.expressions.CombinedExpression(models.F('requested_at'), '+', models.Value(datetime.timedelta(days=1))))), _connector='OR'), name='backoffice_approval_two_operators_in_a_day'), models.CheckConstraint(condition=models.Q(('confirmed_at', None), ('lapsed_at', None), _connector='OR'), name='backoffice_approval_ends_once'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='backoffice_approval_for_a_reason'), models.CheckConstraint(condition=models.Q(('person', None), models.Q(models.Q(('requested_by', models.F('person')), _negated=True), models.Q(('confirmed_by', None), models.Q(('confirmed_by', models.F('person')), _negated=True), _connector='OR')), _connector='OR'), name='backoffice_approval_not_for_oneself'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'reset_mfa'), ('consent__isnull', True), ('office__isnull', False), ('partner__isnull', True), ('person__isnull', False), ('terms__isnull', True)), models.Q(('kind', 'close_office'), ('consent__isnull', True), ('office__isnull', False), ('partner__isnull', True), ('person__isnull', True), ('terms__isnull', True)), models.Q(('kind', 'change_number'), ('consent__isnull', True), ('office__isnull', False), ('partner__isnull', True), ('person__isnull', True), ('terms__isnull', True), models.Q(('detail', ''), _negated=True)), models.Q(('kind', 'retire_partner'), ('consent__isnull', True), ('office__isnull', True), ('partner__isnull', False), ('person__isnull', True), ('terms__isnull', True)), models.Q(('kind', 'end_access'), ('consent__isnull', False), ('office__isnull', True), ('partner__isnull', True), ('person__isnull', True), ('terms__isnull', True)), models.Q(('kind', 'new_operator'), ('consent__isnull', True), ('office__isnull', True), ('partner__isnull', True), ('person__isnull', True), ('terms__isnull', True), models.Q(('detail', ''), _negated=True)), models.Q(('kind', 'change_role'), ('consent__isnull', True), ('office__isnull', True), ('partner__isnull', True), ('person__isnull', False), ('terms__isnull', True), models.Q(('detail', ''), _negated=True)), models.Q(('kind', 'reset_operator'), ('consent__isnull', True), ('office__isnull', True), ('partner__isnull', True), ('person__isnull', False), ('terms__isnull', True)), models.Q(('kind', 'publish_terms'), ('consent__isnull', True), ('office__isnull', True), ('partner__isnull', True), ('person__isnull', True), ('terms__isnull', False), models.Q(('detail', ''), _negated=True)), _connector='OR'), name='backoffice_approval_about_something')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='foureyesapproval',
            trigger=pgtrigger.compiler.Trigger(name='keep_approvals', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='9038404340125ecd024b804d4b6f5f0f853f1c42', operation='DELETE', pgid='pgtrigger_keep_approvals_05c0c', table='backoffice_foureyesapproval', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='foureyesapproval',
            trigger=pgtrigger.compiler.Trigger(name='keep_what_was_requested', sql=core.triggers.TriggerSql(condition='WHEN (OLD.confirmed_at IS NOT NULL OR OLD.lapsed_at IS NOT NULL OR (OLD.kind, OLD.person_id, OLD.office_id, OLD.partner_id, OLD.consent_id, OLD.terms_id, OLD.detail, OLD.reason, OLD.requested_by_id) IS DISTINCT FROM (NEW.kind, NEW.person_id, NEW.office_id, NEW.partner_id, NEW.consent_id, NEW.terms_id, NEW.detail, NEW.reason, NEW.requested_by_id))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='db0bef6a01a9dce9d9835740b96daaf18ec4f127', operation='UPDATE', pgid='pgtrigger_keep_what_was_requested_28e1f', table='backoffice_foureyesapproval', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='termsproposal',
            trigger=pgtrigger.compiler.Trigger(name='keep_terms_proposals', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7e79bdaea8e479bb8b9d35f578a59a2f51967453', operation='UPDATE OR DELETE', pgid='pgtrigger_keep_terms_proposals_9602a', table='backoffice_termsproposal', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='termsproposal',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_terms_proposals', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='2d25cf7beb28516216a7a8b6895fc5b286420fe7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_terms_proposals_92a83', table='backoffice_termsproposal', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='supportaccess',
            index=models.Index(fields=['office', '-id'], name='backoffice_access_at_office'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='supportaccess',
            trigger=pgtrigger.compiler.Trigger(name='keep_support_access', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='fe54b216c0a9c337d831ef13a00861dd9d3fb349', operation='DELETE', pgid='pgtrigger_keep_support_access_5d9ee', table='backoffice_supportaccess', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='supportaccess',
            trigger=pgtrigger.compiler.Trigger(name='only_erase_support_access', sql=core.triggers.TriggerSql(condition="WHEN (NOT (OLD.accessed = 'person' AND NEW.about ~ '^Person [0-9]+$' AND (to_jsonb(NEW) - '{about}'::text[]) = (to_jsonb(OLD) - '{about}'::text[])))", func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='491693b16194ce883ea188291ed311dd3d367d16', operation='UPDATE', pgid='pgtrigger_only_erase_support_access_99006', table='backoffice_supportaccess', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='supportaccess',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_support_access', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='305001243f5acbde1f8f679ec23ba5436eb2455a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_support_access_fb135', table='backoffice_supportaccess', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='operatorlogin',
            index=models.Index(fields=['operator', '-at'], name='backoffice_login_by_operator'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='operatorlogin',
            trigger=pgtrigger.compiler.Trigger(name='keep_operator_logins', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='4fe9989464de11769b4c452115b68c5ac59b02d0', operation='UPDATE OR DELETE', pgid='pgtrigger_keep_operator_logins_42c2f', table='backoffice_operatorlogin', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='operatorlogin',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_operator_logins', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='254c3b84f19882019b5f4f6efc0193d772361f7c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_operator_logins_f8a9d', table='backoffice_operatorlogin', when='BEFORE')),
        ),
        migrations.CreateModel(
            name='AdminHistory',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('admin.logentry',),
            managers=[
                ('objects', django.contrib.admin.models.LogEntryManager()),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adminhistory',
            trigger=pgtrigger.compiler.Trigger(name='keep_admin_history', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='0cd4153fb318016ff0bf4d9acd97bfbd3cd04b03', operation='UPDATE OR DELETE', pgid='pgtrigger_keep_admin_history_0d673', table='django_admin_log', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adminhistory',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_admin_history', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='5ef9646973d8d4d5d6d8e1958fcdc1e6bbe81fe8', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_admin_history_b45f2', table='django_admin_log', when='BEFORE')),
        ),
    ]
