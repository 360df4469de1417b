"""The markets of one period written out plainly and solved by ``scipy.optimize.root``: slow, small, and independent.

Nothing here is shared with the package. Loops instead of contractions, levels instead of ratios to the benchmark, a
general root finder instead of a fixed point, and every set of binding limits tried in turn instead of a projection.

Indices: region ``i`` sells, region ``j`` buys, good ``k``, input ``s``. At the benchmark wages, price indices of
composites and mill prices of monetary goods are 1; a physical good has the mill price ``price0``. World labour income
is ``numeraire * sum(L)``; rents, deficits and other nominal constants scale with ``numeraire``.

Unknowns ``w_i, p_ki, P_kj, Q_kj, E_j, rho_g, lambda_g`` and the residuals that pin them:

1. mill price ``p_ki = c_ki + M_ki + lambda_ki``; margin ``M = M0 w_i``; ``lambda`` given, or unknown where capacity is
   limited; cost ``c = [b0 w^(1-e) + sum_s b_s P_s^(1-e)]^(1/(1-e)) / A`` (Leontief ``e = 0``, Cobb-Douglas ``e = 1``).
2. price index ``P_kj = sum_c omega_c P_kjc`` over classes ``c`` of buyers,
   ``P_kjc = [sum_{i open to c} a_kij P_kij^(1-sigma)]^(1/(1-sigma))``. A buyer ``u`` in [0, 1] is closed to the routes
   with ``coverage > u``; with one covered route that is ``phi P_closed + (1-phi) P_open``.
3. buyer price ``P_kij = [FOB (1 + levy) + real_cost FOB] (1 + tariff) + rho_importer p``, ``FOB = p (1 + rho_exporter)``.
   Per unit delivered: ``p`` to the producer, ``rho p`` to the limit's owner, ``levy FOB`` to the origin's treasury,
   ``real_cost FOB`` spent on the services composite of the origin, ``tariff CIF`` to the importer's treasury.
4. flows ``q_kij = sum_c omega_c Q_kj a_kij (P_kij / P_kjc)^(-sigma)``.
5. physical nest ``b_r = s0_r exp[eta (P0_r - Pbar0)]``, ``eta = sigma / Pbar0``; by class
   ``Pi = -(P_s/eta) ln sum_open b_r exp(-eta P_r/P_s)``, ``s_r = b_r exp(-eta P_r/P_s) / sum``,
   ``z = (X/eta) sum s ln(s/b)`` bought as services at home; classes mixed as in 2.
6. composites ``Q_kj`` = inputs ``sum_k' y_k'j dc_k'j/dP_kj`` + final demand + investment + services bought for real
   costs and for ``z``.
7. absorption ``E_j = w L + margins + rents + limit rents + tariffs + levies + D_j - sum_k P_kj investment_kj``, two CES
   levels: compute against the rest with ``compute_elasticity``, goods within the rest with ``final_elasticity``.
8. labour ``sum_k y_ki dc_ki/dw_i = L_i`` for all regions but the last, whose residual is reported (Walras).
9. numeraire ``sum_i w_i L_i = numeraire sum_i L_i``; deficits ``D_j = d_j numeraire sum_i L_i``, ``sum_j d_j = 0``.
10. limits ``use <= K`` with ``rho >= 0`` (one flow) or ``lambda >= 0`` (output of one good in one region), complementary.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import root


@dataclass(frozen=True)
class Good:
    """A good: ``sigma`` across origins (unused if physical), ``input_elasticity`` of its technology, benchmark mill price."""

    name: str
    sigma: float
    input_elasticity: float
    price0: float = 1.0
    physical: bool = False


@dataclass(frozen=True)
class Nest:
    """A logit nest of physical goods in one buyer's final demand: ``routes`` (good, origin), benchmark units, ``sigma``."""

    buyer: int
    routes: tuple[tuple[int, int], ...]
    quantity: tuple[float, ...]
    sigma: float


@dataclass(frozen=True)
class FlowCap:
    """A cap on one flow; ``side`` is where the rent arises, ``owner`` the region that receives it."""

    good: int
    origin: int
    destination: int
    quantity: float
    owner: int
    side: str = "exporter"


