"""From accounts to the arrays of the map, and back to accounts after a change of base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from backfill.errors import CommandError, Faults, UserError, did_you_mean
from backfill.hats.accounts import Accounts
from backfill.hats.market import Base, Found, Setting, Shock, Walls, slopes_at

Closure = Literal["fixed", "proportional", "balanced"]
CLOSURES = ("fixed", "proportional", "balanced")


@dataclass(frozen=True)
class ScaleEconomies:
    """Free entry of firms, each with its own variety (Krugman 1980; Costinot and Rodriguez-Clare 2014, section 3).

    The number of firms follows ``Y_ik / c_ik``, and sales at given prices its power ``strength``: 1 in Krugman's model, where
    firms of a region are as close substitutes as firms of different regions, 0 without scale economies. Below 1 such
    worlds are well behaved; at 1, with several products, industries may leave a region altogether (Kucheryavyy, Lyn and
    Rodriguez-Clare 2023, Grounded by Gravity), and a world without an answer inside is refused.
    """

    strength: float = 1.0


@dataclass(frozen=True)
class ElasticLabour:
    """Labour supply ``L = ((1 - t) w / P)^elasticity``, hats throughout.

    Attributes:
        elasticity: of labour supply to the real wage after tax, of all regions or by name (0 for regions left out).
        income_tax: rate in the base.
        revenue: what tariff revenue does: ``"rebated"`` to households as a lump sum, the tax unchanged, or
            ``"replaces income tax"`` at unchanged real revenue of both together.
    """

    elasticity: float | Mapping[str, float] = 0.5
    income_tax: float = 0.0
    revenue: Literal["rebated", "replaces income tax"] = "rebated"


def setting_of(closure: str, scale: ScaleEconomies | None, labour: ElasticLabour | None) -> Setting:
    """The kind of world.

    Raises:
        CommandError: for a value that none of the three takes.
    """
    if closure not in CLOSURES:
        raise CommandError("closure", "", closure, f"use {', '.join(CLOSURES)}")
    if scale is not None and not 0 <= scale.strength <= 1:
        raise CommandError("scale", "strength", scale.strength, "must lie between 0 and 1")
    if labour is not None:
        if not 0 <= labour.income_tax < 1:
            raise CommandError("labour", "income_tax", labour.income_tax, "must be at least 0 and less than 1")
        if labour.revenue not in ("rebated", "replaces income tax"):
            raise CommandError("labour", "revenue", labour.revenue, 'use "rebated" or "replaces income tax"')
    kind = "proportional" if closure == "proportional" else "fixed"
    return Setting(kind, scale is not None, labour.revenue if labour else "fixed")


def base_of(accounts: Accounts, setting: Setting, scale: ScaleEconomies | None, labour: ElasticLabour | None) -> Base:
    """The arrays of the map, for the accounts as they stand."""
    regions, products = len(accounts.regions), len(accounts.products)
    own = accounts.value_added + accounts.revenue
    deficit = accounts.income / own if setting.closure == "proportional" else accounts.deficit
    demanded = (accounts.final > 0) | (accounts.intermediate > 0)
    base = Base(
        share=accounts.share,
        tariff=accounts.tariff,
        inputs=np.ascontiguousarray(accounts.inputs.transpose(2, 0, 1)),
        labour=accounts.labour,
        final=accounts.final,
        theta=accounts.theta,
        value_added=accounts.value_added,
        revenue=accounts.revenue,
        deficit=deficit,
        income=accounts.income,
        spending=np.where(demanded, accounts.spending, 0.0),
        output=accounts.output,
        live=(demanded & (accounts.spending > 0)).astype(float),
        pace=np.zeros((regions, regions)),
        levels=np.zeros((0, 0)),
        strength=np.full(products, scale.strength if scale else 0.0),
        supply=_supply(accounts.regions, labour),
        tax=np.full(regions, labour.income_tax if labour else 0.0),
    )
    walls = Walls(base.share, base.share / (1 + base.tariff))
    nobody = np.zeros((products, 0, regions))
    known = slopes_at(setting, base, walls, nobody, np.ones((products, regions)), base.spending, base.income)
    return base._replace(pace=known.pace, levels=known.levels)


def _supply(regions: tuple[str, ...], labour: ElasticLabour | None) -> Float[np.ndarray, " region"]:
    """Elasticities of labour supply.

    Raises:
        Faults: for regions that the economy lacks, and elasticities below zero.
    """
    given = labour.elasticity if labour else 0.0
    by_region = given if isinstance(given, Mapping) else dict.fromkeys(regions, given)
    wrong: list[UserError] = [
        CommandError("labour", "elasticity", name, f"unknown region: {did_you_mean(name, regions)}")
        for name in by_region
        if name not in regions
    ]
    for name, value in by_region.items():
        if not (np.isfinite(value) and value >= 0):
            wrong.append(CommandError("labour", f"elasticity.{name}", value, "must be at least 0"))
    if wrong:
        raise Faults(wrong)
    return np.array([by_region.get(name, 0.0) for name in regions], float)


def no_shock(accounts: Accounts) -> Shock:
    """The base as it is."""
    products, regions = accounts.flow.shape[:2]
    return Shock(
        tariff=accounts.tariff,
        cost=np.ones_like(accounts.flow),
        productivity=np.ones((products, regions)),
        home=np.zeros((products, 0, regions)),
        open=np.zeros((products, 0, regions)),
        part=np.ones((products, regions)),
    )


def size_of(setting: Setting, base: Base) -> int:
    """Number of unknowns."""
    regions, cells = len(base.value_added), base.spending.size
    return regions + 2 * cells + (cells if setting.scale else 0) + (regions if setting.labour != "fixed" else 0)


def flows(base: Base, shock: Shock, found: Found, lane: int = 0) -> Float[np.ndarray, "product origin destination"]:
    """Value of every flow before tariff, in shares of world value added."""
    outcome, net = found.outcome, found.walls.net[lane]
    regions = base.value_added.shape[0]
    sold = np.asarray(outcome.power[lane][:, :, None] * net * outcome.weight[lane][:, None])
    if not shock.home.shape[-2]:
        return sold
    return sold[:, :, :regions] + np.einsum("kis,ksn->kin", sold[:, :, regions:], shock.home)
