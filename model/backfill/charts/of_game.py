"""Charts of an alignment game: each takes what `backfill align` wrote (`load_game`) and stands alone in a column."""

from __future__ import annotations

import altair as alt

from backfill.charts import align
from backfill.charts.align import Drawn
from backfill.charts.panel import inner, source
from backfill.charts.places import region_name
from backfill.charts.theme import COLUMN, HEIGHT, PADDING

FULL = COLUMN - 2 * PADDING - 30


def payoffs(game: Drawn) -> alt.VConcatChart:
    """Heat map: pay-off of every player at every profile, equilibria marked (ten-thousandths of GDP)."""
    profiles = [f"equilibrium: {name}" for name in game.tables["payoffs"]["profile"].unique()]
    return align.heat_map(game, inner(profiles)).alone(source(game.provenance))


def deterrence(game: Drawn) -> alt.VConcatChart:
    """Dots: the least secondary tariff that makes each player align, with its range."""
    return align.deterring_tariffs(game, inner(map(region_name, game.players))).alone(source(game.provenance))


def tariff_response(game: Drawn) -> alt.VConcatChart:
    """Lines: what aligning is better by than not, for each ally by the secondary tariff threatened (ten-thousandths of GDP)."""
    return align.margins(game, FULL, HEIGHT).alone(source(game.provenance))


def coalitions(game: Drawn, quantity: str | None = None) -> alt.VConcatChart:
    """Bars: what each coalition of those who align brings about, against today.

    Args:
        game: a game.
        quantity: one of those in its table ``coalitions``; the first if None.

    Raises:
        NothingToDraw: there is no such quantity; says which there are.
    """
    names = game.tables["coalitions"]["coalition"].unique().to_list()
    return align.coalition_values(game, quantity, inner(names)).alone(source(game.provenance, compute=True))
