"""The search over true worlds: scaled problems, samples, starts, frontier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc

from backfill.errors import UnsolvedError
from backfill.experiments.design.file import DesignTable
from backfill.experiments.design.worlds import Found, Worlds
from backfill.governments.package import Package
from backfill.governments.sequential import NEARLY, PENALTY, Search, Verdict, frontier, merit, search


@dataclass(frozen=True)
class Scaled:
    """A design as the search sees it: small is good, limits hold at or below zero, gradients of the order of one.

    Attributes:
        worlds: packages as worlds.
        bounds: of the limits.
        scale: of objective and limits.
    """

    worlds: Worlds
    bounds: np.ndarray
    scale: np.ndarray

    @property
    def switches(self) -> np.ndarray:
        return np.array([lever.switch for lever in self.table.levers], bool)

    @property
    def table(self) -> DesignTable:
        """The design."""
        return self.worlds.levers.table

    @property
    def signs(self) -> np.ndarray:
        """Of objective and limits."""
        return np.array([self.table.objective.sign, *(limit.sign for limit in self.table.limits)])

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Values as the search sees them."""
        return self.signs * (values - np.concatenate([[0.0], self.bounds])) / self.scale

    def values(self, points: Sequence[Package]) -> list[np.ndarray | None]:
        found = self.worlds.found([self.worlds.inside(point) for point in points])
        return [None if one is None else self.scaled(one.values) for one in found]

    def slopes(self, point: Package) -> np.ndarray | None:
        try:
            raw = self.worlds.slopes(self.worlds.inside(point)).by_lever
        except UnsolvedError:
            return None
        return (self.signs / self.scale)[:, None] * raw * self.worlds.inner

    def price(self, limit: int, multiplier: float) -> float:
        """Change of the objective by a unit of a limit's bound, in their own units: what loosening it is worth."""
        return float(multiplier * self.scale[0] / self.scale[1 + limit])

    def at(self, limit: int, bound: float) -> Scaled:
        """The same with another bound on a limit."""
        return Scaled(self.worlds, np.where(np.arange(len(self.bounds)) == limit, bound, self.bounds), self.scale)


@dataclass(frozen=True)
class Outcome:
    """What was found.

    Attributes:
        problem: as it was searched.
        start: the first package, solved.
        best: the search that ended best.
        searches: all, in the order of their starts.
        optimum: the best package at its own bounds, solved.
        samples: packages drawn and solved.
        frontier: bound, search and package solved, along the frontier.
    """

    problem: Scaled
    start: Found
    best: Search
    searches: tuple[Search, ...]
    optimum: Found
    samples: tuple[Found, ...]
    frontier: tuple[tuple[float, Search, Found], ...]


def solve(worlds: Worlds) -> Outcome:
    """Samples, searches from the best of them and from the file's own package, and the frontier.

    Raises:
        UnsolvedError: neither the file's own package nor any sample has a world and a derivative.
    """
    table = worlds.levers.table
    start = worlds.levers.start()
    samples = drawn(table.search.samples, len(worlds.levers), table.search.seed)
    _told(worlds, "first package", 0.0)
    solved = [one for one in worlds.found([worlds.inside(start)]) if one is not None]
    _told(worlds, "samples", 0.05)
    solved += [one for one in worlds.found([worlds.inside(one) for one in samples], keep=False) if one is not None]
    if not solved:
        raise UnsolvedError("No package has a world: neither the file's own nor any drawn; try milder ranges.")
    problem = _scaled(worlds, solved[0].package)
    order = sorted(solved[1:], key=lambda one: merit(problem.scaled(one.values), PENALTY))
    starts = [start, *(_outer(worlds, one.package) for one in order)][: table.search.starts]
    searches = []
    for n, one in enumerate(starts):
        _told(worlds, f"start {n + 1} of {len(starts)}", 0.2 + 0.3 * n / len(starts))
        searches.append(search(problem, one))
    best = min(searches, key=_rank)
    along: list[tuple[float, Search, Found]] = []
    if table.frontier is not None and table.moving is not None:
        _told(worlds, "frontier", 0.5)
        along = _frontier(problem, table, best)
    own = worlds.found([start], keep=False)[0] or worlds.found([worlds.inside(start)])[0] or solved[0]
    return Outcome(problem, own, best, tuple(searches), exact([(problem, best)])[0], tuple(solved[1:]), tuple(along))


def drawn(count: int, levers: int, seed: int) -> list[Package]:
    """Packages spread evenly over all ranges (a scrambled Sobol sequence), all measures there."""
    if not count:
        return []
    power = int(np.ceil(np.log2(count)))
    points = qmc.Sobol(levers, rng=seed).random_base2(power)[:count]
    return [Package(tuple(point.tolist()), (True,) * levers) for point in points]


