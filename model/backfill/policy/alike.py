"""Whether two policies act alike: the same wedges on flows that exist, and the same limits that can bind."""

from __future__ import annotations

import numpy as np

from backfill.dimensions import Vocabulary
from backfill.policy.wedges import Limit, Wedges

ELSEWHERE = ("enforcement", "detection", "remote", "outlay", "wear", "subsidy", "knowledge")
"""Wedges that are not on trade flows."""

_EQUAL = 1e-12
"""Relative difference of sizes that are the same but for rounding."""

Flow = tuple[str, str, str]


def alike(one: Wedges, other: Wedges, vocabulary: Vocabulary, exists: np.ndarray | None) -> bool:
    """Whether two policies act alike.

    Args:
        one, other: their wedges.
        vocabulary: regions and products, in array order.
        exists: ``[product, origin, destination]``, where the benchmark has a flow; None takes every flow as possible.
    """
    for wedge in ("coverage", "advanced", "tariff", "levy", "real_cost", "lock_in"):
        differs = getattr(one, wedge) != getattr(other, wedge)
        if (differs if exists is None else differs & exists).any():
            return False
    if not all(np.array_equal(getattr(one, wedge), getattr(other, wedge)) for wedge in ELSEWHERE):
        return False
    return _limits(one, vocabulary, exists) == _limits(other, vocabulary, exists)


def _limits(wedges: Wedges, vocabulary: Vocabulary, exists: np.ndarray | None) -> set[tuple[object, ...]]:
    """What tells limits that can bind from one another; of limits that are the same, one."""
    found: dict[tuple[object, ...], Limit] = {}
    for limit in wedges.limits:
        held = np.isfinite(limit.quantity)
        entries = tuple(entry for entry in limit.entries if _open(entry[:3], held, wedges, vocabulary, exists))
        if held.any() and any(entry[3] > 0 for entry in entries):
            how = (limit.internalised, limit.by_value, limit.ceiling)
            found[(limit.owner, limit.side, entries, limit.quantity.tobytes(), *how)] = limit
    for key, limit in list(found.items()):
        if any(binds_first(other, limit) for other in found.values() if other is not limit):
            del found[key]
    return set(found)


def _open(flow: Flow, held: np.ndarray, wedges: Wedges, vocabulary: Vocabulary, exists: np.ndarray | None) -> bool:
    """Whether anything can flow, in a period in which a limit holds."""
    place = vocabulary.products.index(flow[0]), vocabulary.regions.index(flow[1]), vocabulary.regions.index(flow[2])
    if exists is not None and not exists[place]:
        return False
    return bool((wedges.coverage[(held, *place)] < 1).any())


def binds_first(one: Limit, other: Limit) -> bool:
    """Whether nothing that one limit allows is too much for the other, in any period in which the other holds.

    A limit whose rent has a ceiling gives way, and so comes before none. A limit of ``sum(a x) <= A`` comes before
    ``sum(b x) <= B`` if ``k a >= b`` for every flow and ``k A <= B`` with some ``k``; the least ``k`` is taken.
    """
    if one.ceiling < np.inf or one.by_value != other.by_value:
        return False
    first, second = _coefficients(one), _coefficients(other)
    counted = {flow: size for flow, size in second.items() if size > 0}
    if any(first.get(flow, 0.0) <= 0 for flow in counted):
        return False
    scale = max(size / first[flow] for flow, size in counted.items())
    flows = {**first, **second}
    if any(scale * first.get(flow, 0.0) < second.get(flow, 0.0) - _EQUAL for flow in flows):
        return False
    held = np.isfinite(other.quantity)
    return bool((scale * one.quantity[held] <= other.quantity[held] * (1 + _EQUAL)).all())


def _coefficients(limit: Limit) -> dict[Flow, float]:
    found: dict[Flow, float] = {}
    for product, origin, destination, size in limit.entries:
        found[(product, origin, destination)] = found.get((product, origin, destination), 0.0) + size
    return found
