"""Packages as worlds: solved from one another, with values and derivatives of what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from backfill.coupling import settled
from backfill.effects.kinds import KINDS, PACKAGE_COST
from backfill.effects.scalars import Effect, effect
from backfill.errors import UnsolvedError
from backfill.experiments.design.file import Limit, Objective
from backfill.experiments.design.levers import Levers
from backfill.experiments.design.sides import Sides, aligned_from
from backfill.experiments.setting import Progress, Setting
from backfill.experiments.started import Stand, Started
from backfill.experiments.vintages import Path, Vintages, last, vintages
from backfill.experiments.worlds import Key, batch, fingerprint, keys_of, routes_under_control
from backfill.governments.package import Package
from backfill.policy.policy import Policy
from backfill.policy.wedges import Wedges
from backfill.response import Direction, Kink, Levels, Response, levels, response
from backfill.supply.foresight import foresight_named
from backfill.threads import single_threaded_algebra

TOGETHER = 8
"""Packages solved in one batch."""
AT_HAND = 4
"""Packages whose coupling is kept for derivatives; it holds some 60 MB for each. Others are solved again if one is asked for."""
INSIDE = 2e-4
"""Share of a lever's range by which its ends are drawn in while searching: at an end controls may coincide, and part one step
inside, so that there is a derivative on one side only. Each lever a little more than the one before, so that no two coincide."""
HALF = 0.25 * INSIDE

Solved = tuple[Started, int]
"""A coupling and a world's place in it."""


@dataclass(frozen=True)
class Found:
    """A package, solved.

    Attributes:
        package: the choice.
        values: objective, then limits.
        worlds: levels of its world, and of those with which effects compare it, by name.
        residual: largest natural residual of any.
    """

    package: Package
    values: np.ndarray
    worlds: Mapping[str, Levels]
    residual: float


@dataclass(frozen=True)
class Slopes:
    """Derivatives at a package by ``share``.

    Attributes:
        by_lever: of objective and limits, ``[value, lever]``.
        left: largest residual of the linear systems.
        degenerate: limits that may bind or not.
    """

    by_lever: np.ndarray
    left: float
    degenerate: int


