"""One page that answers: how much compute does the adversary get, by which route, who fills the gap, what is left?"""

from __future__ import annotations

import altair as alt

from backfill.charts import backfilling, leakage, over_time, routes
from backfill.charts.of_result import Drawn, denied_range, worlds_of
from backfill.charts.offline import page_of
from backfill.charts.panel import page_foot, source
from backfill.charts.theme import page_title, themed


def overview(result: Drawn) -> alt.VConcatChart:
    """Four panels: compute by route, sellers' backfilling, the leakage waterfall, advanced capacity."""
    tables, policy, reference, second = result.tables, result.name, result.reference, result.also_against
    bands = over_time.bands_of(result.provenance)
    panels = [
        routes.compute_by_route(tables["compute"], policy, reference, second),
        backfilling.rates(tables["backfilling"], policy, reference),
        leakage.waterfall(tables["leakage"], policy, reference, denied_range(result)),
        over_time.capacity(tables["capacity"], worlds_of(result), bands=bands),
    ]
    drawn = [panel.on_page() for panel in panels]
    rows = [alt.hconcat(*drawn[n : n + 2], spacing=56).resolve_scale(color="independent") for n in (0, 2)]
    head = page_title(
        f"{policy}, compared with {reference}",
        "A computed scenario, not a forecast: every number rests on assumed elasticities and on the grades "
        "listed in provenance.json.",
    )
    told = " ".join(panel.description() for panel in panels)
    chart = alt.vconcat(*rows, spacing=44, title=head, description=told).resolve_scale(color="independent")
    return themed(page_foot(chart, source(result.provenance, compute=True)))


def page(result: Drawn) -> str:
    """The overview as one HTML page that opens without a network."""
    return page_of(overview(result), f"{result.name}, compared with {result.reference}")
