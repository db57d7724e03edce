
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_keep_admins_and_history'),
        ('clients', '0001_create_clients'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='client',
            name='archived_reason',
            field=models.CharField(blank=True, default='', max_length=300),
        ),
        migrations.AddField(
            model_name='client',
            name='leaves_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('iban', models.CharField(max_length=34, unique=True, verbose_name='account number')),
                ('learnt', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='clients.client')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('iban__regex', '^[A-Z0-9]{5,34}$')), name='clients_account_plain')],
            },
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('wished_at', models.DateTimeField(null=True)),
                ('agreed_at', models.DateTimeField(null=True)),
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
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('closed_at', None), ('moved_at', None)), fields=('client',), name='clients_transfer_one_open'), models.CheckConstraint(condition=models.Q(('from_office', models.F('to_office')), _negated=True), name='clients_transfer_elsewhere'), models.CheckConstraint(condition=models.Q(models.Q(('agreed_at', None), ('agreed_by', None), ('effective_at', None)), models.Q(('agreed_at__isnull', False), ('agreed_by__isnull', False), ('effective_at__gte', models.F('agreed_at'))), _connector='OR'), name='clients_transfer_agreed_has_a_person_and_a_moment'), models.CheckConstraint(condition=models.Q(('moved_at', None), models.Q(('closed_at', None), ('moved_at__gte', models.F('effective_at'))), _connector='OR'), name='clients_transfer_moves_when_agreed')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='transfer',
            trigger=pgtrigger.compiler.Trigger(name='keep_transfers', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='96ff4e517b5169f597a193d5fc92daa6085c3940', operation='DELETE', pgid='pgtrigger_keep_transfers_19fc4', table='clients_transfer', when='BEFORE')),
        ),
    ]
