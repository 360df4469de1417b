"""How a solved world moves with its policy, suppliers' and stockholders' answers included (sections 6, 7 and 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np

from backfill.accounts import terminal_value
from backfill.coupling import Coupling
from backfill.supply.nodes import Array, capacity_path
from backfill.tangent import Direction, Kink, Stage
from backfill.threads import single_threaded_algebra
from backfill.trade.equilibrium import outcomes
from backfill.trade.tangents import Observed, observed

__all__ = ["Direction", "Kink", "Levels", "Response", "levels", "response"]


class Levels(NamedTuple):
    """What effects are made of: one world, or its change along a direction; reported periods.

    Attributes:
        observed: markets, ``[period, ...]``.
        capacity: planned capacities, ``[period, node]``.
        terminal: worth of what is left of each after the last period, ``[node]``.
    """

    observed: Observed
    capacity: Array
    terminal: Array


@dataclass(frozen=True)
class Response:
    """A world and its derivatives.

    Attributes:
        levels: the world.
        slopes: its change by unit of each direction.
        left: largest residual of the linear system, relative to its solution.
        corrections: corrections made, of the world with most.
        degenerate: limits at which both sides of a complementarity are nearly zero.
    """

    levels: Levels
    slopes: tuple[Levels, ...]
    left: float
    corrections: int
    degenerate: int


def levels(coupling: Coupling, world: int) -> Levels:
    """A solved world's levels."""
    economy, point = coupling.economy, coupling.points[world]
    shown = np.arange(economy.reported)
    lane, vector = coupling.lane({world: point}, {world: shown})
    nodes = coupling.nodes[world]
    path = capacity_path(nodes, point.additions).T
    seen = observed(economy.structure, outcomes(economy.structure, lane, vector))
    return Levels(seen, path[shown], terminal_value(economy, nodes, point.additions))


def response(coupling: Coupling, world: int, directions: Sequence[Direction], half: float) -> Response:
    """The levels of a solved world and their derivatives along directions of the policy.

    Args:
        coupling: holds the world and those it departs from, all solved.
        world: its place.
        directions: of its wedges and of those it departs from.
        half: half of the step between ``ahead`` and ``back``, in units of the direction.

    Raises:
        Kink: a direction along which the pattern of closed routes changes.
    """
    chain = [world]
    while chain[0] in coupling.departs:
        chain.insert(0, coupling.departs[chain[0]][0])
    with single_threaded_algebra():
        stages: list[Stage | None] = []
        for place in chain:
            before = stages[-1] if stages else None
            moves = before is not None or any(place in one.ahead for one in directions)
            stages.append(Stage(coupling, place, directions, half, before).solved() if moves else None)
        return _joined(coupling, chain, stages, len(directions))


def _joined(coupling: Coupling, chain: Sequence[int], stages: Sequence[Stage | None], count: int) -> Response:
    """Each stage's periods from its own beginning to that of the next."""
    base = levels(coupling, chain[-1])
    found = [one for one in stages if one is not None]
    slopes = []
    for n in range(count):
        seen = jax.tree.map(np.zeros_like, base.observed)
        for place, stage in zip(chain, stages, strict=True):
            begun = coupling.departs.get(place, (place, 0))[1]
            if stage is not None and begun < coupling.economy.reported:
                for mine, its in zip(seen, stage.seen, strict=True):
                    mine[begun:] = its[: len(mine) - begun, n]
        last = stages[-1]
        ends = (np.zeros_like(base.capacity), np.zeros_like(base.terminal)) if last is None else last.ends(n)
        slopes.append(Levels(seen, *ends))
    left = max((one.left for one in found), default=0.0)
    steps = max((one.corrections for one in found), default=0)
    return Response(base, tuple(slopes), left, steps, sum(one.degenerate for one in found))
