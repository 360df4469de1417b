"""Economies of a sweep: one for every draw of parameters, calibrated once and kept while its scenarios are solved."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from backfill.economy.adjusted import ACTS
from backfill.experiments.setting import Setting
from backfill.experiments.sweep.plan import Plan
from backfill.policy.odds import SHARES

if TYPE_CHECKING:
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
        self._settings: OrderedDict[int, tuple[Setting, dict[str, float]]] = OrderedDict()

    def setting(self, draw: int) -> Setting:
        """The setting of a draw; where parameters act on measures alone the economy stays.

        Raises:
            UnsolvedError: the benchmark cannot be calibrated there.
        """
        if draw in self._settings:
            self._settings.move_to_end(draw)
            return self._settings[draw][0]
        experiment = self.at(draw)
        calibration = {name: x for name, x in experiment.parameters.items() if name not in SHARES}
        like = next((one for one, known in self._settings.values() if known == calibration), None)
        if like is None:
            found = Setting.of(experiment, keep=not self.plan.table.parameters)
        else:
            found = replace(like, parameters=experiment.parameters)
        self._settings[draw] = found, calibration
        if len(self._settings) > KEPT:
            self._settings.popitem(last=False)
        return found

    def at(self, draw: int) -> Experiment:
        """The experiment with the parameters of a draw and without a sweep."""
        parameters = {**self.experiment.parameters, **self.plan.parameters(draw)}
        return replace(self.experiment, parameters=parameters, sweep=None)


def policy_parameters(parameters: Mapping[str, float]) -> dict[str, float]:
    """Those parameters on which it depends how measures are understood: all that do not act on the calibrated economy alone."""
    return {name: x for name, x in parameters.items() if name in SHARES or name in ACTS}
