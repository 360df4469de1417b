"""Where measures write: wedges and limits by stretch of time."""

from __future__ import annotations

import copy
import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from backfill.dimensions import Vocabulary
from backfill.errors import UnknownProductError, UnknownRegionError
from backfill.policy.facts import Facts
from backfill.policy.names import unknown_product, unknown_region
from backfill.policy.shares import PartShares, Place
from backfill.policy.timeline import Timeline
from backfill.policy.wedges import Limit

FlowExists = Callable[[str, str, str], bool]
"""Whether the benchmark has a flow (product, origin, destination)."""

Amount = float | np.ndarray

PARTS = ("parts", "own_parts")
"""What a board keeps by part of a product."""

WHOLE_PERIOD = 0.5
"""A limit holds in periods of which it is in force for at least this share of the days."""


class Board:
    """Wedges in the making. Arrays are ``[stretch, product, origin, destination]``, names are resolved here.

    A region's trade with itself is never touched. What is written may be a number, an array that fits the place written to, or
    an array ``[stretch]`` over all stretches, in force or not.

    Args:
        vocabulary: names and their groups.
        timeline: stretches of time.
        exists: ``[product, origin, destination]``, where the benchmark has a flow; None takes every flow as possible.
        facts: what measures ask of the benchmark; None where there is none.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        timeline: Timeline,
        exists: np.ndarray | None = None,
        facts: Facts | None = None,
    ) -> None:
        regions, products = len(vocabulary.regions), len(vocabulary.products)
        shape = (len(timeline.begins), products, regions, regions)
        self._within: np.ndarray | None = None
        self.vocabulary, self.timeline, self.exists, self.facts = vocabulary, timeline, exists, facts
        self.coverage = np.zeros(shape)
        self.advanced = np.zeros(shape)
        self.tariff = np.zeros(shape)
        self.levy = np.zeros(shape)
        self.real_cost = np.zeros(shape)
        self.enforcement = np.ones((shape[0], regions))
        self.missed = np.ones(shape[:3])
        self.remote = np.zeros((shape[0], regions, regions))
        self.outlay = np.zeros((shape[0], regions))
        self.wear = np.zeros(shape[:3])
        self.subsidy = np.zeros(shape[:3])
        self.knowledge = np.ones(shape[:3])
        self.lock_in = np.zeros(shape)
        self.limits: list[Limit] = []
        self.refused = np.zeros(shape)
        self.parts, self.own_parts = PartShares(shape), PartShares(shape)
        self.drawn = np.zeros(shape)
        self.undrawn = np.zeros(shape)
        self.controls = np.zeros(shape)
        self.advanced_controls = np.zeros(shape)
        self.foreign = 1.0 - np.eye(regions)

    def regions(self, names: Iterable[str]) -> list[int]:
        """Positions of regions named singly, by bloc, as hubs or all."""
        found: set[int] = set()
        for name in names:
            codes = self.vocabulary.expand_regions(name)
            if not codes:
                raise UnknownRegionError("policy", "", name, unknown_region(name, self.vocabulary))
            found |= {self.vocabulary.regions.index(code) for code in codes}
        return sorted(found)

    def products(self, names: Iterable[str]) -> list[int]:
        """Positions of products named singly, by group or all."""
        found: set[int] = set()
        for name in names:
            codes = self.vocabulary.expand_products(name)
            if not codes:
                raise UnknownProductError("policy", "", name, unknown_product(name, self.vocabulary))
            found |= {self.vocabulary.products.index(code) for code in codes}
        return sorted(found)

    def when(self, begin: dt.date | None, until: dt.date | None) -> np.ndarray:
        """Boolean ``[stretch]`` between two dates."""
        found = self.timeline.in_force(begin, until)
        return found if self._within is None else found & self._within

    def within(self, when: np.ndarray) -> Board:
        """The same board to a measure that acts in the stretches of the boolean ``when[stretch]`` only."""
        narrowed = copy.copy(self)
        narrowed._within = when if self._within is None else when & self._within
        return narrowed

    def copy(self) -> Board:
        """A board of its own with the same written on it."""
        copied = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                setattr(copied, name, value.copy())
        for name in PARTS:
            setattr(copied, name, getattr(self, name).copy())
        copied.limits = list(self.limits)
        return copied

    def during(self, when: np.ndarray, value: Amount, axes: int = 4) -> Amount:
        """What is written in the stretches of ``when``: an array ``[stretch]`` as ``[stretch in force, 1, ...]``, else as it is.

        Args:
            when: boolean ``[stretch]``.
            value: a number or an array.
            axes: of the place written to.
        """
        if np.ndim(value) != 1:
            return value
        return np.asarray(value)[when].reshape(-1, *[1] * (axes - 1))

    def close(
        self,
        when: np.ndarray,
        products: Sequence[int],
        origins: Sequence[int],
        destinations: Sequence[int],
        share: Amount,
        *,
        own_control: bool = False,
        advanced_only: bool = False,
        drawn: bool = False,
    ) -> None:
        """Close flows to a share of buyers; of several controls at a time the widest counts (those covered are the same).

        ``advanced`` holds what builders of advanced capacity face, ``coverage`` what everybody else does.

        Args:
            when: boolean ``[stretch]``.
            share: 0 to 1, a number or broadcastable to ``[stretch in force, product, origin, destination]`` (see `during`).
            own_control: a control of the exporter's own, which others may adopt.
            advanced_only: reaches builders of advanced capacity only.
            drawn: closed by technical lines, under which variants may be designed.
        """
        place, share = box(when, products, origins, destinations), self.during(when, share)
        by_lines = self.drawn if drawn else self.undrawn
        by_lines[place] = np.maximum(by_lines[place], share)
        reached = [self.advanced] if advanced_only else [self.advanced, self.coverage]
        if own_control:
            reached += [self.advanced_controls] if advanced_only else [self.advanced_controls, self.controls]
        for values in reached:
            values[place] = np.maximum(values[place], share)

    def close_part(
        self,
        part: str,
        when: np.ndarray,
        products: Sequence[int],
        origins: Sequence[int],
        destinations: Sequence[int],
        share: Amount,
        *,
        own_control: bool = False,
    ) -> None:
        """Close what a part of the products makes up of flows; of several controls of one part at a time the widest counts.

        Args:
            part: what the part is called.
            share: of the flows, 0 to 1, as in `close`.
            own_control: a control of the exporter's own, which others may adopt.
        """
        place, share = box(when, products, origins, destinations), self.during(when, share)
        for parts in (self.parts, self.own_parts) if own_control else (self.parts,):
            parts.close(part, place, share)

    def own_controls(self, place: Place) -> Iterator[tuple[Callable[..., None], np.ndarray]]:
        """Exporters' own controls at a place (see `box`), if there are any, each with what closes flows as it does."""
        for close, controls in ((partial(self.close, advanced_only=True), self.advanced_controls), (self.close, self.controls)):
            if (share := controls[place]).any():
                yield close, share
        for part, share in self.own_parts.by_part(place).items():
            yield partial(self.close_part, part), share

    def closed(self, place: Place = ..., *, own_control: bool = False, advanced_only: bool = False) -> np.ndarray:
        """Share of flows that sellers' controls close, ``1 - (1 - widest of all buyers)(1 - sum of parts)``.

        Args:
            place: index of the flows and stretches; all if left out.
            own_control: by controls of the exporter's own, which others may adopt.
            advanced_only: to builders of advanced capacity instead of everybody else.
        """
        of_all = {
            (False, False): self.coverage, (False, True): self.advanced,
            (True, False): self.controls, (True, True): self.advanced_controls,
        }[own_control, advanced_only][place]  # fmt: skip
        parts = self.own_parts if own_control else self.parts
        return parts.beside(of_all, place)

    def refuse(
        self,
        when: np.ndarray,
        products: Sequence[int],
        origins: Sequence[int],
        destinations: Sequence[int],
        share: Amount,
    ) -> None:
        """Keep a share of a destination's buyers from flows by its own decision; of several decisions the widest counts.

        Whom sellers may not serve and who may not buy are told apart by different governments: the two are independent,
        ``1 - (1 - closed)(1 - refused)``.
        """
        place = box(when, products, origins, destinations)
        self.refused[place] = np.maximum(self.refused[place], self.during(when, share))

    def add(
        self,
        wedge: str,
        when: np.ndarray,
        products: Sequence[int],
        origins: Sequence[int],
        destinations: Sequence[int],
        rate: Amount,
    ) -> None:
        """Add to ``"tariff"``, ``"levy"`` or ``"real_cost"``."""
        getattr(self, wedge)[box(when, products, origins, destinations)] += self.during(when, rate)

    def scale_enforcement(self, when: np.ndarray, hubs: Sequence[int], factor: Amount) -> None:
        """Multiply the detection budget at hubs."""
        self.enforcement[box(when, hubs)] *= self.during(when, factor, 2)

    def detect(self, when: np.ndarray, products: Sequence[int], hubs: Sequence[int], probability: Amount) -> None:
        """A further check at hubs: it finds ``probability`` of the shipments that the others let through.

        Args:
            probability: 0 to 1, a number or broadcastable to ``[stretch in force, product, hub]``.
        """
        self.missed[box(when, products, hubs)] *= 1 - np.asarray(self.during(when, probability, 3))

    def close_remote(self, when: np.ndarray, sites: Sequence[int], users: Sequence[int], share: Amount) -> None:
        """Close compute standing at ``sites`` to a share of the users elsewhere; of several the widest counts."""
        place = box(when, sites, users)
        self.remote[place] = np.maximum(self.remote[place], self.during(when, share, 3))

    def spend(self, when: np.ndarray, region: int, yearly: Amount) -> None:
        """Public spending of a region, million USD of the base year a year; several add up."""
        self.outlay[box(when, [region])] += self.during(when, yearly, 2)

    def wear_out(self, when: np.ndarray, products: Sequence[int], regions: Sequence[int], yearly: Amount) -> None:
        """Wear of planned capacity a year on top of depreciation; several add up."""
        self.wear[box(when, products, regions)] += self.during(when, yearly, 3) * self._planned(products, regions)

    def subsidise(self, when: np.ndarray, products: Sequence[int], regions: Sequence[int], rate: Amount) -> None:
        """Share of the cost of capacity paid by the treasury; several add up."""
        self.subsidy[box(when, products, regions)] += self.during(when, rate, 3) * self._planned(products, regions)

    def cut_knowledge(self, when: np.ndarray, products: Sequence[int], regions: Sequence[int], share: Amount) -> None:
        """Keep a share of what makers there would learn from abroad from reaching them; of several each takes from the rest."""
        self.knowledge[box(when, products, regions)] *= 1 - self.during(when, share, 3)

    def lock_in_owners(
        self,
        when: np.ndarray,
        products: Sequence[int],
        origins: Sequence[int],
        destinations: Sequence[int],
        share: Amount,
    ) -> None:
        """Share of the price that owners of accelerators bought now save at the next ones; several add up."""
        self.lock_in[box(when, products, origins, destinations)] += self.during(when, share)

    def _planned(self, products: Sequence[int], regions: Sequence[int]) -> np.ndarray:
        """1 where there is planned capacity, ``[product, region]``; everywhere if that is not known."""
        if self.facts is None:
            return np.ones((len(products), len(regions)))
        names, planned = self.vocabulary, self.facts.planned
        return np.array([[(names.products[p], names.regions[r]) in planned for r in regions] for p in products], float)

    def years_since(self, begin: dt.date | None) -> np.ndarray:
        """Years from a day to the middle of each stretch, ``[stretch]``; from the first day of all if None, never below 0."""
        start = begin or self.timeline.periods[0].start
        spans = zip(self.timeline.begins, self.timeline.ends, strict=True)
        return np.array([max(0.0, ((a - start).days + (b - start).days) / 2 / 365.25) for a, b in spans])

    def limit(
        self,
        when: np.ndarray,
        name: str,
        owner: int,
        side: str,
        entries: Iterable[tuple[int, int, int, float]],
        yearly: Amount,
        unit: str,
        *,
        own_use: bool = False,
        internalised: bool = True,
        by_value: bool = False,
        ceiling: float = math.inf,
    ) -> None:
        """Cap a sum of flows at ``yearly`` a year.

        A limit is whole or absent in a period. A flow is one number a period, so that no cap on it can bind in some
        months and leave the others free: ``yearly * f`` would turn a rule of one week into an embargo of a year. It
        holds in periods of which at least half the days are in force; use half-years for finer dates.

        Args:
            entries: (product, origin, destination, coefficient) by position.
            yearly: in thousand H100e for accelerators, million USD of the base year otherwise; the same in all of a period.
            own_use: whether regions' trade with themselves counts where it is among the entries.
            internalised, by_value, ceiling: see `Limit`.
        """
        regions, products = self.vocabulary.regions, self.vocabulary.products
        counted = tuple((products[p], regions[i], regions[j], c) for p, i, j, c in entries if own_use or i != j)
        if not any(coefficient > 0 for *_, coefficient in counted):
            return
        years = np.array([period.years for period in self.timeline.periods])
        if np.ndim(yearly):
            yearly = np.asarray(yearly)[self.timeline.firsts]
        taken = {limit.name for limit in self.limits}
        unique, copy = name, 2
        while unique in taken:
            unique, copy = f"{name} ({copy})", copy + 1
        self.limits.append(
            Limit(
                name=unique,
                owner=regions[owner],
                side=side,
                entries=counted,
                quantity=np.where(self.whole_periods(when), yearly * years, np.inf),
                unit=unit,
                internalised=internalised,
                by_value=by_value,
                ceiling=ceiling,
            )
        )

    def flows(self, products: Sequence[int], origins: Sequence[int], destinations: Sequence[int]) -> np.ndarray:
        """Boolean ``[product, origin, destination]`` of the flows between different regions that exist among those given."""
        found = np.zeros(self.coverage.shape[1:], bool)
        found[np.ix_(*(np.asarray(place, int) for place in (products, origins, destinations)))] = True
        found &= self.foreign > 0
        return found if self.exists is None else found & self.exists

    def whole_periods(self, when: np.ndarray) -> np.ndarray:
        """Boolean ``[period]``: where a limit in force in the stretches of ``when`` holds."""
        return self.timeline.fraction(when) >= WHOLE_PERIOD

    def has_flow(self, products: Sequence[int], origins: Sequence[int], destinations: Sequence[int]) -> bool:
        """Whether the benchmark has any such flow between different regions."""
        foreign = self.foreign[np.ix_(np.asarray(origins, int), np.asarray(destinations, int))] > 0
        if self.exists is None:
            return bool(foreign.any())
        chosen = np.ix_(*(np.asarray(place, int) for place in (products, origins, destinations)))
        return bool((self.exists[chosen] & foreign).any())


def box(when: np.ndarray, *places: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Index of the stretches in force and the given positions along the axes that follow."""
    axes = (np.flatnonzero(when), *places)
    return tuple(np.asarray(axis, int).reshape(shape) for axis, shape in zip(axes, _AXES[len(axes)], strict=True))


_AXES = [[[-1 if m == n else 1 for m in range(count)] for n in range(count)] for count in range(5)]
