"""An economy made from a person's tables: `TableEconomy`, which solves in hats and is an `Economy` like any other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from backfill.economy.economy import Economy
from backfill.hats.accounts import Accounts
from backfill.hats.balance import without_deficits
from backfill.hats.base import (
    ElasticLabour,
    ScaleEconomies,
    base_of,
    no_shock,
    setting_of,
    size_of,
)
from backfill.hats.calibrate import as_economy
from backfill.hats.controls import closed, columns
from backfill.hats.market import Base, Setting, Shock
from backfill.hats.search import find
from backfill.hats.tables import read_accounts, read_shocks
from backfill.hats.world import HatWorld


@dataclass(frozen=True, kw_only=True, repr=False)
class TableEconomy(Economy):
    """A trading world calibrated to tables.

    Attributes:
        accounts: the base, balanced if the closure says so.
        setting, base: its arrays.
    """

    accounts: Accounts
    setting: Setting
    base: Base

    def __repr__(self) -> str:
        return f"TableEconomy({len(self.accounts.regions)} regions, {len(self.accounts.products)} products)"

    def solve(
        self, *, tariffs: Any = None, trade_costs: Any = None, productivity: Any = None, export_controls: Any = None
    ) -> HatWorld:
        """The world after a change. A table given is the complete schedule; one not given leaves the base as it is.

        Args:
            tariffs: ``origin, destination, product, rate`` in levels; absent rows are 0.
            trade_costs: ``origin, destination, product, trade_cost``, hats of iceberg costs; absent rows are 1.
            productivity: ``region, product, productivity``, hats; absent rows are 1.
            export_controls: ``origin, destination, product, availability``: the route is closed to the share ``1 -
                availability`` of buyers, shares of buyers being fixed; absent rows are 1.

        Raises:
            Faults: everything wrong with the tables.
            UnsolvedError: no world was found; the sentence says why and what to try.
        """
        given = {
            "tariffs": tariffs,
            "trade_costs": trade_costs,
            "productivity": productivity,
            "export_controls": export_controls,
        }
        shock = self.shock(read_shocks(self.accounts, given))
        closed(self.accounts, shock)
        found = find(self.accounts, self.setting, self.base, shock, np.zeros(size_of(self.setting, self.base)))
        return HatWorld(self.accounts, self.setting, self.base, shock, found)

    def shock(self, tables: dict[str, np.ndarray]) -> Shock:
        """Checked tables as the map takes them."""
        shock = no_shock(self.accounts)
        if "tariffs" in tables:
            shock = shock._replace(tariff=tables["tariffs"])
        if "trade_costs" in tables:
            shock = shock._replace(cost=tables["trade_costs"])
        if "productivity" in tables:
            shock = shock._replace(productivity=tables["productivity"])
        if "export_controls" in tables:
            shock = shock._replace(**columns(self.accounts, tables["export_controls"]))
        return shock


def from_tables(
    *,
    trade: Any,
    elasticities: Any,
    tariffs: Any = None,
    inputs: Any = None,
    final_demand: Any = None,
    closure: str = "fixed",
    scale: ScaleEconomies | None = None,
    labour: ElasticLabour | None = None,
    named: dict[str, tuple[str, int]] | None = None,
) -> TableEconomy:
    """See `backfill.Economy.from_tables`."""
    setting = setting_of(closure, scale, labour)
    tables = {
        "trade": trade,
        "tariffs": tariffs,
        "inputs": inputs,
        "elasticities": elasticities,
        "final_demand": final_demand,
    }
    accounts = read_accounts(tables, closure, named)
    if closure == "balanced":
        accounts = without_deficits(accounts)
    base = base_of(accounts, setting, scale, labour)
    return as_economy(partial(TableEconomy, accounts=accounts, setting=setting, base=base), accounts)
