"""What measures ask of the benchmark: whose technology a product contains, whose tools a plant uses, what a chip can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class Chip:
    """A model of accelerator or memory as rules see it.

    Attributes:
        name: its name.
        product: the product it counts under.
        tpp: total processing performance, dense 8-bit operations per second in tera times 8; None for memory.
        performance_density: TPP per square millimetre of logic die; None if the die is not known.
        interconnect: bidirectional rate to other chips, GB/s; None if not known.
        memory_bandwidth: TB/s; None for memory itself.
        hbm_density: GB/s per square millimetre of package, of memory; None for others.
        captive: whether its designer keeps it for machines of its own.
        volume: thousand H100e made, by year.
    """

    name: str
    product: str
    tpp: float | None
    performance_density: float | None
    interconnect: float | None
    memory_bandwidth: float | None
    hbm_density: float | None = None
    captive: bool = False
    volume: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """Facts of the benchmark, axes as in the vocabulary.

    Attributes:
        content: ``[product, region, sender]`` share of a product made in a region that is the sender's technology: items of the
            sender among its inputs and tools, and the sender's technology in items of others.
        tool_share: ``[product, region, origin]`` share of the tools of a planned capacity that come from an origin.
        planned: (product, region) of planned capacities.
        chips: models of accelerators and memory.
    """

    content: np.ndarray
    tool_share: np.ndarray
    planned: frozenset[tuple[str, str]] = frozenset()
    chips: tuple[Chip, ...] = ()
