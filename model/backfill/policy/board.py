"""Where measures write: wedges and limits by stretch of time, gathered into the wedges of a policy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from backfill.dimensions import Vocabulary
from backfill.errors import UnknownProductError, UnknownRegionError, did_you_mean
from backfill.policy.timeline import Timeline
from backfill.policy.wedges import Limit, Wedges

FlowExists = Callable[[str, str, str], bool]
"""Whether the benchmark has a flow (product, origin, destination)."""

WHOLE_PERIOD = 0.5
"""A limit holds in periods of which it is in force for at least this share of the days."""


class Board:
    """Wedges in the making. Arrays are ``[stretch, product, origin, destination]``, names are resolved here.

    A region's trade with itself is never touched.

    Args:
        vocabulary: names and their groups.
        timeline: stretches of time.
        exists: ``[product, origin, destination]``, where the benchmark has a flow; None takes every flow as possible.
    """

    def __init__(self, vocabulary: Vocabulary, timeline: Timeline, exists: np.ndarray | None = None) -> None:
        regions, products = len(vocabulary.regions), len(vocabulary.products)
        shape = (len(timeline.begins), products, regions, regions)
        self.vocabulary, self.timeline, self.exists = vocabulary, timeline, exists
        self.coverage = np.zeros(shape)
        self.advanced = np.zeros(shape)
        self.tariff = np.zeros(shape)
        self.levy = np.zeros(shape)
        self.real_cost = np.zeros(shape)
        self.enforcement = np.ones((shape[0], regions))
        self.limits: list[Limit] = []
        self.controls = np.zeros(shape)
        self.advanced_controls = np.zeros(shape)
        self._foreign = 1.0 - np.eye(regions)

    def regions(self, names: Iterable[str]) -> list[int]:
        """Positions of regions named singly, by bloc, as hubs or all."""
        found: set[int] = set()
        for name in names:
            codes = self.vocabulary.expand_regions(name)
            if not codes:
                raise UnknownRegionError("policy", "", name, did_you_mean(name, region_names(self.vocabulary)))
            found |= {self.vocabulary.regions.index(code) for code in codes}
        return sorted(found)

    def products(self, names: Iterable[str]) -> list[int]:
        """Positions of products named singly, by group or all."""
        found: set[int] = set()
        for name in names:
            codes = self.vocabulary.expand_products(name)
            if not codes:
                raise UnknownProductError("policy", "", name, did_you_mean(name, product_names(self.vocabulary)))
            found |= {self.vocabulary.products.index(code) for code in codes}
        return sorted(found)

    def when(self, begin: dt.date | None, until: dt.date | None) -> np.ndarray:
        """Boolean ``[stretch]`` between two dates."""
        return self.timeline.in_force(begin, until)

    def close(
        self,
        when: np.ndarray,
        products: Sequence[int],
        origins: Sequence[int],
        destinations: Sequence[int],
        share: float | np.ndarray,
        *,
        own_control: bool = False,
        advanced_only: bool = False,
    ) -> None:
        """Close flows to a share of buyers; of several controls at a time the widest counts (those covered are the same).

        ``advanced`` holds what builders of advanced capacity face, ``coverage`` what everybody else does.

        Args:
            when: boolean ``[stretch]``.
            share: 0 to 1, a number or broadcastable to ``[stretch in force, product, origin, destination]``.
            own_control: a control of the exporter's own, which others may adopt.
            advanced_only: reaches builders of advanced capacity only.
        """
        place = box(when, products, origins, destinations)
        reached = [self.advanced] if advanced_only else [self.advanced, self.coverage]
        if own_control:
            reached += [self.advanced_controls] if advanced_only else [self.advanced_controls, self.controls]
        for values in reached:
            values[place] = np.maximum(values[place], share)

    def add(
        self,
        wedge: str,
        when: np.ndarray,
        products: Sequence[int],
        origins: Sequence[int],
        destinations: Sequence[int],
        rate: float,
    ) -> None:
        """Add to ``"tariff"``, ``"levy"`` or ``"real_cost"``."""
        getattr(self, wedge)[box(when, products, origins, destinations)] += rate

    def scale_enforcement(self, when: np.ndarray, hubs: Sequence[int], factor: float) -> None:
        """Multiply the detection budget at hubs."""
        self.enforcement[box(when, hubs)] *= factor

    def limit(
        self,
        when: np.ndarray,
        name: str,
        owner: int,
        side: str,
        entries: Iterable[tuple[int, int, int, float]],
        yearly: float,
        unit: str,
    ) -> None:
        """Cap a sum of flows at ``yearly`` a year.

        A limit is whole or absent in a period. A flow is one number a period, so that no cap on it can bind in some
        months and leave the others free: ``yearly * f`` would turn a rule of one week into an embargo of a year. It
        holds in periods of which at least half the days are in force; use half-years for finer dates.

        Args:
            entries: (product, origin, destination, coefficient) by position.
            yearly: in thousand H100e for accelerators, million USD of the base year otherwise.
        """
        regions, products = self.vocabulary.regions, self.vocabulary.products
        years = np.array([period.years for period in self.timeline.periods])
        taken = {limit.name for limit in self.limits}
        unique, copy = name, 2
        while unique in taken:
            unique, copy = f"{name} ({copy})", copy + 1
        self.limits.append(
            Limit(
                name=unique,
                owner=regions[owner],
                side=side,
                entries=tuple((products[p], regions[i], regions[j], c) for p, i, j, c in entries if i != j),
                quantity=np.where(self.whole_periods(when), yearly * years, np.inf),
                unit=unit,
            )
        )

    def whole_periods(self, when: np.ndarray) -> np.ndarray:
        """Boolean ``[period]``: where a limit in force in the stretches of ``when`` holds."""
        return self.timeline.fraction(when) >= WHOLE_PERIOD

    def has_flow(self, products: Sequence[int], origins: Sequence[int], destinations: Sequence[int]) -> bool:
        """Whether the benchmark has any such flow between different regions."""
        foreign = self._foreign[np.ix_(np.asarray(origins, int), np.asarray(destinations, int))] > 0
        if self.exists is None:
            return bool(foreign.any())
        chosen = np.ix_(*(np.asarray(place, int) for place in (products, origins, destinations)))
        return bool((self.exists[chosen] & foreign).any())

    def wedges(self) -> Wedges:
        """Averages by period of what has been written."""

        def averaged(values: np.ndarray) -> np.ndarray:
            return _exact(self.timeline.average(values) * self._foreign)

        coverage, advanced = (np.minimum(averaged(values), 1.0) for values in (self.coverage, self.advanced))
        return Wedges(
            coverage=coverage,
            tariff=averaged(self.tariff),
            levy=averaged(self.levy),
            real_cost=averaged(self.real_cost),
            enforcement=_exact(self.timeline.average(self.enforcement)),
            limits=tuple(self.limits),
            advanced=np.where(advanced > coverage, advanced, 0.0),
        )


def box(when: np.ndarray, *places: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Index of the stretches in force and the given positions along the axes that follow."""
    return np.ix_(np.flatnonzero(when), *(np.asarray(place, int) for place in places))


def _exact(values: np.ndarray) -> np.ndarray:
    """Without the last bits that averaging over stretches leaves: equal coverages must stay equal."""
    return np.round(values, 12)


def region_names(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Every name that stands for regions."""
    return (*vocabulary.regions, *dict.fromkeys(vocabulary.bloc.values()), "hubs", "all")


def product_names(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Every name that stands for products."""
    return (*vocabulary.products, *vocabulary.groups, "all")
