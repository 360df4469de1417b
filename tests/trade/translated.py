"""The oracle's economies and scenarios in the arrays of the solver: one lane a scenario."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import numpy as np

from backfill.dimensions import Vocabulary
from backfill.economy.economy import (
    DIRECT,
    Accelerators,
    Diversion,
    Endowment,
    Leaf,
    Parameters,
    Preferences,
    Production,
    Structure,
)
from backfill.policy.wedges import Limit, Wedges
from backfill.trade.barriers import Barriers, lanes
from backfill.trade.demand import Tastes
from backfill.trade.equilibrium import Lane, first_guess
from backfill.trade.market import Plan
from tests.trade.market_oracle import Nest, OracleEconomy, Scenario
from tests.trade.worlds import builders_by_region

REGIONS = ("AAA", "BBB", "CCC", "DDD", "EEE")


def owned_at_home(economy: OracleEconomy, foreign: dict[tuple[int, int], int] | None = None) -> OracleEconomy:
    """The same economy with margins and rents earned where goods are made; the solver gives margins to no one else.

    Args:
        foreign: (good, region) to the owner of its rent; the margin there becomes rent.
    """
    share = economy.price0[:, None]
    inputs = economy.factor_share[:, :, 1:] * economy.cost0[:, :, None] / share[:, :, None]
    margin, rent = economy.margin0 / share, economy.rent0 / share
    owner = np.tile(np.eye(economy.n), (economy.K, 1, 1))
    for (k, i), region in (foreign or {}).items():
        margin[k, i], rent[k, i] = 0.0, margin[k, i] + rent[k, i]
        owner[k, i] = np.eye(economy.n)[region]
    flows = economy.flow0.copy()
    flows[[good.physical for good in economy.goods]] = 0.0
    return OracleEconomy(
        economy.goods, economy.services, flows, economy.tariffs, inputs, margin, rent, economy.investment0, economy.nests,
        economy.final_elasticity, economy.compute_elasticity, owner,
    )  # fmt: skip


def makers_of(economy: OracleEconomy) -> list[tuple[int, int]]:
    """(good, region) of every physical good made."""
    return [(int(k), int(i)) for k, i in np.argwhere(economy.makes) if economy.goods[k].physical]


def shape_of(economy: OracleEconomy, core: int = 2, tools: tuple[int, ...] = (2,)) -> Structure:
    """Names and networks: the first ``core`` goods in the loop, each other good a level of its own, rents on every good
    of the oracle's that has one."""
    goods = [k for k, good in enumerate(economy.goods) if not good.physical]
    names = tuple(economy.goods[k].name for k in goods)
    regions = REGIONS[: economy.n]
    lines = makers_of(economy)
    products = (*names, *dict.fromkeys(economy.goods[k].name for k, _ in lines))
    nodes = [(k, i) for k in goods for i in range(economy.n) if economy.rent0[k, i] > 0]
    return Structure(
        vocabulary=Vocabulary(regions, dict.fromkeys(regions, "partner"), (), products, {}),
        products=names,
        core=core,
        levels=tuple((n, n + 1) for n in range(core, len(names))),
        makers=tuple((economy.goods[k].name, regions[i]) for k, i in lines),
        families=tuple(f"{economy.goods[k].name} {regions[i]}" for k, i in lines),
        leaves=tuple(
            Leaf(lines.index(route), nest.buyer, nest.buyer, DIRECT)
            for nest in sorted(economy.nests, key=lambda nest: nest.buyer)
            for route in nest.routes
        ),
        hubs=(),
        nodes=tuple((economy.goods[k].name, regions[i]) for k, i in nodes),
        owners=tuple(regions[int(economy.owner[k, i].argmax())] for k, i in nodes),
        tools=tools,
    )


def _accelerators(economy: OracleEconomy, goods: list[int]) -> Accelerators:
    lines = makers_of(economy)
    per_unit = economy.factor_share * economy.cost0[:, :, None]
    by_buyer = sorted(economy.nests, key=lambda nest: nest.buyer)
    weights, slopes, ownership = [], [], np.ones(economy.n)
    for nest in by_buyer:
        share, price, slope = _logit(economy, nest)
        weights += list(np.log(share) + slope * (price - share @ price))
        slopes += [slope] * len(nest.routes)
        ownership[nest.buyer] = slope
    routes = len(weights)
    return Accelerators(
        bill=np.array([per_unit[k, i, 1:][goods] for k, i in lines]).reshape(-1, len(goods)).T,
        home_bill=np.zeros((len(goods), len(lines))),
        labour=np.array([per_unit[k, i, 0] for k, i in lines]),
        margin=np.array([economy.margin0[k, i] for k, i in lines]),
        tariff=np.array([economy.tariffs[k, i] for k, i in lines]).reshape(-1, economy.n),
        route_weight=np.zeros(routes),
        tier_weight=np.zeros(routes),
        family_weight=np.array(weights),
        ownership_weight=np.zeros(len(by_buyer)),
        route_slope=np.array(slopes),
        tier_slope=np.array(slopes),
        family_slope=np.array([_logit(economy, nest)[2] for nest in by_buyer]),
        ownership_slope=ownership,
        rivalry_slope=np.zeros(economy.n),
    )


