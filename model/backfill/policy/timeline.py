"""When measures are in force: the periods of the model cut at every date a policy names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from backfill.dimensions import Period


@dataclass(frozen=True)
class Timeline:
    """Stretches of time within periods; inside one no measure begins or ends.

    What a policy does in a period is the average over its stretches by days. A control with coverage ``phi`` in force for
    the fraction ``f`` of a period so closes ``phi f``, a tariff becomes ``rate f``; two controls that follow one another
    within a period add up, two at the same time do not.

    Attributes:
        periods: periods of the model.
        begins, ends: first day, and first day after, of each stretch.
        period: index of the period of each stretch.
        weight: share of the period's days in each stretch.
    """

    periods: tuple[Period, ...]
    begins: tuple[dt.date, ...]
    ends: tuple[dt.date, ...]
    period: np.ndarray
    weight: np.ndarray

    @property
    def firsts(self) -> np.ndarray:
        """The first stretch of each period."""
        return np.flatnonzero(np.diff(self.period, prepend=-1))

    def in_force(self, begin: dt.date | None, until: dt.date | None) -> np.ndarray:
        """Boolean ``[stretch]``: inside ``[begin, until)``; None leaves that side open."""
        return np.array(
            [
                (begin is None or begin <= first) and (until is None or last <= until)
                for first, last in zip(self.begins, self.ends, strict=True)
            ]
        )

    def average(self, values: np.ndarray) -> np.ndarray:
        """Average by days of ``values[stretch, ...]``, as ``[period, ...]``."""
        if len(self.begins) == len(self.periods):
            return np.asarray(values, float)
        weighted = values * self.weight.reshape(-1, *[1] * (np.ndim(values) - 1))
        return np.add.reduceat(weighted, self.firsts, axis=0)

    def fraction(self, when: np.ndarray) -> np.ndarray:
        """Share of each period's days in the stretches of the boolean ``when[stretch]``."""
        return self.average(np.asarray(when, float))


def timeline(periods: tuple[Period, ...], dates: Iterable[dt.date]) -> Timeline:
    """Cut the periods at the given dates."""
    cuts = sorted(set(dates))
    begins, ends, period, weight = [], [], [], []
    for index, span in enumerate(periods):
        edges = [span.start, *(day for day in cuts if span.start < day < span.end), span.end]
        for first, last in zip(edges[:-1], edges[1:], strict=True):
            begins.append(first)
            ends.append(last)
            period.append(index)
            weight.append(1.0 if len(edges) == 2 else (last - first).days / (span.end - span.start).days)
    return Timeline(tuple(periods), tuple(begins), tuple(ends), np.array(period, int), np.array(weight))
