"""Charts that do not mislead: zero on the scale, real time, refused beside served."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from consents.models import ConsentActivity
from consents.presenters import Use
from core.clock import database_time
from documents.rendering.chart import HEIGHT, MARGIN, WIDTH, Balance, of_balances
from tests.conftest import Cast

FIRST = date(2026, 3, 1)


def test_a_balance_is_drawn_from_zero() -> None:
    drawn = of_balances(Balance(FIRST, Decimal(1000)), [Balance(FIRST, Decimal(1010))], until=FIRST)
    assert drawn.zero == f"{HEIGHT - MARGIN:.1f}"
    # A change of one percent stays small: both ends lie near the top.
    heights = [float(part.split("H")[0]) for part in drawn.line.replace("M0 ", "V").split("V")[1:]]
    assert abs(heights[0] - heights[1]) < 2
    assert of_balances(Balance(FIRST, Decimal(-5)), [], until=FIRST).zero == f"{MARGIN:.1f}"


def test_days_without_movements_take_their_place() -> None:
    last = FIRST + timedelta(days=9)
    drawn = of_balances(
        Balance(FIRST, Decimal(0)), [Balance(last, Decimal(1)), Balance(last, Decimal(2))], last
    )
    steps = [float(part.split("V")[0]) for part in drawn.line.split("H")[1:-1]]
    assert all(step > WIDTH * 0.9 for step in steps)
    assert (drawn.first, drawn.last) == (FIRST, last)


def test_refused_calls_are_drawn_beside_served_ones(cast: Cast) -> None:
    today = timezone.localdate()
    ConsentActivity.objects.create(consent=cast.consent, day=today, served=40, refused=2)
    yesterday = today - timedelta(days=1)
    ConsentActivity.objects.create(consent=cast.consent, day=yesterday, served=10, refused=4)
    use = Use.of(cast.consent, database_time())
    assert [(day.height, day.refused_height) for day in use.days[-2:]] == [(25, 100), (100, 50)]
    assert (use.busiest.day, use.most_refused.day) == (today, yesterday)
    assert {day.day.weekday() for day in use.mondays} == {0}
