"""HiGHS, the solver of the suppliers' programs; no other file names it."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
import scipy.sparse as sparse

from backfill.supply.active import Reduced, active_set_newton
from backfill.supply.foresight import Foresight, Perfect
from backfill.supply.nodes import Array, MarketResponse, Nodes, capacity_path
from backfill.supply.program import program
from backfill.supply.step import PlanStatus, PlanStep

ACCEPT = 1e-9
GUESS_STEPS = 25
POLISH_STEPS = 4
MOST_ITERATIONS = 20_000
"""Of a quadratic program: the solver has gone round in circles for half an hour over five variables."""


class CompiledPlan:
    """The program of one set of nodes, solved again and again with new gradients and curvature.

    Arrays go straight to the solver; nothing is rebuilt as a symbolic model (`backfill.supply.plan.build` is that model,
    and tests hold the two together). Each solve starts from an active-set guess; the answer is accepted only by its own
    certificate (`Reduced.violation`), because warm starts of this solver have reported false optima; else it is
    solved again from cold.

    A convex program holds only the symmetric part of the markets' slopes, and only valuations that mirror capacity; the rest
    is for `backfill.supply.josephy`.

    Args:
        nodes: the capacities.
        foresight: what builders expect; perfect if absent.

    Attributes:
        iterations: iterations of the solver in the last solve.
    """

    def __init__(self, nodes: Nodes, foresight: Foresight | None = None) -> None:
        self.nodes = nodes
        self.foresight: Foresight = foresight or Perfect()
        self.iterations = 0

    def solve(self, market: MarketResponse, damping: float | None = None) -> PlanStep:
        """Answer the markets with rents and additions.

        Args:
            market: quantities and slopes at the round's point.
            damping: curvature added, as a semi-elasticity of use to rent; 0.1 to 1 where rounds oscillate. It shortens
                steps and does not move the solution. ``foresight.damping`` if absent.

        Raises:
            ValueError: if the markets' answer is not finite.
        """
        data = program(self.nodes, market, self.foresight, damping)
        form = Reduced(data, self.nodes.rent_weights * data.size[:, None])
        return self._certified(form, active_set_newton(form, np.maximum(form.point, 0.0), GUESS_STEPS))

    def _certified(self, form: Reduced, guess: Array) -> PlanStep:
        """Hand the program to the solver from ``guess``; accept by certificate, else solve again from cold."""
        cold = False
        rent = self._solved(form, guess)
        if form.violation(rent) > ACCEPT:
            rent, cold = min(rent, self._solved(form, None), key=form.violation), True
        violation = form.violation(rent)
        additions, duals = self._read(form, rent)
        return PlanStep(
            rent=form.unflatten(rent),
            additions=additions,
            capacity=capacity_path(self.nodes, additions),
            status=PlanStatus.SOLVED if violation <= ACCEPT else PlanStatus.INACCURATE,
            objective=form.objective(rent),
            duals=duals,
            violation=violation,
            gap=form.gap(rent),
            cold=cold,
        )

    def _solved(self, form: Reduced, start: Array | None) -> Array:
        rent, self.iterations = _quadratic(form, start)
        return active_set_newton(form, rent, POLISH_STEPS)

    def _read(self, form: Reduced, rent: Array) -> tuple[Array, Array]:
        """Additions and multipliers ``[node, class, period]`` at flat rents."""
        nodes = self.nodes
        node, group, period = form.decisions.T
        gains = form.gains(rent)
        additions, duals = nodes.reference_additions.copy(), np.zeros(nodes.class_share.shape)
        additions[node, group, period] = gains * nodes.class_share[node, group, period] / nodes.slope[node, period]
        duals[node, group, period] = gains * form.response
        return additions, duals


def _quadratic(form: Reduced, start: Array | None) -> tuple[Array, int]:
    """Solve the program with rents and gains as variables, both scaled by their own curvature.

    Returns:
        Rents and the iterations used; the rents of the start if the solver returns none.
    """
    rents, decisions = len(form.point), len(form.response)
    rent_unit = 1 / np.sqrt(form.scale)
    gain_unit = 1 / np.sqrt(form.response)
    rows: Any = sparse.hstack(
        [-(form.gain_matrix @ sparse.diags(rent_unit)), sparse.diags(gain_unit)], format="csr"
    )
    row_unit = 1 / np.maximum(abs(rows).max(axis=1).toarray().ravel(), 1e-300)
    rows = sparse.csr_matrix(sparse.diags(row_unit) @ rows)
    curvature = sparse.tril(sparse.diags(rent_unit) @ form.curvature @ sparse.diags(rent_unit))
    hessian = sparse.csc_matrix(sparse.block_diag([curvature, sparse.identity(decisions)]))
    hessian.sort_indices()
    lower = -form.gain_cost * row_unit

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = rents + decisions, decisions
    lp.col_cost_ = np.concatenate([(form.slack - form.curvature @ form.point) * rent_unit, np.zeros(decisions)])
    lp.col_lower_ = np.zeros(rents + decisions)
    lp.col_upper_ = np.full(rents + decisions, np.inf)
    lp.row_lower_, lp.row_upper_ = lower, np.full(decisions, np.inf)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = rows.indptr, rows.indices, rows.data
    quadratic: Any = highspy.HighsHessian()
    quadratic.dim_, quadratic.format_ = rents + decisions, highspy.HessianFormat.kTriangular
    quadratic.start_, quadratic.index_, quadratic.value_ = hessian.indptr, hessian.indices, hessian.data
    model = highspy.HighsModel()
    model.lp_, model.hessian_ = lp, quadratic

    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("qp_iteration_limit", MOST_ITERATIONS)
    solver.passModel(model)
    if start is not None:
        _start(solver, start / rent_unit, form.gains(start) / gain_unit, rows, lower)
    solver.run()
    found = solver.getSolution()
    if not found.value_valid:
        return (form.point if start is None else start), 0
    rent = np.maximum(np.array(found.col_value[:rents]) * rent_unit, 0.0)
    return rent, int(solver.getInfo().qp_iteration_count)


def _start(solver: Any, rent: Array, gain: Array, rows: sparse.csr_matrix, lower: Array) -> None:
    """Start from rents and gains: gains basic where builders build, their rows basic where not."""
    status = highspy.HighsBasisStatus
    solution, basis = highspy.HighsSolution(), highspy.HighsBasis()
    values = np.concatenate([rent, gain])
    solution.col_value, solution.value_valid = values, True
    solution.row_value = rows @ values
    basis.col_status = [status.kNonbasic if r > 0 else status.kLower for r in rent] + [
        status.kBasic if s > 0 else status.kLower for s in gain
    ]
    basis.row_status = [status.kLower if s > 0 else status.kBasic for s in gain]
    basis.valid = True
    solver.setOptionValue("qp_allow_hot_start", True)
    solver.setSolution(solution)
    solver.setBasis(basis)


def solve_model(model: Any, *, duals: bool = True) -> dict[str, Any]:
    """Solve a Pyomo model (linear or convex quadratic) in place.

    Args:
        duals: whether multipliers are wanted; HiGHS has none of a linear program that it solves without iterating.

    Returns:
        ``{"objective": value, "duals": {constraint: multiplier}}``, the latter empty if not wanted.

    Raises:
        RuntimeError: if no optimum is found, or none within `MOST_ITERATIONS`.
    """
    from pyomo.contrib.solver.common.results import TerminationCondition
    from pyomo.contrib.solver.solvers.highs import Highs

    solver: Any = Highs()
    results: Any = solver.solve(
        model,
        load_solutions=False,
        raise_exception_on_nonoptimal_result=False,
        solver_options={"qp_iteration_limit": MOST_ITERATIONS},
    )
    if results.termination_condition is not TerminationCondition.convergenceCriteriaSatisfied:
        raise RuntimeError(f"no optimum of {model.name!r}: {results.termination_condition.name}")
    results.solution_loader.load_vars()
    multipliers = dict(results.solution_loader.get_duals()) if duals else {}
    return {"objective": float(results.incumbent_objective), "duals": multipliers}
