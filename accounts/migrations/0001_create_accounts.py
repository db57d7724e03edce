import core.email_address
import core.enterprise_number
import core.triggers
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='OfficeEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(choices=[('invited', 'Invited'), ('invited_again', 'Invited Again'), ('revoked', 'Revoked'), ('joined', 'Joined'), ('role_changed', 'Role Changed'), ('removed', 'Removed'), ('left', 'Left'), ('email_changed', 'Email Changed'), ('factor_asked', 'Factor Asked'), ('factor_free', 'Factor Free'), ('factor_reset', 'Factor Reset'), ('renumbered', 'Renumbered'), ('closed', 'Closed')], max_length=13)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('by_name', models.CharField(max_length=120)),
                ('email', models.EmailField(max_length=254)),
                ('role', models.CharField(max_length=5)),
            ],
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('email', core.email_address.CanonicalEmailField(max_length=254, verbose_name='email address')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('language', models.CharField(blank=True, choices=[('en', 'English'), ('nl', 'Nederlands'), ('fr', 'Français'), ('de', 'Deutsch')], default='', max_length=2)),
                ('muted_notifications', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10), blank=True, default=list, size=None)),
                ('is_active', models.BooleanField(default=True)),
                ('is_staff', models.BooleanField(default=False, verbose_name='operator')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
        ),
        migrations.CreateModel(
            name='Office',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('company_number', models.CharField(max_length=10, unique=True, validators=[core.enterprise_number.validate_company_number], verbose_name='enterprise number')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('slug', models.SlugField(unique=True)),
                ('language', models.CharField(choices=[('en', 'English'), ('nl', 'Nederlands'), ('fr', 'Français'), ('de', 'Deutsch')], default='nl', max_length=2)),
                ('contact', models.CharField(blank=True, default='', max_length=120, verbose_name='contact person')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('phone', models.CharField(blank=True, default='', max_length=30, verbose_name='phone number')),
                ('second_factor_required', models.BooleanField(default=False)),
                ('decisions_to_all', models.BooleanField(default=False)),
                ('is_active', models.BooleanField(default=True)),
                ('closed_at', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('kind', models.CharField(choices=[('real', 'Real'), ('sandbox', 'Sandbox')], db_default='real', default='real', editable=False, max_length=7)),
                ('made_for', models.UUIDField(editable=False, null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('company_number__regex', '^[01][0-9]{9}$')), name='accounts_office_ten_digits'), models.CheckConstraint(condition=models.Q(('closed_at', None), ('is_active', False), _connector='OR'), name='accounts_office_closed_is_not_active')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('role', models.CharField(choices=[('admin', 'Admin'), ('user', 'User')], max_length=5)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('last_seen_at', models.DateTimeField(editable=False, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='accounts.office')),
            ],
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('email', core.email_address.CanonicalEmailField(max_length=254, verbose_name='email address')),
                ('role', models.CharField(max_length=5)),
                ('language', models.CharField(max_length=2)),
                ('key_digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('sent_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('expires_at', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(editable=False, null=True)),
                ('revoked_at', models.DateTimeField(editable=False, null=True)),
                ('accepted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('invited_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='accounts.office')),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='office',
            trigger=pgtrigger.compiler.Trigger(name='stay_closed', sql=core.triggers.TriggerSql(condition='WHEN (OLD."closed_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='a85c46e9cd4a40d3e3daee00e683090feebe5d76', operation='UPDATE', pgid='pgtrigger_stay_closed_52e4b', table='accounts_office', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='officeevent',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='officeevent',
            name='office',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='office_events', to='accounts.office'),
        ),
        migrations.AddField(
            model_name='officeevent',
            name='person',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='accounts_user_one_per_email'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(fields=('office', 'user'), name='accounts_membership_one_per_person'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['admin', 'user'])), name='accounts_membership_known_role'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='keep_an_admin', sql=core.triggers.TriggerSql(condition="WHEN (OLD.is_active AND OLD.role = 'admin' AND NOT (NEW.is_active AND NEW.role = 'admin'))", func="\n        PERFORM 1 FROM accounts_office WHERE id = OLD.office_id AND is_active FOR NO KEY UPDATE;\n        IF FOUND AND NOT EXISTS (\n            SELECT 1 FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id\n            WHERE m.office_id = OLD.office_id AND m.is_active AND m.role = 'admin' AND u.is_active\n        ) THEN\n            RAISE EXCEPTION 'Office % would be left without an Admin', OLD.office_id\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_membership_keep_an_admin';\n        END IF;\n        RETURN NULL;\n    ", hash='63d568c2a26ee589ecbfbd484c6760a5ee33f995', operation='UPDATE OF "role", "is_active"', pgid='pgtrigger_keep_an_admin_feec6', table='accounts_membership', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='keep_memberships', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='36192cf094e54c319188f136dc1bc47ccb9b058a', operation='DELETE', pgid='pgtrigger_keep_memberships_30acb', table='accounts_membership', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.UniqueConstraint(models.F('office'), django.db.models.functions.text.Lower('email'), condition=models.Q(('accepted_at', None), ('revoked_at', None)), name='accounts_invitation_one_open'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.CheckConstraint(condition=models.Q(('accepted_at', None), ('revoked_at', None), _connector='OR'), name='accounts_invitation_ends_once'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('accepted_at', None), ('accepted_by', None)), models.Q(('accepted_at__isnull', False), ('accepted_by__isnull', False)), _connector='OR'), name='accounts_invitation_accepted_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['admin', 'user'])), name='accounts_invitation_known_role'),
        ),
        migrations.AddIndex(
            model_name='officeevent',
            index=models.Index(fields=['office', '-id'], name='accounts_event_of_office'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='officeevent',
            trigger=pgtrigger.compiler.Trigger(name='keep_office_events', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='a9508abbc7e7a1931903441bbb71dd05ef869526', operation='DELETE', pgid='pgtrigger_keep_office_events_74fec', table='accounts_officeevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='officeevent',
            trigger=pgtrigger.compiler.Trigger(name='only_erase_office_events', sql=core.triggers.TriggerSql(condition="WHEN (NOT ((NEW.by_name = OLD.by_name OR NEW.by_name = 'Person ' || OLD.by_id) AND (NEW.email = OLD.email OR NEW.email ~ '^person-[0-9]+@erased.invalid$') AND (to_jsonb(NEW) - '{by_name, email}'::text[]) = (to_jsonb(OLD) - '{by_name, email}'::text[])))", func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8e95db3c7d982cd3e05a100eb74c9691d6549a36', operation='UPDATE', pgid='pgtrigger_only_erase_office_events_1a63b', table='accounts_officeevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='officeevent',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_office_events', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='463bd5a0f5fe5149368048fc4eedfa64b24c9a48', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_office_events_407f0', table='accounts_officeevent', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='office',
            index=models.Index(condition=models.Q(('made_for__isnull', False)), fields=['made_for', '-id'], name='accounts_office_of_sandbox'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='invented_people', sql=core.triggers.TriggerSql(func="\n        IF EXISTS (\n            SELECT 1 FROM accounts_office o, accounts_user u\n            WHERE o.id = NEW.office_id AND u.id = NEW.user_id\n                AND (o.kind = 'sandbox') <> (right(u.email, 16) = '@sandbox.invalid')\n        ) THEN\n            RAISE EXCEPTION 'Person % and office % are of two worlds', NEW.user_id, NEW.office_id\n                USING ERRCODE = 'check_violation';\n        END IF;\n        RETURN NEW;\n    ", hash='1ddc27f6c61471c6fa96c825f5f8f87cb0345168', operation='INSERT OR UPDATE OF "office_id", "user_id"', pgid='pgtrigger_invented_people_62975', table='accounts_membership', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='office',
            trigger=pgtrigger.compiler.Trigger(name='keep_kind', sql=core.triggers.TriggerSql(condition='WHEN (NEW.kind <> OLD.kind OR NEW.made_for IS DISTINCT FROM OLD.made_for)', func='RAISE EXCEPTION \'pgtrigger: Cannot update of "kind", "made_for" rows from % table\', TG_TABLE_NAME;', hash='3f7a1c82a88f8983d7b3aacff039bb3af0b04854', operation='UPDATE OF "kind", "made_for"', pgid='pgtrigger_keep_kind_65234', table='accounts_office', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='office',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('company_number__startswith', '19'), ('kind', 'sandbox'), ('made_for__isnull', False)), models.Q(('kind', 'real'), ('made_for', None), models.Q(('company_number__startswith', '19'), _negated=True)), _connector='OR'), name='accounts_office_sandbox_apart'),
        ),
    ]
