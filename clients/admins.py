"""Only an Admin of the office writes in its registry; what is taken is told by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from accounts.models import Membership

if TYPE_CHECKING:
    from accounts.models import Office, User


class Taken(Exception):
    """Something that must be unique is in use; nothing was changed."""


class NumberTaken(Taken):
    """The office has an active company with this enterprise number."""


class CodeTaken(Taken):
    """Another company of the office has this code."""


class AccountTaken(Taken):
    """An active company of the office has this bank account."""


class TooManyClaims(Taken):
    """The office has added as many companies and accounts as a day allows."""


class Outdated(Exception):
    """The company was archived, restored, asked for or moved meanwhile; nothing was changed."""


RULES: dict[str, type[Taken]] = {
    "clients_client_one_active_in_office": NumberTaken,
    "clients_client_one_confirmed_per_number": NumberTaken,
    "clients_client_one_per_code": CodeTaken,
    "clients_account_once_per_company": AccountTaken,
    "clients_account_one_confirmed": AccountTaken,
}


@contextmanager
def acting_for(office: Office, by: User, *others: Office) -> Iterator[None]:
    """Open a transaction in which `by` is, and stays, an Admin of the office.

    `others` are the offices that this transaction writes about as well.
    Raises PermissionDenied, and Taken for what the database says is in use.
    """
    with _naming_what_is_taken(), transaction.atomic():
        others_pk = (other.pk for other in others)
        if not Membership.objects.hold_admin(office.pk, by, *others_pk):
            raise PermissionDenied
        yield


@contextmanager
def _naming_what_is_taken() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        taken = RULES.get(rule_of(error))
        if taken is None:
            raise
        raise taken from error


def rule_of(error: IntegrityError) -> str:
    """The name of the constraint that refused; empty where the database names none."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return str(getattr(diagnosis, "constraint_name", "") or "")
