"""Residuals that every solved market must keep small (section 12), each relative to world income or volume."""

from __future__ import annotations

import numpy as np

from backfill.economy.economy import DIVERSION, Structure
from backfill.trade.equilibrium import Lane
from backfill.trade.market import Outcome
from backfill.trade.state import NOTHING


def market_checks(shape: Structure, lanes: Lane, outcome: Outcome) -> dict[str, float]:
    """Largest residual over lanes of four identities that the solver does not impose.

    * ``walras``: excess demand for labour in any region over world labour, and incomes less outlays of the world.
    * ``complementarity``: ``|min(rent, 1 - use/room)|`` of quantity limits, and need above room below the ceiling of the rent.
    * ``shares``: buyers' spending on each composite less the sum over origins, over world income.
    * ``volume``: units acquired less units demanded for use and for stock, and units made less units shipped, over world volume.
    """
    labour = lanes.parameters.endowment.labour
    world = labour.sum(1)
    excess = np.abs(outcome.labour_use - labour).max(1) / world
    rents = outcome.state.limit_rent
    with np.errstate(invalid="ignore"):
        used = np.maximum(outcome.limit_use, NOTHING) / np.maximum(outcome.limit_room, NOTHING)
        slack = np.where(np.isfinite(outcome.limit_room), 1 - used, 1.0)
    # At its ceiling a limit gives way: need above room is no fault there.
    beyond = np.minimum(np.asarray(lanes.barriers.limit_ceiling) - rents, np.maximum(-slack, 0.0))
    natural = np.maximum(np.abs(np.minimum(rents, np.maximum(slack, 0.0))), np.maximum(beyond, 0.0)).max(initial=0.0)
    users = np.array([leaf.user for leaf in shape.leaves])
    acquired = np.zeros_like(outcome.absorption.compute)
    for n, user in enumerate(users):
        acquired[:, user] += outcome.leaf[:, n]
    wanted = outcome.absorption.compute + lanes.plan.compute_stock
    volume = np.abs(acquired - wanted).max(1) / np.maximum(outcome.absorption.compute.sum(1), 1e-300)
    diverted = np.array([leaf.channel == DIVERSION for leaf in shape.leaves])
    shipped = outcome.leaf / (1 - diverted * outcome.delivered.seizure)
    made = np.abs(outcome.maker_output.sum(1) - shipped.sum(1)) / np.maximum(shipped.sum(1), np.finfo(float).tiny)
    return {
        "walras": float(max(excess.max(), _world_budget(lanes, outcome).max())),
        "complementarity": float(natural),
        "shares": float(_spending_gap(lanes, outcome).max()),
        "volume": float(max(volume.max(), made.max())),
    }


def balances_out_of_reach(shape: Structure, outcome: Outcome) -> list[dict[str, tuple[float, float]]]:
    """Regions that trade too little for the balance of trade that the model holds fixed, period by period.

    A region with a surplus must sell more abroad than its surplus, one with a deficit must buy more than its deficit.

    Returns:
        of each period, region to (surplus, exports) or, negative both, (-deficit, -imports), as shares of its absorption.
    """
    traded = np.array(outcome.flows.value.sum(1))
    for maker, (_, region) in enumerate(shape.makers):
        traded[:, shape.region(region)] += outcome.delivered.mill[:, maker, None] * outcome.handling.deliveries[:, maker]
    at_home = np.diagonal(traded, axis1=1, axis2=2)
    size = np.asarray(outcome.state.absorption)
    exports, imports = (traded.sum(2) - at_home) / size, (traded.sum(1) - at_home) / size
    surplus = -np.asarray(outcome.income.deficit) / size
    short = np.where(surplus > 0, exports < surplus, imports < -surplus)
    side = np.where(surplus > 0, exports, -imports)
    return [
        {shape.regions[r]: (float(surplus[t, r]), float(side[t, r])) for r in np.flatnonzero(short[t])}
        for t in range(len(short))
    ]


def _world_budget(lanes: Lane, outcome: Outcome) -> np.ndarray:
    """World spending at buyer prices less what sellers and treasuries receive, over world labour."""
    income = outcome.income
    received = sum(np.asarray(part).sum(1) for part in income[:-3])
    spent = outcome.state.absorption.sum(1) + income.investment.sum(1) + income.outlay.sum(1)
    return np.abs(received - spent) / lanes.parameters.endowment.labour.sum(1)


def _spending_gap(lanes: Lane, outcome: Outcome) -> np.ndarray:
    """Largest gap between what a region absorbs and what it spends on goods and compute, over world labour."""
    goods = (outcome.absorption.goods * outcome.buying.mean).sum(1)
    compute = outcome.absorption.compute * outcome.compute_price
    gap = np.abs(goods + compute - outcome.state.absorption).max(1)
    return gap / lanes.parameters.endowment.labour.sum(1)
