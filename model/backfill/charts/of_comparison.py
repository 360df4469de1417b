"""Charts of results side by side: each takes what `backfill.compare` or `load_comparison` gives and stands alone in a column."""

from __future__ import annotations

import altair as alt

from backfill.charts import beside
from backfill.charts.beside import Compared, foot
from backfill.charts.panel import inner


def side_by_side(comparison: Compared) -> alt.VConcatChart:
    """Stacked bars: what the adversary acquires over the whole horizon by route, world by world (H100e)."""
    return beside.by_route(comparison, inner([comparison.reference, *comparison.worlds])).alone(foot(comparison))


def changes(comparison: Compared, quantity: str = "compute denied", where: str = "adversary") -> alt.VConcatChart:
    """Bars: the change of one headline number from the reference, world by world, with ranges where they were computed.

    Args:
        comparison: results side by side.
        quantity, where: a row of its table.

    Raises:
        NothingToDraw: no world has the number; says which there are.
    """
    return beside.changes(comparison, quantity, where, inner(comparison.worlds)).alone(foot(comparison))
