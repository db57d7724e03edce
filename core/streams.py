"""A limit for the long answers that a web process sends at the same time.

The web server's thread waits with each piece of an answer until the reader has taken most of it
(granian's `yield` blocks). So a slow reader occupies a thread. A long answer therefore needs a
slot. There are fewer slots than threads, and one owner gets only a part of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from contextlib import suppress
from threading import Lock

from django.conf import settings

# An answer up to this size is sent in one piece, which does not occupy a thread.
WHOLE = 256 * 1024
# When a refused caller may try again, in seconds.
TRY_AGAIN = 2


class Slots:
    """The slots of this process, by owner: a partner, or the pages.

    The names of two settings say how many there are, and how many of them one owner gets.
    """

    def __init__(self, at_once: str, per_owner: str) -> None:
        self._at_once, self._per_owner = at_once, per_owner
        self._lock = Lock()
        self._taken: Counter[Hashable] = Counter()

    def take(self, owner: Hashable) -> Slot | None:
        """Take a slot; None if this owner, or all owners together, have reached their limit."""
        with self._lock:
            if self._taken.total() >= getattr(settings, self._at_once) or self._taken[
                owner
            ] >= getattr(settings, self._per_owner):
                return None
            self._taken[owner] += 1
        return Slot(self, owner)

    def give_back(self, owner: Hashable) -> None:
        with self._lock:
            self._taken[owner] -= 1
            self._taken += Counter()  # forget the owners that have none


class Slot:
    """The right to send one long answer."""

    def __init__(self, slots: Slots, owner: Hashable) -> None:
        self._slots, self._owner = slots, owner
        self._lock = Lock()
        self._is_held = True

    def release(self) -> None:
        with self._lock:
            was_held, self._is_held = self._is_held, False
        if was_held:
            self._slots.give_back(self._owner)


class SlotStream(Iterator[bytes]):
    """The pieces of a long answer. The slot is freed when they end, also after an error."""

    def __init__(self, slot: Slot, pieces: Iterable[bytes]) -> None:
        self._slot, self._pieces = slot, iter(pieces)
        self._first: bytes | None = None

    def begun(self) -> SlotStream:
        """The stream with its first piece already read; an error in that piece is raised here."""
        self._first = next(self)
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        # If the reader left before the server began, the server may not close it; `__del__` does.
        try:
            with suppress(AttributeError):
                self._pieces.close()  # type: ignore[attr-defined]
        finally:
            self._slot.release()

    def __del__(self) -> None:
        self.close()


slots = Slots("PORTAL_DOWNLOADS_AT_ONCE", "PORTAL_DOWNLOADS_PER_PARTNER")
