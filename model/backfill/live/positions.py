"""Where levers stand: what may be moved, between which values, and the policy there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backfill.errors import Faults, MissingKeyError
from backfill.experiments.levers import field_of, placed_of
from backfill.experiments.sweep.file import SweepLever
from backfill.experiments.sweep.policies import policy_at

if TYPE_CHECKING:
    from backfill.experiments.config import Experiment
    from backfill.policy.policy import Policy

STEPS = 100
"""Places of a slider between its ends, where the file does not say."""


@dataclass(frozen=True)
class Slide:
    """A number that is moved.

    Attributes:
        lever: whose it is.
        low, high: least and largest value.
        places: values it can take; None for any between its ends.
        start: as the file has it.
    """

    lever: SweepLever
    low: float
    high: float
    places: tuple[float, ...] | None
    start: float

    @property
    def label(self) -> str:
        """What it is called."""
        return self.lever.label

    @property
    def switch(self) -> bool:
        """Whether it is off or on."""
        return self.places is not None and len(self.places) == 2

    @property
    def step(self) -> float:
        """Distance between places that a slider stops at."""
        return (self.high - self.low) / ((self.lever.points or STEPS + 1) - 1)

    def kept(self, value: float) -> float:
        """The value, or the nearest one that it can take."""
        if self.places is not None:
            return min(self.places, key=lambda one: abs(one - value))
        return float(np.clip(value, self.low, self.high))


@dataclass(frozen=True)
class Positions:
    """All that may be moved in an experiment.

    Attributes:
        experiment: with a ``[sweep]``.
        slides: one a lever.
    """

    experiment: Experiment
    slides: tuple[Slide, ...]

    @classmethod
    def of(cls, experiment: Experiment) -> Positions:
        """The levers of an experiment.

        Raises:
            Faults: it has none.
        """
        if experiment.sweep is None or not experiment.sweep.levers:
            label = str(experiment.file or experiment.name)
            remedy = "is missing; name the numbers that can be moved (see experiments/live-panel.toml)"
            raise Faults([MissingKeyError(label, "sweep.levers", None, remedy)])
        return cls(experiment, tuple(_slide(lever, experiment.policy) for lever in experiment.sweep.levers))

    @property
    def start(self) -> tuple[float, ...]:
        """As the file has them."""
        return tuple(slide.start for slide in self.slides)

    @property
    def ends(self) -> np.ndarray:
        """``[2, lever]`` least and largest values."""
        return np.array([[slide.low for slide in self.slides], [slide.high for slide in self.slides]])

    def values(self, by_label: Mapping[str, float]) -> tuple[float, ...]:
        """Values by the names of levers, in their order; those that are not named stay as the file has them."""
        return tuple(slide.kept(by_label.get(slide.label, slide.start)) for slide in self.slides)

    def policy(self, values: tuple[float, ...]) -> Policy:
        """The policy with every lever at its value."""
        return policy_at(self.experiment.policy, [slide.lever for slide in self.slides], values)


def _slide(lever: SweepLever, policy: Policy) -> Slide:
    places = None if lever.values is None else tuple(sorted(lever.values))
    low, high = (places[0], places[-1]) if places else (float(lever.low or 0.0), float(lever.high or 0.0))
    given = field_of(placed_of(policy, lever.measure[0])[0].measure, lever.field)
    slide = Slide(lever, low, high, places, low)
    return slide if given is None else Slide(lever, low, high, places, slide.kept(float(given)))
