"""What beat asks the workers for, and when."""

from typing import Any

from celery.schedules import crontab

BEAT: dict[str, dict[str, Any]] = {
    "write down lapsed requests": {
        "task": "consents.tasks.write_down_lapsed_requests",
        "schedule": 60.0,
    },
    "anchor the consent ledger": {
        "task": "consents.tasks.anchor_the_ledger",
        "schedule": crontab(hour="1", minute="5"),
    },
    "erase old names": {
        "task": "consents.tasks.erase_old_names",
        "schedule": crontab(hour="1", minute="35"),
    },
    "write down what ended": {
        "task": "consents.tasks.write_down_what_ended",
        "schedule": 60.0,
    },
    "tell whoever was not told": {"task": "notifications.tasks.sweep", "schedule": 30.0},
    "mail what was not mailed": {"task": "accounts.tasks.sweep_letters", "schedule": 30.0},
    "forget who was mailed": {
        "task": "accounts.tasks.forget_letters",
        "schedule": crontab(hour="3", minute="40"),
    },
    "move companies": {"task": "clients.tasks.move_companies", "schedule": 60.0},
    "notice what the clock says": {"task": "consents.tasks.notice", "schedule": 300.0},
    "let the default end of searches move on": {
        "task": "documents.tasks.sweep_publications",
        "schedule": 60.0,
    },
    "take the drop folder in": {"task": "documents.tasks.take_in", "schedule": 30.0},
    "remove orphan bytes": {"task": "documents.tasks.sweep_orphans", "schedule": 300.0},
    "bury old documents": {"task": "documents.tasks.bury", "schedule": crontab(minute="40")},
    "forget idempotency keys": {
        "task": "partner_api.tasks.forget_idempotency_records",
        "schedule": crontab(minute="20"),
    },
    "forget expired tokens": {
        "task": "partners.tasks.forget_expired_tokens",
        "schedule": crontab(hour="3", minute="10"),
    },
    "leave a sign of life": {"task": "operation.tasks.pulse", "schedule": 60.0},
    "measure how fast a stop stops": {
        "task": "operation.tasks.measure_a_stop",
        "schedule": 60.0,
        # What waited for a worker measures nothing about now.
        "options": {"expires": 55},
    },
}
