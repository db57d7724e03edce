"""Which operator an identity of the provider is: nobody is created, nobody else comes in."""

from __future__ import annotations

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.emails import send_credential_changed
from accounts.models import User
from backoffice.models import Operator, OperatorIdentity
from backoffice.oidc.provider import Identity, NotBelieved
from core.email_address import canonical_email


def operator_of(identity: Identity, request: HttpRequest) -> User:
    """Return the operator with this identity. Raises NotBelieved.

    The verified e-mail address finds the account once. From then on only the identifier counts, so
    an address that changes at the provider takes nobody's account and loses nobody theirs.
    """
    known = OperatorIdentity.objects.filter(issuer=identity.issuer, subject=identity.subject)
    if link := known.select_related("operator").first():
        return _still_operator(link.operator)
    if not identity.email:
        raise NotBelieved("an unknown identity without a verified e-mail address")
    email = canonical_email(identity.email)
    person = User.objects.filter(email__iexact=email, is_staff=True, is_active=True).first()
    if person is None:
        raise NotBelieved("an unknown identity, and no operator has its e-mail address")
    try:
        with transaction.atomic():
            _link(person, identity, request)
    except IntegrityError as error:
        raise NotBelieved(f"operator {person.pk} has another identity there") from error
    return person


def _still_operator(person: User) -> User:
    if not (person.is_staff and person.is_active):
        raise NotBelieved(f"person {person.pk} is no operator any more")
    return person


def _link(person: User, identity: Identity, request: HttpRequest) -> None:
    """Keep which identity is this operator, in the history and by e-mail as well."""
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
