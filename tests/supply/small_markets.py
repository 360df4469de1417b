"""Small markets for planned capacities: Leontief goods with isoelastic demand, and tools bought across origins."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backfill.supply import josephy
from backfill.supply.foresight import Foresight, Perfect
from backfill.supply.highs import CompiledPlan
from backfill.supply.nodes import MarketResponse, Nodes
from backfill.supply.residual import natural_residual, residuals


@dataclass(frozen=True)
class Market:
    """Goods ``f`` made of capacities in fixed proportions, and tools for builders.

    ``q_ft = scale_ft (P_ft / P0_f)^-elasticity_f``, ``P_ft = cost_f + sum_g proportion_fg r_gt``; a builder of g in class c needs
    ``need_g`` of a CES bundle (weights ``origin[g, c, h]``, elasticity ``sigma``) of products of nodes h at price ``1 + r_h``.
    ``twist`` adds ``twist_t r`` to use, a slope that no demand has if it is not symmetric.
    """

    scale: np.ndarray
    elasticity: np.ndarray
    cost: np.ndarray
    proportion: np.ndarray
    need: np.ndarray
    origin: np.ndarray
    sigma: float = 2.0
    twist: np.ndarray | None = None

    def use(self, rent: np.ndarray, additions: np.ndarray) -> np.ndarray:
        """Use of every capacity, ``[node, period]``."""
        price = self.cost[:, None] + self.proportion @ rent
        sold = self.scale * (price / self.cost[:, None]) ** -self.elasticity[:, None]
        used = self.proportion.T @ sold + np.einsum("gct,gcth->ht", additions, self.tool_use(rent))
        return used if self.twist is None else used + self.twist @ rent

    def bundle(self, rent: np.ndarray) -> np.ndarray:
        """Price of a unit of tools, ``[node, class, period]``; 1 for builders who need none."""
        total = np.einsum("gch,ht->gct", self.origin, (1 + rent) ** (1 - self.sigma))
        return np.where(total == 0, 1.0, np.where(total == 0, 1.0, total) ** (1 / (1 - self.sigma)))

    def tool_cost(self, rent: np.ndarray) -> np.ndarray:
        """Tools per unit added, ``[node, class, period]``."""
        return self.need[:, None, None] * self.bundle(rent)

    def tool_use(self, rent: np.ndarray) -> np.ndarray:
        """Use of the last node per unit added, ``[node, class, period, node]``."""
        relative = (1 + rent.T)[None, None] / self.bundle(rent)[..., None]
        return self.need[:, None, None, None] * self.origin[:, :, None, :] * relative**-self.sigma

    def answer(self, rent: np.ndarray, additions: np.ndarray) -> MarketResponse:
        """The market's response, slopes by complex steps."""
        count, periods = rent.shape
        jacobian = np.zeros((periods, count, count))
        for h in range(count):
            moved = rent.astype(complex)
            moved[h] += 1e-30j
            jacobian[:, :, h] = self.use(moved, additions).imag.T / 1e-30
        return MarketResponse(
            rent, self.use(rent, additions), jacobian, additions, self.tool_cost(rent), self.tool_use(rent)
        )


@dataclass(frozen=True)
class Solved:
    """Where the rounds ended."""

    rent: np.ndarray
    additions: np.ndarray
    residual: float
    steps: list[float]


def couple(
    nodes: Nodes,
    market: Market,
    foresight: Foresight | None = None,
    rounds: int = 40,
    tolerance: float = 1e-11,
    symmetric: bool = False,
) -> Solved:
    """Repeat markets and plan until the natural residual at true prices is small.

    The plan answers the markets' full slopes; if ``symmetric`` the convex program's answer is left as it is.
    """
    foresight = foresight or Perfect()
    plan = CompiledPlan(nodes, foresight)
    count, classes, periods = nodes.class_share.shape
    rent, additions = np.full((count, periods), 0.1), np.zeros((count, classes, periods))
    steps: list[float] = []
    one_by_one = foresight.builds and not foresight.looks_ahead
    for span in [slice(t, t + 1) for t in range(periods)] if one_by_one else [slice(0, periods)]:
        for _ in range(rounds):
            answer = market.answer(rent, additions)
            gaps = residuals(nodes, rent, answer.use, additions, answer.tool_cost, 1 + rent, foresight)
            if gaps.within(span).largest < tolerance:
                break
            step = plan.solve(answer)
            if not symmetric:
                step = josephy.answer(nodes, answer, answer.tool_use, 1 + rent, step.rent, foresight, span=span)
            steps.append(float(np.abs(step.rent - rent).max()))
            rent, additions = step.rent, step.additions
    answer = market.answer(rent, additions)
    left = natural_residual(nodes, rent, answer.use, additions, answer.tool_cost, 1 + rent, foresight)
    return Solved(rent, additions, left, steps)


