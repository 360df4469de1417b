"""Scenarios over all periods with suppliers' answer, each started from the nearest one that is solved already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from backfill.coupling import settled
from backfill.errors import UnsolvedError
from backfill.experiments.setting import Setting
from backfill.experiments.shared import coupled
from backfill.experiments.started import Stand, Started
from backfill.experiments.sweep.economies import Economies, policy_parameters
from backfill.experiments.sweep.policies import Compiled
from backfill.experiments.sweep.quantities import Measured, Measures, Worlds
from backfill.experiments.sweep.seen import Seen, together
from backfill.experiments.sweep.solved import Solved, controlled, failed, without
from backfill.experiments.vintages import Vintages, continuing, foreseen, known, last, news
from backfill.experiments.worlds import Key, batch, keys_of
from backfill.policy.policy import Policy
from backfill.policy.wedges import Wedges
from backfill.policy.writing import existing_flows
from backfill.response import levels
from backfill.supply.foresight import foresight_named
from backfill.threads import single_threaded_algebra

TOGETHER = 12
"""Scenarios solved in one batch."""


class Coupled:
    """Solves scenarios of one draw of parameters after the other.

    Where a scenario starts depends on its chunk alone: the first few on the reference, each later one on the nearest, by levers,
    of those before it.

    Args:
        economies: of the sweep.
        reference: policy of the reference.
        keep: whether all flows are kept.
        remembered: worlds of earlier calls that later ones may start from; with none, a scenario's start depends on its chunk.
        like: values of levers whose worlds are solved once and kept beside all others, so that every call has their shapes and
            shares their programs.
    """

    def __init__(
        self,
        economies: Economies,
        reference: Policy,
        *,
        keep: bool = False,
        remembered: int = 0,
        like: Sequence[Sequence[float]] = (),
    ) -> None:
        self.economies, self.keep, self.remembered, self.like = economies, keep, remembered, like
        self.plan, self.experiment, self.before = economies.plan, economies.experiment, reference
        self._acting: dict[str, float] = {}
        self._compiled: dict[int, Compiled] = {}
        self._base: tuple[int, _Base] | None = None
        self._held: tuple[int, _Search] | None = None

    def solve(self, draw: int, scenarios: np.ndarray) -> Solved:
        """Scenarios of one draw."""
        try:
            setting = self.economies.setting(draw)
            base = self._reference(draw, setting)
        except UnsolvedError as error:
            return failed(scenarios, error.sentence)
        search = self._search(draw, setting, base)
        measures = Measures(setting.economy, setting.economy.reported)
        values: list[np.ndarray] = []
        reasons: list[str] = []
        kept: list[Seen] = []
        measured = None
        for first in range(0, len(scenarios), TOGETHER):
            numbers = scenarios[first : first + TOGETHER]
            places = {str(n): self._place(int(n)) for n in numbers}
            policies = {str(n): self._policy(setting, self._values(int(n))) for n in numbers}
            with single_threaded_algebra():
                found, why = search.solved(policies, places)
            acting = [last(policies[str(n)]) for n in numbers]
            worlds = Worlds(found.seen, controlled(setting.vocabulary, acting, base.wedges), found.capacity, found.terminal)
            measured = measures.measured(worlds, base.worlds)
            values.append(without(measured.values, why))
            reasons += why
            kept += [found.seen] if self.keep else []
        assert measured is not None
        every = Measured(measured.keys, np.concatenate(values, axis=1))
        return Solved(scenarios, tuple(reasons), every, measures.labels, together(kept) if kept else None)

    def _search(self, draw: int, setting: Setting, base: _Base) -> _Search:
        """A search that starts from the reference, or goes on from earlier calls."""
        if not self.remembered:
            return _Search(setting, base)
        if self._held is None or self._held[0] != draw:
            like = {f"like {n}": self._policy(setting, values) for n, values in enumerate(self.like)}
            self._held = draw, _Search(setting, base, like)
        search = self._held[1]
        del search.stands[: -self.remembered]
        return search

    def _place(self, scenario: int) -> np.ndarray:
        """Where a scenario's levers stand in their ranges."""
        return (self._values(scenario) - self._low) / self._span

    @cached_property
    def _low(self) -> np.ndarray:
        return self.plan.levers.min(0) if self.plan.levers.size else np.zeros(0)

    @cached_property
    def _span(self) -> np.ndarray:
        span = self.plan.levers.max(0) - self._low if self.plan.levers.size else np.zeros(0)
        return np.where(span > 0, span, 1.0)

    def _values(self, scenario: int) -> np.ndarray:
        """Values of a scenario's levers."""
        return self.plan.levers[self.plan.row[scenario]]

    def _policy(self, setting: Setting, values: Sequence[float] | np.ndarray) -> Vintages:
        """The policy with levers at values, whenever something of it became known."""
        periods = setting.economy.periods
        surprised = setting.foresight == "perfect"
        found: dict[int, Wedges] = {}
        before: Wedges | None = None
        for after in news(self.experiment.policy, periods) if surprised else (0,):
            wedges = self._at(setting, after, surprised).wedges(list(map(float, values)))
            if surprised:
                shares = foreseen(self.experiment.policy, after, periods)
                wedges = replace(wedges, foreseen=shares)
            before = found[after] = wedges if before is None else continuing(before, wedges, after)
        return found

    def _at(self, setting: Setting, after: int, surprised: bool) -> Compiled:
        """What is known when some periods are over, at any values of levers."""
        acting = policy_parameters(setting.parameters)
        if acting != self._acting:
            self._acting, self._compiled = acting, {}
        if after not in self._compiled:
            periods = setting.economy.periods
            policy = known(self.experiment.policy, after, periods) if surprised else self.experiment.policy
            exists = existing_flows(setting.vocabulary, setting.flow_exists)
            about = (setting.vocabulary, periods, exists, setting.facts)
            levers, understood = self.plan.table.levers, setting.understood
            self._compiled[after] = Compiled(policy, levers, *about, understood=understood)
        return self._compiled[after]

    def _reference(self, draw: int, setting: Setting) -> _Base:
        if self._base is None or self._base[0] != draw:
            policy = setting.vintages(self.before)
            needed = batch({"reference": policy})
            place = needed.position["reference"]
            foresight = foresight_named(setting.foresight, setting.economy.periods[0].years)
            with single_threaded_algebra():
                coupling = coupled(setting.economy, needed, foresight, needed, setting.identity)
                if why := _failure(coupling, place):
                    raise UnsolvedError(f"the reference has no world: {why}")
                found = _worlds(setting, [(coupling, place)])
            against = last(policy)
            shut = controlled(setting.vocabulary, [against], against)
            worlds = Worlds(found.seen, shut, found.capacity, found.terminal)
            stands = dict(zip(keys_of(needed), map(coupling.stand, range(coupling.count)), strict=True))
            self._base = draw, _Base(worlds, against, coupling.stand(place), stands)
        return self._base[1]


