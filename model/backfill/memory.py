"""What the process does with memory that it has freed."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Names of glibc's ``mallopt``."""

LARGE = 2**26


def reuse() -> None:
    """Let freed memory serve what is computed next instead of going back to the system, and all threads share it.

    Solving makes and frees the same arrays thousands of times, and each page that comes anew from the system costs a fault.
    Without effect where the C library is not glibc.
    """
    if mallopt := _routine("mallopt"):
        for option, value in ((_TRIM_THRESHOLD, LARGE), (_MMAP_THRESHOLD, LARGE), (_ARENA_MAX, 1)):
            mallopt(option, value)


def give_back() -> None:
    """Give back to the system once what is free, as after loading programs, which takes more than they do."""
    if trim := _routine("malloc_trim"):
        trim(0)


def _routine(name: str) -> Callable[..., int] | None:
    """A routine of the C library, if it has it."""
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except (OSError, TypeError):
        return None
