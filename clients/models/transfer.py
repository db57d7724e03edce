"""A company goes to another office: one Admin asks, one agrees, the database's clock decides."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Greatest, Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Office
from clients.admins import CodeTaken, NumberTaken, Outdated, acting_for, rule_of
from clients.models.event import ClientEvent, ClientEventKind
from core.locks import hold, retry_deadlock
from core.triggers import Protect, Trigger

if TYPE_CHECKING:
    from accounts.models import User
    from clients.models import Client, ClientQuerySet

ONLY_FORWARD = Trigger(
    name="only_forward",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    condition=pgtrigger.Condition(
        "OLD.closed_at IS NOT NULL OR OLD.moved_at IS NOT NULL"
        " OR (OLD.agreed_at IS NOT NULL AND (NEW.agreed_at, NEW.agreed_by_id, NEW.effective_at,"
        " NEW.code) IS DISTINCT FROM (OLD.agreed_at, OLD.agreed_by_id, OLD.effective_at, OLD.code))"
        " OR (NEW.client_id, NEW.from_office_id, NEW.to_office_id, NEW.asked_at, NEW.asked_by_id,"
        " NEW.preferred_at) IS DISTINCT FROM (OLD.client_id, OLD.from_office_id, OLD.to_office_id,"
        " OLD.asked_at, OLD.asked_by_id, OLD.preferred_at)"
    ),
    func="RAISE EXCEPTION 'A transfer only moves forward';",
)


class TransferQuerySet(models.QuerySet["Transfer"]):
    def open(self) -> TransferQuerySet:
        """Asked or agreed, and not yet moved."""
        return self.filter(closed_at=None, moved_at=None)

    def awaiting_answer(self) -> TransferQuerySet:
        """Asked, and neither agreed nor ended."""
        return self.open().filter(agreed_at=None)

    def with_companies(self) -> TransferQuerySet:
        """With what a list of them shows, the oldest first."""
        shown = self.select_related("client", "from_office", "to_office")
        return shown.order_by("asked_at", "pk")

    def due(self) -> TransferQuerySet:
        """Agreed, with their moment behind us: the rows should move."""
        return self.open().filter(effective_at__lte=Now())

    @retry_deadlock
    def ask(
        self, client: Client, by: User, to_office: Office, preferred_at: datetime | None = None
    ) -> Transfer:
        """Ask another office to take the company over, on behalf of an Admin.

        Raises PermissionDenied, and Outdated when it is archived, asked for or gone already.
        """
        with acting_for(client.office, by, to_office):
            held = client.hold()
            if self.open().filter(client=held).exists():
                raise Outdated
            transfer = self.create(
                client=held,
                from_office=client.office,
                to_office=to_office,
                asked_by=by,
                preferred_at=preferred_at,
            )
            transfer.write(ClientEventKind.TRANSFER_ASKED, by, preferred_at)
        return transfer


class Transfer(models.Model):
    """A company goes to another office: the old one asks, the new one agrees, the clock decides.

    Written forward only: asked; then agreed, declined or withdrawn; agreed; then moved, or
    withdrawn before its moment.
    """

    uuid = models.UUIDField(db_default=RandomUUID(), unique=True, editable=False)
    client = models.ForeignKey("clients.Client", models.PROTECT, related_name="transfers")
    from_office = models.ForeignKey("accounts.Office", models.PROTECT, related_name="transfers_out")
    to_office = models.ForeignKey("accounts.Office", models.PROTECT, related_name="transfers_in")
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    # The moment that the old office wishes; None is the moment of the agreement.
    preferred_at = models.DateTimeField(null=True)
    agreed_at = models.DateTimeField(null=True)
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    # What the new office will call the company.
    code = models.CharField(max_length=40, blank=True, default="")
    # From here on the old office's software sees nothing; at least `agreed_at`.
    effective_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    objects = TransferQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client"],
                condition=models.Q(closed_at=None, moved_at=None),
                name="clients_transfer_one_open",
            ),
            models.CheckConstraint(
                condition=~models.Q(from_office=models.F("to_office")),
                name="clients_transfer_elsewhere",
            ),
            models.CheckConstraint(
                condition=models.Q(agreed_at=None, agreed_by=None, effective_at=None, code="")
                | models.Q(
                    ~models.Q(code=""),
                    agreed_at__isnull=False,
                    agreed_by__isnull=False,
                    effective_at__gte=models.F("agreed_at"),
                ),
                name="clients_transfer_agreed_has_a_person_and_a_moment",
            ),
            models.CheckConstraint(
                condition=models.Q(moved_at=None)
                | models.Q(closed_at=None, moved_at__gte=models.F("effective_at")),
                name="clients_transfer_moves_when_agreed",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at=None, closed_by=None)
                | models.Q(closed_at__isnull=False, closed_by__isnull=False),
                name="clients_transfer_closed_by_a_person",
            ),
        ]
        triggers = [
            Protect(name="keep_transfers", operation=pgtrigger.Delete),
            ONLY_FORWARD,
        ]

    def __str__(self) -> str:
        return f"{self.client}: {self.from_office} → {self.to_office}"

    def agree(self, by: User, code: str) -> None:
        """Take the company over, on behalf of an Admin of the new office, under a code of its own.

        From the commit on, or from the wished moment when that is later, the old office sees
        nothing of it; then the rows move. Raises PermissionDenied, NumberTaken, CodeTaken,
        Outdated.
        """
        self._agree(by, code)
        self.move()

    @retry_deadlock
    def _agree(self, by: User, code: str) -> None:
        with acting_for(self.to_office, by, self.from_office):
            client = self._hold_client()
            awaiting = Transfer.objects.awaiting_answer().filter(pk=self.pk)
            # First: a company that has moved in already is no twin of itself.
            if not awaiting.exists():
                raise Outdated
            if self._twins(client).exclude(confirmed_at=None).exists():
                raise NumberTaken
            if self.to_office.clients.filter(code=code).exists():
                raise CodeTaken
            moment = Greatest(Now(), models.F("preferred_at"))
            agreed = {"agreed_at": Now(), "agreed_by": by, "code": code, "effective_at": moment}
            awaiting.update(**agreed)
            self.refresh_from_db(fields=["agreed_at", "agreed_by", "code", "effective_at"])
            type(client).objects.filter(pk=client.pk).update(leaves_at=self.effective_at)
            self.write(ClientEventKind.TRANSFER_AGREED, by, self.effective_at)

    @retry_deadlock
    def decline(self, by: User) -> None:
        """Leave the company where it is, on behalf of an Admin of the new office."""
        with acting_for(self.to_office, by, self.from_office):
            self._hold_client()
            self._close(Transfer.objects.awaiting_answer(), by)
            self.write(ClientEventKind.TRANSFER_DECLINED, by)

    @retry_deadlock
    def withdraw(self, by: User) -> None:
        """Keep the company after all, on behalf of an Admin of the old office, in time."""
        with acting_for(self.from_office, by, self.to_office):
            client = self._hold_client()
            in_time = models.Q(effective_at=None) | models.Q(effective_at__gt=Now())
            self._close(Transfer.objects.open().filter(in_time), by)
            type(client).objects.filter(pk=client.pk).update(leaves_at=None)
            self.write(ClientEventKind.TRANSFER_WITHDRAWN, by)

    @retry_deadlock
    def move(self) -> bool:
        """Give the row to the new office when its moment has come; documents follow by themselves.

        False when there is nothing to do: not yet, or done already.
        """
        with transaction.atomic():
            hold(Office, self.from_office_id, self.to_office_id)
            client = self._hold_client(moving=True)
            if not Transfer.objects.due().filter(pk=self.pk).update(moved_at=Now()):
                return False
            code = self._carry_over(client)
            self.write(ClientEventKind.MOVED, None, code=code)
        return True

    def _carry_over(self, client: Client) -> str:
        """One statement; a code that was taken since the agreement gets a number behind it.

        What the new office has added under the same number gives way, unless that is confirmed and
        the company that moves is not.
        """
        moved: dict[str, Any] = {"office": self.to_office_id, "leaves_at": None}
        twin = self._twins(client).select_for_update(no_key=True).first()
        if twin is not None and (client.confirmed_at or not twin.confirmed_at):
            self._give_way(twin)
        elif twin is not None:
            moved |= {"archived_at": Now(), "archived_reason": _("Already in your office")}
        for code in _free_codes(self.code):
            try:
                with transaction.atomic():
                    rows = type(client).objects.filter(pk=client.pk, office=self.from_office_id)
                    rows.update(code=code, **moved)
                return code
            except IntegrityError as error:
                if rule_of(error) != "clients_client_one_per_code":
                    raise
        raise AssertionError("there is always a further code")

    def _twins(self, client: Client) -> ClientQuerySet:
        """The active company of the new office with the same number, if any."""
        same = self.to_office.clients.filter(company_number=client.company_number)
        return same.filter(archived_at=None).exclude(pk=client.pk)

    def _give_way(self, twin: Client) -> None:
        reason = _("Replaced by the company that was transferred to your office")
        open_transfers = Transfer.objects.open().filter(client=twin)
        open_transfers.update(closed_at=Now(), closed_by=self.agreed_by)
        twin.accounts.update(confirmed_at=None)
        row = type(twin).objects.filter(pk=twin.pk)
        row.update(archived_at=Now(), archived_reason=reason, leaves_at=None)
        ClientEvent.objects.write(
            twin, self.to_office, ClientEventKind.ARCHIVED, None, reason=reason
        )

    def write(
        self, kind: ClientEventKind, by: User | None, moment: datetime | None = None, **more: Any
    ) -> None:
        """Tell both offices, each with the name of the other."""
        if moment is not None:
            more["moment"] = moment.isoformat()
        for office, other in (
            (self.from_office, self.to_office),
            (self.to_office, self.from_office),
        ):
            details = {"other": other.name, "leaving": office == self.from_office}
            details |= {"transfer": str(self.uuid), **more}
            ClientEvent.objects.write(self.client, office, kind, by, **details)

    @property
    def can_be_withdrawn(self) -> bool:
        """For the screens only; the database's clock decides."""
        return self.effective_at is None or self.effective_at > timezone.now()

    def _hold_client(self, *, moving: bool = False) -> Client:
        # A new office changes the key that documents point at.
        clients = Transfer.client.get_queryset(instance=self).select_for_update(no_key=not moving)
        client: Client = clients.get(pk=self.client_id)
        return client

    def _close(self, among: TransferQuerySet, by: User) -> None:
        if not among.filter(pk=self.pk).update(closed_at=Now(), closed_by=by):
            raise Outdated


def _free_codes(code: str) -> Iterator[str]:
    yield code
    for number in range(2, 10_000):
        ending = f"-{number}"
        yield code[: 40 - len(ending)] + ending