@dataclass(frozen=True)
class Scenario:
    """What changes against the benchmark. Wedges are ``[good, origin, destination]``, rents, investment and productivity
    ``[good, region]``, labour ``[region]``; None = unchanged.

    ``tariff`` is added to the benchmark's; ``capacity`` maps (good, region) to the output it can make, which turns
    that rent from given into unknown; ``rent`` and ``investment`` replace the benchmark's.
    """

    coverage: np.ndarray | None = None
    tariff: np.ndarray | None = None
    levy: np.ndarray | None = None
    real_cost: np.ndarray | None = None
    rent: np.ndarray | None = None
    investment: np.ndarray | None = None
    labour: np.ndarray | None = None
    productivity: np.ndarray | None = None
    capacity: Mapping[tuple[int, int], float] = field(default_factory=dict)
    caps: tuple[FlowCap, ...] = ()
    numeraire: float = 1.0


@dataclass
class Solution:
    """A solved market; ``walras`` is the residual of the last labour market over its labour."""

    wage: np.ndarray
    mill_price: np.ndarray
    price: np.ndarray
    composite: np.ndarray
    output: np.ndarray
    flow: np.ndarray
    buyer_price: np.ndarray
    absorption: np.ndarray
    absorption_price: np.ndarray
    final: np.ndarray
    income: dict[str, np.ndarray]
    compute_price: dict[int, float]
    compute: dict[int, float]
    adaptation: dict[int, float]
    cap_rent: np.ndarray
    rent: np.ndarray
    residual: float = np.nan
    walras: float = np.nan


def _ces(weights: np.ndarray, prices: np.ndarray, elasticity: float) -> float:
    """``[sum w P^(1-e)]^(1/(1-e))``; for ``e = 1`` the weights must sum to one and it is ``prod P^w``."""
    if abs(elasticity - 1) < 1e-12:
        return float(np.exp(np.sum(weights * np.log(prices))))
    return float(np.sum(weights * prices ** (1 - elasticity)) ** (1 / (1 - elasticity)))


