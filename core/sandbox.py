"""Real and sandbox: two worlds in one portal that never meet.

A sandbox partner sees sandbox offices only, which were made for it. Numbers tell the worlds apart,
so that no file and no search mixes them up: the enterprise numbers of sandbox offices and their
companies begin with 19, and no enterprise in Belgium has such a number.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

# How the enterprise number of a sandbox office or company begins.
NUMBERS_BEGIN_WITH = "19"
# The address of whoever decides in a sandbox office. Nobody receives e-mails there (RFC 2606).
MAIL_DOMAIN = "@sandbox.invalid"


class World(models.TextChoices):
    REAL = "real", _("Real")
    SANDBOX = "sandbox", _("Sandbox")


def is_sandbox_number(number: str) -> bool:
    """Whether the enterprise number is one of the sandbox."""
    return number.startswith(NUMBERS_BEGIN_WITH)
