"""The cursor of the list of changes: a place in the list, written as a UUID.

It says all that the next page needs, so nothing is stored for it, and it is kept for ever. Its 122
free bits (RFC 9562, version 8) are the place in microseconds, the key of the document, and the
moment, in hundredths of a second, in which the software began to read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND, HUNDREDTH = timedelta(microseconds=1), timedelta(milliseconds=10)
# Enough bits until the year 2071 and for 8 billion documents.
PLACE_BITS, DOCUMENT_BITS, BEGUN_BITS = 51, 33, 38
VERSION, VARIANT = 8, 0b10


class ChangeCursor(NamedTuple):
    """Behind which change a page begins.

    `begun` is the moment of the first page: what was hidden or deleted until then is not told.
    """

    place: datetime
    document_id: int
    begun: datetime

    @classmethod
    def at_the_beginning(cls, horizon: datetime) -> ChangeCursor:
        return cls(EPOCH, 0, EPOCH + (horizon - EPOCH) // HUNDREDTH * HUNDREDTH)

    @classmethod
    def from_uuid(cls, cursor: UUID) -> ChangeCursor | None:
        """None where it is no cursor of ours."""
        bits = cursor.int
        if (bits >> 76 & 0xF, bits >> 62 & 0b11) != (VERSION, VARIANT):
            return None
        payload = (bits >> 80) << 74 | (bits >> 64 & 0xFFF) << 62 | bits & (1 << 62) - 1
        begun = payload & (1 << BEGUN_BITS) - 1
        document = payload >> BEGUN_BITS & (1 << DOCUMENT_BITS) - 1
        place = payload >> BEGUN_BITS + DOCUMENT_BITS
        return cls(EPOCH + place * MICROSECOND, document, EPOCH + begun * HUNDREDTH)

    def as_uuid(self) -> UUID:
        place = max(self.place - EPOCH, timedelta()) // MICROSECOND
        begun = (self.begun - EPOCH) // HUNDREDTH
        payload = (place << DOCUMENT_BITS | self.document_id) << BEGUN_BITS | begun
        low = payload & (1 << 62) - 1
        middle = payload >> 62 & 0xFFF
        return UUID(int=payload >> 74 << 80 | VERSION << 76 | middle << 64 | VARIANT << 62 | low)

    def behind(self, place: datetime, document_id: int) -> ChangeCursor:
        return self._replace(place=place, document_id=document_id)
