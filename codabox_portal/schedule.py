"""The periodic jobs: what beat queues for the workers, and when."""

from typing import Any

from celery.schedules import crontab

BEAT: dict[str, dict[str, Any]] = {
    "record lapsed requests": {
        "task": "consents.tasks.write_down_lapsed_requests",
        "schedule": 60.0,
    },
    "bring checkpoints outside": {
        "task": "consents.tasks.write_checkpoints",
        "schedule": 300.0,
    },
    "erase old names": {
        "task": "consents.tasks.anonymise_ended_consents",
        "schedule": crontab(hour="1", minute="35"),
    },
    "write down what ended": {
        "task": "consents.tasks.complete_the_register",
        "schedule": 60.0,
    },
    "send missed notifications": {"task": "notifications.tasks.sweep", "schedule": 30.0},
    "send missed e-mails": {"task": "mailer.tasks.sweep", "schedule": 30.0},
    "forget who was mailed": {
        "task": "mailer.tasks.forget",
        "schedule": crontab(hour="3", minute="40"),
    },
    "move companies": {"task": "clients.tasks.move_companies", "schedule": 60.0},
    "notice what the clock says": {"task": "consents.tasks.write_due_events", "schedule": 300.0},
    "let the default end of searches move on": {
        "task": "documents.tasks.remove_dead_ingest_batches",
        "schedule": 60.0,
    },
    "ingest the drop folder": {"task": "documents.tasks.ingest_drop_folder", "schedule": 30.0},
    "remove bytes that no row names": {
        "task": "documents.tasks.collect_garbage",
        "schedule": 300.0,
    },
    "look for missing documents": {
        "task": "documents.tasks.check_completeness",
        "schedule": 300.0,
    },
    "tell what is missing": {
        "task": "documents.tasks.send_missing_documents",
        "schedule": crontab(hour="7", minute="0", day_of_week="mon"),
    },
    "delete documents for retention": {
        "task": "documents.tasks.delete_for_retention",
        "schedule": crontab(minute="40"),
    },
    "keep the months of the access log": {
        "task": "documents.tasks.keep_months_of_reads",
        "schedule": crontab(hour="2", minute="50"),
    },
    "forget idempotency keys": {
        "task": "partner_api.tasks.forget_idempotency_records",
        "schedule": crontab(minute="20"),
    },
    "forget expired tokens": {
        "task": "partners.tasks.forget_expired_tokens",
        "schedule": crontab(hour="3", minute="10"),
    },
    "forget ended sessions": {
        "task": "accounts.tasks.forget_ended_sessions",
        "schedule": crontab(hour="3", minute="20"),
    },
    "forget old deliveries": {
        "task": "notifications.tasks.forget",
        "schedule": crontab(hour="3", minute="30"),
    },
    "record a heartbeat": {"task": "monitoring.tasks.heartbeat", "schedule": 60.0},
    "measure how fast a stop takes effect": {
        "task": "monitoring.tasks.measure_stop",
        "schedule": 60.0,
        # A measurement that waited for a worker says nothing about the present.
        "options": {"expires": 55},
    },
}
