"""The API monitor of one partner: calls served and refused each day, and unused consents."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db.models import Exists, Max, OuterRef, Q, Sum
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from backoffice.admin.site import AdminPage
from consents.models import Consent, ConsentActivity, Status
from partner_api.models import RefusalCount
from partners.models import Partner

DAYS = 30
QUIET = timedelta(days=DAYS)
LISTED = 50
# The chart, in its own units: one bar of a day is 10 wide with its gap.
HEIGHT = 100
THROTTLED = "tooManyRequests"


class Day(NamedTuple):
    """One day of the chart: its numbers, and where its two bars begin and how high they are."""

    day: date
    served: int
    refused: int
    left: int
    served_height: int
    refused_height: int

    @property
    def top(self) -> int:
        return HEIGHT - self.served_height

    @property
    def refused_top(self) -> int:
        return HEIGHT - self.refused_height


def chart(partner: Partner, today: date) -> list[Day]:
    """The last thirty days, the oldest first; the busiest number is as high as the chart."""
    since = today - timedelta(days=DAYS - 1)
    rows = ConsentActivity.objects.filter(consent__partner=partner, day__gte=since)
    served = dict(rows.values_list("day").annotate(n=Sum("served")).order_by())
    counted = RefusalCount.objects.filter(partner=partner, day__gte=since)
    refused = dict(counted.values_list("day").annotate(n=Sum("count")).order_by())
    most = max([1, *served.values(), *refused.values()])
    days = []
    for place in range(DAYS):
        day = since + timedelta(days=place)
        good, bad = served.get(day, 0), refused.get(day, 0)
        heights = (-(-good * HEIGHT // most), -(-bad * HEIGHT // most))
        days.append(Day(day, good, bad, place * 10, *heights))
    return days


def refusals(partner: Partner, today: date) -> list[Any]:
    """Each code with its numbers of today, a week and thirty days, the most frequent first."""
    counted = RefusalCount.objects.filter(partner=partner, day__gt=today - QUIET)
    week = Q(day__gt=today - timedelta(days=7))
    sums = counted.values("code").annotate(
        today=Sum("count", filter=Q(day=today), default=0),
        week=Sum("count", filter=week, default=0),
        month=Sum("count"),
    )
    return list(sums.order_by("-month", "code"))


def quiet_consents(partner: Partner) -> Any:
    """Allowed for thirty days or longer, and nothing was fetched in that time."""
    lately = ConsentActivity.objects.filter(
        consent=OuterRef("pk"), last_served_at__gt=Now() - QUIET
    )
    allowed = Consent.objects.filter(partner=partner, status=Status.ALLOWED)
    return allowed.filter(~Exists(lately), decided_at__lte=Now() - QUIET)


def monitor_page(page: AdminPage, request: HttpRequest, pk: int) -> HttpResponse:
    """Show the numbers of one partner as a chart and as tables."""
    partner = get_object_or_404(Partner, pk=pk)
    today = timezone.localdate()
    days, codes, quiet = chart(partner, today), refusals(partner, today), quiet_consents(partner)
    listed = quiet.select_related("office").annotate(last=Max("activity__last_served_at"))
    lately = partner.consents.filter(requested_at__gt=Now() - QUIET)
    refused = sum(day.refused for day in days)
    context = {
        "partner": partner,
        "days": days,
        "most": max(max(day.served, day.refused) for day in days),
        "served": sum(day.served for day in days),
        "refused": refused,
        "throttled": sum(row["month"] for row in codes if row["code"] == THROTTLED),
        "codes": codes,
        "allowed": partner.consents.filter(status=Status.ALLOWED).count(),
        "quiet": quiet.count(),
        "listed": listed.order_by("office__name")[:LISTED],
        "asked": lately.count(),
        "denied": lately.filter(status=Status.DENIED).count(),
    }
    return page.render_page(request, "admin/monitor.html", f"API monitor: {partner}", **context)
