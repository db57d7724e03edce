"""Filters of the lists. Where there may be thousands to choose from, a name is typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import Office
from backoffice.admin.lists import REACH
from backoffice.roles import OperatorRole
from core.enterprise_number import plain_number
from partners.models import Partner


class TypedFilter(admin.SimpleListFilter):
    """A filter with a field: part of a name, or a whole enterprise number."""

    template = "admin/typed_filter.html"
    # The condition of the list: which foreign key is one of those that were found.
    lookup: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        # Django draws a filter only where there is something to choose.
        return [("", "")]

    def choices(  # type: ignore[override]  # the stubs know links only
        self, changelist: ChangeList
    ) -> Iterator[dict[str, Any]]:
        """Return what was typed, and the other filters of the list, which the form sends along."""
        mine = str(self.parameter_name)
        yield {
            "value": self.value() or "",
            "kept": [
                (name, value)
                for name, values in changelist.filter_params.items()
                if name != mine
                for value in values
            ],
            "query_string": changelist.get_query_string(remove=[mine]),
        }

    def found(self, words: str) -> QuerySet[Any]:
        """Return whom the words name."""
        raise NotImplementedError

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        words = (self.value() or "").replace("\0", "").strip()
        if not words:
            return rows
        # The keys first: a condition across a joined table would read every row.
        keys = list(self.found(words).values_list("pk", flat=True)[:REACH])
        return rows.filter(**{f"{self.lookup}__in": keys})


class OfficeFilter(TypedFilter):
    """The rows of offices with this name or number."""

    title = parameter_name = "office"
    lookup = "office"

    def found(self, words: str) -> QuerySet[Office]:
        number = Q(company_number=plain_number(words) or None)
        return Office.objects.filter(Q(name__icontains=words) | number)


class SoftwareFilter(TypedFilter):
    """The rows of software with this name or number."""

    title = parameter_name = "software"
    lookup = "partner"

    def found(self, words: str) -> QuerySet[Partner]:
        number = Q(legal_number=plain_number(words) or None)
        return Partner.objects.filter(Q(name__icontains=words) | number)


class StateFilter(admin.SimpleListFilter):
    """A filter by a state that several columns tell: its name, and the condition of each."""

    title = parameter_name = "state"
    states: ClassVar[Mapping[str, Q]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, state.capitalize()) for state in self.states]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        condition = self.states.get(self.value() or "")
        return rows if condition is None else rows.filter(condition)


class OfficeState(StateFilter):
    """Whether an office is active, suspended or closed."""

    states = {
        "active": Q(is_active=True),
        "suspended": Q(is_active=False, closed_at=None),
        "closed": Q(closed_at__isnull=False),
    }


class EndpointState(StateFilter):
    """Whether webhooks go to an endpoint, and whether operators should look at it."""

    states = {
        "on": Q(off_at=None),
        "off": Q(off_at__isnull=False),
        "flagged": Q(flagged_at__isnull=False),
    }


class DeliveryState(StateFilter):
    """What became of a delivery."""

    states = {
        "waiting": Q(delivered_at=None, given_up_at=None),
        "delivered": Q(delivered_at__isnull=False),
        "given up": Q(given_up_at__isnull=False),
    }


class RoleFilter(StateFilter):
    """The role of an operator now, or that the access ended."""

    title = parameter_name = "role"
    states = {
        **{
            role.value: Q(is_staff=True, is_active=True, is_superuser=False, groups__name=role)
            for role in OperatorRole
        },
        "superuser": Q(is_staff=True, is_active=True, is_superuser=True),
        "ended": ~Q(is_staff=True, is_active=True),
    }
