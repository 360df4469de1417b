"""One least-squares program that balances the stack's trade inside ICIO.

Minimise the weighted squared relative movement of every cell and every purchase total, where what is made, what SEMI says
was bought and what ICIO leaves room for must hold exactly:

    min  sum_c w_c v_c (y_c - 1)^2 + sum_pj W_p B_pj d_pj^2 + sum_ij U b_ij^2 / M_ij
    made        sum_j v_pij y_pij = Q_pi
    purchases   sum_i v_pij y_pij = B_pj (1 + d_pj)      (d = 0 for HBM and packaging, made to order)
    equipment   sum_{p in tools} purchases = billings of j
    room        sum_{p of sector s} v_pij y_pij + fixed_sij <= (1 - least) ICIO_sij + b_ij  (b only for machinery)

No cell falls below a quarter of its customs record (a twentieth of a guess), or half of what ICIO or the
buyer has room for if that is less.
v first matrices, y factors, Q output, B purchases wanted, b machinery carved from other manufacturing. Weights follow the
grade: cells on customs records are stiff, gravity and own use are soft.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backfill.economy.compile.demand import MADE_TO_ORDER, STACK, TOOLS, Totals
from backfill.economy.compile.first import First
from backfill.economy.compile.sectors import SECTOR
from backfill.economy.schema import DataError

RECORDED, GUESSED = 1.0, 0.15
BORROWING = 0.05
FIRMNESS = {"eda_ip": 30.0, "servers": 3.0, "minerals": 3.0}
USUAL_FIRMNESS = 10.0
LEAST_RECORDED, LEAST_GUESSED = 0.25, 0.05
SCALE = 1e-3
WRITTEN = 2

Cell = tuple[str, int, int]


@dataclass(frozen=True)
class Nested:
    """Balanced flows.

    Attributes:
        flows: by stack product, million USD.
        borrowed: machinery carved from other manufacturing, by origin and destination.
        tight: sector cells with no more room.
    """

    flows: dict[str, np.ndarray]
    borrowed: np.ndarray
    tight: list[tuple[str, int, int]]


def nest(
    firsts: dict[str, First],
    totals: Totals,
    sectors: dict[str, np.ndarray],
    accelerators: np.ndarray,
    billings: np.ndarray,
    least: float,
) -> Nested:
    """Solve the program.

    Args:
        firsts: first matrix of every stack product.
        totals: output (hard) and purchases (soft) by product and region.
        sectors: ICIO flows.
        accelerators: sales of accelerators carved from electronics.
        billings: equipment bought by region.
        least: share of each ICIO cell that stays.

    Raises:
        DataError: no trade fits the totals and ICIO together.
    """
    model, cells = _formulate(firsts, totals, sectors, accelerators, billings, least)
    _solve(model)
    shape = billings.shape * 2
    flows = {p: np.zeros(shape) for p in STACK}
    for p, i, j in cells:
        flows[p][i, j] = _written(firsts[p].value[i, j] * model.factor[p, i, j].value)
    borrowed = np.zeros(shape)
    for i, j in model.short:
        borrowed[i, j] = _written(max(model.borrowed[i, j].value, 0.0))
    tight = [key for key in model.room if model.room[key].uslack() < 1e-3 * max(1.0, sectors[key[0]][key[1:]])]
    return Nested(flows, borrowed, tight)


def _written(value: float) -> float:
    """A flow as kept: to ten thousand USD, so that the solver's last digits do not show."""
    return round(value, WRITTEN)