class Worlds:
    """Packages of one design in one setting.

    Attributes:
        levers: what is chosen.
        sides: the worlds of a package.
        reference: levels of the reference.
        asked: objective and limits, in this order; None for the package's cost.
        solved: worlds solved so far.
        steps: derivatives found so far.
    """

    def __init__(self, setting: Setting, levers: Levers, reference: Policy, progress: Progress | None = None) -> None:
        self.setting, self.levers, self.progress = setting, levers, progress
        self.foresight = foresight_named(setting.foresight, setting.economy.periods[0].years)
        known = setting.vintages(reference)
        self.controlled = routes_under_control(setting.vocabulary, *self._typical(), last(known))
        self.asked = [self._effect(one) for one in (levers.table.objective, *levers.table.limits)]
        self.sides = Sides.of(known, [one.beside for one in self.asked if one], self._allies())
        self.solved = self.steps = 0
        self._stands: dict[Key, Stand] = {}
        self._remembering = remembering(setting)
        self._couplings: dict[Package, Mapping[str, Solved]] = {}
        self._found: dict[Package, Found | None] = {}
        self._slopes: dict[Package, Slopes] = {}
        self._last: dict[str, list[Stand]] = {}
        self._nearby: dict[Package, dict[str, Vintages]] = {}
        self.reference = self._reference(known)

    def _typical(self) -> tuple[Wedges, ...]:
        """The policy with levers inside their ranges, so that whatever they control is controlled."""
        start = self.levers.start()
        middle = start.moved(np.clip(np.asarray(start.share), 0.3, 0.7))
        return (self.setting.compiled(self.levers.policy_at(middle)),)

    def _effect(self, one: Objective | Limit) -> Effect | None:
        if one.effect == PACKAGE_COST:
            return None
        aligned = KINDS[one.effect].aside and one.region
        since = aligned_from(self.levers.policy, one.region, self.setting) if aligned and one.region else 0
        return effect(one.effect, self.setting.economy, **one.where(), controlled=self.controlled, since=since)

    def _allies(self) -> list[str]:
        asked: list[Objective | Limit] = [self.levers.table.objective, *self.levers.table.limits]
        return [one.region for one in asked if one.region and one.effect in KINDS and KINDS[one.effect].aside]

    def values(self, package: Package, worlds: Mapping[str, Levels]) -> np.ndarray:
        """Objective and limits."""
        cost = self.levers.cost(package)
        return np.array([cost if one is None else one.value(worlds, self.reference) for one in self.asked])

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
            found = self._found[package]
            assert found is not None
            with single_threaded_algebra():
                try:
                    answers = self._answers(package)
                except Kink as kink:
                    names = ", ".join(self.levers.table.levers[n].label for n in kink.directions)
                    raise UnsolvedError(
                        f"Controls coincide where {names} stand, so that there is no derivative."
                    ) from None
            changes = [{name: one.slopes[n] for name, one in answers.items()} for n in range(len(self.levers))]
            rows = [
                self.levers.cost_slope(package)
                if one is None
                else np.array([one.slope(found.worlds, self.reference, change) for change in changes])
                for one in self.asked
            ]
            self.steps += 1
            left = max(one.left for one in answers.values())
            self._slopes[package] = Slopes(np.array(rows), left, sum(one.degenerate for one in answers.values()))
        return self._slopes[package]

    def _answers(self, package: Package) -> dict[str, Response]:
        """Each world's derivatives; worlds that are one and move alike once."""
        known: dict[tuple, Response] = {}
        found = {}
        for name, (coupling, place) in self._couplings[package].items():
            directions = [self._direction(coupling, place, package, n, name) for n in range(len(self.levers))]
            mark = (id(coupling), place, *(_mark(one) for one in directions))
            if mark not in known:
                known[mark] = response(coupling, place, directions, HALF)
            found[name] = known[mark]
        return found

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

    def policies(self, package: Package) -> dict[str, Vintages]:
        """The package as it becomes known, by world."""
        return self.sides.worlds(self.levers.policy_at(package), self._remembering)

    def _direction(self, coupling: Started, place: int, package: Package, n: int, name: str) -> Direction:
        """A world's policy half a step of a lever to either side, by the places of its vintages."""
        chain = [place]
        while chain[0] in coupling.departs:
            chain.insert(0, coupling.departs[chain[0]][0])
        sides = []
        for sign in (1, -1):
            share = np.asarray(package.share) + sign * HALF * np.eye(len(self.levers))[n]
            known = self._moved(package.moved(share))[name] if package.on[n] else {}
            after = {w: coupling.departs.get(w, (w, 0))[1] for w in chain}
            sides.append(
                {w: known[t] for w, t in after.items() if t in known and not _same(known[t], coupling.worlds[w])}
            )
        both = sides[0].keys() | sides[1].keys()
        return Direction(*({w: side.get(w, coupling.worlds[w]) for w in both} for side in sides))

    def _moved(self, package: Package) -> dict[str, Vintages]:
        """`policies`, the last ones kept."""
        if package not in self._nearby:
            self._nearby[package] = self.policies(package)
            for old in list(self._nearby)[: -2 * len(self.levers)]:
                del self._nearby[old]
        return self._nearby[package]

    def _reference(self, known: Vintages) -> Levels:
        with single_threaded_algebra():
            coupling, places = self._coupled({"reference": known}, {})
        place = places["reference"]
        if coupling.first_to_fail(place) in coupling.failures:
            raise UnsolvedError(
                "The reference has no world, so that there is nothing to compare with.", {"converged": 0.0}
            )
        return levels(coupling, place)

    def _solve(self, packages: Sequence[Package], keep: bool) -> None:
        near: dict[str, Stand] = {}
        named: dict[str, Vintages] = {}
        for n, package in enumerate(packages):
            for name, known in self.policies(package).items():
                named[f"{n} {name}"] = known
                near |= {f"{n} {name}": stands[-1] for stands in [self._last.get(name)] if stands}
        coupling, places = self._coupled(named, near)
        solved = {key: (coupling, places[key]) for key in named}
        lost = [key for key in named if coupling.first_to_fail(places[key]) in coupling.failures]
        if lost:
            again, elsewhere = self._coupled({key: named[key] for key in lost}, {})
            solved |= {key: (again, elsewhere[key]) for key in lost}
        for n, package in enumerate(packages):
            mine = {name: solved[f"{n} {name}"] for name in self.sides.names}
            self._found[package] = self._read(mine, package)
            if keep and self._found[package] is not None:
                self._couplings[package] = mine
                for name, (one, place) in mine.items():
                    self._last[name] = [*self._last.get(name, []), one.stand(place)][-TOGETHER:]
                for old in list(self._couplings)[:-AT_HAND]:
                    del self._couplings[old]
        self.solved += len(packages)

    def _read(self, solved: Mapping[str, Solved], package: Package) -> Found | None:
        gap, found = 0.0, {}
        for name, (coupling, place) in solved.items():
            point = coupling.points[place]
            gap = max(gap, coupling.gaps(place).largest, point.apart)
            failed = coupling.first_to_fail(place) in coupling.failures
            if failed or not point.converged.all() or not settled(gap, float(coupling.steps[place])):
                return None
            found[name] = levels(coupling, place)
        return Found(package, self.values(package, found), found, gap)

    def _coupled(self, named: Mapping[str, Vintages], near: Mapping[str, Stand]) -> tuple[Started, Mapping[str, int]]:
        """Worlds by name, those that others depart from kept for the next time; started where ``near`` says."""
        needed = batch(named)
        keys = keys_of(needed)
        known = {place: self._stands[key] for place, key in enumerate(keys) if key in self._stands}
        ends = set(needed.position.values())
        places = {name: needed.position[name] for name in near}
        starts = {place: [(1.0, near[name])] for name, place in places.items() if place not in known}
        coupling = Started.solving(self.setting.economy, needed, self.foresight, known, starts)
        self._stands |= coupling.passed(keys, ends)
        return coupling, needed.position


