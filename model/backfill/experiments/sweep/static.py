"""Scenarios of one period, hundreds at a time, at the rents of the reference plan."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import jax
import numpy as np

from backfill.errors import UnsolvedError
from backfill.experiments.sweep.at_once import AT_ONCE, OnePeriod, one_period
from backfill.experiments.sweep.economies import Economies, policy_parameters
from backfill.experiments.sweep.policies import last
from backfill.experiments.sweep.quantities import Measured, Measures, Worlds
from backfill.experiments.sweep.seen import Seen, seen, together
from backfill.experiments.sweep.solved import Solved, failed, in_order, under_control, without
from backfill.experiments.sweep.starts import Starts, served, typical
from backfill.policy.compile import compile_policy
from backfill.policy.policy import Policy
from backfill.policy.wedges import Wedges, joined, some
from backfill.static import Start, StaticPeriod, StaticWorlds
from backfill.trade.barriers import Barriers
from backfill.trade.equilibrium import CHUNK
from backfill.trade.pieces import at_once

if TYPE_CHECKING:
    from backfill.experiments.setting import Setting

TRIED = 4
"""Choices of levers, besides their ends, at which ways to compile are compared."""

BEFORE_TYPICAL = 2
"""Anchors of a `StaticPeriod` before those of typical choices: no policy, and the reference."""

TOLERANCE = 1e-9
"""Largest change of a logarithm that another evaluation of the markets may make; most are ten times nearer."""


class Static:
    """Solves scenarios of one draw of parameters after the other.

    Args:
        economies: of the sweep.
        reference: policy of the reference.
        keep: whether all flows are kept.
        like: wedges whose shapes every call has, so that all share one program.
        piece: see `StaticPeriod`.
    """

    def __init__(
        self,
        economies: Economies,
        reference: Policy,
        *,
        keep: bool = False,
        like: Sequence[Wedges] = (),
        piece: int = CHUNK,
    ) -> None:
        self.economies, self.keep, self.like, self.piece = economies, keep, list(like), piece
        self.plan, self.experiment = economies.plan, economies.experiment
        self.at = self.plan.table.year_at(self.experiment.periods)
        self.before = reference
        self._acting: dict[str, float] = {}
        self._compiled: tuple[OnePeriod, Wedges] | None = None
        self._period: tuple[int, StaticPeriod, Seen] | None = None
        self._starts: Starts | None = None

    def solve(self, draw: int, scenarios: np.ndarray) -> Solved:
        """Scenarios of one draw."""
        try:
            setting = self.economies.setting(draw)
            compiled, against = self._policies(setting)
            period, base = self._prepared(draw, setting)
        except UnsolvedError as error:
            return failed(scenarios, error.sentence)
        measures = Measures(setting.economy, 1, self.at)
        base_shut = under_control(setting.vocabulary, against)
        levers = self.plan.levers[self.plan.row[scenarios]]
        order, nearest = self._ordered(levers)

        def together(these: np.ndarray) -> Solved:
            wedges = compiled.many(levers[these])
            start = None if nearest is None else Start(nearest[these], self._starts.expected(levers[these]))
            try:
                found, why = self._worlds(period, wedges, start)
            except UnsolvedError as error:
                return failed(scenarios[these], error.sentence)
            shut = under_control(setting.vocabulary, wedges) | base_shut
            measured = measures.measured(Worlds(found, shut), Worlds(base, base_shut))
            measured = Measured(measured.keys, without(measured.values, why))
            return Solved(scenarios[these], tuple(why), measured, measures.labels, found if self.keep else None)

        size = at_once(AT_ONCE)
        parts = [together(order[first : first + size]) for first in range(0, len(order), size)]
        return in_order(parts, scenarios, keep=self.keep)

    def wedges(self, values: Sequence[float]) -> Wedges:
        """Wedges of the period at values of levers."""
        return self._policies(self.economies.setting(0))[0].one(values)

    def _policies(self, setting: Setting) -> tuple[OnePeriod, Wedges]:
        """Wedges by the values of levers, and those of the reference; the same for draws that understand measures alike."""
        acting = policy_parameters(setting.parameters)
        if self._compiled is None or self._acting != acting:
            self._acting = acting
            periods = setting.economy.periods
            about = (setting.vocabulary, periods, self.at, setting.flow_exists, setting.facts)
            tried = typical(self.plan.levers, TRIED).tolist()
            compiled = one_period(self.experiment.policy, self.plan.table.levers, *about, tried, setting.understood)
            whole = periods[: self.at + 1]
            options = {"flow_exists": setting.flow_exists, "facts": setting.facts, "inert_allowed": True}
            self._compiled = (
                compiled,
                last(compile_policy(setting.understood(self.before), setting.vocabulary, tuple(whole), **options)),
            )
        return self._compiled

    def _prepared(self, draw: int, setting: Setting) -> tuple[StaticPeriod, Seen]:
        """The period, with typical scenarios as worlds to start from, and what is seen of the reference.

        Raises:
            UnsolvedError: the reference has no world.
        """
        if self._period is None or self._period[0] != draw:
            compiled, against = self._policies(setting)
            choices = typical(self.plan.levers, served(self.plan, draw))
            around = [against, *(compiled.one(values) for values in choices.tolist()), *self.like]
            try:
                period = StaticPeriod(setting.economy, self.at, around, self.piece, seen)
            except UnsolvedError:  # nobody is left a way to acquire compute where levers end
                choices = choices[:0]
                period = StaticPeriod(setting.economy, self.at, [against], self.piece, seen)
            if served(self.plan, draw):
                period.release()
            found, (why, *_) = _told(period.around)
            if why:
                raise UnsolvedError(f"the reference has no world: {why}")
            self._starts = self._from(period, choices)
            self._period = draw, period, _part(found, slice(1))
        return self._period[1], self._period[2]

    def _from(self, period: StaticPeriod, choices: np.ndarray) -> Starts | None:
        """Starts from those typical choices that are solved."""
        solved = np.flatnonzero(period.around.converged[1 : 1 + len(choices)])
        if not len(solved):
            return None
        return Starts(choices[solved], period.around.vector[1 + solved], BEFORE_TYPICAL + solved, self._span)

    @cached_property
    def _span(self) -> np.ndarray:
        """Range of each lever; one where it stands still."""
        span = np.ptp(self.plan.levers, axis=0)
        return np.where(span > 0, span, 1.0)

    def _ordered(self, levers: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The order in which scenarios are solved, those with one nearest anchor side by side, and that of each."""
        if self._starts is None:
            return np.arange(len(levers)), None
        nearest, way = self._starts.nearest(levers)
        return np.lexsort((way, nearest)), nearest

    def _worlds(
        self, period: StaticPeriod, wedges: Wedges, start: Start | None
    ) -> tuple[Seen, list[str]]:
        """What is seen of worlds, ``[world, 1, ...]``, and why those fail that do."""
        try:
            found = period.solve(self._walls(period, wedges), tolerance=TOLERANCE, seen=seen, start=start)
        except UnsolvedError:
            return self._one_by_one(period, wedges)
        return _told(found)

    def _walls(self, period: StaticPeriod, wedges: Wedges) -> Barriers:
        """Wedges in the markets' axes, in shapes that hold those of ``like`` too."""
        if not self.like:
            return period.barriers(wedges)
        count = len(wedges.coverage)
        return jax.tree.map(lambda x: x[:count], period.barriers(joined([wedges, *self.like])))

    def _one_by_one(self, period: StaticPeriod, wedges: Wedges) -> tuple[Seen, list[str]]:
        """Where one world cannot even be set up, each for itself."""
        parts: list[Seen | None] = []
        reasons: list[str] = []
        for n in range(len(wedges.coverage)):
            try:
                found, (why,) = _told(period.solve(self._walls(period, some(wedges, slice(n, n + 1))), seen=seen))
            except UnsolvedError as error:
                found, why = None, error.sentence
            parts.append(found)
            reasons.append(why)
        whole = next((part for part in parts if part is not None), None)
        if whole is None:
            raise UnsolvedError(reasons[0])
        nothing = jax.tree.map(lambda x: np.full_like(x, np.nan), whole)
        return together([nothing if part is None else part for part in parts]), reasons


def _told(found: StaticWorlds) -> tuple[Seen, list[str]]:
    """What is seen of worlds, ``[world, 1, ...]``, and why those fail that do."""
    return jax.tree.map(lambda x: np.asarray(x)[:, None], found.seen), list(found.failures)


def _part(found: Seen, which: slice) -> Seen:
    return Seen(*(part[which] for part in found))
