"""Scenarios of one period, hundreds at a time, at the rents of the reference plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import jax
import numpy as np

from backfill.errors import UnsolvedError
from backfill.experiments.sweep.economies import Economies
from backfill.experiments.sweep.policies import last, one_period
from backfill.experiments.sweep.quantities import Measured, Measures, Worlds
from backfill.experiments.sweep.seen import Seen, seen, together
from backfill.experiments.sweep.solved import Solved, controlled, failed, without
from backfill.policy.compile import compile_policy
from backfill.policy.policy import Policy
from backfill.policy.wedges import Wedges, stacked
from backfill.static import StaticPeriod
from backfill.trade.barriers import Barriers

if TYPE_CHECKING:
    from backfill.experiments.setting import Setting

TOGETHER = 128
"""Worlds solved in one call, whatever the size of a chunk; bounds memory."""


class Static:
    """Solves scenarios of one draw of parameters after the other.

    Args:
        economies: of the sweep.
        reference: policy of the reference.
        keep: whether all flows are kept.
        like: wedges whose shapes every call has, so that all share one program.
    """

    def __init__(
        self, economies: Economies, reference: Policy, *, keep: bool = False, like: Sequence[Wedges] = ()
    ) -> None:
        self.economies, self.keep, self.like = economies, keep, list(like)
        self.plan, self.experiment = economies.plan, economies.experiment
        self.at = self.plan.table.year_at(self.experiment.periods)
        self.before = reference
        self._compiled: tuple[Callable[[Sequence[float]], Wedges], Wedges] | None = None
        self._period: tuple[int, StaticPeriod, Worlds] | None = None

    def solve(self, draw: int, scenarios: np.ndarray) -> Solved:
        """Scenarios of one draw."""
        try:
            setting = self.economies.setting(draw)
            period, base = self._prepared(draw, setting)
        except UnsolvedError as error:
            return failed(scenarios, error.sentence)
        compiled, against = self._policies(setting)
        measures = Measures(setting.economy, 1, self.at)
        values: list[np.ndarray] = []
        reasons: list[str] = []
        kept: list[Seen] = []
        measured = None
        for first in range(0, len(scenarios), TOGETHER):
            numbers = scenarios[first : first + TOGETHER]
            wedges = [compiled(self.plan.levers[self.plan.row[n]].tolist()) for n in numbers]
            try:
                found, why = self._worlds(period, wedges)
            except UnsolvedError as error:
                return failed(scenarios, error.sentence)
            worlds = Worlds(found, controlled(setting.vocabulary, wedges, against))
            measured = measures.measured(worlds, base)
            values.append(without(measured.values, why))
            reasons += why
            kept += [found] if self.keep else []
        assert measured is not None
        every = Measured(measured.keys, np.concatenate(values, axis=1))
        return Solved(scenarios, tuple(reasons), every, measures.labels, together(kept) if kept else None)

    def wedges(self, values: Sequence[float]) -> Wedges:
        """Wedges of the period at values of levers."""
        return self._policies(self.economies.setting(0))[0](values)

    def _policies(self, setting: Setting) -> tuple[Callable[[Sequence[float]], Wedges], Wedges]:
        """Wedges by the values of levers, and those of the reference; the same for every draw."""
        if self._compiled is None:
            periods = setting.economy.periods
            levers = self.plan.levers
            ends = [levers.min(0).tolist(), levers.max(0).tolist()] if levers.size else []
            about = (setting.vocabulary, periods, self.at, setting.flow_exists, setting.facts)
            compiled = one_period(self.experiment.policy, self.plan.table.levers, *about, ends)
            whole = periods[: self.at + 1]
            options = {"flow_exists": setting.flow_exists, "facts": setting.facts, "inert_allowed": True}
            self._compiled = compiled, last(compile_policy(self.before, setting.vocabulary, tuple(whole), **options))
        return self._compiled

    def _prepared(self, draw: int, setting: Setting) -> tuple[StaticPeriod, Worlds]:
        """The period and the reference's world."""
        if self._period is None or self._period[0] != draw:
            _, against = self._policies(setting)
            period = StaticPeriod(setting.economy, self.at)
            found, why = self._worlds(period, [against])
            if why[0]:
                raise UnsolvedError(f"the reference has no world: {why[0]}")
            base = Worlds(found, controlled(setting.vocabulary, [against], against))
            self._period = draw, period, base
        return self._period[1], self._period[2]

    def _worlds(self, period: StaticPeriod, wedges: Sequence[Wedges]) -> tuple[Seen, list[str]]:
        """What is seen of worlds, ``[world, 1, ...]``, and why those fail that do."""
        try:
            found = period.solve(self._walls(period, wedges), seen=seen)
        except UnsolvedError:
            return self._one_by_one(period, wedges)
        return jax.tree.map(lambda x: np.asarray(x)[:, None], found.seen), list(found.failures)

    def _walls(self, period: StaticPeriod, wedges: Sequence[Wedges]) -> Barriers:
        """Wedges in the markets' axes, in shapes that hold those of ``like`` too."""
        walls = period.barriers(stacked([*wedges, *self.like]))
        return jax.tree.map(lambda x: x[: len(wedges)], walls) if self.like else walls

    def _one_by_one(self, period: StaticPeriod, wedges: Sequence[Wedges]) -> tuple[Seen, list[str]]:
        """Where one world cannot even be set up, each for itself."""
        parts: list[Seen | None] = []
        reasons: list[str] = []
        for one in wedges:
            try:
                found = period.solve(self._walls(period, [one]), seen=seen)
            except UnsolvedError as error:
                parts.append(None)
                reasons.append(error.sentence)
            else:
                parts.append(jax.tree.map(lambda x: np.asarray(x)[:, None], found.seen))
                reasons.append(found.failures[0])
        whole = next((part for part in parts if part is not None), None)
        if whole is None:
            raise UnsolvedError(reasons[0])
        nothing = jax.tree.map(lambda x: np.full_like(x, np.nan), whole)
        return together([nothing if part is None else part for part in parts]), reasons
