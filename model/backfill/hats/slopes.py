"""How a world in hats answers in the large: slopes by wages and by each region's levels of prices and of spending.

Iterating the map, what dies out slowly is one level of all prices, and one of all spending, in each region (input-output
links carry both on), and wages; the rest is several times smaller after each evaluation. With ``Z`` these three directions a
region, ``W`` the mean of each weighted by the base's spending, and ``F_x`` the slopes of the map, the levels' own system

    J = W F_x Z,        M r = r + Z [(I - J)^-1 - I] W r

asks of the unknowns nearly what ``(I - F_x)^-1`` would (a two-level preconditioner; Nicolaides 1987). It is found once from
the base, and again at the point reached where that serves badly; a world is accepted on the map's own residual, so that slopes
far off cost evaluations, not accuracy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

TINY = 1e-300
Matrix = Float[np.ndarray, "region region"]


class Slopes(NamedTuple):
    """What is known of a world's slopes.

    Attributes:
        pace: step of log wages by excess demands for labour, ``-J^-1`` with ``J`` the demands' slopes at given real prices and
            spending. Levels of wages that move nothing, that of the world and of whoever trades with nobody, stay.
        levels: ``(I - J)^-1 - I`` over wages, levels of prices and levels of spending; empty where they are not followed: without
            links between industries nothing carries them on, and where scale or labour supply are free they are not all.
    """

    pace: Matrix
    levels: Float[np.ndarray, "level level"]


class Point(NamedTuple):
    """Where slopes are taken: wedges and what the unknowns imply there (see `backfill.hats.market.Outcome`).

    Attributes:
        wall, net: see `backfill.hats.market.Walls`.
        home: one-hot region of each further column.
    """

    wall: Float[np.ndarray, "product origin column"]
    net: Float[np.ndarray, "product origin column"]
    home: Float[np.ndarray, "product further region"]
    power: Float[np.ndarray, "product region"]
    weight: Float[np.ndarray, "product column"]
    income: Float[np.ndarray, " region"]


class Cells(NamedTuple):
    """The base's part in slopes; see `backfill.hats.market.Base`."""

    inputs: Float[np.ndarray, "region input product"]
    labour: Float[np.ndarray, "product region"]
    final: Float[np.ndarray, "product region"]
    theta: Float[np.ndarray, " product"]
    value_added: Float[np.ndarray, " region"]
    deficit: Float[np.ndarray, " region"]
    spending: Float[np.ndarray, "product region"]
    proportional: bool


def slopes(cells: Cells, point: Point, *, levels: bool) -> Slopes:
    """Slopes at a point, ``levels`` among them if asked for.

    Output answers wages and levels by ``dY_ik = -theta (dc_ik - sum_j r_ijk dc_jk) + sum_n s_ikn dX_nk`` with ``s_ikn`` the
    share of ``n`` in the sales of ``i`` and ``r_ijk`` the mean share of ``j`` among purchases of its buyers.
    """
    regions = len(cells.value_added)
    sold_to = point.power[:, :, None] * point.net * point.weight[:, None]
    bought = point.power[:, :, None] * point.wall
    output = sold_to.sum(2)
    share = _over(bought, bought.sum(1)[:, None])
    rivals = np.matmul(_over(sold_to, output[:, :, None]), share.transpose(0, 2, 1))
    sold = _by_region(sold_to, point.home, regions)
    to = _over(sold, output[:, :, None])
    made_of = cells.inputs.sum(1).T
    eye, theta = np.eye(regions), cells.theta[:, None]

    def of_output(part: np.ndarray) -> tuple[Matrix, Matrix, Matrix]:
        """``sum_k part_ik dY_ik`` by wages, levels of prices and levels of spending."""
        priced = (part * theta)[:, :, None] * rivals
        spent = (part[:, :, None] * to).sum(0)
        wages = priced.sum(0) - np.diag((part * theta).sum(0)) + spent
        return wages, (priced * made_of[:, None]).sum(0) - np.diag((part * theta * made_of).sum(0)), spent

    bill = cells.labour * output
    earned = bill.sum(0)
    by_wage, by_price, by_spending = of_output(bill / np.maximum(earned, TINY))
    by_wage = by_wage - eye
    size = cells.value_added / cells.value_added.sum()
    pace = -np.linalg.pinv(by_wage - np.outer(np.ones(regions), size), rcond=1e-12)
    if not levels:
        return Slopes(pace, np.zeros((0, 0)))

    paid = _by_region(bought * point.weight[:, None], point.home, regions)
    spending = paid.sum(1)
    from_ = _over(paid, spending[:, None])
    duty = paid - sold
    mean = cells.spending / cells.spending.sum(0)
    share_of_price = (mean[:, None] * from_).transpose(0, 2, 1)
    diverted = (theta[:, None] * (duty.sum(1)[:, None] * from_ - duty)).transpose(0, 2, 1)
    taxed = np.diag(duty.sum((0, 1)))
    own = (np.diag(earned) + taxed + diverted.sum(0), (diverted * made_of[:, None]).sum(0), taxed)
    income = _income(cells, point.income, own, earned)
    each = _over(mean, spending)
    used = of_output(np.einsum("sn,nsk->kn", each, cells.inputs) * output)
    final = (each * cells.final).sum(0)[:, None]

    kept = eye - np.outer(np.ones(regions), size)
    rows = [
        [kept @ (eye + pace @ by_wage), kept @ pace @ by_price, kept @ pace @ by_spending],
        [share_of_price.sum(0) - eye, (share_of_price * made_of[:, None]).sum(0), 0 * eye],
        [final * income[0] + used[0] - eye, final * income[1] + used[1], final * income[2] + used[2]],
    ]
    return Slopes(pace, _inverse(np.eye(3 * regions) - np.block(rows)) - np.eye(3 * regions))


def _income(
    cells: Cells, income: np.ndarray, own: tuple[Matrix, Matrix, Matrix], earned: np.ndarray
) -> tuple[Matrix, Matrix, Matrix]:
    """Slopes of expenditure, from those of income at home."""
    if not cells.proportional:
        return own[0] + np.outer(cells.deficit, earned), own[1], own[2]
    ratio = cells.deficit * (income / cells.deficit).sum() / income.sum()

    def moved(slope: Matrix) -> Matrix:
        spent = ratio[:, None] * slope
        return spent + np.outer(income, (slope - spent).sum(0) / income.sum())

    return moved(own[0]), moved(own[1]), moved(own[2])


def _by_region(table: np.ndarray, home: np.ndarray, regions: int) -> np.ndarray:
    """``[product, origin, column]`` with columns of buyers added up by region."""
    if not home.shape[1]:
        return table
    return table[:, :, :regions] + np.einsum("kis,ksn->kin", table[:, :, regions:], home)


def _over(table: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Shares of a total, nothing where there is none."""
    return np.where(total > 0, table / np.where(total > 0, total, 1.0), 0.0)


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """The inverse; that of least norm where a level moves nothing."""
    try:
        found = np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return np.linalg.pinv(matrix, rcond=1e-12)
    return found if np.abs(found).max() < 1e8 else np.linalg.pinv(matrix, rcond=1e-12)
