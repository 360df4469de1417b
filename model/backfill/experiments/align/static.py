"""Accounts of many worlds of one period, suppliers' rents being those of the reference plan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backfill.economy.economy import Economy
from backfill.experiments.align.accounts import Account, accounts
from backfill.policy.wedges import Wedges
from backfill.static import StaticPeriod

TOGETHER = 256
"""Worlds in one batch, some 1.5 MB each."""


def static_accounts(economy: Economy, worlds: Sequence[Wedges], at: int, sender: int) -> list[Account]:
    """Accounts of worlds in one period, at the rents of the reference plan (see `backfill.static.static_worlds`).

    Args:
        economy: the calibrated economy.
        worlds: wedges over one period.
        at: place of that period in the economy.
        sender: place of the region whose trade is wanted.
    """
    period, nothing = StaticPeriod(economy, at), np.zeros(len(economy.structure.regions))
    found: list[Account] = []
    for first in range(0, len(worlds), TOGETHER):
        some = worlds[first : first + TOGETHER]
        solved = period.solve(some)
        count = len(some)
        found += accounts(
            economy.structure, solved.seen, count, sender, [nothing] * count, [np.nan] * count, solved.failures
        )
    return found
