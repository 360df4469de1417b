"""Slopes of the markets between rounds: differentiated anew, or corrected by what a step showed."""

from __future__ import annotations

import numpy as np

from backfill.coupling.points import Point, with_periods
from backfill.supply.nodes import Array
from backfill.trade.sensitivity import PlanSlopes


def renewed(slopes: PlanSlopes | None, fresh: PlanSlopes, years: np.ndarray, periods: int) -> PlanSlopes:
    """Slopes with fresh ones in the periods ``years`` of ``periods``."""
    kept = [np.zeros((periods, *part.shape[1:]), part.dtype) for part in fresh] if slopes is None else slopes
    return PlanSlopes(*(with_periods(old, years, part) for old, part in zip(kept, fresh, strict=True)))


def learned(slopes: PlanSlopes, old: Point, new: Point, asked: Array, size: Array, span: slice) -> PlanSlopes:
    """Slopes of use corrected by what a step showed: Broyden's update, period by period, in relative steps.

    Args:
        slopes: before the step.
        old, new: points before and after.
        asked: ``[node, period]`` change of use that stockholders' orders and lessons learned explain.
        size: ``[node]`` the scale of additions.
        span: periods.
    """
    rent, added = (new.rent - old.rent)[:, span].T, (new.additions - old.additions)[..., span].transpose(2, 0, 1)
    by_rent, by_addition = slopes.use_by_rent[span], slopes.use_by_addition[span]
    missed = (new.use - old.use - asked)[:, span].T
    missed = missed - np.einsum("tgh,th->tg", by_rent, rent) - np.einsum("tghc,thc->tg", by_addition, added)
    rent_weight = 1 / np.maximum(new.mill[:, span].T, 1e-9) ** 2
    own, built = rent * rent_weight, added / size[:, None] ** 2
    length = (rent * own).sum(1) + (added * built).sum((1, 2))
    missed = np.divide(missed, length[:, None], out=np.zeros_like(missed), where=length[:, None] > 1e-30)
    by_rent = by_rent + missed[:, :, None] * own[:, None]
    by_addition = by_addition + missed[:, :, None, None] * built[:, None]
    return slopes._replace(
        use_by_rent=with_periods(slopes.use_by_rent, span, by_rent),
        use_by_addition=with_periods(slopes.use_by_addition, span, by_addition),
    )
