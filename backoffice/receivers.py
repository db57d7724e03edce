"""Signal receivers: anonymise the support access log, and record the logins of operators."""

from __future__ import annotations

from typing import Any

from allauth.account.authentication import get_authentication_records
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from accounts.signals import person_anonymised
from backoffice.models import AccessedRecord, OperatorIdentity, OperatorLogin, SupportAccess
from core.client_ip import address_of


@receiver(person_anonymised)
def anonymise_support_access(sender: Any, person: User, pseudonym: str, **kwargs: Any) -> None:
    """Replace the name of the person in the support access log."""
    opened = SupportAccess.objects.filter(accessed=AccessedRecord.PERSON, about=str(person))
    opened.update(about=pseudonym)


@receiver(person_anonymised)
def forget_identities(sender: Any, person: User, **kwargs: Any) -> None:
    """Forget what a provider calls the person."""
    OperatorIdentity.objects.filter(operator=person).delete()


@receiver(user_logged_in)
def record_login(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Write down that an operator logged in, with the address, the browser and the proofs."""
    if not user.is_staff:
        return
    proofs = [record["method"] for record in get_authentication_records(request, user)]
    OperatorLogin.objects.create(
        operator=user,
        address=address_of(request)[:45],
        browser=request.headers.get("User-Agent", "")[:200],
        proofs=", ".join(dict.fromkeys(proofs))[:100],
    )