def _logit(economy: OracleEconomy, nest: Nest) -> tuple[np.ndarray, np.ndarray, float]:
    """Benchmark shares and prices of a nest's routes, and its slope."""
    share = np.array(nest.quantity) / sum(nest.quantity)
    price = np.array([economy.price0[k] * (1 + economy.tariffs[k, i, nest.buyer]) for k, i in nest.routes])
    return share, price, nest.sigma / float(share @ price)


def parameters_of(economy: OracleEconomy, scenario: Scenario, core: int = 2) -> Parameters:
    """One period's parameters that make the oracle's benchmark an equilibrium of the solver.

    The scenario changes labour and the productivity of monetary goods, nothing else.
    """
    goods = [k for k, good in enumerate(economy.goods) if not good.physical]
    mill = np.where(economy.makes, economy.price0[:, None], 1.0)[goods]
    rest = economy.final0.sum(0)
    mean = np.ones(economy.n)
    for nest in economy.nests:
        share, price, _ = _logit(economy, nest)
        mean[nest.buyer] = share @ price
    taste = economy.compute_value0 / rest * mean ** (economy.compute_elasticity - 1)
    return Parameters(
        production=Production(
            labour=economy.factor_share[goods, :, 0],
            inputs=np.moveaxis(economy.factor_share[goods][:, :, 1:][:, :, goods], 2, 0),
            cost=economy.cost0[goods] / mill,
            margin=economy.margin0[goods],
            productivity=np.ones((len(goods), economy.n)) if scenario.productivity is None else scenario.productivity[goods],
            elasticity=np.array([economy.goods[k].input_elasticity for k in goods[:core]]),
        ),
        preferences=Preferences(
            weight=economy.taste[goods],
            sigma=economy.sigma[goods],
            rivalry=np.zeros((len(goods), economy.n)),
            tariff=economy.tariffs[goods],
            final=(economy.final0 / rest)[goods],
            final_elasticity=np.float64(economy.final_elasticity),
            compute_elasticity=np.float64(economy.compute_elasticity),
            compute_taste=taste,
            compute_inputs=np.zeros(len(goods)),
        ),
        accelerators=_accelerators(economy, goods),
        diversion=Diversion(
            *(np.float64(0.1),) * 3, np.zeros(0), np.zeros(0), np.float64(0.5), np.float64(1.0), np.float64(0.3)
        ),
        endowment=Endowment(
            labour=economy.labour0 * (1.0 if scenario.labour is None else scenario.labour),
            deficit=economy.deficit_share,
            ratio=np.zeros(0),
        ),
    )


def wedges_of(economy: OracleEconomy, shape: Structure, scenario: Scenario) -> Wedges:
    """The scenario as a policy of one year; duties compound in the solver and add up in the oracle."""
    names = shape.vocabulary.products
    at = [next(k for k, good in enumerate(economy.goods) if good.name == name) for name in names]
    zero = np.zeros((len(economy.goods), economy.n, economy.n))

    def rows(rates: np.ndarray | None) -> np.ndarray:
        return (zero if rates is None else rates)[at][None]

    total = economy.tariffs + (zero if scenario.tariff is None else scenario.tariff)
    limits = tuple(
        Limit(
            name=f"{economy.goods[cap.good].name} {cap.origin} {cap.destination} {cap.side}",
            owner=shape.regions[cap.owner],
            side=cap.side,
            entries=((economy.goods[cap.good].name, shape.regions[cap.origin], shape.regions[cap.destination], 1.0),),
            quantity=np.array([cap.quantity]),
            unit="oracle",
        )
        for cap in scenario.caps
    )
    return Wedges(
        coverage=rows(scenario.coverage),
        tariff=rows((1 + total) / (1 + economy.tariffs) - 1),
        levy=rows(scenario.levy),
        real_cost=rows(scenario.real_cost),
        enforcement=np.ones((1, economy.n)),
        limits=limits,
    )


def plan_of(economy: OracleEconomy, shape: Structure, scenario: Scenario, rent: np.ndarray, barriers: Barriers) -> Plan:
    """Rents of the nodes, and investment in tools by class of builders (barriers of this lane)."""
    bought = (economy.investment0 if scenario.investment is None else scenario.investment)[: len(shape.products)]
    at = [(next(k for k, g in enumerate(economy.goods) if g.name == p), shape.region(r)) for p, r in shape.nodes]
    by_class = bought[:, None, :] * builders_by_region(shape, barriers.builder_share)
    return Plan(np.array([rent[k, i] for k, i in at]), by_class, np.zeros(bought.shape), np.zeros(bought.shape[1:]))


def scenarios(
    economy: OracleEconomy, shape: Structure, cases: Sequence[tuple[Scenario, np.ndarray]]
) -> tuple[Lane, np.ndarray]:
    """Lanes and starting points for scenarios, each with the rents of its capacities ``[good, region]``."""
    barriers = lanes(shape, [wedges_of(economy, shape, scenario) for scenario, _ in cases])
    parts = [parameters_of(economy, scenario, shape.core) for scenario, _ in cases]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *parts)
    plans = [
        plan_of(economy, shape, scenario, rent, jax.tree.map(lambda leaf, n=n: leaf[n], barriers))
        for n, (scenario, rent) in enumerate(cases)
    ]
    plan = jax.tree.map(lambda *leaves: np.stack(leaves), *plans)
    lane = Lane(stacked, barriers, plan, Tastes())
    with jax.enable_x64(True):
        start = np.asarray(first_guess(shape, stacked, barriers))
    return lane, start
