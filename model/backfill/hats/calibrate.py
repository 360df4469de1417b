"""Accounts as an `Economy`: the same world for `backfill.solve_world`, which knows every measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import jax
import numpy as np

from backfill.dimensions import periods
from backfill.economy.economy import (
    Accelerators,
    Capacity,
    Diversion,
    Economy,
    Endowment,
    Parameters,
    Preferences,
    Production,
    Structure,
)
from backfill.hats.accounts import Accounts
from backfill.hats.own import vocabulary_of
from backfill.trade.state import State, pack

Kind = TypeVar("Kind", bound=Economy)

DISCOUNT = 0.95
"""Yearly discount factor of a table economy, in which only reported present values depend on it (assumed)."""


def as_economy(
    kind: Callable[..., Kind],
    accounts: Accounts,
    *,
    first_year: int = 0,
    last_year: int = 0,
    per_year: int = 1,
    bloc: dict[str, str] | None = None,
) -> Kind:
    """An economy with these accounts in every period: Cobb-Douglas technology and tastes, no planned capacity.

    Mill prices are 1 in the base, so that quantities are base values before tariff; a period has its share of a year's values.

    Args:
        kind: `Economy`, or what makes one from the same arguments.
        bloc: bloc by region, ``partner`` where absent.
    """
    spans = periods(first_year or 1, last_year or first_year or 1, per_year)
    if not first_year:
        spans = (replace(spans[0], label="base"),)
    count, regions = len(spans), len(accounts.regions)
    products = len(accounts.products)
    scale = accounts.unit / per_year
    structure = Structure(
        vocabulary=vocabulary_of(accounts, bloc or {}),
        products=accounts.products,
        core=products,
        levels=(),
        makers=(),
        families=(),
        leaves=(),
        hubs=(),
        nodes=(),
        owners=(),
        tools=(),
        cobb_douglas=True,
    )
    zeros = np.zeros
    sigma = accounts.theta + 1
    once = Parameters(
        production=Production(
            labour=accounts.labour,
            inputs=accounts.inputs,
            cost=np.ones((products, regions)),
            margin=zeros((products, regions)),
            productivity=np.ones((products, regions)),
            elasticity=np.ones(products),
        ),
        preferences=Preferences(
            weight=accounts.share * (1 + accounts.tariff) ** (sigma - 1)[:, None, None],
            sigma=sigma,
            rivalry=zeros((products, regions)),
            tariff=accounts.tariff,
            final=accounts.final,
            final_elasticity=np.ones(()),
            compute_elasticity=np.ones(()),
            compute_taste=zeros(regions),
            compute_inputs=zeros(products),
        ),
        accelerators=Accelerators(
            bill=zeros((products, 0)),
            home_bill=zeros((products, 0)),
            labour=zeros(0),
            margin=zeros(0),
            tariff=zeros((0, regions)),
            route_weight=zeros(0),
            tier_weight=zeros(0),
            family_weight=zeros(0),
            ownership_weight=zeros(0),
            route_slope=zeros(0),
            tier_slope=zeros(0),
            family_slope=zeros(0),
            ownership_slope=zeros(regions),
            rivalry_slope=zeros(regions),
        ),
        diversion=Diversion(
            fixed_cost=zeros(()),
            slope=zeros(()),
            convexity=np.ones(()),
            scale=zeros(0),
            seizure=zeros(0),
            budget_elasticity=zeros(()),
            fine=zeros(()),
            cloud_margin=zeros(()),
        ),
        endowment=Endowment(labour=scale * accounts.value_added, deficit=accounts.deficit, ratio=zeros(0)),
    )
    state = State(
        wage=np.ones(regions),
        core_mill=np.ones((products, regions)),
        core_output=scale * accounts.output,
        absorption=scale * accounts.income,
        freight=zeros(regions),
        congestion=zeros(0),
        limit_rent=zeros(0),
    )
    with jax.enable_x64(True):
        start = np.asarray(pack(state))
    none = zeros((count, 0))
    return kind(
        structure=structure,
        periods=spans,
        reported=count,
        lags=(),
        parameters=jax.tree.map(lambda x: np.broadcast_to(x, (count, *np.shape(x))), once),
        capacity=Capacity(
            reference=none,
            rent=none,
            additions=none,
            site_cost=none,
            slope=none,
            tool_need=zeros((0, products)),
            depreciation=zeros(0),
            discount=np.asarray(DISCOUNT ** (1 / per_year)),
            stock_loss=np.zeros(()),
            stock_mismatch=np.ones(()),
        ),
        reference_state=np.tile(start, (count, 1)),
        grades={},
    )
