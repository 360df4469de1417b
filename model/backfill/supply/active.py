"""The program with gains eliminated, its optimality certificate, and an active-set Newton that guesses and polishes."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg

from backfill.supply.nodes import Array
from backfill.supply.program import Program

HALVINGS = 8


class Reduced:
    """``min over r >= 0`` of ``1/2 (r - rbar)' A (r - rbar) + a'r + sum kappa/2 max(0, B r - k)^2``.

    Rents are flattened ``[period x node]``; rows of ``B`` are open decisions.

    Attributes:
        curvature: ``A``, block diagonal over periods.
        point, slack: ``rbar`` and ``a``.
        gain_matrix: ``B``, ``[decision, rent]``; ``gain_cost``: ``k``; ``response``: ``kappa``.
        scale: ``[rent]`` curvature's diagonal; ``quantity``: ``[rent]`` weighted size of each node.
        decisions: node, class and period of each decision, ``[decision, 3]``.
    """

    def __init__(self, data: Program, quantity: Array) -> None:
        count, periods = data.point.shape
        self.shape = (count, periods)
        self.decisions = np.argwhere(data.decided)
        node, group, period = self.decisions.T
        rows = np.arange(len(node))
        worth, tools = data.dual_value[node, period], data.tool_use[node, group, period]
        own, future = np.nonzero(worth)
        buyer, tool = np.nonzero(tools)
        self.gain_matrix = sparse.csr_matrix(
            (
                np.concatenate([worth[own, future], -tools[buyer, tool]]),
                (
                    np.concatenate([rows[own], rows[buyer]]),
                    np.concatenate([future * count + node[own], period[buyer] * count + tool]),
                ),
            ),
            shape=(len(rows), count * periods),
        )
        self.gain_cost = data.unit_cost[node, group, period] - np.einsum("ih,ih->i", tools, data.point.T[period])
        self.response = data.response[node, group, period]
        self.curvature = sparse.block_diag(list(data.curvature), format="csr")
        self.point, self.slack = data.point.T.ravel(), data.slack.T.ravel()
        self.scale = self.curvature.diagonal()
        self.quantity = quantity.T.ravel()

    def gains(self, rent: Array) -> Array:
        """``max(0, B r - k)`` of each decision."""
        return np.maximum(self.gain_matrix @ rent - self.gain_cost, 0.0)

    def gradient(self, rent: Array) -> Array:
        """Weighted idle capacity at ``rent``, the gradient of the objective."""
        builders = self.gain_matrix.T @ (self.response * self.gains(rent))
        return self.curvature @ (rent - self.point) + self.slack + builders

    def objective(self, rent: Array) -> float:
        """Value of the program."""
        move = rent - self.point
        return float(
            0.5 * move @ (self.curvature @ move) + self.slack @ rent + 0.5 * self.response @ self.gains(rent) ** 2
        )

    def violation(self, rent: Array) -> float:
        """Certificate ``max |min(r, idle share)|``: primal, dual and complementarity at once; zero only at the optimum."""
        worst = np.max(np.abs(np.minimum(rent, self.gradient(rent) / self.quantity)), initial=0.0)
        return float(worst) if np.isfinite(worst) else np.inf

    def gap(self, rent: Array) -> float:
        """Duality gap ``r' gradient``, relative to the value of all capacity at unit rent."""
        return float(rent @ self.gradient(rent)) / float(self.quantity.sum())

    def flatten(self, by_node: Array) -> Array:
        """``[node, period]`` to flat rents."""
        return by_node.T.ravel()

    def unflatten(self, rent: Array) -> Array:
        """Flat rents to ``[node, period]``."""
        return rent.reshape(self.shape[1], self.shape[0]).T.copy()


def active_set_newton(form: Reduced, rent: Array, steps: int, tolerance: float = 1e-14) -> Array:
    """Newton on the active sets from ``rent``; returns the best point met, not necessarily an optimum.

    A rent is held at zero where ``r - gradient / curvature <= 0``, a gain counts where it is positive; on these sets the
    conditions are linear. Full steps near a solution (the last one is exact), halved while they raise the objective.
    """
    best, lowest = rent, form.violation(rent)
    value = form.objective(rent)
    for _ in range(steps):
        if lowest <= tolerance:
            break
        direction = _newton_step(form, rent) - rent
        for halvings in range(HALVINGS):
            trial = np.maximum(rent + direction / 2**halvings, 0.0)
            worst, new_value = form.violation(trial), form.objective(trial)
            if new_value < value or worst < lowest:
                break
        rent, value = trial, new_value
        if worst < lowest:
            best, lowest = rent, worst
    return best


def _newton_step(form: Reduced, rent: Array) -> Array:
    """Solve the conditions on the active sets at ``rent``; sparse, so that no threads wait for each other."""
    building = form.gain_matrix @ rent - form.gain_cost > 0
    active = form.gain_matrix[building]
    hessian = (form.curvature + active.T @ active.multiply(form.response[building, None])).tocsr()
    diagonal = hessian.diagonal()
    gradient = form.gradient(rent)
    free = rent - gradient / diagonal > 0
    rows = hessian[free]
    right = -gradient[free] + rows[:, ~free] @ rent[~free]
    new = np.zeros_like(rent)
    if free.any():
        scale = sparse.diags(1 / np.sqrt(diagonal[free]))
        factor = scipy.sparse.linalg.splu(
            (scale @ rows[:, free] @ scale).tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        new[free] = rent[free] + scale @ factor.solve(scale @ right)
    return np.maximum(new, 0.0)
