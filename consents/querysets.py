"""The words in which the rest of the portal asks for consents and terms."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from accounts.models import Membership
from consents.actors import Actor

if TYPE_CHECKING:
    from accounts.models import Office, User
    from clients.models import Client
    from consents.models import Consent, Terms
    from partners.models import Partner

FIRST_COOL_DOWN = timedelta(hours=24)
LONGEST_COOL_DOWN = timedelta(days=7)


class CoolingDown(Exception):
    """The office denied a short while ago; the partner may ask again after `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"ask again in {seconds} s")
        self.seconds = seconds


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
        """Requests whose time is over and that nobody wrote down as lapsed yet."""
        return self.filter(status="to_be_determined", closed_at=None, lapses_at__lte=Now())

    def covering(self, client: Client) -> ConsentQuerySet:
        """Those under which this company may be read: allowed, and the office shares it."""
        from consents.scope import ListedClient

        listed = ListedClient.objects.filter(consent=models.OuterRef("pk"), client=client)
        allowed = self.filter(office=client.office_id, status="allowed")
        allowed = allowed.annotate(is_listed=models.Exists(listed))
        return allowed.filter(only_listed=models.F("is_listed"))

    def asked(self, person: User) -> ConsentQuerySet:
        """Add `asks`: the events by which colleagues asked this person to decide, oldest first."""
        from consents.models import ConsentEvent, EventKind

        mine = models.Q(asked=[]) | models.Q(asked__contains=[person.pk])
        events = ConsentEvent.objects.filter(mine, kind=EventKind.ASKED).order_by("pk")
        return self.prefetch_related(models.Prefetch("events", events, to_attr="asks"))

    def whose_giver_left(self) -> ConsentQuerySet:
        """Given ones that were last agreed to by somebody who works for the office no more.

        Adds who that was: `giver` by the name on the event, `giver_id`, and `agreed_at`.
        """
        from consents.models import ConsentEvent

        agreed = ConsentEvent.objects.filter(consent=models.OuterRef("pk"), evidence__isnull=False)
        newest = agreed.order_by("-number")
        given = self.filter(status="allowed").annotate(
            giver=models.Subquery(newest.values("actor_name")[:1]),
            giver_id=models.Subquery(newest.values("person")[:1]),
            agreed_at=models.Subquery(newest.values("at")[:1]),
        )
        here = Membership.objects.active().filter(
            office=models.OuterRef("office"), user=models.OuterRef("giver_id")
        )
        return given.filter(~models.Exists(here), giver_id__isnull=False)

    def to_agree_anew(self) -> tuple[ConsentQuerySet, ConsentQuerySet]:
        """Given ones that ask for the word of an Admin again: whose giver left, as above, and
        those of which only the terms changed, with `reaccept_by`. None is in both."""
        left = self.whose_giver_left()
        changed = self.filter(status="allowed", reaccept_by__isnull=False)
        return left, changed.exclude(pk__in=left.values("pk"))

    def with_use(self) -> ConsentQuerySet:
        """Add `last_served_at`, and `active_days`: on how many of the last 30 it was used."""
        lately = models.Q(activity__day__gt=Now() - timedelta(days=30), activity__served__gt=0)
        return self.annotate(
            last_served_at=models.Max("activity__last_served_at"),
            active_days=models.Count("activity", filter=lately),
        )

    def sorted_after(self, sort: str, last: int | None) -> ConsentQuerySet:
        """Newest first, `oldest` first or by `software`; those after the one keyed `last`."""
        after = self.filter(pk=last).select_related("partner").first() if last else None
        if sort == "software":
            ordered = self.order_by("partner__name", "pk")
            if after is None:
                return ordered
            name = after.partner.name
            same = models.Q(partner__name=name, pk__gt=after.pk)
            return ordered.filter(models.Q(partner__name__gt=name) | same)
        ordered = self.order_by("pk" if sort == "oldest" else "-pk")
        if last is None:
            return ordered
        return ordered.filter(**{"pk__gt" if sort == "oldest" else "pk__lt": last})

    def denials_before(self, office: Office, partner: Partner) -> list[Consent]:
        """The unbroken row of denials up to now, newest first; an allow in between ends it."""
        decided = self.filter(office=office, partner=partner).exclude(decided_at=None)
        denials = []
        for consent in decided.order_by("-decided_at")[:5]:
            if consent.status != "denied":
                break
            denials.append(consent)
        return denials


class ConsentManager(models.Manager.from_queryset(ConsentQuerySet)):  # type: ignore[misc]
    """Consents as they stand at `read_at`, by the clock of the database."""

    def get_queryset(self) -> ConsentQuerySet:
        return cast(ConsentQuerySet, super().get_queryset().annotate(read_at=Now()))

    def request(
        self, *, office: Office, partner: Partner, redirect_uri: str = "", state: str = ""
    ) -> tuple[Consent, bool]:
        """Give the live consent of this office and partner, or make a new request.

        An open request takes over the new address and state. Returns the consent and whether it
        is new; raises CoolingDown soon after a denial and BlockedByOffice. Safe when many ask at
        the same moment.
        """
        with transaction.atomic():
            live = self._live_one(office, partner)
            if live is None or live.is_open:
                self._refuse_blocked(office, partner)
            if live is not None and live.is_open:
                self.filter(pk=live.pk).update(redirect_uri=redirect_uri, state=state)
                live.redirect_uri, live.state = redirect_uri, state
            if live is None:
                self._refuse_while_cooling_down(office, partner)
                live, created = self._create(office, partner, redirect_uri, state)
                return live, created
        return live, False

    def _live_one(self, office: Office, partner: Partner) -> Consent | None:
        found = self.live().filter(office=office, partner=partner).select_for_update().first()
        if found is not None and found.is_lapsed:
            found.lapse()
            return None
        return cast("Consent | None", found)

    def _create(
        self, office: Office, partner: Partner, redirect_uri: str, state: str
    ) -> tuple[Consent, bool]:
        from consents.models import ConsentEvent, EventKind

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
            # Somebody asked at the same moment and was first: hers is the one live consent.
            return self.live().get(office=office, partner=partner), False
        return self.get(pk=new.pk), True

    def _refuse_blocked(self, office: Office, partner: Partner) -> None:
        from consents.blocks import Block, BlockedByOffice

        if Block.objects.filter(office=office, partner=partner).exists():
            raise BlockedByOffice

    def _refuse_while_cooling_down(self, office: Office, partner: Partner) -> None:
        denials = self.all().denials_before(office, partner)
        if not denials:
            return
        wait = min(FIRST_COOL_DOWN * 2 ** (len(denials) - 1), LONGEST_COOL_DOWN)
        newest = denials[0]
        left = newest.decided_at + wait - newest.read_at
        if left > timedelta(0):
            raise CoolingDown(int(left.total_seconds()) + 1)
