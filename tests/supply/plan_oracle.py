"""The coupled plan solved another way: the complementarity system itself, written in loops, by semismooth Newton.

Shares no code with `backfill.supply`: capacity and worth are recursions here, the Jacobian is by differences, there is no
program, no multiplier and no solver library beyond a linear solve.
"""

from __future__ import annotations

import numpy as np


def capacity(nodes, additions):
    """``K_t+1 = (1-delta) K_t + I_t-lag`` on top of what is inherited."""
    count, _, periods = additions.shape
    path = np.array(nodes.inherited, float)
    for g in range(count):
        stock = 0.0
        for t in range(1, periods):
            decided = t - 1 - int(nodes.lag[g])
            stock = (1 - nodes.depreciation[g]) * stock + (additions[g, :, decided].sum() if decided >= 0 else 0.0)
            path[g, t] += stock
    return path


def worth(nodes, rent):
    """Worth of a unit decided in ``t``: received from ``t + 1 + lag`` on, the last rent for ever."""
    count, periods = rent.shape
    beta = nodes.weights[1] / nodes.weights[0]
    value = np.zeros((count, periods))
    for g in range(count):
        keep = beta * (1 - nodes.depreciation[g])
        at_work = np.zeros(periods + nodes.lag[g] + 1)
        at_work[periods - 1 :] = rent[g, -1] / (1 - keep)
        for s in range(periods - 2, -1, -1):
            at_work[s] = rent[g, s] + keep * at_work[s + 1]
        for t in range(periods):
            value[g, t] = beta ** (1 + nodes.lag[g]) * at_work[t + 1 + nodes.lag[g]]
    return value


def solve(nodes, market, rent, additions, iterations=200):
    """Rents and additions with ``0 <= r _|_ K - u >= 0`` and ``0 <= I _|_ cost - PV >= 0``, from a starting point.

    Raises:
        AssertionError: if Newton on the Fischer-Burmeister equations does not reach 1e-10.
    """
    shape, size = rent.shape, rent.size

    def equations(x):
        r, i = x[:size].reshape(shape), x[size:].reshape(additions.shape)
        idle = capacity(nodes, i) - market.use(np.maximum(r, -0.5), i)
        cost = nodes.site_cost[:, None] + market.tool_cost(np.maximum(r, -0.5)) + nodes.slope[:, None] * i / nodes.class_share
        loss = cost - worth(nodes, r)[:, None]
        a, b = x, np.concatenate([idle.ravel(), loss.ravel()])
        return a + b - np.sqrt(a**2 + b**2)

    x = np.concatenate([rent.ravel(), additions.ravel()])
    for _ in range(iterations):
        value = equations(x)
        if np.abs(value).max() < 1e-11:
            break
        slopes = np.empty((len(x), len(x)))
        for k in range(len(x)):
            step = 1e-7 * max(1.0, abs(x[k]))
            up, down = x.copy(), x.copy()
            up[k] += step
            down[k] -= step
            slopes[:, k] = (equations(up) - equations(down)) / (2 * step)
        direction = np.linalg.lstsq(slopes, -value, rcond=None)[0]
        length = 1.0
        while length > 1e-6 and np.linalg.norm(equations(x + length * direction)) > (1 - 1e-4 * length) * np.linalg.norm(value):
            length /= 2
        x = x + length * direction
    assert np.abs(equations(x)).max() < 1e-10, np.abs(equations(x)).max()
    return x[:size].reshape(shape), x[size:].reshape(additions.shape)
