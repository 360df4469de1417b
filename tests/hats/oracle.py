"""The same economies by other means: plain equations in levels, one loop a market, solved by SciPy's root."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import root


@dataclass
class Answer:
    welfare: np.ndarray
    real_wage: np.ndarray
    flow: np.ndarray
    price: np.ndarray
    size: float


def cuts(availability: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Buyers from the least to the most exposed: width of each stretch, and who can sell to it."""
    points = sorted({0.0, 1.0, *(1 - availability).tolist()})
    return [
        (high - low, (1 - availability) <= 0.5 * (low + high)) for low, high in zip(points, points[1:], strict=False)
    ]


def solve(
    accounts,
    *,
    tariff=None,
    cost=None,
    productivity=None,
    availability=None,
    closure="fixed",
    deficit=None,
    strength=None,
    supply=None,
    tax=0.0,
    replaces=False,
) -> Answer:
    """Wages, prices, firms, labour and the world factor at which every market clears."""
    flow0, t0, inputs = accounts.flow, accounts.tariff, accounts.inputs
    K, N, _ = flow0.shape
    tariff = t0 if tariff is None else tariff
    cost = np.ones_like(flow0) if cost is None else cost
    productivity = np.ones((K, N)) if productivity is None else productivity
    spending0, output0 = accounts.spending, accounts.output
    own0 = accounts.value_added + accounts.revenue
    deficit = accounts.deficit if deficit is None else deficit
    real0 = tax * accounts.value_added + accounts.revenue

    def shocked(part):
        """A share of the shock, for a path from the base."""
        open_ = None if availability is None else 1 - part * (1 - availability)
        return t0 + part * (tariff - t0), cost**part, productivity**part, open_

    def split(z):
        wage, price = np.exp(z[:N]), np.exp(z[N : N + N * K]).reshape(K, N)
        firms = np.exp(z[N + N * K : N + 2 * N * K]).reshape(K, N)
        labour = np.exp(z[N + 2 * N * K : 2 * N + 2 * N * K])
        return wage, price, firms, labour, np.exp(z[-1])

    def world(z, part=1.0):
        wage, price, firms, labour, factor = split(z)
        tariff, cost, productivity, availability = shocked(part)
        unit = np.array(
            [
                [
                    wage[i] ** accounts.labour[k, i] * np.prod(price[:, i] ** inputs[:, k, i]) / productivity[k, i]
                    for i in range(N)
                ]
                for k in range(K)
            ]
        )
        share = np.zeros((K, N, N))
        index = np.ones((K, N))
        for k in range(K):
            theta, power = accounts.theta[k], 0.0 if strength is None else strength
            for n in range(N):
                if spending0[k, n] <= 0:
                    continue
                base = flow0[k, :, n] * (1 + t0[k, :, n]) / spending0[k, n]
                delivered = unit[k] * cost[k, :, n] * (1 + tariff[k, :, n]) / (1 + t0[k, :, n])
                worth = base * firms[k] ** power * delivered**-theta
                groups = (
                    [(1.0, np.ones(N, bool))]
                    if availability is None
                    else cuts(np.where(base > 0, availability[k, :, n], 1.0))
                )
                own = [
                    (width, (worth * able).sum() ** (-1 / theta), worth * able) for width, able in groups if width > 0
                ]
                index[k, n] = sum(width * p for width, p, _ in own)
                share[k, :, n] = sum(width * p / index[k, n] * w / w.sum() for width, p, w in own)
        final_price = np.prod(price**accounts.final, axis=0)
        earned = wage * accounts.value_added * labour
        cells = K * N
        matrix, right = np.eye(cells), np.zeros(cells)
        net = share / (1 + tariff)
        kept = (share * tariff / (1 + tariff)).sum(1)
        ratio = accounts.income / own0 * factor if closure == "proportional" else np.ones(N)
        for k in range(K):
            for n in range(N):
                row = k * N + n
                right[row] = accounts.final[k, n] * ratio[n] * earned[n]
                if closure != "proportional":
                    right[row] += accounts.final[k, n] * deficit[n]
                for m in range(K):
                    matrix[row, m * N + n] -= accounts.final[k, n] * ratio[n] * kept[m, n]
                    for j in range(N):
                        matrix[row, m * N + j] -= inputs[k, m, n] * net[m, n, j]
        spending = np.linalg.solve(matrix, right).reshape(K, N)
        flow = net * spending[:, None]
        return wage, price, firms, labour, factor, unit, index, flow, spending, final_price, earned

    def misses(z, part=1.0):
        wage, price, firms, labour, factor, unit, index, flow, spending, final_price, earned = world(z, part)
        tariff = shocked(part)[0]
        revenue = (flow * tariff).sum((0, 1))
        bill = (accounts.labour * flow.sum(2)).sum(0)
        out = [np.log(bill / earned)[1:], [earned.sum() - 1], (np.log(price) - np.log(index)).ravel()]
        made = output0 > 0
        hat = np.where(made, flow.sum(2), 1.0) / np.where(made, output0, 1.0)
        out.append(np.where(made, np.log(firms) - np.log(hat / unit), np.log(firms)).ravel())
        if supply is None:
            out.append(np.log(labour))
        else:
            rate = np.full(N, tax)
            if replaces:
                rate = (final_price * real0 - revenue) / earned
            out.append(np.log(labour) - supply * np.log((1 - rate) / (1 - tax) * wage / final_price))
        own = earned + revenue
        ratio = accounts.income / own0 * factor
        out.append([(ratio * own - own).sum() if closure == "proportional" else np.log(factor)])
        return np.concatenate(out)

    start = np.zeros(2 * N + 2 * N * K + 1)
    start[:N] = -np.log(accounts.value_added.sum())
    for part in (0.1, 0.3, 0.6, 1.0):
        found = root(misses, start, args=(part,), method="hybr", tol=1e-13)
        start = found.x
    wage, price, _, labour, factor, _, _, flow, spending, final_price, earned = world(found.x)
    income = (spending - np.einsum("skn,kn->sn", inputs, flow.sum(2))).sum(0)
    return Answer(
        income / accounts.income / final_price,
        wage / final_price,
        flow,
        price,
        float(np.abs(misses(found.x)).max()),
    )
