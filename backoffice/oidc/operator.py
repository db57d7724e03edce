"""Find the operator of an OpenID identity. No account is ever created."""

from __future__ import annotations

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.emails import send_credential_changed
from accounts.models import User
from backoffice.models import Operator, OperatorIdentity
from backoffice.oidc.provider import Identity, LoginRejected
from core.email_address import canonical_email


def operator_of(identity: Identity, request: HttpRequest) -> User:
    """Return the operator with this identity. Raises LoginRejected.

    The verified e-mail address finds the account once. From then on only the identifier counts: an
    address that changes at the provider neither opens nor closes an account.
    """
    known = OperatorIdentity.objects.filter(issuer=identity.issuer, subject=identity.subject)
    if link := known.select_related("operator").first():
        return _still_operator(link.operator)
    if not identity.email:
        raise LoginRejected("an unknown identity without a verified e-mail address")
    email = canonical_email(identity.email)
    person = User.objects.filter(email__iexact=email, is_staff=True, is_active=True).first()
    if person is None:
        raise LoginRejected("an unknown identity, and no operator has its e-mail address")
    try:
        with transaction.atomic():
            _link(person, identity, request)
    except IntegrityError as error:
        raise LoginRejected(f"operator {person.pk} has another identity there") from error
    return person


def _still_operator(person: User) -> User:
    if not (person.is_staff and person.is_active):
        raise LoginRejected(f"person {person.pk} is no operator any more")
    return person


def _link(person: User, identity: Identity, request: HttpRequest) -> None:
    """Store the identity, note it in the history, and tell the operator by e-mail."""
    OperatorIdentity.objects.create(
        operator=person, issuer=identity.issuer, subject=identity.subject
    )
    LogEntry.objects.log_actions(
        person.pk,
        Operator.objects.filter(pk=person.pk),
        CHANGE,
        f"From now on {identity.subject} at {identity.issuer} logs in to this account.",
        single_object=True,
    )
    with translation.override(person.language or translation.get_language()):
        what = _("An account at %(issuer)s can now log in to your account.")
        send_credential_changed(request, person, what % {"issuer": identity.issuer})
