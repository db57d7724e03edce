"""Make this process give unused memory back to the system.

The C library keeps unused memory in pools, one for every few threads. It gives memory back above a
limit, and raises that limit up to 32 MB after a process has used a piece of that size. A web
process with 32 threads that sent whole files grew by a third in 300 calls, and grew further. With
two pools and fixed limits it stays as large as it was. The first limit of the library is 128 KiB.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

# Of malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
POOLS, LIMIT = 2, 128 * 1024


def give_memory_back() -> None:
    """Set the limits if the C library is glibc; others have no such limits."""
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_ARENA_MAX, POOLS)
        mallopt(M_MMAP_THRESHOLD, LIMIT)
        mallopt(M_TRIM_THRESHOLD, LIMIT)
