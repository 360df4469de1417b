"""Small economies for the oracle: one with an input-output loop, a chain of stack goods and accelerators, and partial ones."""

from __future__ import annotations

import numpy as np

from tests.trade.market_oracle import Good, Nest, OracleEconomy

ELECTRONICS, SERVICES, TOOLS, LOGIC, FRONTIER, ADVERSARY = range(6)
US, ALLY, RIVAL = range(3)


def three_regions(seed: int = 1, symmetric: bool = False, final_elasticity: float = 0.8) -> OracleEconomy:
    """Three regions, six goods, asymmetric tariffs, deficits and ownership.

    Electronics and services are the core (inputs of each other and of themselves), tools are bought by investment only, logic
    feeds electronics and accelerators. Region 0 designs the frontier family, region 2 its own; region 2 buys both in one nest
    (the frontier with a duty), region 0 only the frontier. Logic has margin and rent, both partly owned abroad.
    """
    draw = np.random.default_rng(seed)
    goods = (
        Good("electronics", 3.0, 0.5),
        Good("services", 2.0, 0.5),
        Good("tools", 2.0, 0.0),
        Good("logic", 4.0, 0.0),
        Good("frontier", 0.0, 0.0, price0=25.0, physical=True),
        Good("adversary", 0.0, 0.0, price0=14.0, physical=True),
    )
    K, n = len(goods), 3
    spread = 0.0 if symmetric else 0.3

    def vary(value: float, *shape: int) -> np.ndarray:
        return value * (1 + spread * draw.uniform(-1, 1, shape))

    tariffs = np.zeros((K, n, n))
    tariffs[: LOGIC + 1] = vary(0.08, LOGIC + 1, n, n)
    tariffs[FRONTIER, US, RIVAL] = 0.05
    tariffs[:, range(n), range(n)] = 0.0
    inputs = np.zeros((K, n, K))
    inputs[ELECTRONICS, :, [ELECTRONICS, SERVICES, LOGIC]] = vary(1.0, 3, n) * [[0.2], [0.15], [0.08]]
    inputs[SERVICES, :, [ELECTRONICS, SERVICES]] = vary(1.0, 2, n) * [[0.08], [0.3]]
    inputs[TOOLS, :, [ELECTRONICS, SERVICES]] = vary(1.0, 2, n) * [[0.25], [0.2]]
    inputs[LOGIC, :, [ELECTRONICS, SERVICES]] = vary(1.0, 2, n) * [[0.15], [0.2]]
    for family in (FRONTIER, ADVERSARY):
        inputs[family, :, [LOGIC, SERVICES]] = vary(1.0, 2, n) * [[0.15], [0.05]]
    margin, rent = np.zeros((K, n)), np.zeros((K, n))
    margin[TOOLS], margin[LOGIC], rent[LOGIC] = vary(0.2, n), vary(0.15, n), vary(0.1, n)
    margin[FRONTIER], margin[ADVERSARY] = 0.5, 0.3
    owner = np.tile(np.eye(n), (K, 1, 1))
    if not symmetric:
        owner[LOGIC, ALLY] = [0.3, 0.7, 0.0]

    final = np.zeros((K, n))
    final[ELECTRONICS], final[SERVICES] = vary(30.0, n), vary(100.0, n)
    investment = np.zeros((K, n))
    investment[TOOLS] = vary(4.0, n)
    nests = () if symmetric else (
        Nest(RIVAL, ((FRONTIER, US), (ADVERSARY, RIVAL)), (0.20, 0.10), 3.0),
        Nest(US, ((FRONTIER, US),), (0.50,), 3.0),
    )  # fmt: skip
    flows = _flows(goods, _spending_shares(draw, K, n, spread), tariffs, inputs, final + investment, nests)
    return OracleEconomy(
        goods, SERVICES, flows, tariffs, inputs, margin, rent, investment, nests, final_elasticity, 1.5, owner
    )


def small_market(
    sellers: np.ndarray, sigma: float, elasticity: float, rent: float = 0.0, size: float = 1e-7
) -> OracleEconomy:
    """One small good beside services, made of labour and rent: partial equilibrium in the limit of ``size``.

    ``sellers[i, j]`` is what ``j`` spends on it from ``i``, in units of ``size``.
    """
    n = sellers.shape[0]
    goods = (Good("services", 2.0, 0.5), Good("small", sigma, 0.0))
    flows = np.stack([_traded_services(n), size * sellers])
    zero = np.zeros((2, n))
    rents = zero.copy()
    rents[1] = rent
    tariffs, inputs = np.zeros_like(flows), np.zeros((2, n, 2))
    return OracleEconomy(goods, 0, flows, tariffs, inputs, zero, rents, zero, (), elasticity, elasticity)


def small_nest(shares: tuple[float, float], sigma: float, elasticity: float, size: float = 1e-7) -> OracleEconomy:
    """A small logit nest in region 1 fed by one family from each of two regions at the same price."""
    goods = (Good("services", 2.0, 0.5), Good("one", 0, 0, 20.0, True), Good("other", 0, 0, 20.0, True))
    flows = np.zeros((3, 2, 2))
    flows[0] = _traded_services(2)
    nest = Nest(1, ((1, 0), (2, 1)), (size * shares[0], size * shares[1]), sigma)
    zero = np.zeros((3, 2))
    return OracleEconomy(
        goods, 0, flows, np.zeros_like(flows), np.zeros((3, 2, 3)), zero, zero, zero, (nest,), 1.0, elasticity
    )


def _traded_services(n: int) -> np.ndarray:
    """Balanced trade that ties wages together, so that a small good moves none of them."""
    return 0.7 * np.eye(n) + 0.3 / n


def _spending_shares(draw: np.random.Generator, K: int, n: int, spread: float) -> np.ndarray:
    home = np.array([0.7, 0.9, 0.3, 0.4] + [1.0] * (K - 4))[:K]
    shares = np.empty((K, n, n))
    for k in range(K):
        away = (1 - home[k]) / (n - 1)
        shares[k] = np.where(np.eye(n, dtype=bool), home[k], away) * (1 + spread * draw.uniform(-1, 1, (n, n)))
    return shares / shares.sum(axis=1, keepdims=True)


def _flows(goods, shares, tariffs, inputs, exogenous, nests) -> np.ndarray:
    """Mill-price flows that clear the markets of monetary goods for given demand: a linear system in spending ``X_kj``."""
    K, n, _ = shares.shape
    physical = np.array([good.physical for good in goods])
    sales = np.where(physical[:, None, None], 0.0, shares / (1 + tariffs))
    demand = exogenous.copy()
    for nest in nests:
        for (k, i), units in zip(nest.routes, nest.quantity, strict=True):
            demand[:, i] += inputs[k, i] * goods[k].price0 * units
    system = np.eye(K * n)
    for k in range(K):
        for i in range(n):
            for s in range(K):
                system[s * n + i, k * n : (k + 1) * n] -= inputs[k, i, s] * sales[k, i]
    spending = np.linalg.solve(system, demand.ravel()).reshape(K, n)
    return sales * spending[:, None, :]
