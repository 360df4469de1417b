"""One step of the search for a best package, as a Pyomo model: linear or convex quadratic, with switches mixed-integer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyomo.environ as pyo

from backfill.supply.highs import solve_model


@dataclass(frozen=True)
class Local:
    """What is known of objective and limits near a point; small is good, limits hold at or below zero.

    Attributes:
        objective: value; ``by_lever``: its gradient.
        limits: values ``[limit]``; ``limits_by_lever``: gradients ``[limit, lever]``.
        curvature: ``[lever, lever]`` of the Lagrangian, positive semidefinite.
        flips: change of the objective if a lever's measures are switched over ``[lever]``; not a number where they cannot be.
        limits_by_flip: of the limits, ``[limit, lever]``.
    """

    objective: float
    by_lever: np.ndarray
    limits: np.ndarray
    limits_by_lever: np.ndarray
    curvature: np.ndarray
    flips: np.ndarray
    limits_by_flip: np.ndarray


@dataclass(frozen=True)
class Step:
    """Where to go.

    Attributes:
        move: of each lever, shares of its range.
        flip: whether its measures are switched over.
        multipliers: of the limits; zero of a step with switches.
        promised: fall of the penalised objective in the model.
    """

    move: np.ndarray
    flip: np.ndarray
    multipliers: np.ndarray
    promised: float


def step(local: Local, share: np.ndarray, radius: float, penalty: float, *, switches: bool = False) -> Step:
    """The best step within a box.

    ``min g'd + 1/2 d'B d + flips'z + penalty sum(s)`` subject to ``limit_i: c_i + J_i d + F_i z - s_i <= 0``, ``s >= 0``,
    ``|d| <= radius``, ``0 <= share + d <= 1``, ``z`` binary: always feasible, for a limit passed is paid for. With
    switches ``B`` is left out, for the solver knows no mixed-integer quadratic programs, and at most one is switched over:
    changes of several at once are not the sum of each. The program is solved in units of the radius, so that small boxes are no
    harder than large ones. Where HiGHS finds its own answer to a quadratic program wrong by more than it allows, the linear
    one stands in: it promises too much, and the radius sees to that.

    Args:
        local: what is known.
        share: where levers stand, 0 to 1.
        radius: of the box.
        penalty: price of a unit by which a limit is passed.
        switches: whether measures may be switched over.
    """
    levers, limits = range(len(share)), range(len(local.limits))
    open_ = [n for n in levers if switches and np.isfinite(local.flips[n])]
    model: Any = pyo.ConcreteModel("step")
    model.move = pyo.Var(
        levers,
        bounds=lambda _, n: (max(-1.0, -float(share[n]) / radius), min(1.0, (1.0 - float(share[n])) / radius)),
        initialize=0.0,
    )
    model.over = pyo.Var(limits, domain=pyo.NonNegativeReals, initialize=0.0)
    model.flip = pyo.Var(open_, domain=pyo.Binary)
    move, over, flip = cast("tuple[Any, Any, Any]", (model.move, model.over, model.flip))

    def limit(_, i: int):
        moved = sum(float(local.limits_by_lever[i, n]) * move[n] for n in levers)
        flipped = sum(float(local.limits_by_flip[i, n]) / radius * flip[n] for n in open_)
        return float(local.limits[i]) / radius + moved + flipped - over[i] <= 0

    model.limit = pyo.Constraint(limits, rule=limit)
    if open_:
        model.one = pyo.Constraint(expr=sum(flip[n] for n in open_) <= 1)
    cost = sum(float(local.by_lever[n]) * move[n] for n in levers)
    cost += sum(float(local.flips[n]) / radius * flip[n] for n in open_)
    cost += penalty * sum(over[i] for i in limits)
    bent = sum(float(local.curvature[n, m]) * move[n] * move[m] for n in levers for m in levers)
    price: Any = pyo.Objective(expr=cost if switches else cost + 0.5 * radius * bent)
    model.cost = price
    duals = not switches and bool(len(local.limits))
    try:
        found = solve_model(model, duals=duals)
    except RuntimeError:
        if switches:
            raise
        price.expr = cost
        found = solve_model(model, duals=duals)
    multipliers = np.zeros(len(local.limits))
    for i in limits if not switches else ():
        multipliers[i] = abs(found["duals"].get(model.limit[i], 0.0))
    now = penalty * np.maximum(local.limits, 0.0).sum()
    return Step(
        move=radius * np.array([pyo.value(move[n]) for n in levers]),
        flip=np.array([n in open_ and float(pyo.value(flip[n]) or 0.0) > 0.5 for n in levers], bool),
        multipliers=multipliers,
        promised=float(now - radius * found["objective"]),
    )


def multipliers(local: Local, share: np.ndarray, nearly: float) -> tuple[np.ndarray, float]:
    """Multipliers of the limits that fit best, and the residual of the Karush-Kuhn-Tucker conditions.

    ``min |g + J'l + u - v|`` over ``l, u, v >= 0`` of limits and bounds that hold with equality to ``nearly``; the residual also
    counts limits that are passed.
    """
    from scipy.optimize import nnls

    active = local.limits >= -nearly
    top, bottom = share >= 1 - nearly, share <= nearly
    eye = np.eye(len(share))
    columns = np.concatenate([local.limits_by_lever[active].T, eye[:, top], -eye[:, bottom]], axis=1)
    found = np.zeros(len(local.limits))
    if not columns.shape[1]:
        return found, _worst(local.by_lever, local)
    size = np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
    weights = nnls(columns / size, -local.by_lever)[0] / size
    found[active] = weights[: int(active.sum())]
    return found, _worst(local.by_lever + columns @ weights, local)


def _worst(gap: np.ndarray, local: Local) -> float:
    return float(max(np.abs(gap).max(initial=0.0), np.maximum(local.limits, 0.0).max(initial=0.0)))