def exact(ended: Sequence[tuple[Scaled, Search]]) -> list[Found]:
    """The packages of searches of one design, solved with levers at the very ends of ranges where they ended there.

    The last step to an end may pass a limit that the search kept. The levers between their ends then make room by the least that
    leaves limits that bind where they were; where that does not do either, the package stays as it was searched.

    Raises:
        UnsolvedError: a package has no world.
    """
    worlds = ended[0][0].worlds
    searched = worlds.found([worlds.inside(one.point) for _, one in ended])
    if any(one is None for one in searched):
        raise UnsolvedError("The best package has no world.")
    found = worlds.found([_at_ends(worlds, one.point) for _, one in ended], keep=False)
    passing = {n: _room(*ended[n], one) for n, one in enumerate(found) if one and not _kept(*ended[n], one)}
    todo = {n: package for n, package in passing.items() if package is not None}
    roomier = dict(zip(todo, worlds.found(list(todo.values()), keep=False), strict=True))
    best = []
    for n, pair in enumerate(ended):
        candidates = [one for one in (found[n], roomier.get(n)) if one is not None and _kept(*pair, one)]
        best.append(candidates[0] if candidates else searched[n])
    return best


def _at_ends(worlds: Worlds, point: Package) -> Package:
    share, inside = np.asarray(point.share), np.asarray(worlds.inside(point).share)
    return point.moved(np.where(share <= NEARLY, 0.0, np.where(share >= 1 - NEARLY, 1.0, inside)))


def _kept(problem: Scaled, ended: Search, found: Found) -> bool:
    """Whether a package passes no limit, or none further than the search did."""
    return bool((problem.scaled(found.values)[1:] <= np.maximum(ended.values[1:], NEARLY)).all())


def _room(problem: Scaled, ended: Search, found: Found) -> Package | None:
    """The package with levers between their ends moved so that limits are where the search left them; None if there are none."""
    share, here = np.asarray(ended.point.share), np.asarray(found.package.share)
    free = (share > NEARLY) & (share < 1 - NEARLY) & np.asarray(ended.point.on)
    slopes = problem.slopes(ended.point)
    if slopes is None or not free.any():
        return None
    limits = problem.scaled(found.values)[1:]
    held = (limits > NEARLY) | (ended.values[1:] >= -10 * NEARLY)
    by_lever = (slopes[1:] / problem.worlds.inner)[np.ix_(held, free)]
    here[free] += np.linalg.lstsq(by_lever, (ended.values[1:] - limits)[held])[0]
    return found.package.moved(np.clip(here, 0.0, 1.0))


def _frontier(problem: Scaled, table: DesignTable, best: Search) -> list[tuple[float, Search, Found]]:
    assert table.frontier is not None
    assert table.moving is not None
    moving, path = table.moving, table.frontier
    bounds = np.linspace(path.low, path.high, path.points)
    upper = table.limits[moving].sign > 0
    rising = path.high > path.low
    found = frontier(lambda bound: problem.at(moving, bound), bounds.tolist(), best.point, rising == upper)
    solved = exact([(problem.at(moving, bound), one) for bound, one in zip(bounds, found, strict=True)])
    return [(float(bound), one, its) for bound, one, its in zip(bounds, found, solved, strict=True)]


def _scaled(worlds: Worlds, package: Package) -> Scaled:
    """Values in units of what moving all levers over their ranges does."""
    size = np.abs(worlds.slopes(package).by_lever).sum(1)
    bounds = np.array([limit.bound for limit in worlds.levers.table.limits])
    found = worlds.found([package])[0]
    assert found is not None
    least = 1e-6 * np.maximum(np.abs(found.values), np.concatenate([[0.0], np.abs(bounds)]))
    return Scaled(worlds, bounds, np.maximum(size, np.maximum(least, 1e-12)))


def _outer(worlds: Worlds, package: Package) -> Package:
    """The package that `Worlds.inside` draws in to this one."""
    return package.moved(np.clip((np.asarray(package.share) - worlds.edge) / worlds.inner, 0.0, 1.0))


def _rank(one: Search) -> tuple[float, float]:
    """Packages that keep the limits first, then by objective; others by how far they pass them."""
    if one.verdict is Verdict.LOST:
        return np.inf, np.inf
    over = float(np.maximum(one.values[1:], 0.0).sum())
    return (0.0 if one.feasible else over, float(one.values[0]))


def _told(worlds: Worlds, message: str, share: float) -> None:
    if worlds.progress:
        worlds.progress(message, share)
