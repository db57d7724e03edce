"""What a person may be mailed about, and switch off; what protects the office has no switch."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Topic(models.TextChoices):
    REQUESTS = "requests", _("A software asks for access, and reminders of it")
    ASKED = "asked", _("A colleague asks me to decide")
    DECISIONS = (
        "decisions",
        _("A request is denied, or a consent is cancelled, paused, resumed or confirmed again"),
    )
    USE = "use", _("A software fetches for the first time, or not for 60 days")
    PEOPLE = "people", _("Somebody joins, leaves or gets another role")