def make_nodes(periods: int = 6, count: int = 2, classes: int = 1, lag: tuple[int, ...] = (), **changes) -> Nodes:
    """Nodes with one region each: capacity 10 wearing out at 10%, site cost 2, slope .5, discount .94."""
    lags = np.array(lag or (0,) * count)
    delta, beta = np.full(count, 0.1), 0.94
    share = np.full((count, classes, periods), 1 / classes)
    nodes = Nodes(
        names=tuple((f"product{g}", "AAA") for g in range(count)),
        owners=("AAA",) * count,
        inherited=10.0 * (1 - delta[:, None]) ** np.arange(periods),
        depreciation=delta,
        lag=lags,
        site_cost=np.full((count, periods), 2.0),
        slope=np.full((count, periods), 0.5),
        weights=beta ** np.arange(periods),
        terminal=1 / (1 - beta * (1 - delta)),
        class_share=share,
        open=np.ones(share.shape, bool),
    )
    return replace(nodes, **changes)


def complements(periods: int = 6, growth: float = 1.08) -> Market:
    """One good that needs both capacities one for one (memory and packaging of section 7), no tools."""
    return Market(
        scale=12.0 * growth ** np.arange(periods)[None, :],
        elasticity=np.array([1.5]),
        cost=np.array([1.0]),
        proportion=np.array([[1.0, 1.0]]),
        need=np.zeros(2),
        origin=np.zeros((2, 1, 2)),
    )


def tool_chain(periods: int = 8, growing: int = 100) -> Market:
    """Nodes 0, 1 make chips that compete and share an assembly (2); 3, 4 make tools, of which class 1 may buy only 4."""
    origin = np.zeros((5, 2, 5))
    origin[:3, 0, 3:] = 0.5
    origin[:3, 1, 4] = 0.8
    grown = 1.1 ** np.minimum(np.arange(periods), growing)
    return Market(
        scale=np.array([[8.0], [7.0], [4.8]]) * grown,
        elasticity=np.array([1.5, 2.0, 1.2]),
        cost=np.array([1.0, 1.0, 1.0]),
        proportion=np.array([[1.0, 0.0, 0.4, 0, 0], [0.0, 1.0, 0.5, 0, 0], [0.0, 0.0, 0.2, 1.0, 0.8]]),
        need=np.array([1.0, 0.8, 0.6, 0.0, 0.0]),
        origin=origin,
        sigma=1.7,
    )


def tool_chain_nodes(periods: int = 8, **changes) -> Nodes:
    """The five capacities of `tool_chain`; 60% of builders in class 0."""
    share = np.zeros((5, 2, periods))
    share[:, 0], share[:, 1] = 0.6, 0.4

    def every(*values: float) -> np.ndarray:
        return np.repeat(np.array(values)[:, None], periods, 1)

    inherited = every(6.0, 6.0, 7.0, 4.6, 6.0) * 0.9 ** np.arange(periods)
    return make_nodes(
        periods, 5, 2, lag=(1, 1, 0, 0, 1), inherited=inherited, class_share=share,
        site_cost=every(1.0, 1.0, 0.8, 1.5, 1.0), slope=every(0.6, 0.6, 0.6, 1.0, 1.0), **changes,
    )  # fmt: skip


def full_size(seed: int = 0, count: int = 35, periods: int = 13) -> tuple[Nodes, MarketResponse]:
    """A plan as large as the shipped one, far from solved: sizes from 100 to 100,000, ten makers of tools, two classes."""
    rng = np.random.default_rng(seed)
    size = 10 ** rng.uniform(2, 5, (count, 1))
    delta, beta = rng.uniform(0.08, 0.2, count), 0.94
    grown = size * 1.05 ** np.arange(periods)
    additions = (delta[:, None] + 0.05) * grown
    share = np.stack([np.full((count, periods), 0.7), np.full((count, periods), 0.3)], 1)
    need = np.zeros((count, 2, periods, count))
    for g in range(10, count):
        need[g, :, :, rng.choice(10, 6, replace=False)] = rng.uniform(0.02, 0.2)
    nodes = make_nodes(
        periods, count, 2, lag=tuple(rng.integers(0, 2, count)),
        inherited=size * (1 - delta[:, None]) ** np.arange(periods), depreciation=delta, slope=1 / additions,
        site_cost=0.5 * rng.uniform(0.7, 1.2, (count, periods)), terminal=1 / (1 - beta * (1 - delta)), class_share=share,
    )  # fmt: skip
    mixed = rng.normal(size=(periods, count, 4)) / 2
    elasticity = np.einsum("tgk,thk->tgh", mixed, mixed) / 10 + np.diag(rng.uniform(0.05, 0.6, count))
    elasticity += 0.03 * rng.normal(size=(periods, count, count)) / count
    root = np.sqrt(grown.T)
    built = additions[:, None, :] * share * 0.8
    use = (nodes.inherited + 0.5 * grown) * rng.uniform(0.6, 1.2, grown.shape)
    rent = np.where(rng.random(grown.shape) < 0.8, rng.uniform(0.1, 0.6, grown.shape), 0.0)
    cost = need.sum(3) * 1.2
    return nodes, MarketResponse(rent, use, -elasticity * root[:, :, None] * root[:, None, :], built, cost, need)
