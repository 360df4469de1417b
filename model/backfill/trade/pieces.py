"""Running compiled code over many lanes: pieces of one size (compiled once, sized for the cache), on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from backfill.threads import single_threaded_algebra

_compiled: set[Hashable] = set()


def in_pieces(function: Callable[..., Any], key: Hashable, size: int, *lanes: Any) -> Any:
    """``function(*lanes)`` over a leading lane axis, piece by piece, as NumPy arrays.

    The last piece is padded with copies of its last lane. Before anything is compiled for ``key`` and these shapes the
    first piece runs alone, so that the others find it compiled.
    """
    count = len(jax.tree.leaves(lanes[-1])[0])
    pieces = [np.minimum(np.arange(first, first + size), count - 1) for first in range(0, count, size)]
    shapes = tuple((leaf.shape[1:], str(leaf.dtype)) for leaf in jax.tree.leaves(lanes))

    def run(index: np.ndarray) -> Any:
        with jax.enable_x64(True):
            return jax.tree.map(np.asarray, function(*jax.tree.map(lambda leaf: np.asarray(leaf)[index], lanes)))

    with single_threaded_algebra():
        done = []
        if (key, size, shapes) not in _compiled:
            done = [run(pieces[0])]
            _compiled.add((key, size, shapes))
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            done += pool.map(run, pieces[len(done) :])
    return jax.tree.map(lambda *parts: np.concatenate(parts)[:count], *done)
