"""The e-mails to operators about their own account, and the link of their invitation."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.urls import reverse

from accounts.models import User
from backoffice.roles import OperatorRole
from mailer.messages import Content, email_message
from mailer.models import OutgoingEmail
from mailer.outbox import enqueue

VALID_FOR = timedelta(days=3)
SALT = "backoffice.operator_invitation"


class LinkEnded(Exception):
    """The link is wrong, too old, was replaced by a newer one, or a password was chosen."""


def _mark(person: User) -> str:
    """Return a digest of the unusable password, which is random: a new one ends the link."""
    return hashlib.sha256(person.password.encode()).hexdigest()[:32]


def token_of(person: User) -> str:
    """Sign the token of the invitation; it works until a password is chosen, for three days."""
    return TimestampSigner(salt=SALT, sep=".").sign(f"{person.pk}-{_mark(person)}")


def person_of(token: str) -> User:
    """Return the invited operator. Raises LinkEnded."""
    try:
        signed = TimestampSigner(salt=SALT, sep=".").unsign(token, max_age=VALID_FOR)
    except (BadSignature, SignatureExpired) as error:
        raise LinkEnded from error
    key, _dash, mark = signed.partition("-")
    person = User.objects.filter(pk=int(key), is_staff=True, is_active=True).first()
    if person is None or person.has_usable_password() or _mark(person) != mark:
        raise LinkEnded
    return person


def send_link(person: User) -> None:
    """Write the e-mail with the link, in the transaction of the invitation."""
    enqueue(
        "operator_invited",
        person.email,
        person.language,
        dedupe_key=f"operator.{person.pk}.{_mark(person)}",
        person=person.pk,
        mark=_mark(person),
    )


@email_message("operator_invited")
def operator_invited(email: OutgoingEmail) -> Content | None:
    """Sign the link now. None where a newer link was sent, or the access ended."""
    person = User.objects.filter(pk=email.context["person"], is_staff=True, is_active=True).first()
    if person is None or _mark(person) != email.context["mark"]:
        return None
    path = reverse("backoffice:operator_invitation", args=[token_of(person)])
    role = person.groups.values_list("name", flat=True).first() or ""
    return Content({"role": _role(role), "link": settings.PORTAL_URL + path})


def email_operator(person: User, what: str, *, names: str, role: str = "") -> None:
    """Tell an operator that others changed their account; `what` is role, reset or ended."""
    enqueue(
        "operator_changed",
        person.email,
        person.language,
        person=person.pk,
        what=what,
        role=role,
        names=names,
    )


@email_message("operator_changed")
def operator_changed(email: OutgoingEmail) -> Content:
    stored = email.context
    link = settings.PORTAL_URL + reverse("account_login")
    shown = {"what": stored["what"], "names": stored["names"], "role": _role(stored["role"])}
    return Content({**shown, "link": link})


def _role(name: str) -> str:
    """Return the role as the admin writes it, in English on every screen."""
    return str(OperatorRole(name).label) if name in OperatorRole.values else name
