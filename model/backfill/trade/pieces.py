"""Running compiled programs over many lanes: pieces of one size (compiled once, sized for the cache), on all cores or devices."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from backfill.programs import program
from backfill.threads import side_by_side, single_threaded_algebra

ON_ACCELERATORS = 1024
"""Most lanes of a piece on each device that is not a CPU; a lane takes some 3 MB while it is solved."""


def at_once(size: int) -> int:
    """Lanes best given to `in_pieces` in one call: ``size`` where CPUs solve them, else what fills all devices."""
    return size if jax.default_backend() == "cpu" else max(size, ON_ACCELERATORS * len(jax.devices()))


def held(shared: Any) -> Any:
    """The same arrays on the device, where there is one, for many calls of `in_pieces` to share; NumPy's where there are more."""
    if len(jax.devices()) > 1:
        return jax.tree.map(np.asarray, shared)
    with jax.enable_x64(True):
        return jax.tree.map(lambda leaf: leaf if isinstance(leaf, jax.Array) else jnp.asarray(leaf), shared)


def in_pieces(
    function: Callable[..., Any],
    settings: tuple[Hashable, ...],
    size: int,
    lanes: Sequence[Any],
    shared: Sequence[Any] = (),
) -> Any:
    """``function(*settings, *lanes, *shared)`` over a leading axis of ``lanes``, piece by piece, as NumPy arrays.

    The last piece is padded with copies of its last lane. Several devices share each piece out among themselves. Where they are
    not CPUs a piece has as many lanes as there are, in powers of two times ``size``, up to `ON_ACCELERATORS` a device.
    """
    devices = len(jax.devices())
    if jax.default_backend() != "cpu":
        share = -(-len(jax.tree.leaves(lanes[-1])[0]) // devices)
        size = next((more for n in range(11) if (more := size << n) >= min(share, ON_ACCELERATORS)), size)
    size *= devices
    lanes, shared = jax.tree.map(np.asarray, tuple(lanes)), held(tuple(shared))
    count = len(jax.tree.leaves(lanes[-1])[0])
    pieces = [np.minimum(np.arange(first, first + size), count - 1) for first in range(0, count, size)]

    def piece(index: np.ndarray) -> Any:
        part = slice(index[0], index[-1] + 1) if index[-1] - index[0] + 1 == size else index
        return jax.tree.map(lambda leaf: leaf[part], lanes)

    with single_threaded_algebra():
        compiled = program(function, settings, *piece(pieces[0]), *shared, spread=len(lanes))
        done = side_by_side(lambda index: compiled(*piece(index), *shared), pieces)
    return jax.tree.map(lambda *parts: np.concatenate(parts)[:count], *done)