def remembering(setting: Setting) -> Setting:
    """The setting with wedges of policies compiled once, and what was known before policies part made once."""
    return _Remembering(**{name: getattr(setting, name) for name in setting.__dataclass_fields__})


@dataclass(frozen=True)
class _Remembering(Setting):
    """A setting that keeps what it has compiled last."""

    known: dict[str, Wedges] = field(default_factory=dict)
    made: dict[Path, Wedges] = field(default_factory=dict)

    def compiled(self, policy: Policy, *, strict: bool = False) -> Wedges:
        name = repr(policy.measures)
        if name not in self.known:
            self.known[name] = super().compiled(policy, strict=strict)
            _forget(self.known)
        return self.known[name]

    def vintages(self, policy: Policy) -> Vintages:
        if self.foresight != "perfect":
            return super().vintages(policy)
        found = vintages(policy, self.economy.periods, self.compiled, self.made)
        _forget(self.made)
        return found


MOST_COMPILED = 32
"""Wedges take some 4 MB each."""


def _forget(kept: dict) -> None:
    """Leave out what was made first but for the first of all, which others share."""
    for old in list(kept)[MOST_COMPILED // 4 : -3 * MOST_COMPILED // 4]:
        del kept[old]


def _mark(one: Direction) -> tuple:
    """What tells a direction from others."""
    return tuple(
        tuple((place, fingerprint(wedges)) for place, wedges in sorted(side.items())) for side in (one.ahead, one.back)
    )


def _same(one: Wedges, other: Wedges) -> bool:
    return one is other or fingerprint(one) == fingerprint(other)
