"""An office that works keeps an active Admin: held by the database, also against two at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pgtrigger
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

if TYPE_CHECKING:
    from accounts.models import Office, User

RULE = "accounts_membership_keep_an_admin"


class LastAdmin(Exception):
    """The change would leave the office without an active Admin; nothing was changed."""


# The lock on the office makes two demotions stand in line: the second one looks after the first
# has committed. An account that an operator switches off is not covered, on purpose: a stolen
# account must be closed at once, whoever is left.
KEEP_AN_ADMIN = pgtrigger.Trigger(
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

    With `by`, she must be an Admin of it now, or PermissionDenied. Raises LastAdmin.
    """
    from accounts.models import Office

    try:
        with transaction.atomic():
            locked = Office.objects.select_for_update(no_key=True).get(pk=office.pk)
            if by is not None and not locked.memberships.admins().filter(user=by).exists():
                raise PermissionDenied
            yield
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if cast(str, getattr(diagnosis, "constraint_name", "")) == RULE:
            raise LastAdmin from error
        raise
