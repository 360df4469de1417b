"""What a policy does to the markets: wedges on trade flows and limits on quantities, by period."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from backfill.dimensions import Period, Vocabulary


@dataclass(frozen=True)
class Limit:
    """A cap on a sum of flows, ``sum(coefficient * flow) <= quantity[t]``.

    Flows with a negative coefficient make room for the others: ``q_CHN <= .5 q_USA`` is ``q_CHN - .5 q_USA <= 0``.

    Attributes:
        name: what the limit is called in results, e.g. ``"H20 licence quota"``.
        owner: region that receives the rent.
        side: ``"exporter"`` or ``"importer"``: on which side of the border the rent arises.
        entries: (product, origin, destination, coefficient) of the flows counted.
        quantity: cap by period, in thousand H100e for accelerators and million USD of the base year
            otherwise; ``inf`` where not in force.
        unit: unit of ``quantity``.
        internalised: whether flows that make room are made cheaper by what they are worth, paid by those that need it, so
            that the net rent is nothing; if not, those that need room pay the owner.
        by_value: whether flows count by their value at mill prices, in million USD, instead of in units.
        ceiling: largest rent, as a share of the mill price on the exporter's side and of the duty-paid price on the importer's:
            beyond it the cap gives way, as where a quota of a lower duty is used up.
    """

    name: str
    owner: str
    side: str
    entries: tuple[tuple[str, str, str, float], ...]
    quantity: np.ndarray
    unit: str
    internalised: bool = True
    by_value: bool = False
    ceiling: float = math.inf

    @property
    def closes(self) -> np.ndarray:
        """Boolean ``[period]``: where nothing at all may flow."""
        return (self.quantity <= 0) & all(entry[3] > 0 for entry in self.entries) & (self.ceiling == math.inf)


@dataclass(frozen=True)
class Wedges:
    """Policy as the markets see it. Arrays are ``[period, product, origin, destination]``.

    Attributes:
        coverage: share of buyers for whom the flow is closed, 0 to 1.
        tariff: import duty added to the base year's, as a share of the CIF value.
        levy: export levy as a share of the exporter's price.
        real_cost: compliance and verification cost as a share of the FOB value, bought as services.
        enforcement: ``[period, region]`` detection budget at each hub relative to the base year's (1 = unchanged).
        limits: quantity limits.
        advanced: coverage, of tools only, that reaches builders of advanced capacity and nobody else; they face the larger
            of it and ``coverage``. Zero unless stated.
        detection: ``[period, product, region]`` probability, at each hub, that what checks other than the budgeted ones find
            a diverted shipment, ``1 - prod(1 - p)`` over layers of checks. Zero unless stated.
        remote: ``[period, site, user]`` share of users to whom compute standing elsewhere is closed. Zero unless stated.
        outlay: ``[period, region]`` public spending on carrying measures out, million USD of the base year, bought as
            services. Zero unless stated.
        wear: ``[period, product, region]`` depreciation per year added to planned capacity. Zero unless stated.
        subsidy: ``[period, product, region]`` share of what capacity costs paid by the region's treasury. Zero unless stated.
        knowledge: ``[period, product, region]`` share of what makers would learn from what is bought abroad that reaches them.
            One unless stated.
        lock_in: share of an accelerator's price that owners of one bought now save when they buy from its designer again.
            Zero unless stated.
        foreseen: ``[period]`` share of the period in which buyers know what comes in later ones. One unless stated.
    """

    coverage: np.ndarray
    tariff: np.ndarray
    levy: np.ndarray
    real_cost: np.ndarray
    enforcement: np.ndarray
    limits: tuple[Limit, ...] = ()
    advanced: np.ndarray = field(default_factory=lambda: np.zeros(0))
    detection: np.ndarray = field(default_factory=lambda: np.zeros(0))
    remote: np.ndarray = field(default_factory=lambda: np.zeros(0))
    outlay: np.ndarray = field(default_factory=lambda: np.zeros(0))
    wear: np.ndarray = field(default_factory=lambda: np.zeros(0))
    subsidy: np.ndarray = field(default_factory=lambda: np.zeros(0))
    knowledge: np.ndarray = field(default_factory=lambda: np.zeros(0))
    lock_in: np.ndarray = field(default_factory=lambda: np.zeros(0))
    foreseen: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        periods, products, regions, _ = self.coverage.shape
        made = (periods, products, regions)
        neutral = {
            "advanced": np.zeros(self.coverage.shape),
            "detection": np.zeros(made),
            "remote": np.zeros((periods, regions, regions)),
            "outlay": np.zeros((periods, regions)),
            "wear": np.zeros(made),
            "subsidy": np.zeros(made),
            "knowledge": np.ones(made),
            "lock_in": np.zeros(self.coverage.shape),
            "foreseen": np.ones(periods),
        }
        for name, values in neutral.items():
            if getattr(self, name).size == 0:
                object.__setattr__(self, name, values)

    @classmethod
    def none(cls, vocabulary: Vocabulary, periods: tuple[Period, ...]) -> Wedges:
        """No policy: every wedge zero, detection at its base."""
        shape = (len(periods), len(vocabulary.products), len(vocabulary.regions), len(vocabulary.regions))
        return cls(
            coverage=np.zeros(shape),
            tariff=np.zeros(shape),
            levy=np.zeros(shape),
            real_cost=np.zeros(shape),
            enforcement=np.ones((len(periods), len(vocabulary.regions))),
        )


def stacked(worlds: Sequence[Wedges]) -> Wedges:
    """Worlds of one period as one: the leading axis of every array, and of limits' quantities, is the world.

    Limits of one name and the same flows are one limit, infinite in worlds without it.

    Raises:
        ValueError: for wedges over several periods.
    """
    if any(len(one.coverage) != 1 for one in worlds):
        raise ValueError("only wedges over one period can be stacked")
    return joined(worlds)


def joined(parts: Sequence[Wedges]) -> Wedges:
    """Stacked wedges, one after the other (see `stacked`)."""
    if len(parts) == 1:
        return parts[0]
    count = sum(len(one.coverage) for one in parts)
    limits: dict[tuple, tuple[Limit, np.ndarray]] = {}
    place = 0
    for one in parts:
        here = slice(place, place := place + len(one.coverage))
        for limit in one.limits:
            alike = tuple(getattr(limit, f.name) for f in fields(Limit) if f.name != "quantity")
            limits.setdefault(alike, (limit, np.full(count, np.inf)))[1][here] = limit.quantity
    arrays = {
        f.name: np.concatenate([getattr(one, f.name) for one in parts]) for f in fields(Wedges) if f.name != "limits"
    }
    return Wedges(**arrays, limits=tuple(replace(limit, quantity=amount) for limit, amount in limits.values()))


def some(wedges: Wedges, which: slice) -> Wedges:
    """Some of stacked wedges."""
    arrays = {f.name: getattr(wedges, f.name)[which] for f in fields(Wedges) if f.name != "limits"}
    return Wedges(**arrays, limits=tuple(replace(limit, quantity=limit.quantity[which]) for limit in wedges.limits))
