"""The wish to end an access is one more act of two operators: its rows move there, and back."""

import pgtrigger.migrations
from django.db import migrations

SHARED = "consent_id, reason, asked_by_id, asked_at, confirmed_by_id, confirmed_at"
THERE = f"""
    INSERT INTO accounts_jointact (kind, detail, {SHARED})
    SELECT 'end_access', '', {SHARED} FROM consents_forcedend ORDER BY id;
"""
# Rows of that table are never deleted otherwise.
BACK = f"""
    INSERT INTO consents_forcedend ({SHARED})
    SELECT {SHARED} FROM accounts_jointact WHERE kind = 'end_access' ORDER BY id;
    ALTER TABLE accounts_jointact DISABLE TRIGGER USER;
    DELETE FROM accounts_jointact WHERE kind = 'end_access';
    ALTER TABLE accounts_jointact ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0009_let_joint_acts_end_access'),
        ('consents', '0007_keep_the_logo_that_was_shown'),
    ]

    operations = [
        migrations.RunSQL(THERE, BACK),
        pgtrigger.migrations.RemoveTrigger(
            model_name='forcedend',
            name='keep_forced_ends',
        ),
        migrations.DeleteModel(
            name='ForcedEnd',
        ),
    ]
