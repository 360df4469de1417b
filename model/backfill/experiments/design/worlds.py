"""Packages as worlds: solved from one another, with values and derivatives of what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backfill.coupling import settled
from backfill.effects.kinds import PACKAGE_COST
from backfill.effects.scalars import Effect, effect
from backfill.errors import UnsolvedError
from backfill.experiments.design.file import Limit, Objective
from backfill.experiments.design.levers import Levers
from backfill.experiments.design.started import Stand, Started
from backfill.experiments.setting import Progress, Setting
from backfill.experiments.vintages import Vintages
from backfill.experiments.worlds import Key, batch, fingerprint, keys_of
from backfill.governments.package import Package
from backfill.policy.policy import Policy
from backfill.policy.wedges import Wedges
from backfill.response import Direction, Kink, Levels, levels, response
from backfill.supply.foresight import foresight_named
from backfill.threads import single_threaded_algebra

TOGETHER = 8
"""Packages solved in one batch."""
INSIDE = 2e-4
"""Share of a lever's range by which its ends are drawn in while searching: at an end controls may coincide, and part one step
inside, so that there is a derivative on one side only. Each lever a little more than the one before, so that no two coincide."""
HALF = 0.25 * INSIDE

@dataclass(frozen=True)
class Found:
    """A package, solved.

    Attributes:
        package: the choice.
        values: objective, then limits.
        levels: of its world.
        residual: largest natural residual.
    """

    package: Package
    values: np.ndarray
    levels: Levels
    residual: float


@dataclass(frozen=True)
class Slopes:
    """Derivatives at a package by ``share``.

    Attributes:
        by_lever: of objective and limits, ``[value, lever]``.
        changes: of the world's levels, by lever.
        left: residual of the linear system.
        degenerate: limits that may bind or not.
    """

    by_lever: np.ndarray
    changes: tuple[Levels, ...]
    left: float
    degenerate: int


class Worlds:
    """Packages of one design in one setting.

    Attributes:
        levers: what is chosen.
        reference: levels of the reference.
        asked: objective and limits, in this order; None for the package's cost.
        solved: worlds solved so far.
        steps: derivatives found so far.
    """

    def __init__(self, setting: Setting, levers: Levers, reference: Policy, progress: Progress | None = None) -> None:
        self.setting, self.levers, self.progress = setting, levers, progress
        self.foresight = foresight_named(setting.foresight, setting.economy.periods[0].years)
        self.asked = [self._effect(one) for one in (levers.table.objective, *levers.table.limits)]
        self.solved = self.steps = 0
        self._stands: dict[Key, Stand] = {}
        self._compiled: dict[str, Wedges] = {}
        self._couplings: dict[Package, tuple[Started, int]] = {}
        self._found: dict[Package, Found | None] = {}
        self._slopes: dict[Package, Slopes] = {}
        self._last: list[Stand] = []
        self.reference = self._reference(reference)

    def _effect(self, one: Objective | Limit) -> Effect | None:
        name = one.effect
        return None if name == PACKAGE_COST else effect(name, self.setting.economy, **one.where())

    def values(self, package: Package, world: Levels) -> np.ndarray:
        """Objective and limits."""
        cost = self.levers.cost(package)
        return np.array([cost if one is None else one.value(world, self.reference) for one in self.asked])

    def found(self, packages: Sequence[Package], *, keep: bool = True) -> list[Found | None]:
        """Packages solved; None where there is no world.

        Args:
            packages: choices.
            keep: whether others may start from them and derivatives may be asked for.
        """
        todo = [one for one in dict.fromkeys(packages) if one not in self._found]
        with single_threaded_algebra():
            for first in range(0, len(todo), TOGETHER):
                self._solve(todo[first : first + TOGETHER], keep)
        return [self._found[one] for one in packages]

    def slopes(self, package: Package) -> Slopes:
        """Derivatives at a package that was solved.

        Raises:
            UnsolvedError: there is no derivative at the package.
        """
        if package not in self._slopes:
            if package not in self._couplings:
                self._found.pop(package, None)
                self.found([package])
            coupling, place = self._couplings[package]
            with single_threaded_algebra():
                directions = [self._direction(coupling, place, package, n) for n in range(len(self.levers))]
                try:
                    answer = response(coupling, place, directions, HALF)
                except Kink as kink:
                    names = ", ".join(self.levers.table.levers[n].label for n in kink.directions)
                    raise UnsolvedError(f"Controls coincide where {names} stand, so that there is no derivative.") from None
            found = self._found[package]
            assert found is not None
            rows = [
                self.levers.cost_slope(package)
                if one is None
                else np.array([one.slope(found.levels, self.reference, change) for change in answer.slopes])
                for one in self.asked
            ]
            self.steps += 1
            self._slopes[package] = Slopes(np.array(rows), answer.slopes, answer.left, answer.degenerate)
        return self._slopes[package]

    def inside(self, package: Package) -> Package:
        """The package with the ends of every lever drawn in."""
        return package.moved(self.edge + self.inner * np.asarray(package.share))

    @property
    def edge(self) -> np.ndarray:
        """By how much, as a share of each range."""
        return INSIDE * (1 + 0.1 * np.arange(len(self.levers)))

    @property
    def inner(self) -> np.ndarray:
        """What is left of each range."""
        return 1 - 2 * self.edge

    def policy(self, package: Package) -> Vintages:
        """The package as it becomes known."""
        return replace_compiled(self.setting, self._compiled).vintages(self.levers.policy_at(package))

    def _direction(self, coupling: Started, place: int, package: Package, n: int) -> Direction:
        """The policy half a step of a lever to either side, by the places of its vintages."""
        chain = [place]
        while chain[0] in coupling.departs:
            chain.insert(0, coupling.departs[chain[0]][0])
        sides = []
        for sign in (1, -1):
            share = np.asarray(package.share) + sign * HALF * np.eye(len(self.levers))[n]
            known = self.policy(package.moved(share)) if package.on[n] else {}
            after = {w: coupling.departs.get(w, (w, 0))[1] for w in chain}
            sides.append({w: known[t] for w, t in after.items() if t in known and not _same(known[t], coupling.worlds[w])})
        both = sides[0].keys() | sides[1].keys()
        return Direction(*({w: side.get(w, coupling.worlds[w]) for w in both} for side in sides))

    def _reference(self, policy: Policy) -> Levels:
        with single_threaded_algebra():
            coupling, places = self._coupled({"reference": self.setting.vintages(policy)}, near=False)
        place = places["reference"]
        if coupling.first_to_fail(place) in coupling.failures:
            raise UnsolvedError("The reference has no world, so that there is nothing to compare with.", {"converged": 0.0})
        return levels(coupling, place)

    def _solve(self, packages: Sequence[Package], keep: bool) -> None:
        named = {str(n): self.policy(package) for n, package in enumerate(packages)}
        coupling, places = self._coupled(named, near=True)
        lost = [str(n) for n in range(len(packages)) if coupling.first_to_fail(places[str(n)]) in coupling.failures]
        if lost:
            again, elsewhere = self._coupled({name: named[name] for name in lost}, near=False)
        for n, package in enumerate(packages):
            one, place = (again, elsewhere[str(n)]) if str(n) in lost else (coupling, places[str(n)])
            self._found[package] = self._read(one, place, package)
            if keep and self._found[package] is not None:
                self._couplings[package] = (one, place)
                self._last = [*self._last, one.stand(place)][-TOGETHER:]
                for old in list(self._couplings)[: -3 * TOGETHER]:
                    del self._couplings[old]
        self.solved += len(packages)

    def _read(self, coupling: Started, place: int, package: Package) -> Found | None:
        point = coupling.points[place]
        gap = max(coupling.gaps(place).largest, point.apart)
        failed = coupling.first_to_fail(place) in coupling.failures
        if failed or not point.converged.all() or not settled(gap, float(coupling.steps[place])):
            return None
        world = levels(coupling, place)
        return Found(package, self.values(package, world), world, gap)

    def _coupled(self, named: Mapping[str, Vintages], *, near: bool) -> tuple[Started, Mapping[str, int]]:
        """Worlds by name, those that others depart from kept for the next time."""
        needed = batch(named)
        keys = keys_of(needed)
        known = {place: self._stands[key] for place, key in enumerate(keys) if key in self._stands}
        ends = set(needed.position.values())
        starts = {place: self._last[-1] for place in ends if near and self._last and place not in known}
        coupling = Started(self.setting.economy, needed.wedges, self.foresight, needed.departs, known, starts)
        coupling.take()
        coupling.solve()
        shared = [p for p in range(coupling.count) if p not in ends and p not in coupling.failures]
        self._stands |= {keys[place]: coupling.stand(place) for place in shared}
        return coupling, needed.position


def replace_compiled(setting: Setting, compiled: dict[str, Wedges]) -> Setting:
    """The setting with wedges of policies compiled once."""
    return _Remembering(**{name: getattr(setting, name) for name in setting.__dataclass_fields__}, known=compiled)


@dataclass(frozen=True)
class _Remembering(Setting):
    """A setting that keeps what it has compiled."""

    known: dict[str, Wedges]

    def compiled(self, policy: Policy, *, strict: bool = False) -> Wedges:
        name = repr(policy.measures)
        if name not in self.known:
            self.known[name] = super().compiled(policy, strict=strict)
            for old in list(self.known)[:-MOST_COMPILED]:
                del self.known[old]
        return self.known[name]


MOST_COMPILED = 64


def _same(one: Wedges, other: Wedges) -> bool:
    return fingerprint(one) == fingerprint(other)