@dataclass(frozen=True)
class _Base:
    """The reference of a draw of parameters.

    Attributes:
        worlds: what is seen of it.
        wedges: its policy.
        stand: where it stands.
        stands: where it and what it departs from stand.
    """

    worlds: Worlds
    wedges: Wedges
    stand: Stand
    stands: Mapping[Key, Stand]


class _Search:
    """Worlds of one chunk and economy, each started from the nearest before it.

    Args:
        setting: economy and names.
        base: the reference, from which the first start.
        like: policies solved once and kept beside all others.
    """

    def __init__(self, setting: Setting, base: _Base, like: Mapping[str, Vintages] | None = None) -> None:
        self.setting, self.base, self.like = setting, base, dict(like or {})
        self.foresight = foresight_named(setting.foresight, setting.economy.periods[0].years)
        self.stands: list[tuple[np.ndarray, Stand]] = []
        self._shared = dict(base.stands)

    def solved(self, policies: Mapping[str, Vintages], places: Mapping[str, np.ndarray]) -> tuple[Worlds, list[str]]:
        """Worlds in the order of their names, and why those fail that do."""
        near = {name: self._nearest(place) for name, place in places.items()}
        coupling, position = self._coupled(policies, near)
        held = {name: (coupling, position[name]) for name in policies}
        lost = [name for name, (one, place) in held.items() if _failure(one, place)]
        if lost:
            again, elsewhere = self._coupled({name: policies[name] for name in lost}, {})
            held |= {name: (again, elsewhere[name]) for name in lost}
        why = [_failure(*held[name]) for name in policies]
        for (name, (one, place)), reason in zip(held.items(), why, strict=True):
            if not reason:
                self.stands.append((places[name], one.stand(place)))
        return _worlds(self.setting, list(held.values())), why

    def _nearest(self, place: np.ndarray) -> Stand:
        if not self.stands:
            return self.base.stand
        return min(self.stands, key=lambda one: float(np.abs(one[0] - place).sum()))[1]

    def _coupled(self, named: Mapping[str, Vintages], near: Mapping[str, Stand]) -> tuple[Started, Mapping[str, int]]:
        """Worlds by name; those that others depart from are kept for the next time."""
        needed = batch({**named, **self.like})
        keys = keys_of(needed)
        there = {place: self._shared[key] for place, key in enumerate(keys) if key in self._shared}
        ends = {needed.position[name] for name in named}
        starts = {
            place: [(1.0, near[name])] for name, place in needed.position.items() if name in near and place not in there
        }
        coupling = Started.solving(self.setting.economy, needed, self.foresight, there, starts)
        self._shared |= coupling.passed(keys, ends)
        self.like = {name: one for name, one in self.like.items() if needed.position[name] not in coupling.failures}
        return coupling, needed.position


def _worlds(setting: Setting, held: Sequence[tuple[Started, int]]) -> Worlds:
    """What is seen of solved worlds, ``[world, period, ...]``."""
    structure = setting.economy.structure
    found = [levels(coupling, place) for coupling, place in held]
    seen = Seen(*(np.stack([np.asarray(getattr(one.observed, name)) for one in found]) for name in Seen._fields))
    owners = np.zeros((len(structure.nodes), len(structure.regions)))
    owners[np.arange(len(owners)), [structure.region(code) for code in structure.owners]] = 1.0
    terminal = np.stack([np.asarray(one.terminal) for one in found]) @ owners
    return Worlds(seen, np.zeros(0, bool), np.stack([np.asarray(one.capacity) for one in found]), terminal)


def _failure(coupling: Started, place: int) -> str:
    point = coupling.points[place]
    gap = max(coupling.gaps(place).largest, point.apart)
    lost = coupling.first_to_fail(place) in coupling.failures
    if not lost and point.converged.all() and settled(gap, float(coupling.steps[place])):
        return ""
    if not point.converged.all():
        labels = [period.label for period in coupling.economy.periods]
        late = ", ".join(label for label, fine in zip(labels, point.converged, strict=True) if not fine)
        return f"some markets have no answer in {late}"
    return f"markets and plan did not agree: they are {gap:.2g} apart as a share of price or capacity"
