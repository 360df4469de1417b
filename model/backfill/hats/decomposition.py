"""The first-order decomposition of welfare into terms and volume of trade (Caliendo and Parro, Rev. Econ. Studies 82, 2015).

For small changes of tariffs, with base values and hats of mill prices ``c`` and of trade before tariff ``M``,

    d ln W_n = (1/I_n) sum_k sum_i (E_nik ln c_nk - M_ink ln c_ik)          terms of trade
             + (1/I_n) sum_k sum_i t_ink M_ink (M_ink' / M_ink - 1 - ln c_ik)   volume of trade

with exports ``E``, imports ``M`` and the tariffs ``t`` of the base. Import changes are discrete, so that flows which vanish
count; nothing else of second order does, and where tariffs fall to zero from high rates the sum can be far from the exact change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from backfill.hats.world import HatWorld


def decompose(world: HatWorld) -> pl.DataFrame:
    """Parts by region, as shares of base expenditure.

    Columns ``region, terms_of_trade, volume_of_trade, first_order`` (their sum) and ``exact`` (log change of welfare).
    """
    accounts = world.accounts
    cost = world.found.outcome.cost[0] - np.log(world.shock.productivity)
    cost = np.where(accounts.output > 0, cost, 0.0)
    abroad = accounts.flow * (1 - np.eye(len(accounts.regions)))
    terms = (abroad.sum(2) * cost).sum(0) - np.einsum("kin,ki->n", abroad, cost)
    taxed = abroad * accounts.tariff
    change = np.where(abroad > 0, world.flow / np.where(abroad > 0, abroad, 1.0), 1.0) - 1
    volume = np.einsum("kin,kin->n", taxed, change - cost[:, :, None])
    terms, volume = terms / accounts.income, volume / accounts.income
    return pl.DataFrame(
        {
            "region": accounts.regions,
            "terms_of_trade": terms,
            "volume_of_trade": volume,
            "first_order": terms + volume,
            "exact": np.log(world.welfare["hat"].to_numpy()),
        }
    )
