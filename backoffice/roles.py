"""The roles of operators: which permissions each has. A role is a group, made after each migrate.

An operator has one role. A superuser has all permissions and is made on the command line only.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models import Q


class OperatorRole(models.TextChoices):
    """The roles. The value is the name of the group."""

    SUPPORT = "support", "Support"
    ONBOARDING = "onboarding", "Onboarding"
    PUBLISHING = "publishing", "Publishing"
    SECURITY = "security", "Security"
    AUDITOR = "auditor", "Auditor"


# Acts that are more than adding or changing a row: codename and what it permits.
ACTS = (
    ("suspend_office", "Suspend an office, or reactivate it"),
    ("invite_first_admin", "Invite the first Admin of an office, or withdraw the invitation"),
    ("close_office", "Close an office, or change its number (two operators)"),
    ("reset_factor", "Reset the second factor of an office's person (two operators)"),
    ("end_access", "End the access of software to an office (two operators)"),
    ("change_state", "Activate or suspend software"),
    ("retire_partner", "Retire software (two operators)"),
    ("rotate_secret", "Create and revoke the secrets of software"),
    ("test_webhook", "Send a test webhook"),
    ("read_first_lines", "Read the first lines of a file that belongs to nobody"),
    ("manage_operators", "Invite operators, change roles, reset factors, end access and sessions"),
    ("read_event_log", "Read the event log of the operators"),
)
SEE = (
    "accounts.view_office",
    "partners.view_partner",
    "partners.view_application",
    "consents.view_consent",
    "consents.view_terms",
    "notifications.view_webhookendpoint",
    "notifications.view_delivery",
    "documents.view_quarantinedfile",
    "backoffice.view_accountclaim",
    "backoffice.view_companyclaim",
)
SEND_AGAIN = ("notifications.change_webhookendpoint", "notifications.change_delivery")
ROLES: dict[OperatorRole, tuple[str, ...]] = {
    OperatorRole.SUPPORT: (
        *SEE,
        *SEND_AGAIN,
        "accounts.add_office",
        "documents.add_quarantinedfile",
        "documents.change_quarantinedfile",
        "backoffice.change_accountclaim",
        "backoffice.change_companyclaim",
        "backoffice.suspend_office",
        "backoffice.invite_first_admin",
        "backoffice.close_office",
        "backoffice.reset_factor",
        "backoffice.end_access",
        "backoffice.test_webhook",
        "backoffice.read_first_lines",
    ),
    OperatorRole.ONBOARDING: (
        "accounts.view_office",
        "partners.view_partner",
        "partners.view_application",
        "notifications.view_webhookendpoint",
        "notifications.view_delivery",
        *SEND_AGAIN,
        "accounts.add_office",
        "partners.add_partner",
        "partners.change_partner",
        "backoffice.invite_first_admin",
        "backoffice.change_state",
        "backoffice.retire_partner",
        "backoffice.rotate_secret",
        "backoffice.test_webhook",
    ),
    OperatorRole.PUBLISHING: ("consents.view_terms", "consents.add_terms"),
    OperatorRole.SECURITY: (
        *SEE,
        "backoffice.view_operator",
        "backoffice.suspend_office",
        "backoffice.close_office",
        "backoffice.reset_factor",
        "backoffice.end_access",
        "backoffice.change_state",
        "backoffice.retire_partner",
        "backoffice.rotate_secret",
        "backoffice.manage_operators",
        "backoffice.read_event_log",
    ),
    OperatorRole.AUDITOR: (*SEE, "backoffice.view_operator", "backoffice.read_event_log"),
}


def split(right: str) -> tuple[str, str]:
    """Return app and codename of `app.codename`."""
    app, _dot, codename = right.partition(".")
    return app, codename


def holders_of(right: str) -> Q:
    """Return the condition for people who have this permission, by role or as superuser."""
    app, codename = split(right)
    found = Permission.objects.filter(content_type__app_label=app, codename=codename)
    return Q(is_superuser=True) | Q(user_permissions__in=found) | Q(groups__permissions__in=found)


def make_roles(using: str = "default", **kwargs: Any) -> None:
    """Make each role a group with exactly its permissions; runs after each migrate."""
    labels = {split(right)[0] for rights in ROLES.values() for right in rights}
    for label in sorted(labels):
        create_permissions(apps.get_app_config(label), verbosity=0, using=using)
    known = {
        f"{app}.{codename}": key
        for key, app, codename in Permission.objects.using(using).values_list(
            "pk", "content_type__app_label", "codename"
        )
    }
    for role, rights in ROLES.items():
        group, _made = Group.objects.using(using).get_or_create(name=role.value)
        group.permissions.set([known[right] for right in rights])
