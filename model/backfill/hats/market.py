"""The fixed-point map of a world in hats (exact hat algebra: Dekle, Eaton and Kortum 2008; Caliendo and Parro 2015).

Everything is relative to the base; a hat is the new value over the old one. With ``theta`` the trade elasticity of product
``k``, ``g`` the cost shares, ``d`` hats of trade costs, ``A`` of productivity and ``t`` tariffs (new over base in the wedge),

    c_ik = w_i^g0 prod_s P_is^gs / A_ik                    unit costs (Cobb-Douglas)
    P_nk = (sum_i share_ink (c_ik d_ink (1+t')/(1+t))^-theta)^(-1/theta)
    Y_ik = sum_n share'_ink X_nk / (1+t'_ink)              sales, before tariff
    X_nk = final_nk I_n + sum_s g_nks Y_ns                 expenditure
    w_i L_i = sum_k g0_ik Y_ik                             labour markets

Where an export control closes origins to some buyers, the buyers of product ``k`` in ``n`` are classes ``c`` in fixed shares
``m_c`` of units, each with the origins left to it: ``P_nkc`` is as above over these, ``P_nk = sum_c m_c P_nkc`` is their
mean, units are ``X_nk / P_nk`` in hats, and class ``c`` buys ``m_c`` of them and spends ``m_c P_nkc / P_nk`` of ``X_nk``.
Classes do not compete for one another's customers, unlike in `backfill.trade.barriers`; `backfill.hats.controls` makes them.

Unknowns are ``log w``, ``log P/w``, ``log X/w`` (hats; prices and spending follow wages at once, so that the level of a closed
economy is neutral) and, where they are free, log hats of firms and of labour supply. Values are shares of world value added,
which is the numeraire. Axes: ``k`` product, ``i`` origin, ``n`` destination, ``s`` input; the
columns ``c`` are destinations and, after them, buyers to whom some origin is closed.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from backfill.arrays import Array
from backfill.hats.slopes import TINY, Cells, Point, Slopes, slopes
from backfill.programs import program
from backfill.threads import single_threaded_algebra
from backfill.trade.anderson import Anderson, FixedPoint
from backfill.trade.pieces import in_pieces

TOLERANCE = 1e-10
MEMORY = 5
CHUNK = 4
STEPS = 100


class Setting(NamedTuple):
    """What kind of world: deficits, scale economies, labour supply.

    Attributes:
        closure: ``"fixed"`` (deficits constant as shares of world value added) or ``"proportional"`` (expenditure over own
            income constant but for one world factor).
        scale: whether the number of firms is free.
        labour: ``"fixed"``, ``"rebated"`` or ``"replaces income tax"``.
    """

    closure: str = "fixed"
    scale: bool = False
    labour: str = "fixed"


class Base(NamedTuple):
    """The base in arrays; see `backfill.hats.accounts.Accounts`.

    Attributes:
        deficit: share of world value added, or under ``"proportional"`` the ratio of expenditure to own income.
        live: 1 where there is expenditure.
        pace, levels: what is known of slopes (see `backfill.hats.slopes`).
        strength: elasticity of supply to the number of firms, over its value in Krugman (1980).
        supply: elasticity of labour supply to the real wage after tax.
        tax: rate of the income tax in the base.
    """

    share: Float[Array, "product origin destination"]
    tariff: Float[Array, "product origin destination"]
    inputs: Float[Array, "region input product"]
    labour: Float[Array, "product region"]
    final: Float[Array, "product region"]
    theta: Float[Array, " product"]
    value_added: Float[Array, " region"]
    revenue: Float[Array, " region"]
    deficit: Float[Array, " region"]
    income: Float[Array, " region"]
    spending: Float[Array, "product region"]
    output: Float[Array, "product region"]
    live: Float[Array, "product region"]
    pace: Float[Array, "region region"]
    levels: Float[Array, "level level"]
    strength: Float[Array, " product"]
    supply: Float[Array, " region"]
    tax: Float[Array, " region"]


class Shock(NamedTuple):
    """What changes, one row a world.

    Attributes:
        tariff: new rates.
        cost: hats of trade costs.
        productivity: hats.
        home: one-hot region of each further column.
        open: 1 where a further column can buy from an origin.
        part: share of a region's buyers in each column.
    """

    tariff: Float[Array, "*lane product origin destination"]
    cost: Float[Array, "*lane product origin destination"]
    productivity: Float[Array, "*lane product region"]
    home: Float[Array, "*lane product further destination"]
    open: Float[Array, "*lane product further origin"]
    part: Float[Array, "*lane product column"]


class Walls(NamedTuple):
    """Wedges and base shares in one table: a column's spending is as ``wall c^-theta``, before tariff as ``net c^-theta``."""

    wall: Float[Array, "product origin column"]
    net: Float[Array, "product origin column"]


