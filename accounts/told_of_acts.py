"""What two operators did is mailed to everybody whom it concerns; no switch keeps it away."""

from __future__ import annotations

from typing import NamedTuple, cast

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.joint import Act, JointAct
from accounts.letters import Letter
from accounts.models import Membership, Office, User


class Words(NamedTuple):
    """What a mail says, in the language of the moment; `button` leads to `path`."""

    subject: str
    sentences: list[str]
    button: str
    path: str


def tell_of_act(act: JointAct) -> None:
    """Write a letter to everybody concerned, in the transaction of the act."""
    office = Office.objects.get(pk=cast(int, act.office_id))
    for reader in readers(act):
        language, told = reader.language or office.language, {"act": act.pk}
        Letter.objects.write("by_operators", reader.email, language, person=reader, told=told)


def readers(act: JointAct) -> list[User]:
    """The person herself and the Admins of her offices, or the people of the office."""
    if act.person is not None:
        members = Membership.objects.admins().filter(office__in=Office.objects.of(act.person))
    elif act.kind == Act.CLOSE_OFFICE:
        members = Membership.objects.told().filter(office=act.office)
    else:
        members = Membership.objects.admins().filter(office=act.office)
    people = User.objects.filter(Q(pk__in=members.values("user")) | Q(pk=act.person_id))
    return list(people.filter(is_active=True).order_by("pk"))


def words_of(act: JointAct, office: Office, reader: User) -> Words:
    """The words for this reader; the person herself is told what to do now."""
    told = {
        "person": str(act.person),
        "office": office.name,
        "number": act.detail,
        "names": act.names,
    }
    own = reader.pk == act.person_id
    subject, sentences = _texts(act.kind, own=own)
    if act.kind == Act.RESET_FACTOR:
        path = reverse("mfa_index") if own else reverse("accounts:users", args=[office.slug])
        button = _("Security of my account") if own else _("Manage users")
    else:
        path, button = reverse("dashboard:home"), _("Open the portal")
    return Words(subject % told, [sentence % told for sentence in sentences], button, path)


def _texts(kind: str, *, own: bool) -> tuple[str, list[str]]:
    if kind == Act.RESET_FACTOR and own:
        return _("Your second factor was reset"), [
            _(
                "The operators %(names)s removed your authenticator app, your passkeys and your "
                "recovery codes, and ended your sessions. Log in with your password and add a new "
                "second factor."
            ),
            _(
                "You did not ask for that? Then somebody else did: choose a new password at once "
                "and tell your Admin."
            ),
        ]
    if kind == Act.RESET_FACTOR:
        return _("The second factor of %(person)s was reset"), [
            _(
                "The operators %(names)s removed the second factor of %(person)s. Until there is "
                "a new one, the password alone lets in. If your colleague did not ask for that, "
                "tell us at once."
            )
        ]
    if kind == Act.CLOSE_OFFICE:
        return _("%(office)s is closed here"), [
            _(
                "The operators %(names)s closed %(office)s in the portal. Every consent has "
                "ended: no software reads its documents any more, and nobody can open it here."
            )
        ]
    return _("%(office)s has a new enterprise number"), [
        _(
            "The operators %(names)s gave %(office)s the enterprise number %(number)s. Consents "
            "do not move to another number, so those that were live have ended. Your software "
            "asks anew under the new number, and an Admin decides."
        )
    ]
