"""An active office has at least one active Admin. A trigger refuses to remove the last one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pgtrigger
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from core.locks import Lock, hold
from core.triggers import Trigger

if TYPE_CHECKING:
    from accounts.models import Office, User

RULE = "accounts_membership_keep_an_admin"


class LastAdmin(Exception):
    """The change would leave the office without an active Admin; nothing was changed."""


# Because of the lock on the office, a second demotion is checked after the first has committed.
# On purpose, an operator can switch off the account of the last Admin: a stolen account must be
# closed at once, even if no Admin is left.
KEEP_AN_ADMIN = Trigger(
    name="keep_an_admin",
    when=pgtrigger.After,
    operation=pgtrigger.UpdateOf("role", "is_active"),  # type: ignore[no-untyped-call]
    condition=pgtrigger.Condition(
        "OLD.is_active AND OLD.role = 'admin' AND NOT (NEW.is_active AND NEW.role = 'admin')"
    ),
    func=f"""
        PERFORM 1 FROM accounts_office WHERE id = OLD.office_id AND is_active FOR NO KEY UPDATE;
        IF FOUND AND NOT EXISTS (
            SELECT 1 FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id
            WHERE m.office_id = OLD.office_id AND m.is_active AND m.role = 'admin' AND u.is_active
        ) THEN
            RAISE EXCEPTION 'Office % would be left without an Admin', OLD.office_id
                USING ERRCODE = 'check_violation', CONSTRAINT = '{RULE}';
        END IF;
        RETURN NULL;
    """,  # noqa: S608  # no value of anybody, only the name above
)


@contextmanager
def changing_people(office: Office, by: User | None = None) -> Iterator[None]:
    """Open a transaction in which nobody else changes the people of this office.

    Raises PermissionDenied when `by` is given and is no Admin of it now, and LastAdmin.
    """
    try:
        with transaction.atomic():
            hold(type(office), office.pk, lock=Lock.CHANGE)
            if by is not None and not office.memberships.admins().filter(user=by).exists():
                raise PermissionDenied
            yield
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if cast(str, getattr(diagnosis, "constraint_name", "")) == RULE:
            raise LastAdmin from error
        raise
