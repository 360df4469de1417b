"""One thread per linear-algebra call: markets and plans are many small problems, and threads that wait cost far more."""

from __future__ import annotations

from functools import lru_cache

from threadpoolctl import ThreadpoolController


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    """Finds the libraries loaded so far, hence after SciPy's, which JAX and the plans use."""
    import scipy.linalg  # noqa: F401

    return ThreadpoolController()


def single_threaded_algebra():
    """A context in which BLAS and LAPACK use one thread; what was set before returns at the end."""
    return _controller().limit(limits=1, user_api="blas")
