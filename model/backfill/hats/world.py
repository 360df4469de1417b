"""A solved world of a person's tables: welfare, wages, prices, incomes and trade as polars tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product as pairs

import numpy as np
import polars as pl
from jaxtyping import Float

from backfill.hats.accounts import Accounts
from backfill.hats.base import flows
from backfill.hats.decomposition import decompose
from backfill.hats.market import Base, Found, Setting, Shock, gradient


@dataclass(frozen=True, repr=False)
class HatWorld:
    """A world relative to its base; every table is computed when first asked for.

    Attributes:
        accounts: the base.
        setting, base, shock: what was solved.
        found: the solution, one lane.
    """

    accounts: Accounts
    setting: Setting
    base: Base
    shock: Shock
    found: Found

    def __repr__(self) -> str:
        hats = self.welfare["hat"]
        return f"HatWorld({len(self.accounts.regions)} regions, welfare {hats.min():.6g} to {hats.max():.6g})"

    @cached_property
    def flow(self) -> Float[np.ndarray, "product origin destination"]:
        """Value of every flow before tariff, in shares of world value added."""
        return flows(self.base, self.shock, self.found)

    @property
    def _wage(self) -> Float[np.ndarray, " region"]:
        return np.asarray(self.found.vector[0, : len(self.accounts.regions)])

    @cached_property
    def welfare(self) -> pl.DataFrame:
        """Change of real expenditure, transfers included: ``region, hat``, ``hat = (I'/I) / (P'/P)``."""
        outcome = self.found.outcome
        hat = outcome.income[0] / self.base.income * np.exp(-outcome.final_price[0])
        return pl.DataFrame({"region": self.accounts.regions, "hat": hat})

    @cached_property
    def real_wage(self) -> pl.DataFrame:
        """Change of the wage over the price of final expenditure, before income tax: ``region, hat``."""
        return pl.DataFrame(
            {"region": self.accounts.regions, "hat": np.exp(self._wage - self.found.outcome.final_price[0])}
        )

    @cached_property
    def prices(self) -> pl.DataFrame:
        """Hats of buyers' composite prices and of makers' costs: ``region, product, price, cost``; null where there is none."""
        outcome, accounts = self.found.outcome, self.accounts
        price = np.where(self.base.live > 0, np.exp(outcome.price[0]), np.nan)
        cost = np.where(accounts.output > 0, np.exp(outcome.cost[0]) / self.shock.productivity, np.nan)
        names = list(pairs(accounts.regions, accounts.products))
        return pl.DataFrame(
            {
                "region": [region for region, _ in names],
                "product": [product for _, product in names],
                "price": price.T.ravel(),
                "cost": cost.T.ravel(),
            }
        ).with_columns(pl.col("price", "cost").fill_nan(None))

    @cached_property
    def income(self) -> pl.DataFrame:
        """Where expenditure comes from, in the tables' unit with the base's world value added as numeraire.

        Columns ``region, value_added, tariff_revenue, transfer, expenditure, hat`` (of expenditure).
        """
        outcome, unit = self.found.outcome, self.accounts.unit
        own, income = outcome.own_income[0], outcome.income[0]
        return pl.DataFrame(
            {
                "region": self.accounts.regions,
                "value_added": unit * (own - outcome.revenue[0]),
                "tariff_revenue": unit * outcome.revenue[0],
                "transfer": unit * (income - own),
                "expenditure": unit * income,
                "hat": income / self.base.income,
            }
        )

    @cached_property
    def trade(self) -> pl.DataFrame:
        """Flows that were in the base: ``origin, destination, product, value, hat``, before tariff, unit as in `income`."""
        accounts = self.accounts
        k, i, n = np.nonzero(accounts.flow)
        value = self.flow[k, i, n]
        regions, products = np.array(accounts.regions, object), np.array(accounts.products, object)
        return pl.DataFrame(
            {
                "origin": regions[i].tolist(),
                "destination": regions[n].tolist(),
                "product": products[k].tolist(),
                "value": accounts.unit * value,
                "hat": value / accounts.flow[k, i, n],
            }
        )

    @cached_property
    def checks(self) -> pl.DataFrame:
        """What should be zero, over world value added or in logarithms: ``check, value``; and ``converged`` (1), ``steps``."""
        found, flow, labour = self.found, self.flow, self.accounts.labour
        outcome = found.outcome
        final = outcome.income[0] * self.accounts.final
        bought = np.einsum("skn,kn->sn", self.accounts.inputs, flow.sum(2)) + final
        absorbed = (flow * (1 + self.shock.tariff)).sum(1)
        earned = outcome.own_income[0] - outcome.revenue[0]
        values = {
            "converged": float(found.converged[0]),
            "steps": float(found.steps[0]),
            "residual": float(found.residual[0]),
            "goods": float(np.abs(bought - absorbed).max()),
            "labour": float(np.abs((labour * flow.sum(2)).sum(0) - earned).max()),
            "revenue": float(np.abs((flow * self.shock.tariff).sum((0, 1)) - outcome.revenue[0]).max()),
            "budget": float(np.abs(outcome.income[0].sum() - outcome.own_income[0].sum())),
        }
        return pl.DataFrame({"check": list(values), "value": list(values.values())})

    @cached_property
    def decomposition(self) -> pl.DataFrame:
        """First-order parts of the change of welfare beside the exact one; see `backfill.hats.decomposition`."""
        return decompose(self)

    def welfare_gradient(self, region: str) -> pl.DataFrame:
        """Derivative of a region's log welfare by every tariff rate: ``origin, destination, product, derivative``.

        Exact at the solution, from one adjoint system; flows of the base only.

        Raises:
            ValueError: for an unknown region.
        """
        accounts = self.accounts
        if region not in accounts.regions:
            raise ValueError(f"region {region!r} is unknown; the economy has {', '.join(accounts.regions)}")
        weights = np.eye(len(accounts.regions))[accounts.regions.index(region)]
        slope = gradient(self.setting, self.base, self.shock, np.asarray(self.found.vector[0]), weights).tariff
        k, i, n = np.nonzero(accounts.flow)
        regions, products = np.array(accounts.regions, object), np.array(accounts.products, object)
        return pl.DataFrame(
            {
                "origin": regions[i].tolist(),
                "destination": regions[n].tolist(),
                "product": products[k].tolist(),
                "derivative": slope[k, i, n],
            }
        )
