"""The worlds of a hindcast: the rules as they were known at the end of 2025, over 2022 to 2025, at any parameters.

World demand for compute, capacities and prices are the benchmark's paths; China's tastes and relative demand are its own before
the rules, at every point of the search.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from backfill.economy.compile.sources import Sources, read_sources
from backfill.economy.priors import GAMES, Prior, load_priors
from backfill.errors import UnsolvedError
from backfill.experiments.config import Experiment, load_experiment
from backfill.experiments.groups import CURRENT_POLICY
from backfill.experiments.hindcast.moments import moments, world_totals
from backfill.experiments.hindcast.observed import Figure, figures
from backfill.experiments.setting import Setting
from backfill.experiments.worlds import batch
from backfill.resources import data_dir

FIRST_YEAR, LAST_YEAR = 2022, 2025
KNOWN = dt.date(2025, 12, 31)
"""Rules are taken as they were known on this day."""

HELD = ("quality_theta", "hub_weight")
"""Parameters that stay at their central value: the unit of compute, also of what was seen, and which hub is used."""

LEAST = 1e-9
"""Moments below this count as this."""


@dataclass(frozen=True)
class Hindcast:
    """What a hindcast is made of.

    Attributes:
        experiment: the rules.
        sources: source figures.
        figures: what was seen.
        priors: parameters that are varied.
    """

    experiment: Experiment
    sources: Sources
    figures: tuple[Figure, ...]
    priors: tuple[Prior, ...]

    @classmethod
    def shipped(cls) -> Hindcast:
        """The rules, figures and priors that the package ships.

        Raises:
            Faults: a faulty rule.
            DataError: a faulty table.
        """
        rules = load_experiment(CURRENT_POLICY, inert_allowed=True)
        span = rules.horizon.model_copy(update={"first_year": FIRST_YEAR, "last_year": LAST_YEAR})
        sources = read_sources(data_dir() / "sources")
        varied = [
            prior for name, prior in load_priors().items() if prior.acts_on != GAMES and name.split("/")[0] not in HELD
        ]
        return cls(replace(rules, horizon=span).known_on(KNOWN), sources, figures(sources), tuple(varied))

    def only(self, names: Sequence[str]) -> Hindcast:
        """The same with only these parameters varied."""
        return replace(self, priors=tuple(prior for prior in self.priors if prior.name in names))

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that are varied."""
        return tuple(prior.name for prior in self.priors)

    @cached_property
    def centre(self) -> np.ndarray:
        """Standard normal scores of the central values, ``[parameter]``."""
        from scipy.stats import norm

        return np.array([norm.ppf(float(prior.probability(prior.central))) for prior in self.priors])

    @cached_property
    def told(self) -> tuple[int, ...]:
        """Places of the figures of years that the model has."""
        return tuple(n for n, figure in enumerate(self.figures) if figure.year >= FIRST_YEAR)

    def values(self, distance: np.ndarray) -> dict[str, float]:
        """Parameters at distances of scores from the central ones; those at no distance are left out."""
        from scipy.stats import norm

        return {
            prior.name: float(prior.quantile(norm.cdf(z + d)))
            for prior, z, d in zip(self.priors, self.centre, distance, strict=True)
            if d != 0
        }

    def solved(self, parameters: Mapping[str, float]) -> Seen | None:
        """The world under the rules at these parameters; None if there is none."""
        experiment = replace(self.experiment, parameters=dict(parameters))
        try:
            setting = Setting.of(experiment)
            world = setting.solved(batch({"rules": setting.vintages(experiment.policy)}))["rules"]
        except UnsolvedError:
            return None
        if world.status.name != "SOLVED":
            return None
        found = moments(world.tables, self.sources)
        return Seen(found, world_totals(world.tables), dict(world.checks))

    def logs(self, seen: Seen) -> np.ndarray:
        """Logarithms of the moments that were observed, ``[figure]`` of `told`."""
        chosen = [self.figures[n] for n in self.told]
        return np.log([max(seen.moments[figure.series, figure.year], LEAST) for figure in chosen])

    def distances(self, moved: Mapping[str, float]) -> np.ndarray:
        """``[parameter]`` from distances by name; others are at none."""
        return np.array([moved.get(name, 0.0) for name in self.names])

    def of_use(self, uses: Sequence[str]) -> np.ndarray:
        """Places, among `told`, of figures of these uses."""
        return np.array([k for k, n in enumerate(self.told) if self.figures[n].use in uses], int)


@dataclass(frozen=True)
class Seen:
    """What is kept of a solved world: moments by series and year, world totals, checks."""

    moments: Mapping[tuple[str, int], float]
    totals: Mapping[str, Mapping[int, float]]
    checks: Mapping[str, float]
