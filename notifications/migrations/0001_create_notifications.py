import django.db.models.deletion
import django.db.models.functions.datetime
import notifications.models.webhook_endpoint
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_create_accounts'),
        ('clients', '0001_create_clients'),
        ('consents', '0001_create_consents'),
        ('partners', '0001_create_partners'),
    ]

    operations = [
        migrations.CreateModel(
            name='WebhookKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kid', models.CharField(max_length=36, unique=True)),
                ('public', models.JSONField()),
                ('secret', models.TextField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='CompanyFanOut',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('event', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='fan_out', to='clients.clientevent')),
            ],
        ),
        migrations.CreateModel(
            name='DocumentsNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('counts', models.JSONField()),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.office')),
            ],
        ),
        migrations.CreateModel(
            name='FiledDocuments',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('counts', models.JSONField()),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.office')),
            ],
        ),
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.CharField(max_length=2000, validators=[notifications.models.webhook_endpoint.check_address], verbose_name='address')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('secret_version', models.PositiveIntegerField(default=1, editable=False)),
                ('secret_shown_at', models.DateTimeField(editable=False, null=True)),
                ('testing_until', models.DateTimeField(editable=False, null=True)),
                ('busy_until', models.DateTimeField(editable=False, null=True)),
                ('off_at', models.DateTimeField(editable=False, null=True)),
                ('off_reason', models.CharField(blank=True, choices=[('gone', 'The receiver replied with 410 Gone'), ('operator', 'Switched off by an operator'), ('partner', 'Switched off by the software'), ('removed', 'Removed by the software')], default='', editable=False, max_length=8)),
                ('flagged_at', models.DateTimeField(editable=False, null=True)),
                ('partner', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='webhook_endpoint', to='partners.partner')),
            ],
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('next_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('traceparent', models.CharField(blank=True, db_default='', max_length=55)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('answer', models.CharField(blank=True, default='', max_length=100)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('given_up_at', models.DateTimeField(null=True)),
                ('event', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consents.consentevent')),
                ('notice', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='notifications.documentsnotice')),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='notifications.webhookendpoint')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
            },
        ),
        migrations.CreateModel(
            name='FanOut',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('event', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='fan_out', to='consents.consentevent')),
                ('partner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='partners.partner')),
            ],
            options={
                'indexes': [models.Index(fields=['partner', 'id'], name='notifications_feed')],
            },
        ),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('off_at', None), ('off_reason', '')), models.Q(models.Q(('off_at', None), _negated=True), models.Q(('off_reason', ''), _negated=True)), _connector='OR'), name='notifications_endpoint_off_for_a_reason'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('delivered_at', None), ('given_up_at', None)), fields=['endpoint', 'event'], name='notifications_delivery_open'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('endpoint', 'event'), name='notifications_delivery_once'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('event', None), ('notice', None), _connector='XOR'), name='notifications_delivery_of_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('delivered_at', None), ('given_up_at', None), _connector='OR'), name='notifications_delivery_ends_once'),
        ),
    ]
