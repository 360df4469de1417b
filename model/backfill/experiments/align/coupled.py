"""Many coupled worlds that are much alike, each started from one next to it that is solved already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backfill.accounts import terminal_table
from backfill.coupling import Coupling, Point, Stage, settled
from backfill.economy.economy import Economy
from backfill.experiments.align.accounts import Account, accounts
from backfill.experiments.fitted import slopes_with, with_classes, with_limits
from backfill.experiments.setting import Progress, Setting
from backfill.experiments.vintages import Vintages
from backfill.experiments.worlds import Batch, Key, batch, keys_of
from backfill.policy.wedges import Wedges
from backfill.supply.foresight import Foresight, foresight_named
from backfill.supply.inherited import departing
from backfill.supply.nodes import capacity_path
from backfill.supply.orders import Orders
from backfill.threads import single_threaded_algebra
from backfill.trade.equilibrium import outcomes
from backfill.trade.sensitivity import PlanSlopes

TOGETHER = 12
"""Worlds solved in one batch: enough for the markets to work on whole chunks, few enough for memory."""


@dataclass(frozen=True)
class Solved:
    """Where the search for one world ended: a start for the next.

    Attributes:
        point: rents, additions and the markets' solution.
        slopes: the markets' slopes there.
        limits: names of quantity limits, in the order of the rents at the end of the markets' solution.
        step: what another round would move.
    """

    point: Point
    slopes: PlanSlopes | None
    limits: tuple[str, ...]
    step: float


class NextDoor(Coupling):
    """A coupling some of whose worlds are known, while others start where a known one stands that is not their ancestor.

    Args:
        economy, worlds, foresight, departs: see `Coupling`.
        known: places of worlds that are solved.
        near: places of others, to where they start.
    """

    def __init__(
        self,
        economy: Economy,
        worlds: Sequence[Wedges],
        foresight: Foresight,
        departs: Mapping[int, tuple[int, int]],
        known: Mapping[int, Solved],
        near: Mapping[int, Solved],
    ) -> None:
        super().__init__(economy, worlds, foresight, departs)
        self.limits = tuple(sorted({limit.name for wedges in worlds for limit in wedges.limits}))
        self._known, self._near = frozenset(known), dict(near)
        for place in sorted(known):
            solved = known[place]
            if place in self.departs:
                other, periods = self.departs[place]
                its = self.points[other]
                self.holders[place] = self._holders(place, periods, (self.holders[other], its.orders, its.additions))
            self.points[place] = replace(self._fitted(solved), orders=self._orders_of(solved))
            self._slopes[place] = self._slopes_of(solved)
            self.steps[place] = solved.step

    def stages(self) -> list[Stage]:
        """Those of worlds that are not known."""
        left = [
            replace(stage, worlds=tuple(w for w in stage.worlds if w not in self._known)) for stage in super().stages()
        ]
        return [stage for stage in left if stage.worlds]

    def solved(self, world: int) -> Solved:
        """Where a world stands."""
        return Solved(self.points[world], self._slopes[world], self.limits, float(self.steps[world]))

    def _prepare(self, stage: Stage) -> None:
        super()._prepare(stage)
        for world in stage.worlds:
            since = self.departs.get(world, (world, 0))[1]
            if world not in self._near or stage.span.start != since:
                continue
            solved = self._near[world]
            point = _joined(self.points[world], self._fitted(solved), since)
            self.nodes[world] = departing(self.nodes[world], point.additions, since)
            self.points[world] = replace(point, additions=self.nodes[world].reference_additions)
            self._slopes[world] = self._slopes_of(solved)

    def _fitted(self, solved: Solved) -> Point:
        """A point with as many classes of builders, and the limits, that these worlds have."""
        point, classes = solved.point, self.nodes[0].class_share.shape[1]
        vector = with_limits(point.vector, solved.limits, self.limits)
        additions = with_classes(point.additions, 1, classes)
        additions[:, 0] += point.additions[:, classes:].sum(1)
        cost = with_classes(point.tool_cost, 1, classes)
        return replace(point, vector=vector, additions=additions, tool_cost=cost, seen=None)

    def _orders_of(self, solved: Solved) -> Orders:
        """What is bought ahead, with as many classes of builders."""
        orders, classes = solved.point.orders, self.nodes[0].class_share.shape[1]
        return replace(orders, kits=with_classes(with_classes(orders.kits, 2, classes), 4, classes))

    def _slopes_of(self, solved: Solved) -> PlanSlopes | None:
        if solved.slopes is None:
            return None
        return slopes_with(solved.slopes, self.nodes[0].class_share.shape[1], solved.limits, self.limits)


def _joined(before: Point, after: Point, since: int) -> Point:
    """The first ``since`` periods of one point, which are over, and the later ones of another; nothing is bought ahead yet."""

    def joined(name: str, axis: int) -> np.ndarray:
        early, late = (np.moveaxis(getattr(point, name), axis, 0) for point in (before, after))
        return np.moveaxis(np.concatenate([early[:since], late[since:]]), 0, axis)

    by_period = {name: joined(name, 0) for name in ("vector", "converged")}
    return replace(
        before, **by_period, **{name: joined(name, -1) for name in ("rent", "additions", "use", "mill", "tool_cost")}
    )


class Queue:
    """Worlds of one experiment, solved as they are asked for and kept as starts for those next to them.

    Args:
        setting: economy and names.
        sender: place of the region whose trade is wanted.
        progress: called with a message and the share of ``expected`` worlds done.
        expected: how many worlds there will be.
    """

    def __init__(self, setting: Setting, sender: int, progress: Progress | None = None, expected: int = 1) -> None:
        self.setting, self.sender = setting, sender
        self.progress, self.expected = progress, max(expected, 1)
        self.foresight = foresight_named(setting.foresight, setting.economy.periods[0].years)
        self._solved: dict[Key, Solved] = {}
        self._accounts: dict[Key, Account] = {}

    def accounts(
        self, worlds: Mapping[str, Vintages], near: Mapping[str, Vintages] | None = None, *, keep: bool = True
    ) -> dict[str, Account]:
        """Accounts of worlds by name, solving those that are not known yet.

        Args:
            worlds: their policies, as they became known.
            near: for some of them, by name, a policy solved before from whose world to start.
            keep: whether others may start from these.
        """
        names = list(worlds)
        for first in range(0, len(names), TOGETHER):
            chunk = names[first : first + TOGETHER]
            self._solve(
                batch({n: worlds[n] for n in chunk}), {n: key_of(near[n]) for n in chunk if near and n in near}, keep
            )
        return {name: self._accounts[key_of(known)] for name, known in worlds.items()}

    def _solve(self, needed: Batch, near: Mapping[str, Key], keep: bool) -> None:
        keys = keys_of(needed)
        known = {place: self._solved[key] for place, key in enumerate(keys) if key in self._solved}
        wanted = {place: name for name, place in needed.position.items() if keys[place] not in self._accounts}
        if not wanted:
            return
        start = {
            place: found for place, name in wanted.items() if (found := self._start(keys[place], near.get(name, ())))
        }
        with single_threaded_algebra():
            coupling = self._coupled(needed, known, start)
            lost = [place for place in wanted if coupling.first_to_fail(place) in coupling.failures]
            if lost and start:
                coupling = self._again(needed, known, start, lost)
            self._keep(coupling, keys, wanted, keep)
        if self.progress:
            self.progress("worlds", min(len(self._accounts) / self.expected, 1.0))

    def _start(self, key: Key, near: Key) -> Solved | None:
        """The stage of the neighbour that begins when the last stage of this world does."""
        same = [key_ for n in range(len(near)) if (key_ := near[: n + 1])[-1][0] == key[-1][0]]
        return self._solved.get(same[0]) if same else None

    def _coupled(self, needed: Batch, known: Mapping[int, Solved], near: Mapping[int, Solved]) -> NextDoor:
        coupling = NextDoor(self.setting.economy, needed.wedges, self.foresight, needed.departs, known, near)
        coupling.solve()
        return coupling

    def _again(
        self, needed: Batch, known: Mapping[int, Solved], near: Mapping[int, Solved], lost: Sequence[int]
    ) -> NextDoor:
        """Once more, what was lost starting like any other world."""
        return self._coupled(needed, known, {place: start for place, start in near.items() if place not in lost})

    def _keep(self, coupling: NextDoor, keys: Sequence[Key], wanted: Mapping[int, str], keep: bool) -> None:
        economy, reported = self.setting.economy, self.setting.economy.reported
        solved = [p for p in range(coupling.count) if p not in coupling.failures and (keep or p not in wanted)]
        self._solved |= {keys[place]: coupling.solved(place) for place in solved}
        places = list(wanted)
        shown = np.arange(reported)
        lane, vector = coupling.lane({p: coupling.points[p] for p in places}, dict.fromkeys(places, shown))
        outcome = outcomes(economy.structure, lane, vector)
        path = {place: capacity_path(coupling.nodes[place], coupling.points[place].additions) for place in places}
        failures = [self._failure(coupling, place) for place in places]
        terminal = [self._terminal(coupling, place) for place in places]
        adversary = economy.structure.vocabulary.expand_regions("adversary")
        advanced = [n for n, (p, r) in enumerate(economy.structure.nodes) if p == "logic_advanced" and r in adversary]
        last = [float(path[place][advanced, reported - 1].sum()) for place in places]
        found = accounts(economy.structure, outcome, len(places), self.sender, terminal, last, failures)
        self._accounts |= {keys[place]: account for place, account in zip(places, found, strict=True)}

    def _terminal(self, coupling: NextDoor, place: int) -> np.ndarray:
        economy = self.setting.economy
        table = terminal_table(economy, coupling.nodes[place], coupling.points[place].additions)
        worth = dict(table.select("region", "value").iter_rows())
        return np.array([worth[region] for region in economy.structure.regions])

    def _failure(self, coupling: NextDoor, place: int) -> str:
        point = coupling.points[place]
        gap = max(coupling.gaps(place).largest, point.apart)
        if place not in coupling.failures and point.converged.all() and settled(gap, float(coupling.steps[place])):
            return ""
        if not point.converged.all():
            labels = [period.label for period in self.setting.economy.periods]
            late = ", ".join(label for label, fine in zip(labels, point.converged, strict=True) if not fine)
            return f"some markets have no answer in {late}"
        return f"markets and plan did not agree: they are {gap:.2g} apart as a share of price or capacity"


def key_of(known: Vintages) -> Key:
    """What tells a policy from others that were known otherwise."""
    needed = batch({"it": known})
    return keys_of(needed)[needed.position["it"]]
