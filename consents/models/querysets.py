"""How the rest of the portal asks for consents and terms."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from accounts.models import Membership, Office
from consents.actors import Actor
from consents.models.block import Block, BlockedByOffice
from consents.models.event import ConsentEvent, EventKind
from core.clock import database_time
from core.locks import hold, retry_deadlock
from partners.models import Partner, PartnerStatus

if TYPE_CHECKING:
    from accounts.models import User
    from consents.models import Consent, Terms

FIRST_COOL_DOWN = timedelta(hours=24)
LONGEST_COOL_DOWN = timedelta(days=7)
# New requests of a partner to one office in a day, whatever became of them.
REQUESTS_A_DAY = 10


def cool_down(denials: int) -> timedelta:
    """How long the software waits after so many denials in a row."""
    wait: timedelta = FIRST_COOL_DOWN * 2 ** (denials - 1)
    return min(wait, LONGEST_COOL_DOWN)


class CoolingDown(Exception):
    """The office denied a short while ago; the partner may ask again after `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"ask again in {seconds} s")
        self.seconds = seconds


class AskedTooOften(CoolingDown):
    """The partner made too many requests to this office today."""


class PartyHasEnded(Exception):
    """The office was closed or the software retired: between them no consent begins."""


class TermsQuerySet(models.QuerySet["Terms"]):
    def in_force(self, language: str) -> Terms:
        """The newest text that is in force in this language, or in English where there is none."""
        published = self.filter(effective_at__lte=Now())
        newest = published.order_by("-version").values("version")[:1]
        texts = {text.language: text for text in published.filter(version=newest)}
        return texts.get(language) or texts["en"]

    def publish(
        self, bodies: dict[str, str], *, material: bool, effective_at: datetime | None = None
    ) -> list[Terms]:
        """The next version, one text in each language; `effective_at` None means at once.

        Raises IntegrityError when somebody else published at the same moment.
        """
        newest = self.aggregate(newest=models.Max("version"))["newest"] or 0
        with transaction.atomic():
            return [
                self.create(
                    version=newest + 1,
                    language=language,
                    body=body,
                    material=material,
                    effective_at=effective_at or Now(),
                )
                for language, body in bodies.items()
            ]


class ConsentQuerySet(models.QuerySet["Consent"]):
    def live(self) -> ConsentQuerySet:
        """Allowed, or a request that nobody closed yet: at most one per office and partner."""
        return self.filter(
            models.Q(status="allowed") | models.Q(status="to_be_determined", closed_at=None)
        )

    def awaiting_decision(self) -> ConsentQuerySet:
        return self.filter(status="to_be_determined", closed_at=None, lapses_at__gt=Now())

    def lapsed_but_open(self) -> ConsentQuerySet:
        """Requests whose time is over, but that are not written down as lapsed yet."""
        return self.filter(status="to_be_determined", closed_at=None, lapses_at__lte=Now())

    def with_asks_for(self, person: User) -> ConsentQuerySet:
        """Add `asks`: the events by which colleagues asked this person to decide, oldest first."""
        mine = models.Q(asked=[]) | models.Q(asked__contains=[person.pk])
        events = ConsentEvent.objects.filter(mine, kind=EventKind.ASKED).order_by("pk")
        return self.prefetch_related(models.Prefetch("events", events, to_attr="asks"))

    def whose_giver_left(self) -> ConsentQuerySet:
        """Allowed consents whose last agreement is by somebody who has left the office.

        Adds who that was: `giver` by the name on the event, `giver_id`, and `agreed_at`.
        """
        agreed = ConsentEvent.objects.filter(consent=models.OuterRef("pk"), evidence__isnull=False)
        newest = agreed.order_by("-number")
        given = self.filter(status="allowed").annotate(
            giver=models.Subquery(newest.values("actor_name")[:1]),
            giver_id=models.Subquery(newest.values("person")[:1]),
            agreed_at=models.Subquery(newest.values("at")[:1]),
        )
        gone = Membership.objects.left().filter(
            office=models.OuterRef("office"), user=models.OuterRef("giver_id")
        )
        return given.filter(models.Exists(gone))

    def to_agree_anew(self) -> tuple[ConsentQuerySet, ConsentQuerySet]:
        """Given ones that ask for the word of an Admin again: whose giver left, as above, and
        those of which only the terms changed, with `accept_terms_by`. None is in both."""
        left = self.whose_giver_left()
        return left, self.whose_terms_changed().exclude(pk__in=left.values("pk"))

    def whose_terms_changed(self) -> ConsentQuerySet:
        """Allowed consents with changed terms that nobody accepted yet, and `accept_terms_by`."""
        return self.filter(status="allowed", accept_terms_by__isnull=False)

    def with_use(self) -> ConsentQuerySet:
        """Add `last_served_at`, and `active_days`: on how many of the last 30 it was used."""
        lately = models.Q(activity__day__gt=Now() - timedelta(days=30), activity__served__gt=0)
        return self.annotate(
            last_served_at=models.Max("activity__last_served_at"),
            active_days=models.Count("activity", filter=lately),
        )

    def denials_before(self, office: Office, partner: Partner) -> list[Consent]:
        """The latest denials in a row, newest first; an allowed consent ends the row."""
        decided = self.filter(office=office, partner=partner).exclude(decided_at=None)
        denials = []
        for consent in decided.order_by("-decided_at")[:5]:
            if consent.status != "denied":
                break
            denials.append(consent)
        return denials


class ConsentManager(models.Manager.from_queryset(ConsentQuerySet)):  # type: ignore[misc]
    """Where a consent begins: a request of software."""

    @retry_deadlock
    def request(
        self, *, office: Office, partner: Partner, redirect_uri: str = "", state: str = ""
    ) -> tuple[Consent, bool]:
        """Give the live consent of this office and partner, or make a new request.

        An open request takes over the new address and state. Returns the consent and whether it
        is new; raises CoolingDown soon after a denial, AskedTooOften after ten new requests in a
        day, BlockedByOffice and PartyHasEnded. Safe when many ask at the same moment.
        """
        with transaction.atomic():
            hold(Partner, partner.pk)
            hold(Office, office.pk)
            at = database_time()
            live = self._live_one(office, partner, at)
            if live is None or live.is_open(at):
                self._refuse_blocked(office, partner)
            if live is not None and live.is_open(at):
                self.filter(pk=live.pk).update(redirect_uri=redirect_uri, state=state)
                live.redirect_uri, live.state = redirect_uri, state
            if live is None:
                self._refuse_ended(office, partner)
                self._refuse_while_cooling_down(office, partner, at)
                self._refuse_after_many(office, partner, at)
                live, created = self._create(office, partner, redirect_uri, state)
                return live, created
        return live, False

    def _live_one(self, office: Office, partner: Partner, at: datetime) -> Consent | None:
        rows = self.live().filter(office=office, partner=partner)
        found = rows.select_for_update(no_key=True).first()
        if found is not None and found.is_lapsed(at):
            found.lapse()
            return None
        return cast("Consent | None", found)

    def _create(
        self, office: Office, partner: Partner, redirect_uri: str, state: str
    ) -> tuple[Consent, bool]:
        days = settings.PORTAL_REQUEST_LAPSES_AFTER_DAYS
        try:
            with transaction.atomic():
                new = self.create(
                    office=office,
                    partner=partner,
                    redirect_uri=redirect_uri,
                    state=state,
                    lapses_at=Now() + timedelta(days=days),
                )
                ConsentEvent.objects.write(new, EventKind.REQUESTED, Actor.partner(partner))
        except IntegrityError:
            # Another request came at the same moment and was first: it is the one live consent.
            return self.live().get(office=office, partner=partner), False
        return self.get(pk=new.pk), True

    def _refuse_blocked(self, office: Office, partner: Partner) -> None:
        if Block.objects.filter(office=office, partner=partner).exists():
            raise BlockedByOffice

    def _refuse_after_many(self, office: Office, partner: Partner, at: datetime) -> None:
        made = self.filter(office=office, partner=partner).order_by("-requested_at")
        newest = made.values_list("requested_at", flat=True)[:REQUESTS_A_DAY]
        if len(newest) == REQUESTS_A_DAY:
            left = newest[REQUESTS_A_DAY - 1] + timedelta(days=1) - at
            if left > timedelta(0):
                raise AskedTooOften(int(left.total_seconds()) + 1)

    def asks_again_at(self, consent: Consent, now: datetime) -> datetime | None:
        """When the software may ask again: after this denial, or if the request is denied now."""
        denials = self.all().denials_before(consent.office, consent.partner)
        if consent.status == "denied":
            return denials[0].decided_at + cool_down(len(denials)) if denials else None
        return now + cool_down(len(denials) + 1)

    def _refuse_ended(self, office: Office, partner: Partner) -> None:
        """Asked under the locks: operators may have ended one of them since the caller looked."""
        closed = Office.objects.filter(pk=office.pk).exclude(closed_at=None)
        retired = Partner.objects.filter(pk=partner.pk, status=PartnerStatus.RETIRED)
        if closed.exists() or retired.exists():
            raise PartyHasEnded

    def _refuse_while_cooling_down(self, office: Office, partner: Partner, at: datetime) -> None:
        denials = self.all().denials_before(office, partner)
        if not denials:
            return
        newest = denials[0]
        left = newest.decided_at + cool_down(len(denials)) - at
        if left > timedelta(0):
            raise CoolingDown(int(left.total_seconds()) + 1)
