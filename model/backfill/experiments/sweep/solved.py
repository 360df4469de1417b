"""What solving some scenarios of a sweep gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backfill.dimensions import Vocabulary
from backfill.experiments.sweep.quantities import Array, Key, Measured
from backfill.experiments.sweep.seen import Seen
from backfill.policy.wedges import Wedges


@dataclass(frozen=True)
class Solved:
    """Scenarios solved, or not.

    Attributes:
        scenarios: their numbers.
        reasons: why each is not solved; empty if it is.
        measured: effects, one world a scenario; None if no scenario is solved. Those that are not solved have NaN.
        labels: of periods.
        seen: all flows, if they are kept.
    """

    scenarios: np.ndarray
    reasons: tuple[str, ...]
    measured: Measured | None
    labels: tuple[str, ...]
    seen: Seen | None = None


def in_order(parts: Sequence[Solved], scenarios: np.ndarray, *, keep: bool) -> Solved:
    """Several together, in the order of ``scenarios``."""
    numbers = np.concatenate([part.scenarios for part in parts])
    place = {int(number): n for n, number in enumerate(numbers)}
    order = np.array([place[int(number)] for number in scenarios], int)
    reasons = [reason for part in parts for reason in part.reasons]
    first = next((part for part in parts if part.measured is not None), None)
    if first is None or first.measured is None:
        return Solved(scenarios, tuple(reasons[n] for n in order), None, ())
    keys, shape = first.measured.keys, first.measured.values.shape
    blocks = [
        np.full((shape[0], len(part.scenarios), shape[2]), np.nan) if part.measured is None else part.measured.values
        for part in parts
    ]
    values = np.concatenate(blocks, axis=1)[:, order]
    seen = None
    if keep and first.seen is not None:
        whole = first.seen
        held = [_nothing(whole, len(part.scenarios)) if part.seen is None else part.seen for part in parts]
        seen = Seen(*(np.concatenate(some)[order] for some in zip(*held, strict=True)))
    return Solved(scenarios, tuple(reasons[n] for n in order), Measured(keys, values), first.labels, seen)


def _nothing(like: Seen, count: int) -> Seen:
    return Seen(*(np.full((count, *np.shape(part)[1:]), np.nan) for part in like))


def controlled(vocabulary: Vocabulary, worlds: Sequence[Wedges], reference: Wedges) -> np.ndarray:
    """Direct routes under control in a world or the reference in any period, ``[world, product, origin, destination]``.

    See `backfill.experiments.worlds.routes_under_control`.
    """
    base = under_control(vocabulary, reference).any(axis=0)
    return np.stack([under_control(vocabulary, wedges).any(axis=0) | base for wedges in worlds])


def under_control(vocabulary: Vocabulary, wedges: Wedges) -> np.ndarray:
    """Direct routes under control, ``[period, product, origin, destination]``."""
    found = (wedges.coverage > 0) | (wedges.advanced > 0) | (wedges.levy > 0)
    for limit in wedges.limits:
        held = np.isfinite(limit.quantity)
        if limit.side == "exporter" and held.any():
            for product, origin, destination, coefficient in limit.entries:
                if coefficient > 0:
                    place = vocabulary.regions.index(origin), vocabulary.regions.index(destination)
                    found[held, vocabulary.products.index(product), *place] = True
    return found


def failed(scenarios: np.ndarray, reason: str) -> Solved:
    """Scenarios none of which is solved, for one reason."""
    return Solved(scenarios, (reason,) * len(scenarios), None, ())


def without(values: Array, reasons: Sequence[str]) -> Array:
    """``[key, world, period]`` with NaN for worlds that are not solved."""
    values = values.copy()
    values[:, [bool(reason) for reason in reasons]] = np.nan
    return values


__all__ = ["Key", "Solved", "controlled", "failed", "in_order", "under_control", "without"]
