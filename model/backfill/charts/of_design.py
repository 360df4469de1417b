"""Charts of a best package: each takes what `backfill design` wrote (`load_design`) and stands alone in a column."""

from __future__ import annotations

import altair as alt

from backfill.charts import design
from backfill.charts.design import Drawn
from backfill.charts.panel import inner, source
from backfill.charts.theme import COLUMN, PADDING

FULL = COLUMN - 2 * PADDING - 40


def design_frontier(result: Drawn) -> alt.VConcatChart:
    """Line: the objective at every value of the limit that moves; open marks where optimality is not certified."""
    return design.frontier(result, FULL).alone(source(result.provenance, compute=True))


def mixes(result: Drawn) -> alt.VConcatChart:
    """Lines: where each lever stands in its range along the frontier."""
    return design.mixes(result, FULL).alone(source(result.provenance))


def levers(result: Drawn) -> alt.VConcatChart:
    """Dots: every lever in its range, as written and at best."""
    return design.levers(result, inner(result.tables["design"]["lever"])).alone(source(result.provenance))


def marginals(result: Drawn) -> alt.VConcatChart:
    """Heat map: what a hundredth more of each lever's range does at the best package, on every number that counts."""
    return design.marginals(result, inner(result.tables["marginals"]["lever"])).alone(
        source(result.provenance, compute=True)
    )


def packages(result: Drawn) -> alt.VConcatChart:
    """Scatter: packages drawn at random and the best one, objective against the first limit."""
    return design.drawn(result, FULL).alone(source(result.provenance, compute=True))
