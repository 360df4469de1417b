"""What a policy does to the markets: wedges on trade flows and limits on quantities, by period."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from backfill.dimensions import Period, Vocabulary


@dataclass(frozen=True)
class Limit:
    """A cap on a sum of flows, ``sum(coefficient * flow) <= quantity[t]``.

    Attributes:
        name: what the limit is called in results, e.g. ``"H20 licence quota"``.
        owner: region that receives the rent.
        side: ``"exporter"`` or ``"importer"``: on which side of the border the rent arises.
        entries: (product, origin, destination, coefficient) of the flows counted.
        quantity: cap by period, in thousand H100e for accelerators and million USD of the base year
            otherwise; ``inf`` where not in force.
        unit: unit of ``quantity``.
    """

    name: str
    owner: str
    side: str
    entries: tuple[tuple[str, str, str, float], ...]
    quantity: np.ndarray
    unit: str


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
    """

    coverage: np.ndarray
    tariff: np.ndarray
    levy: np.ndarray
    real_cost: np.ndarray
    enforcement: np.ndarray
    limits: tuple[Limit, ...] = ()
    advanced: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        if self.advanced.size == 0:
            object.__setattr__(self, "advanced", np.zeros(self.coverage.shape))

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