class State(NamedTuple):
    """The unknowns, logarithms of hats; `firms` and `supply` are empty where they are not free."""

    wage: Float[Array, " region"]
    price: Float[Array, "product region"]
    spending: Float[Array, "product region"]
    firms: Float[Array, "product region"]
    supply: Float[Array, " region"]


class Outcome(NamedTuple):
    """What a world's unknowns imply, values in shares of world value added, costs and prices in logarithms of hats."""

    cost: Float[Array, "product region"]
    power: Float[Array, "product region"]
    price: Float[Array, "product region"]
    weight: Float[Array, "product column"]
    output: Float[Array, "product region"]
    revenue: Float[Array, " region"]
    own_income: Float[Array, " region"]
    income: Float[Array, " region"]
    final_price: Float[Array, " region"]
    tax: Float[Array, " region"]
    labour_gap: Float[Array, " region"]


def unpack(setting: Setting, base: Base, vector: Float[Array, " unknown"]) -> State:
    """Split the vector of unknowns."""
    n, kn = base.value_added.shape[-1], base.spending.size
    sizes = (n, kn, kn, kn if setting.scale else 0, n if setting.labour != "fixed" else 0)
    ends = np.cumsum(sizes)
    parts = [vector[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    shape = base.spending.shape
    firms = parts[3].reshape(shape) if setting.scale else parts[3]
    wage = parts[0]
    own = jnp.where(base.live > 0, wage, 0.0)
    return State(wage, own + parts[1].reshape(shape), own + parts[2].reshape(shape), firms, parts[4])


def walls_of(base: Base, shock: Shock) -> Walls:
    """Wedges of one world or of several, with NumPy where the shock is NumPy's (whose logarithms are the faster)."""
    xp = np if isinstance(shock.tariff, np.ndarray) else jnp
    theta, paid = base.theta[:, None, None], 1 + shock.tariff
    with np.errstate(all="ignore"):
        hat = xp.log(shock.cost * paid / (1 + base.tariff)) - xp.log(shock.productivity)[..., None]
        wall = base.share * xp.exp(-theta * hat)
        net = wall / paid

    def widened(table: Array) -> Array:
        further = xp.einsum("...kin,...ksn->...kis", table, shock.home) * xp.swapaxes(shock.open, -1, -2)
        return xp.concatenate([table, further], axis=-1)

    return Walls(widened(wall), widened(net)) if shock.home.shape[-2] else Walls(wall, net)


def evaluate(
    setting: Setting, base: Base, shock: Shock, walls: Walls, vector: Float[Array, " unknown"]
) -> tuple[Float[Array, " unknown"], Outcome]:
    """Evaluate the map once: the new unknowns, and what the given ones imply."""
    state = unpack(setting, base, vector)
    regions = base.value_added.shape[0]
    theta = base.theta[:, None]
    wage, spending = jnp.exp(state.wage), base.spending * jnp.exp(state.spending)

    cost = base.labour * state.wage + jnp.einsum("nsk,sn->kn", base.inputs, state.price)
    power = jnp.exp(base.strength[:, None] * state.firms - theta * cost) if setting.scale else jnp.exp(-theta * cost)
    spread = jnp.einsum("kic,ki->kc", walls.wall, power)
    bought = spread > 0
    spread = jnp.where(bought, spread, 1.0)
    column = jnp.where(bought, -jnp.log(spread) / theta, 0.0)
    if shock.home.shape[1]:
        paid_by = shock.part * jnp.exp(column)
        mean = paid_by[:, :regions] + jnp.einsum("ks,ksn->kn", paid_by[:, regions:], shock.home)
        price = jnp.where(base.live > 0, jnp.log(jnp.maximum(mean, TINY)), 0.0)
        units = spending / jnp.maximum(mean, TINY)
        weight = paid_by * jnp.concatenate([units, jnp.einsum("kn,ksn->ks", units, shock.home)], axis=1) / spread
    else:
        price, weight = column, spending / spread

    output = power * jnp.einsum("kic,kc->ki", walls.net, weight)
    before_tariff = jnp.einsum("kic,ki->kc", walls.net, power) * weight
    paid = before_tariff[:, :regions].sum(0)
    if shock.home.shape[1]:
        paid = paid + jnp.einsum("ks,ksn->n", before_tariff[:, regions:], shock.home)
    revenue = spending.sum(0) - paid

    final_price = (base.final * price).sum(0)
    supply, tax = state.supply, base.tax
    if setting.labour != "fixed":
        if setting.labour == "replaces income tax":
            needed = jnp.exp(final_price) * (base.tax * base.value_added + base.revenue)
            tax = (needed - revenue) / (wage * base.value_added * jnp.exp(state.supply))
        kept = jnp.log(jnp.maximum(1 - tax, 1e-9) / (1 - base.tax))
        supply = base.supply * (kept + state.wage - final_price)
        earned = wage * base.value_added * jnp.exp(supply)
    else:
        earned = wage * base.value_added
    own = earned + revenue
    if setting.closure == "proportional":
        income = own * base.deficit
        income = income * (own.sum() / income.sum())
    else:
        income = own + base.deficit * earned.sum()

    labour_bill = (base.labour * output).sum(0)
    gap = jnp.log(jnp.maximum(labour_bill, TINY)) - jnp.log(jnp.maximum(earned, TINY))
    new_wage = state.wage + base.pace @ gap
    new_wage = new_wage - jnp.log((jnp.exp(new_wage - state.wage) * earned).sum())
    new_spending = base.final * income + jnp.einsum("nsk,kn->sn", base.inputs, output)
    safe = jnp.where(base.live > 0, new_spending / jnp.where(base.live > 0, base.spending, 1.0), 1.0)
    relative = jnp.log(jnp.maximum(safe, TINY)) - jnp.where(base.live > 0, state.wage, 0.0)
    parts = [new_wage, (price - jnp.where(base.live > 0, state.wage, 0.0)).ravel(), relative.ravel()]
    if setting.scale:
        made = base.output > 0
        hat = jnp.where(made, output, 1.0) / jnp.where(made, base.output, 1.0)
        parts.append(jnp.where(made, jnp.log(jnp.maximum(hat, TINY)) - cost, 0.0).ravel())
    if setting.labour != "fixed":
        parts.append(supply)
    return jnp.concatenate(parts), Outcome(
        cost, power, price, weight, output, revenue, own, income, final_price, tax, gap
    )


def slopes_at(
    setting: Setting, base: Base, walls: Walls, home: Array, power: Array, weight: Array, income: Array
) -> Slopes:
    """Slopes for the next solve, at a point of which these are known."""
    known = (base.inputs, base.labour, base.final, base.theta, base.value_added, base.deficit, base.spending)
    cells = Cells(*(np.asarray(one) for one in known), proportional=setting.closure == "proportional")
    here = (walls.wall, walls.net, home, power, weight, income)
    followed = not setting.scale and setting.labour == "fixed" and bool(base.inputs.any())
    return slopes(cells, Point(*(np.asarray(one) for one in here)), levels=followed)


def _in_levels(base: Base, residual: Float[Array, "lane unknown"], *, transposed: bool = False) -> Array:
    """``M r`` of `backfill.hats.slopes`, or ``M' r``."""
    if not base.levels.shape[0]:
        return residual
    (products, regions), lanes = base.spending.shape, len(residual)
    mean = base.spending / base.spending.sum(0)
    before, after = (mean, base.live)[:: -1 if transposed else 1]
    wage, cells = residual[:, :regions], residual[:, regions:].reshape(lanes, 2, products, regions)
    levels = jnp.concatenate([wage, (before * cells).sum(2).reshape(lanes, -1)], axis=1)
    more = levels @ (base.levels if transposed else base.levels.T)
    cells = cells + after * more[:, regions:].reshape(lanes, 2, 1, regions)
    return jnp.concatenate([wage + more[:, :regions], cells.reshape(lanes, -1)], axis=1)


class Found(NamedTuple):
    """Solved worlds, one row each.

    Attributes:
        vector: the unknowns.
        residual: largest change that another evaluation makes.
        steps: evaluations used.
        converged: whether the residual is within tolerance.
        outcome: what the unknowns imply.
        walls: wedges, as in `Walls`.
    """

    vector: Float[Array, "lane unknown"]
    residual: Float[Array, " lane"]
    steps: Array
    converged: Array
    outcome: Outcome
    walls: Walls


def _solve(
    setting: Setting, steps: int, shocks: Shock, walls: Walls, start: Array, base: Base, tolerance: Array
) -> tuple[FixedPoint, Outcome]:
    one = jax.vmap(lambda shock, wall, point: evaluate(setting, base, shock, wall, point))
    search = Anderson(
        floor=jnp.full(start.shape[1], -jnp.inf),
        tolerance=tolerance,
        memory=MEMORY,
        max_steps=steps,
        precondition=lambda change: _in_levels(base, change),
    )
    found = search.solve(lambda points: one(shocks, walls, points)[0], start)
    return found, one(shocks, walls, found.point)[1]


def solve(setting: Setting, base: Base, shocks: Shock, start: np.ndarray, tolerance: float = TOLERANCE) -> Found:
    """Solve worlds side by side from ``start``; one that does not converge says so and stops no other."""
    lanes, shared = (shocks, walls_of(base, shocks), start), (base, np.float64(tolerance))
    if len(start) > CHUNK:
        found, outcome = in_pieces(_solve, (setting, STEPS), CHUNK, lanes, shared)
    else:
        with single_threaded_algebra():
            found, outcome = program(_solve, (setting, STEPS), *lanes, *shared)(*lanes, *shared)
    return Found(found.point, found.residual, found.steps, found.converged, outcome, lanes[1])


def _gradient(setting: Setting, shock: Shock, vector: Array, weights: Array, base: Base, tolerance: Array) -> Shock:
    def mapped(shock: Shock, point: Array) -> Array:
        return evaluate(setting, base, shock, walls_of(base, shock), point)[0]

    def objective(shock: Shock, point: Array) -> Array:
        outcome = evaluate(setting, base, shock, walls_of(base, shock), point)[1]
        return (weights * (jnp.log(outcome.income) - outcome.final_price)).sum()

    direct, slope = jax.grad(objective, (0, 1))(shock, vector)
    _, pull = jax.vjp(lambda point: mapped(shock, point), vector)
    size = jnp.maximum(jnp.abs(slope).max(), TINY)
    search = Anderson(
        floor=jnp.full(len(vector), -jnp.inf),
        tolerance=tolerance,
        memory=2 * MEMORY,
        precondition=lambda change: _in_levels(base, change, transposed=True),
    )
    adjoint = search.solve(lambda points: (slope / size + pull(points[0])[0])[None], (slope / size)[None])
    _, through = jax.vjp(lambda shock: mapped(shock, vector), shock)
    lost = jnp.where(adjoint.converged[0], 1.0, jnp.nan)
    return jax.tree.map(lambda a, b: lost * (a + size * b), direct, through(adjoint.point[0])[0])


def gradient(
    setting: Setting, base: Base, shock: Shock, vector: np.ndarray, weights: np.ndarray, tolerance: float = 1e-9
) -> Shock:
    """Gradient of ``sum_n weights_n log(I_n / P_n)`` at a solution by everything in the shock, with one adjoint system.

    ``(I - F_x)' a = objective_x`` is solved by the same iteration as the world. Not a number if that does not converge.
    """
    arguments = (shock, vector, weights, base, np.float64(tolerance))
    return program(_gradient, (setting,), *arguments)(*arguments)
