"""A choice of measures and their strength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Package:
    """A choice of all levers.

    Attributes:
        share: of the way from its least to its largest value, by lever.
        on: whether its measures are there, by lever.
    """

    share: tuple[float, ...]
    on: tuple[bool, ...]

    def moved(self, share: Sequence[float] | np.ndarray) -> Package:
        """The same measures at other values."""
        return replace(self, share=tuple(float(x) for x in share))

    def flipped(self, lever: int | np.integer) -> Package:
        """The same values with a lever's measures switched over."""
        return replace(self, on=tuple(one != (n == lever) for n, one in enumerate(self.on)))
