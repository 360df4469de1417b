"""Economies of a sweep: one for every draw of parameters, calibrated once and kept while its scenarios are solved."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from backfill.dimensions import Vocabulary
from backfill.errors import UnsolvedError
from backfill.experiments.setting import Setting
from backfill.experiments.sweep.plan import Plan
from backfill.policy.board import FlowExists
from backfill.policy.facts import Facts

if TYPE_CHECKING:
    from backfill.economy.tables import BaselineTables
    from backfill.experiments.config import Experiment

KEPT = 2


class Economies:
    """Settings by draw of parameters.

    Args:
        experiment: the sweep's.
        plan: its scenarios.
    """

    def __init__(self, experiment: Experiment, plan: Plan) -> None:
        self.experiment, self.plan = experiment, plan
        self._settings: OrderedDict[int, Setting] = OrderedDict()

    @cached_property
    def tables(self) -> BaselineTables:
        """The benchmark over the experiment's regions."""
        return self.experiment.tables()

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Names of the economy."""
        own = self.experiment.own
        return self.tables.vocabulary() if own is None else own.vocabulary()

    @cached_property
    def flow_exists(self) -> FlowExists:
        """Which flows there are."""
        return self.experiment.flow_exists()

    @cached_property
    def facts(self) -> Facts | None:
        """What measures ask of the benchmark."""
        return self.experiment.facts()

    def setting(self, draw: int) -> Setting:
        """The setting of a draw.

        Raises:
            UnsolvedError: the benchmark cannot be calibrated there.
        """
        if draw in self._settings:
            self._settings.move_to_end(draw)
            return self._settings[draw]
        parameters = {**self.experiment.parameters, **self.plan.parameters(draw)}
        if not self.plan.table.parameters:
            found = Setting.of(self.experiment)
        else:
            economy = self._calibrated(parameters)
            found = Setting(economy, self.vocabulary, self.experiment.foresight, self.flow_exists, self.facts)
        self._settings[draw] = found
        if len(self._settings) > KEPT:
            self._settings.popitem(last=False)
        return found

    def _calibrated(self, parameters: dict[str, float]):
        """The benchmark with parameters, which is not kept on disk: no two draws are alike."""
        from backfill.reference import economy

        horizon = self.experiment.horizon
        try:
            return economy(
                self.tables,
                self.vocabulary,
                first_year=horizon.first_year,
                last_year=horizon.last_year,
                per_year=horizon.per_year,
                overrides=parameters,
            )
        except ValueError as error:
            raise UnsolvedError(f"the benchmark cannot be calibrated: {error}") from error

    def at(self, draw: int) -> Experiment:
        """The experiment with the parameters of a draw and without a sweep."""
        parameters = {**self.experiment.parameters, **self.plan.parameters(draw)}
        return replace(self.experiment, parameters=parameters, sweep=None)
