"""What controls of parts of products close of their flows, each part by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Place = Any
"""Index of an array ``[stretch, product, origin, destination]``, stretches and products first; an ellipsis for all of it."""


class PartShares:
    """Closed shares of flows by part of a product, kept for the products of which some part is closed.

    Args:
        shape: ``(stretch, product, origin, destination)`` of the flows.
    """

    def __init__(self, shape: Sequence[int]) -> None:
        self.shape = tuple(shape)
        self._held: dict[tuple[str, int], np.ndarray] = {}

    def close(self, part: str, place: Place, share: np.ndarray | float) -> None:
        """Close a part of flows; of several controls of one part at a time the widest counts.

        Args:
            part: what the part is called.
            place: index of all four axes as `backfill.policy.board.box` gives it.
            share: of the flows, broadcastable to the place.
        """
        shares, there = np.broadcast_to(share, _shape(place)), _beside_product(place)
        for n, product in enumerate(place[1].ravel().tolist()):
            mine = shares[:, n : n + 1]
            if (part, product) not in self._held and mine.any():
                self._held[part, product] = np.zeros((self.shape[0], *self.shape[2:]))
            if (held := self._held.get((part, product))) is not None:
                held[there] = np.maximum(held[there], mine)

    def by_part(self, place: Place) -> dict[str, np.ndarray]:
        """Shares of flows at a place, as `backfill.policy.board.box` gives it, by part of which some is closed there."""
        rows, there = place[1].ravel().tolist(), _beside_product(place)
        found: dict[str, np.ndarray] = {}
        for (part, product), share in self._held.items():
            if product in rows:
                mine = share[there]
                whole = found.setdefault(part, np.zeros((len(mine), len(rows), *mine.shape[2:])))
                whole[:, rows.index(product)] = mine[:, 0]
        return found

    def total(self) -> np.ndarray:
        """Shares of all flows that parts make up together; more than one where they overlap."""
        found = np.zeros(self.shape)
        for (_, product), share in self._held.items():
            found[:, product] += share
        return found

    def beside(self, closed: np.ndarray, place: Place = ...) -> np.ndarray:
        """``1 - (1 - closed)(1 - sum of parts)``; what is given, uncopied, where no part is closed.

        Args:
            closed: shares of flows at the place that are closed of the whole product.
        """
        products = range(self.shape[1]) if place is ... else np.ravel(place[1]).tolist()
        there = place if place is ... else _beside_product(place)
        found = closed
        for n, product in enumerate(products):
            parts = [share for (_, other), share in self._held.items() if other == product]
            if parts:
                found = closed.copy() if found is closed else found
                mine = found[:, n]
                total = sum(share[there] for share in parts)
                mine[...] = 1 - (1 - mine) * (1 - np.minimum(total, 1.0).reshape(mine.shape))
        return found

    def at(self, stretches: np.ndarray) -> PartShares:
        """The same at some stretches of time, again and again if they are named so, in arrays of its own."""
        found = PartShares((len(stretches), *self.shape[1:]))
        found._held = {key: share[stretches] for key, share in self._held.items()}
        return found

    def copy(self) -> PartShares:
        """The same in arrays of its own."""
        return self.at(np.arange(self.shape[0]))


def _beside_product(place: Place) -> Place:
    """The index without its axis of products."""
    return (place[0], *place[2:])


def _shape(place: Place) -> tuple[int, ...]:
    return np.broadcast_shapes(*(np.shape(axis) for axis in place))