def _formulate(
    firsts: dict[str, First],
    totals: Totals,
    sectors: dict[str, np.ndarray],
    accelerators: np.ndarray,
    billings: np.ndarray,
    least: float,
) -> tuple[Any, list[Cell]]:
    from pyomo import environ

    pyo: Any = environ

    cells: list[Cell] = [(p, int(i), int(j)) for p in STACK for i, j in zip(*np.nonzero(firsts[p].value), strict=True)]
    first = {c: float(firsts[c[0]].value[c[1:]]) for c in cells}
    stiff = {c: RECORDED if firsts[c[0]].recorded[c[1:]] else GUESSED for c in cells}
    by_maker: dict[tuple[str, int], list[Cell]] = {}
    by_buyer: dict[tuple[str, int], list[Cell]] = {}
    by_sector: dict[tuple[str, int, int], list[Cell]] = {}
    for c in cells:
        by_maker.setdefault(c[:2], []).append(c)
        by_buyer.setdefault((c[0], c[2]), []).append(c)
        by_sector.setdefault((SECTOR[c[0]], *c[1:]), []).append(c)

    model = pyo.ConcreteModel("The stack inside ICIO")
    model.cells = pyo.Set(initialize=cells, dimen=3)
    model.buyers = pyo.Set(initialize=list(by_buyer), dimen=2)
    model.short = pyo.Set(initialize=[k[1:] for k in by_sector if k[0] == "machinery_electrical"], dimen=2)
    least_factor = {}
    for (sector, i, j), members in by_sector.items():
        fit = 0.5 * (1 - least) * float(sectors[sector][i, j]) / sum(first[c] for c in members)
        for c in members:
            asked = 0.5 * float(totals.bought[c[0]][j]) / sum(first[d] for d in by_buyer[c[0], j])
            least_factor[c] = min(LEAST_RECORDED if stiff[c] == RECORDED else LEAST_GUESSED, fit, asked)
    model.factor = pyo.Var(
        model.cells, bounds=lambda m, *c: (least_factor[c], None), initialize=1.0, doc="flow over first guess"
    )
    model.extra = pyo.Var(model.buyers, initialize=0.0, doc="purchases beyond what was wanted, as a share")
    model.borrowed = pyo.Var(model.short, bounds=(0, None), initialize=0.0, doc="taken from other manufacturing")

    for p, j in model.buyers:
        if p in MADE_TO_ORDER:
            model.extra[p, j].fix(0.0)

    def flow(c: Cell) -> Any:
        return first[c] * model.factor[c]

    def wanted(p: str, j: int) -> float:
        return float(totals.bought[p][j])

    def sold_out(m: Any, p: str, i: int) -> Any:
        return sum(flow(c) for c in by_maker[p, i]) == float(totals.output[p][i])

    def purchases(m: Any, p: str, j: int) -> Any:
        return sum(flow(c) for c in by_buyer[p, j]) == wanted(p, j) * (1 + m.extra[p, j])

    def equipment(m: Any, j: int) -> Any:
        return sum(flow(c) for p in TOOLS for c in by_buyer.get((p, j), ())) == float(billings[j])

    def room(m: Any, s: str, i: int, j: int) -> Any:
        fixed = float(accelerators[i, j]) if s == "electronics" else 0.0
        more = m.borrowed[i, j] if s == "machinery_electrical" else 0.0
        return sum(flow(c) for c in by_sector[s, i, j]) - more <= (1 - least) * float(sectors[s][i, j]) - fixed

    def borrowing(m: Any, i: int, j: int) -> Any:
        return m.borrowed[i, j] <= (1 - least) * float(sectors["other_manufacturing"][i, j])

    model.sold_out = pyo.Constraint(list(by_maker), rule=sold_out, doc="what is made is sold")
    model.purchases = pyo.Constraint(model.buyers, rule=purchases, doc="what is bought")
    model.equipment = pyo.Constraint(range(len(billings)), rule=equipment, doc="tools bought equal SEMI billings")
    model.room = pyo.Constraint(list(by_sector), rule=room, doc="a share of every ICIO cell stays")
    model.borrowing = pyo.Constraint(model.short, rule=borrowing, doc="other manufacturing also keeps a share")
    moved = sum(SCALE * stiff[c] * first[c] * (model.factor[c] - 1) ** 2 for c in cells)
    missed = sum(
        SCALE * FIRMNESS.get(p, USUAL_FIRMNESS) * wanted(p, j) * model.extra[p, j] ** 2 for p, j in model.buyers
    )
    lent = sum(
        SCALE * BORROWING * model.borrowed[i, j] ** 2 / float(sectors["machinery_electrical"][i, j] + 1.0)
        for i, j in model.short
    )
    model.movement = pyo.Objective(expr=moved + missed + lent, doc="weighted squared movement")
    return model, cells


def _solve(model: Any) -> None:
    from pyomo.contrib.solver.common.factory import SolverFactory
    from pyomo.contrib.solver.common.results import TerminationCondition

    solver = SolverFactory("highs")
    solver.config.raise_exception_on_nonoptimal_result = False
    solver.config.load_solutions = False
    results: Any = solver.solve(model)
    if results.termination_condition != TerminationCondition.convergenceCriteriaSatisfied:
        raise DataError(
            [
                "data/sources/production.csv: output_share: no trade fits output, equipment billings and ICIO together "
                f"({results.termination_condition.name}): lower world_output or the share of a region whose ICIO sector "
                "is smaller than its stack"
            ]
        )
    results.solution_loader.load_vars()
