"""A policy of the small economy as a smooth function of seven numbers, in two vintages."""

from __future__ import annotations

import dataclasses

import numpy as np

from backfill.policy.wedges import Wedges
from tests.support import small

START = 2
NAMES = ("frontier", "tools", "ally", "tariff", "enforcement", "cut", "lock_in")
CENTRE = (0.7, 0.6, 0.35, 0.08, 1.8, 0.2, 0.05)


def chain(
    economy, frontier: float, tools: float, ally: float, tariff: float, enforcement: float, cut: float, lock_in: float
) -> list[Wedges]:
    """What is known at first, an early control, and what becomes known in the second period and acts from the third."""
    names = economy.structure.vocabulary
    none = Wedges.none(names, economy.periods)
    product, region = names.products.index, names.regions.index

    def early() -> np.ndarray:
        coverage = none.coverage.copy()
        coverage[1:, product("accelerators_frontier"), region("USA"), region("CHN")] = 0.4 + 0.1 * frontier
        return coverage

    coverage, duty, budget, outlay = early(), none.tariff.copy(), none.enforcement.copy(), none.outlay.copy()
    coverage[START:, product("accelerators_frontier"), region("USA"), region("CHN")] = frontier
    for tool in (*small.TOOLS, "subsystems"):
        coverage[START:, product(tool), region("USA"), region("CHN")] = tools
        coverage[START:, product(tool), region("TWN"), region("CHN")] = ally * tools
    duty[START:, product("electronics"), region("CHN"), region("USA")] = tariff
    budget[START:, region("SGP")] = enforcement
    outlay[START:, region("USA")] = 191.0 * (enforcement - 1)
    knowledge, owners = none.knowledge.copy(), none.lock_in.copy()
    for good in (*small.TOOLS, "logic_advanced"):
        knowledge[START:, product(good), region("CHN")] = 1 - cut
    owners[START:, product("accelerators_frontier"), region("USA"), region("TWN")] = lock_in
    foreseen = np.where(np.arange(len(economy.periods)) == 1, 0.6, 1.0)
    late = dataclasses.replace(
        none,
        coverage=coverage,
        tariff=duty,
        enforcement=budget,
        outlay=outlay,
        knowledge=knowledge,
        lock_in=owners,
        foreseen=foreseen,
    )
    return [dataclasses.replace(none, coverage=early()), late]


DEPARTS = {1: (0, 1)}