def classes(coverage: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Buyer classes as (weight, open routes): buyer ``u`` in [0, 1] is closed to routes with coverage above ``u``."""
    edges = np.unique(np.concatenate([[0.0], coverage, [1.0]]))
    return [(high - low, coverage <= low) for low, high in itertools.pairwise(edges)]


class OracleEconomy:
    """A small economy in levels, calibrated to benchmark flows; :meth:`solve` finds the prices of a :class:`Scenario`.

    Args:
        goods: the goods; ``services`` is the index of the one that real costs and adaptation are bought as.
        flows: ``[k, i, j]`` benchmark flows of monetary goods, value at the mill price.
        tariffs: ``[k, i, j]`` benchmark duties.
        inputs: ``[k, i, s]`` shares of gross output spent on inputs at purchaser prices.
        margin, rent: ``[k, i]`` shares of the mill price; labour is what remains.
        investment: ``[k, j]`` composites bought for investment at the benchmark.
        nests: physical demand, at most one a buyer.
        owner: ``[k, i, o]`` who gets margins and rents (None: the region of production).
    """

    def __init__(
        self,
        goods: Sequence[Good],
        services: int,
        flows: np.ndarray,
        tariffs: np.ndarray,
        inputs: np.ndarray,
        margin: np.ndarray,
        rent: np.ndarray,
        investment: np.ndarray,
        nests: Sequence[Nest],
        final_elasticity: float,
        compute_elasticity: float,
        owner: np.ndarray | None = None,
    ) -> None:
        self.goods, self.services, self.nests = tuple(goods), services, tuple(nests)
        self.K, self.n = len(goods), flows.shape[1]
        self.tariffs, self.investment0 = tariffs, investment
        self.final_elasticity, self.compute_elasticity = final_elasticity, compute_elasticity
        self.owner = np.broadcast_to(np.eye(self.n), (self.K, self.n, self.n)) if owner is None else owner
        if len({nest.buyer for nest in nests}) < len(nests):
            raise ValueError("at most one nest a buyer")
        self.price0 = np.array([good.price0 for good in goods])
        self.flow0 = np.array(flows, dtype=float)
        for nest in nests:
            for (k, i), units in zip(nest.routes, nest.quantity, strict=True):
                self.flow0[k, i, nest.buyer] += units
        self.output0 = self.flow0.sum(axis=2)
        self.makes = self.output0 > 0
        self.sigma = np.array([good.sigma for good in goods])
        physical = np.array([good.physical for good in goods])
        spent = np.where(physical[:, None, None], 0.0, self.flow0 * (1 + tariffs))
        self.composite0 = spent.sum(axis=1)
        self.buys = self.composite0 > 0
        # Taste a_kij with P_kij = 1 + t0 and P_kj = 1 at the benchmark.
        share = spent / np.where(self.buys, self.composite0, 1.0)[:, None, :]
        self.taste = share * (1 + tariffs) ** (self.sigma[:, None, None] - 1)
        self.cost0 = self.price0[:, None] * (1 - margin - rent)
        self.margin0, self.rent0 = self.price0[:, None] * margin, self.price0[:, None] * rent
        labour_share = 1 - inputs.sum(axis=2) - margin - rent
        if (labour_share[self.makes] < 0).any():
            raise ValueError("inputs, margin and rent leave no labour")
        factor = np.concatenate([labour_share[:, :, None], inputs], axis=2) * self.price0[:, None, None]
        self.factor_share = factor / self.cost0[:, :, None]
        self._calibrate_income(factor)

    def _calibrate_income(self, factor: np.ndarray) -> None:
        """Labour, final demand and deficits that make the benchmark an equilibrium."""
        value = np.where(self.makes[:, :, None], factor * self.output0[:, :, None], 0.0)
        self.labour0 = value[:, :, 0].sum(axis=0)
        used = value[:, :, 1:].sum(axis=0).T
        self.final0 = self.composite0 - used - self.investment0
        if (self.final0 < -1e-9 * self.composite0.max()).any():
            raise ValueError("inputs and investment exceed what is bought")
        self.final0 = np.maximum(self.final0, 0.0)
        self.compute0 = {nest.buyer: float(sum(nest.quantity)) for nest in self.nests}
        self.compute_value0 = np.zeros(self.n)
        for nest in self.nests:
            for (k, i), units in zip(nest.routes, nest.quantity, strict=True):
                self.compute_value0[nest.buyer] += units * self.price0[k] * (1 + self.tariffs[k, i, nest.buyer])
        self.absorption0 = self.final0.sum(axis=0) + self.compute_value0
        profit = np.einsum("kio,ki->o", self.owner, (self.margin0 + self.rent0) * self.output0)
        duty = (self.tariffs * self.flow0 * self.price0[:, None, None]).sum(axis=(0, 1))
        earned = self.labour0 + profit + duty - self.investment0.sum(axis=0)
        self.deficit_share = (self.absorption0 - earned) / self.labour0.sum()

    def _cost(self, k: int, i: int, prices: np.ndarray, productivity: float) -> tuple[float, np.ndarray]:
        """Unit cost (residual 1) and quantities of labour and inputs per unit (its derivatives)."""
        elasticity, share, cost0 = self.goods[k].input_elasticity, self.factor_share[k, i], self.cost0[k, i]
        index = _ces(share, prices, elasticity)
        return cost0 * index / productivity, cost0 * share * (index / prices) ** elasticity / productivity

    def _nest(
        self, nest: Nest, price: np.ndarray, coverage: np.ndarray, services: float
    ) -> tuple[float, np.ndarray, float]:
        """Composite price, shares of units and adaptation per unit of the nest (residual 5)."""
        routes = [(k, i, nest.buyer) for k, i in nest.routes]
        share0 = np.array(nest.quantity) / sum(nest.quantity)
        price0 = np.array([self.price0[k] * (1 + self.tariffs[k, i, j]) for k, i, j in routes])
        mean0 = float(share0 @ price0)
        eta = nest.sigma / mean0
        taste = share0 * np.exp(eta * (price0 - mean0))
        paid = np.array([price[route] for route in routes])
        composite, shares, adaptation = 0.0, np.zeros(len(routes)), 0.0
        for weight, is_open in classes(np.array([coverage[route] for route in routes])):
            attraction = np.where(is_open, taste * np.exp(-eta * (paid - mean0) / services), 0.0)
            composite += weight * (mean0 - services / eta * np.log(attraction.sum()))
            chosen = attraction / attraction.sum()
            shares += weight * chosen
            adaptation += weight / eta * float(np.sum(chosen[is_open] * np.log(chosen[is_open] / taste[is_open])))
        return float(composite), shares, float(adaptation)

    def _evaluate(self, scenario: Scenario, w, p, P, Q, E, rho, lam) -> tuple[Solution, list[np.ndarray]]:
        """Everything the unknowns imply, and the residuals but those of limits."""
        zero = np.zeros((self.K, self.n, self.n))
        coverage = zero if scenario.coverage is None else scenario.coverage
        levy = zero if scenario.levy is None else scenario.levy
        real_cost = zero if scenario.real_cost is None else scenario.real_cost
        tariff = self.tariffs + (zero if scenario.tariff is None else scenario.tariff)
        investment = self.investment0 if scenario.investment is None else scenario.investment
        labour = self.labour0 * (1.0 if scenario.labour is None else scenario.labour)
        productivity = np.ones((self.K, self.n)) if scenario.productivity is None else scenario.productivity
        rho_exporter, rho_importer = zero.copy(), zero.copy()
        for cap, value in zip(scenario.caps, rho, strict=True):
            (rho_exporter if cap.side == "exporter" else rho_importer)[cap.good, cap.origin, cap.destination] += value

        mill = p[:, :, None]
        fob = mill * (1 + rho_exporter)
        cif = fob * (1 + levy) + real_cost * fob
        buyer = cif * (1 + tariff) + rho_importer * mill

        flow, index = zero.copy(), P.copy()
        for k, j in np.argwhere(self.buys):
            index[k, j] = 0.0
            for weight, is_open in classes(coverage[k, :, j]):
                taste = np.where(is_open, self.taste[k, :, j], 0.0)
                own = _ces(taste, buyer[k, :, j], self.sigma[k])
                index[k, j] += weight * own
                flow[k, :, j] += weight * Q[k, j] * taste * (buyer[k, :, j] / own) ** -self.sigma[k]

        absorption_price, final, need = np.ones(self.n), np.zeros((self.K, self.n)), investment.astype(float).copy()
        compute_price, compute, adaptation = {}, {}, {}
        nests = {nest.buyer: nest for nest in self.nests}
        for j in range(self.n):
            rest_value = self.final0[:, j].sum()
            rest_price = _ces(self.final0[:, j] / rest_value, P[:, j], self.final_elasticity)
            compute_share, relative = self.compute_value0[j] / self.absorption0[j], 1.0
            if j in nests:
                compute_price[j], shares, per_unit = self._nest(nests[j], buyer, coverage, P[self.services, j])
                relative = compute_price[j] * self.compute0[j] / self.compute_value0[j]
            absorption_price[j] = _ces(
                np.array([compute_share, 1 - compute_share]), np.array([relative, rest_price]), self.compute_elasticity
            )
            real = E[j] / absorption_price[j] / self.absorption0[j]
            rest = real * (rest_price / absorption_price[j]) ** -self.compute_elasticity
            final[:, j] = self.final0[:, j] * rest * (P[:, j] / rest_price) ** -self.final_elasticity
            if j in nests:
                compute[j] = float(
                    self.compute0[j] * real * (relative / absorption_price[j]) ** -self.compute_elasticity
                )
                adaptation[j] = compute[j] * per_unit
                need[self.services, j] += adaptation[j]
                for (k, i), share in zip(nests[j].routes, shares, strict=True):
                    flow[k, i, j] += share * compute[j]

        output = flow.sum(axis=2)
        cost, labour_used = p.copy(), np.zeros(self.n)
        for k, i in np.argwhere(self.makes):
            unit, per_unit = self._cost(k, i, np.concatenate([[w[i]], P[:, i]]), productivity[k, i])
            cost[k, i] = unit + self.margin0[k, i] * w[i] + lam[k, i]
            labour_used[i] += output[k, i] * per_unit[0]
            need[:, i] += output[k, i] * per_unit[1:]
        need[self.services] += (real_cost * fob * flow).sum(axis=(0, 2)) / P[self.services]
        need += final

        world_labour_income = scenario.numeraire * labour.sum()
        cap_rents = np.zeros(self.n)
        for cap, value in zip(scenario.caps, rho, strict=True):
            k, i, j = cap.good, cap.origin, cap.destination
            cap_rents[cap.owner] += value * p[k, i] * flow[k, i, j]
        income = {
            "labour": w * labour,
            "profits": np.einsum("kio,ki->o", self.owner, self.margin0 * w * output),
            "capacity_rents": np.einsum("kio,ki->o", self.owner, lam * output),
            "limit_rents": cap_rents,
            "tariff_revenue": (tariff * cif * flow).sum(axis=(0, 1)),
            "levy_revenue": (levy * fob * flow).sum(axis=(0, 2)),
            "deficit": self.deficit_share * world_labour_income,
            "investment": -(P * investment).sum(axis=0),
        }
        residuals = [
            (cost / p - 1)[self.makes],
            (index / P - 1)[self.buys],
            ((need - Q) / np.where(self.buys, self.composite0, 1.0))[self.buys],
            (sum(income.values()) - E) / self.absorption0,
            (labour_used / labour - 1)[:-1],
            np.array([w @ labour / world_labour_income - 1]),
        ]
        solution = Solution(
            wage=w, mill_price=p, price=P, composite=Q, output=output, flow=flow, buyer_price=buyer, absorption=E,
            absorption_price=absorption_price, final=final, income=income, compute_price=compute_price,
            compute=compute, adaptation=adaptation, cap_rent=np.asarray(rho), rent=lam,
            walras=float(labour_used[-1] / labour[-1] - 1),
        )  # fmt: skip
        return solution, residuals

    def _solve_active(self, scenario: Scenario, active: tuple[bool, ...]) -> Solution | None:
        """Root of all residuals with the limits in ``active`` as equalities and the rents of the others zero."""
        limits, makes, buys = self._limits(scenario), self.makes, self.buys
        sizes = [self.n, int(makes.sum()), int(buys.sum()), int(buys.sum()), self.n, sum(active)]
        cuts = np.cumsum(sizes)[:-1]
        mu = scenario.numeraire
        given = (self.rent0 if scenario.rent is None else scenario.rent) * mu

        def unpack(x: np.ndarray) -> tuple[Solution, np.ndarray]:
            log_w, log_p, log_P, relative_Q, relative_E, rents = np.split(x, cuts)
            p, P, Q = (
                np.tile(mu * self.price0[:, None], (1, self.n)),
                np.full((self.K, self.n), mu),
                self.composite0.copy(),
            )
            p[makes] *= np.exp(log_p)
            P[buys] *= np.exp(log_P)
            Q[buys] *= relative_Q
            rho, lam, unknown = np.zeros(len(scenario.caps)), given.copy(), iter(rents)
            for position, (limit, is_active) in enumerate(zip(limits, active, strict=True)):
                value = next(unknown) if is_active else 0.0
                if isinstance(limit, FlowCap):
                    rho[position] = value
                else:
                    lam[limit] = value * mu * self.price0[limit[0]]
            state = (mu * np.exp(log_w), p, P, Q, mu * self.absorption0 * relative_E, rho, lam)
            solution, residuals = self._evaluate(scenario, *state)
            bound = np.array([self._use(solution, g) for g, on in zip(limits, active, strict=True) if on])
            residuals[3] = residuals[3] / mu
            return solution, np.concatenate([*residuals, np.append(bound, []) - 1])

        start = np.concatenate([np.zeros(sum(sizes[:3])), np.ones(sizes[3] + self.n), np.full(sizes[5], 0.1)])
        with np.errstate(all="ignore"):
            found = root(lambda x: np.nan_to_num(unpack(x)[1], nan=1e6), start, method="hybr", tol=1e-12)
            solution, residual = unpack(found.x)
        solution.residual = float(np.abs(residual).max())
        return solution if solution.residual <= 1e-10 else None

    def _limits(self, scenario: Scenario) -> list[FlowCap | tuple[int, int]]:
        return [*scenario.caps, *scenario.capacity]

    def _use(self, solution: Solution, limit: FlowCap | tuple[int, int]) -> float:
        """Use over the limit's quantity."""
        if isinstance(limit, FlowCap):
            return solution.flow[limit.good, limit.origin, limit.destination] / limit.quantity
        return solution.output[limit] / self._capacity[limit]

    def solve(self, scenario: Scenario | None = None, tolerance: float = 1e-9) -> Solution:
        """The equilibrium: the first set of binding limits (smallest first) whose rents are >= 0 and whose other limits hold.

        Raises:
            RuntimeError: no set gives one.
        """
        scenario = Scenario() if scenario is None else scenario
        self._capacity = dict(scenario.capacity)
        limits = self._limits(scenario)
        for active in sorted(itertools.product((False, True), repeat=len(limits)), key=sum):
            solution = self._solve_active(scenario, active)
            if solution is None:
                continue
            rents = [*solution.cap_rent, *(solution.rent[g] for g in scenario.capacity)]
            uses = [self._use(solution, g) for g in limits]
            if all(r >= -tolerance for r in rents) and all(u <= 1 + tolerance for u in uses):
                return solution
        raise RuntimeError("no equilibrium found from the benchmark: weaken the scenario")
