"""The consents of the demo, with every status and every reason, made by the product's verbs."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from accounts.models import Membership, Office, Role, User
from consents.actors import GIVEN_UP, Actor, ActorKind
from consents.models import Consent
from partner_api.sandbox.decisions import allow
from partners.models import Partner

SOFTWARE = "https://software.example/callback"


def tell() -> None:
    """Make the past of each office with each software, by the verbs of the product."""
    offices = {office.slug: office for office in Office.objects.all()}
    ledgerly, tally, compta = (
        Partner.objects.get(name=name) for name in ("Ledgerly", "Tally & Zonen", "Compta°Plus")
    )
    janssens, lefevre, koenigs, obrien = (
        offices[slug] for slug in ("janssens", "lefevre", "koenigs", "obrien")
    )
    anna, chloe = _person("an@janssens.example"), _person("chloe@lefevre.example")

    # Janssens: one cancelled long ago and asked anew, one waiting, one allowed.
    old = allowed(janssens, tally, anna)
    old.cancel(by(anna), reason="")
    asked(janssens, tally)
    # The person who allowed that one has left: their colleagues are asked to confirm it.
    rik = joined(janssens, "Rik Maes", "rik@janssens.example")
    allowed(janssens, compta, rik.user)
    rik.remove(anna)
    # Lefèvre: allowed, denied, and a request that nobody answered.
    allowed(lefevre, tally, chloe)
    denied = asked(lefevre, compta)
    denied.deny(by(chloe))
    # Königs: a request on its 29th day, one lapsed, one withdrawn.
    in_the_past(asked(koenigs, tally), days=29)
    lapsed = asked(koenigs, compta)
    in_the_past(lapsed, days=31)
    lapsed.lapse()
    withdrawn = asked(koenigs, ledgerly)
    withdrawn.withdraw(Actor.partner(ledgerly))
    # O'Brien: given and given up by the software, then paused with another.
    fiona = _person("fiona@obrien.example")
    given_up = allowed(obrien, compta, fiona)
    given_up.cancel(Actor.partner(compta), reason=GIVEN_UP)
    allowed(obrien, tally, fiona).pause(by(fiona))
    if "groot" in offices:
        allowed(offices["groot"], tally, _person("lotte@groot.example"))


def _person(email: str) -> User:
    return User.objects.get(email=email)


def joined(office: Office, name: str, email: str) -> Membership:
    """Another Admin, who has no password and is not listed on /demo."""
    person = User.objects.create_user(email, name=name, language=office.language)
    return Membership.objects.admit(office, person, Role.ADMIN)


def asked(office: Office, partner: Partner) -> Consent:
    """A request; it has no redirect address if the partner has none in the demo."""
    uri = SOFTWARE if partner.accepts_redirect(SOFTWARE) else ""
    return Consent.objects.request(office=office, partner=partner, redirect_uri=uri)[0]


def allowed(office: Office, partner: Partner, person: User) -> Consent:
    consent = asked(office, partner)
    allow(consent, by(person))
    return consent


def by(person: User) -> Actor:
    return Actor(
        ActorKind.PERSON,
        name=person.name,
        person=person,
        address="192.0.2.10",
        browser="Demo data",
        authentication=["password"],
    )


def in_the_past(consent: Consent, *, days: int) -> None:
    """Move a request back in time."""
    ago = Now() - timedelta(days=days)
    Consent.objects.filter(pk=consent.pk).update(
        requested_at=ago, lapses_at=ago + timedelta(days=30)
    )
    consent.reread()
