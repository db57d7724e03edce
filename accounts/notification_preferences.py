"""Which e-mails a person can switch off. Those that protect the office have no switch."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class NotificationPreference(models.TextChoices):
    REQUESTS = "requests", _("Access requests from software, and reminders")
    ASKED = "asked", _("Requests from colleagues to decide")
    DECISIONS = (
        "decisions",
        _("Denied requests, and consents that are cancelled, paused, resumed or reconfirmed"),
    )
    USE = "use", _("First download by software, or 60 days without a download")
    MISSING = "missing", _("Once a week: missing documents")
    PEOPLE = "people", _("People who join, leave or get another role")
