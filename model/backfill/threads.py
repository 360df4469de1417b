"""One thread per linear-algebra call: markets and plans are many small problems, and threads that wait cost far more.

Cores are shared out among problems instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

_most = os.cpu_count() or 1

Problem = TypeVar("Problem")
Answer = TypeVar("Answer")


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    """Finds the libraries loaded so far, hence after SciPy's, which JAX and the plans use."""
    import scipy.linalg  # noqa: F401

    return ThreadpoolController()


def single_threaded_algebra():
    """A context in which BLAS and LAPACK use one thread; what was set before returns at the end."""
    return _controller().limit(limits=1, user_api="blas")


def use_at_most(threads: int) -> None:
    """Let `side_by_side` use so many threads, where other processes use the other cores."""
    global _most
    _most = max(threads, 1)


def side_by_side(solve: Callable[[Problem], Answer], problems: Iterable[Problem]) -> list[Answer]:
    """``solve`` of each problem, in their order, on all cores, or as many as `use_at_most` says."""
    with ThreadPoolExecutor(_most) as pool:
        return list(pool.map(solve, problems))
