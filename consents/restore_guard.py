"""The restore guard: what an office stopped stays stopped after a backup is restored.

Each cancel, pause, change of scope and block is written to the register of ended consents after its
commit; the worker adds what a killed process left out. After a restore the portal is not ready and
its API stays closed until `manage.py reapply_cancellations` has stopped the same again. It stays
closed as well where the register cannot be the right one, until an operator says that it is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Now

from accounts.models import Office
from consents.actors import Actor, ActorKind
from consents.ended_register import TOPICS, Line, register, registered
from consents.models import Block, Consent, ConsentEvent, Status
from consents.models.block import block_after_restore
from consents.models.event import line_of
from consents.scope import ScopeChange, difference_to, narrow_after_restore
from core.clock import database_time
from partners.models import Partner

# Decisions of so many days must all be in the register.
LOOK_BACK = timedelta(days=7)
# The worker adds what a killed process left out each minute. What is missing longer is lost.
GRACE = timedelta(minutes=5)
REASON = "Ended before a backup was restored"
RESTORE = Actor(ActorKind.OPERATOR, name="Restore")

NOT_APPLIED = "manage.py reapply_cancellations must run first"
SAY_SO = "Put the right one in place, or run manage.py reapply_cancellations --register-is-lost"
MISSING = f"the register of ended consents is missing. {SAY_SO}"
OLDER = f"the register of ended consents is older than the database. {SAY_SO}"
UNREADABLE = "the register of ended consents cannot be read. Is it a file that the portal may read?"
FOREIGN = f"the register of ended consents is of another portal. {SAY_SO}"


class RegisterInDoubt(Exception):
    """The register is missing, older than the database or of another portal: the text says so."""


class Undone(NamedTuple):
    """What the register says was stopped, and the database does not know."""

    topic: str
    line: Line
    consent: Consent | None


def register_missing() -> int:
    """Add the events of the last days that a killed process left out; return how many.

    Nothing is added where the portal is closed: a register of last month would look whole then.
    """
    if why_closed() is not None:
        return 0
    missing = _not_in(registered(), _stops().filter(at__gt=Now() - LOOK_BACK))
    register(*map(line_of, missing))
    return len(missing)


def why_closed() -> str | None:
    """Why serving now could give access that an office took away; None where all is well."""
    reason = _reason()
    if reason is not None:
        _reason.cache_clear()
    return reason


def has_revived_consents() -> bool:
    """Whether the portal must not open; for the API's every call."""
    return why_closed() is not None


@cache
def _reason() -> str | None:
    """Remembered once it is None: nobody restores a database under a running portal."""
    try:
        lines = registered()
    except OSError:
        return UNREADABLE
    return doubt(lines) or (NOT_APPLIED if undone(lines) else None)


def doubt(lines: list[Line]) -> str | None:
    """Why this register cannot be the one of this database, or None."""
    newest = _stops().aggregate(newest=Max("at"))["newest"]
    if newest is not None:
        lately = _stops().filter(at__gt=newest - LOOK_BACK, at__lt=Now() - GRACE)
        if _not_in(lines, lately):
            return OLDER if lines else MISSING
    offices = {line.office for line in lines}
    if offices and not Office.objects.filter(uuid__in=offices).exists():
        return FOREIGN
    return None


def reapply_cancellations(*, register_is_lost: bool = False) -> Counter[str]:
    """Stop again what a restored backup revived, each with its event; return how many by topic.

    Raises RegisterInDoubt. With `register_is_lost` the register is begun anew from the database:
    what was stopped after the backup is unknown then, and goes on.
    """
    reason = doubt(registered())
    if reason is not None:
        if not register_is_lost:
            raise RegisterInDoubt(reason)
        register(*map(line_of, _not_in(registered(), _stops())))
    done: Counter[str] = Counter()
    # The ends first: a consent that ended is neither paused nor narrowed again.
    for _pass in range(2):
        for one in undone(registered()):
            _stop_again(one)
            done[one.topic] += 1
    return done


def undone(lines: list[Line]) -> list[Undone]:
    """What must be stopped again: ends alone where there are any, since they come first."""
    consents = _live({line.consent for line in lines})
    ended = {line.consent: line for line in lines if line.topic == "end"}
    ends = [Undone("end", line, consents[pk]) for pk, line in ended.items() if pk in consents]
    if ends:
        return ends
    now = database_time()
    found = [Undone(line.topic, line, consents.get(line.consent)) for line in _lost(lines)]
    return [one for one in found if _goes_on(one, now)]


def _live(uuids: Iterable[str]) -> dict[str, Consent]:
    live = Consent.objects.live().filter(uuid__in=uuids).select_related("office", "partner")
    return {str(consent.uuid): consent for consent in live.order_by("pk")}


def _lost(lines: list[Line]) -> list[Line]:
    """The last line of each topic, where its event is not in the database."""
    last: dict[tuple[str, ...], Line] = {}
    for line in lines:
        about = (line.office, line.partner) if line.topic == "block" else (line.consent,)
        last[line.topic, *about] = line
    wanted = [line.event for line in last.values()]
    known = ConsentEvent.objects.filter(uuid__in=wanted).values_list("uuid", flat=True)
    there = set(map(str, known))
    return [line for line in last.values() if line.event not in there]


def _goes_on(one: Undone, now: datetime) -> bool:
    """Whether the database gives more than the register. A restriction more is left as it is."""
    line, consent = one.line, one.consent
    if line.kind == "blocked":
        pair = {"office__uuid": line.office, "partner__uuid": line.partner}
        both = Office.objects.filter(uuid=line.office).exists()
        both = both and Partner.objects.filter(uuid=line.partner).exists()
        return both and not Block.objects.filter(**pair).exists()
    if consent is None:
        return False
    if line.kind == "paused":
        until = _until(line)
        over = until is not None and until <= now
        runs = Consent.objects.filter(Consent.runs_until(until), pk=consent.pk)
        return consent.status == Status.ALLOWED and not over and runs.exists()
    return line.topic == "scope" and bool(_narrowing(consent, line))


def _stop_again(one: Undone) -> None:
    line, consent = one.line, one.consent
    if one.topic == "block":
        office = Office.objects.get(uuid=line.office)
        block_after_restore(office, Partner.objects.get(uuid=line.partner), RESTORE, REASON)
    elif consent is None:
        return
    elif one.topic == "pause":
        consent.pause_after_restore(RESTORE, _until(line), REASON)
    elif one.topic == "scope":
        narrow_after_restore(consent, RESTORE, _narrowing(consent, line), REASON)
    elif consent.status == Status.ALLOWED:
        consent.cancel(RESTORE, REASON)
    else:
        consent.lapse(RESTORE, REASON)


def _until(line: Line) -> datetime | None:
    until = line.state.get("until")
    return datetime.fromisoformat(until) if until else None


def _narrowing(consent: Consent, line: Line) -> ScopeChange:
    state = line.state
    return difference_to(consent, state["kinds"], state["allowlist"], state["clients"])


def _stops() -> QuerySet[ConsentEvent]:
    """The events that belong in the register."""
    return ConsentEvent.objects.filter(Q(kind__in=list(TOPICS)))


def _not_in(lines: list[Line], events: QuerySet[ConsentEvent]) -> list[ConsentEvent]:
    there = {line.event for line in lines}
    pairs = events.order_by("pk").values_list("pk", "uuid")
    missing = [pk for pk, uuid in pairs if str(uuid) not in there]
    rows = ConsentEvent.objects.filter(pk__in=missing).order_by("pk")
    return list(rows.select_related("office", "consent__partner"))
