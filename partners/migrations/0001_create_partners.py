import core.enterprise_number
import core.triggers
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import oauth2_provider.generators
import oauth2_provider.models
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ClientCertificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fingerprint', models.CharField(help_text='SHA-256 or, as nginx gives it, SHA-1; lower-case hex without colons', max_length=64, validators=[django.core.validators.RegexValidator('^([0-9a-f]{40}|[0-9a-f]{64})$')])),
                ('registered_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='Partner',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=80, unique=True, verbose_name='name')),
                ('vendor', models.CharField(max_length=120, verbose_name='vendor')),
                ('legal_number', models.CharField(max_length=10, validators=[core.enterprise_number.validate_company_number], verbose_name='enterprise number')),
                ('email', models.EmailField(max_length=254, verbose_name='email address')),
                ('website', models.URLField(blank=True, verbose_name='website')),
                ('connect_url', models.URLField(blank=True, help_text='The page where users start the connection. Shown in the software directory.', verbose_name='connection start page')),
                ('colour', models.CharField(choices=[('blue', 'Blue'), ('teal', 'Teal'), ('green', 'Green'), ('orange', 'Orange'), ('red', 'Red'), ('pink', 'Pink'), ('purple', 'Purple'), ('slate', 'Slate')], default='blue', max_length=10)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('active', 'Active'), ('suspended', 'Suspended'), ('retired', 'Retired')], default='active', max_length=9)),
                ('document_kinds', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('bankAccountStatement', 'Bank account statements (CODA)'), ('payrollStatement', 'Payroll statements (SODA)'), ('creditCardStatement', 'Credit card statements (CARO)'), ('purchaseInvoice', 'Purchase invoices'), ('salesInvoice', 'Sales invoices')], max_length=24), size=None, verbose_name='document types')),
                ('calls_per_minute', models.PositiveIntegerField(blank=True, help_text='Leave empty to use the default limit of the portal.', null=True, verbose_name='calls per minute')),
                ('listed', models.BooleanField(db_default=True, default=True, editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('kind', models.CharField(choices=[('real', 'Real'), ('sandbox', 'Sandbox')], db_default='real', default='real', max_length=7, verbose_name='kind')),
            ],
        ),
        migrations.CreateModel(
            name='RedirectUri',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uri', models.CharField(max_length=2000, verbose_name='address')),
                ('is_origin', models.BooleanField(default=False, verbose_name='whole origin')),
            ],
            options={
                'verbose_name': 'redirect address',
                'verbose_name_plural': 'redirect addresses',
            },
        ),
        migrations.CreateModel(
            name='Application',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('client_id', models.CharField(db_index=True, default=oauth2_provider.generators.generate_client_id, max_length=255, unique=True, verbose_name='client ID')),
                ('redirect_uris', models.TextField(blank=True, help_text='Allowed URIs list, space separated', verbose_name='redirect URIs')),
                ('post_logout_redirect_uris', models.TextField(blank=True, default='', help_text='Allowed Post Logout URIs list, space separated', verbose_name='post logout redirect URIs')),
                ('client_type', models.CharField(choices=[('confidential', 'Confidential'), ('public', 'Public')], max_length=32, verbose_name='client type')),
                ('authorization_grant_type', models.CharField(choices=[('authorization-code', 'Authorization code'), ('urn:ietf:params:oauth:grant-type:device_code', 'Device Code'), ('implicit', 'Implicit'), ('password', 'Resource owner password-based'), ('client-credentials', 'Client credentials'), ('openid-hybrid', 'OpenID connect hybrid')], max_length=44, verbose_name='authorization grant type')),
                ('client_secret', oauth2_provider.models.ClientSecretField(blank=True, db_index=True, default=oauth2_provider.generators.generate_client_secret, help_text='Client secret for authentication', max_length=255, verbose_name='client secret')),
                ('hash_client_secret', models.BooleanField(default=True, verbose_name='hash client secret')),
                ('name', models.CharField(blank=True, max_length=255, verbose_name='name')),
                ('skip_authorization', models.BooleanField(default=False, verbose_name='skip authorization')),
                ('created', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('algorithm', models.CharField(blank=True, choices=[('', 'No OIDC support'), ('RS256', 'RSA with SHA-2 256'), ('HS256', 'HMAC with SHA-2 256')], default='', max_length=5, verbose_name='algorithm')),
                ('allowed_origins', models.TextField(blank=True, default='', help_text='Allowed origins list to enable CORS, space separated', verbose_name='allowed origins')),
                ('registration_source', models.CharField(choices=[('manual', 'Manual'), ('dcr', 'Dynamic Client Registration'), ('cimd', 'Client ID Metadata Document')], default='manual', help_text='How this application was registered (manual, DCR per RFC 7591, or CIMD)', max_length=32, verbose_name='registration source')),
                ('cimd_expires_at', models.DateTimeField(blank=True, default=None, help_text='When the cached Client ID Metadata Document should be re-fetched', null=True, verbose_name='CIMD expires at')),
                ('secret_used_at', models.DateTimeField(editable=False, null=True)),
                ('previous_secret', models.CharField(blank=True, default='', editable=False, max_length=255)),
                ('previous_secret_until', models.DateTimeField(editable=False, null=True)),
                ('previous_secret_used_at', models.DateTimeField(editable=False, null=True)),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='%(app_label)s_%(class)s', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Logo',
            fields=[
                ('sha256', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('png', models.BinaryField()),
                ('added_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('sha256', models.Func(models.F('png'), output_field=models.CharField(), template="encode(sha256(%(expressions)s), 'hex')"))), name='partners_logo_is_its_fingerprint')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logo',
            trigger=pgtrigger.compiler.Trigger(name='keep_logos', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='2ab1460c19d9d93b863230705b0a6daaa9df9359', operation='UPDATE OR DELETE', pgid='pgtrigger_keep_logos_24bb9', table='partners_logo', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='logo',
            trigger=pgtrigger.compiler.Trigger(name='keep_all_logos', sql=core.triggers.TriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;", hash='7834e0b5b00f9916d3389ee8330d716d6501d062', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_keep_all_logos_596a4', table='partners_logo', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='partner',
            name='logo',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='partners.logo'),
        ),
        migrations.AddField(
            model_name='clientcertificate',
            name='partner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='certificates', to='partners.partner'),
        ),
        migrations.AddField(
            model_name='application',
            name='partner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='applications', to='partners.partner'),
        ),
        migrations.AddField(
            model_name='redirecturi',
            name='partner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='redirect_uris', to='partners.partner'),
        ),
        migrations.AddConstraint(
            model_name='partner',
            constraint=models.CheckConstraint(condition=models.Q(('colour__in', ['blue', 'teal', 'green', 'orange', 'red', 'pink', 'purple', 'slate'])), name='partners_partner_known_colour'),
        ),
        migrations.AddConstraint(
            model_name='partner',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'active', 'suspended', 'retired'])), name='partners_partner_known_status'),
        ),
        migrations.AddConstraint(
            model_name='partner',
            constraint=models.CheckConstraint(condition=models.Q(('document_kinds__contained_by', ['bankAccountStatement', 'payrollStatement', 'creditCardStatement', 'purchaseInvoice', 'salesInvoice'])), name='partners_partner_known_kinds'),
        ),
        migrations.AddConstraint(
            model_name='clientcertificate',
            constraint=models.UniqueConstraint(fields=('partner', 'fingerprint'), name='partners_clientcertificate_once'),
        ),
        migrations.AddConstraint(
            model_name='redirecturi',
            constraint=models.UniqueConstraint(fields=('partner', 'uri'), name='partners_redirecturi_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='partner',
            trigger=pgtrigger.compiler.Trigger(name='keep_kind', sql=core.triggers.TriggerSql(condition='WHEN (NEW.kind <> OLD.kind)', func='RAISE EXCEPTION \'pgtrigger: Cannot update of "kind" rows from % table\', TG_TABLE_NAME;', hash='e38b3ff45d715f22bcc46df9b4b22c6fbc9d3a4d', operation='UPDATE OF "kind"', pgid='pgtrigger_keep_kind_a96a5', table='partners_partner', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='partner',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'real'), models.Q(('kind', 'sandbox'), ('listed', False)), _connector='OR'), name='partners_partner_sandbox_is_not_listed'),
        ),
    ]
