"""A cursor is a UUID that says where a page begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from partner_api.change_cursor import EPOCH, HUNDREDTH, ChangeCursor

MOMENTS = st.datetimes(EPOCH.replace(tzinfo=None), datetime(2070, 1, 1), timezones=st.just(UTC))


@given(MOMENTS, st.integers(0, (1 << 33) - 1), st.integers(0, 200_000_000_000))
def test_a_cursor_is_read_as_it_was_written(place: datetime, document: int, begun: int) -> None:
    cursor = ChangeCursor(place, document, EPOCH + begun * HUNDREDTH)
    as_uuid = cursor.as_uuid()
    assert (as_uuid.version, as_uuid.variant) == (8, "specified in RFC 4122")
    assert ChangeCursor.from_uuid(as_uuid) == cursor


def test_a_later_cursor_is_a_greater_uuid() -> None:
    first = ChangeCursor.at_the_beginning(datetime.now(UTC))
    later = first.behind(datetime.now(UTC), 7)
    last = later.behind(later.place + timedelta(microseconds=1), 3)
    assert first.as_uuid() < later.as_uuid() < last.as_uuid()


def test_another_uuid_is_no_cursor() -> None:
    assert ChangeCursor.from_uuid(uuid4()) is None
    assert ChangeCursor.from_uuid(UUID(int=0)) is None
