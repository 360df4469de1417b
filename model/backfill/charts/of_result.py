"""Charts of a result: each takes what `backfill.load_result` or `backfill.run` gives and stands alone in a column.

Every function raises `NothingToDraw` (a `ValueError`) where the result lacks what it draws, and says why. A policy that changes
nothing is drawn as a sentence that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import altair as alt
import polars as pl

from backfill.charts import backfilling, cost, leakage, over_time, routes, swings, trade_flows, world_map
from backfill.charts.panel import NothingToDraw, inner, source
from backfill.charts.places import product_name, region_name
from backfill.charts.theme import COLUMN, PADDING, ROUTE_COLOURS

FULL = COLUMN - 2 * PADDING


class Tables(Protocol):
    """Long tables by name."""

    def __getitem__(self, name: str, /) -> pl.DataFrame: ...


class Drawn(Protocol):
    """What is drawn of a result."""

    @property
    def name(self) -> str: ...

    @property
    def reference(self) -> str: ...

    @property
    def also_against(self) -> str | None: ...

    @property
    def tables(self) -> Tables: ...

    @property
    def summary(self) -> pl.DataFrame: ...

    @property
    def provenance(self) -> Mapping[str, Any]: ...


def worlds_of(result: Drawn) -> dict[str, str]:
    """Names of the worlds of a result by their role."""
    second = {"second": result.also_against} if result.also_against else {}
    return {"policy": result.name, "reference": result.reference, **second}


def denied_range(result: Drawn) -> tuple[float, float] | None:
    """Low and high of compute denied, if ranges were computed."""
    found = result.summary.filter(pl.col("quantity") == "compute denied", pl.col("low").is_not_null())
    return None if found.is_empty() else found.select("low", "high").row(0)


def table_of(result: Drawn, name: str) -> pl.DataFrame:
    """A table of a result that holds something.

    Raises:
        NothingToDraw: it is empty, as in a result that could not be solved.
    """
    table = result.tables[name]
    if table.is_empty():
        raise NothingToDraw(f"the table {name} of {result.name} is empty, so that there is nothing to draw of it")
    return table


def compute_by_route(result: Drawn) -> alt.VConcatChart:
    """Stacked bars: accelerators the adversary acquires each period by route, in every world of the result (H100e)."""
    table = table_of(result, "compute")
    panel = routes.compute_by_route(table, result.name, result.reference, result.also_against, FULL - 30)
    return panel.alone(source(result.provenance, compute=True))


def waterfall(result: Drawn) -> alt.VConcatChart:
    """Waterfall: from gross denial through every channel of leakage to compute denied; bars add up (H100e, all periods)."""
    table = table_of(result, "leakage")
    panel = leakage.waterfall(table, result.name, result.reference, denied_range(result), FULL - 30)
    return panel.alone(source(result.provenance, compute=True))


def who_backfills(result: Drawn, group: str = "tools") -> alt.VConcatChart:
    """Diverging bars: who sells more and who less to the adversary.

    Args:
        result: a result.
        group: a product or group, by seller in USD; ``"accelerators"`` are drawn by route in H100e.

    Raises:
        NothingToDraw: US sales of it are not controlled in the result.
    """
    compute = group == backfilling.COMPUTE
    labels = list(ROUTE_COLOURS) if compute else [region_name("OAL")]
    panel = backfilling.sales(
        table_of(result, "backfilling"),
        table_of(result, "compute"),
        result.name,
        result.reference,
        group,
        inner(labels),
    )
    return panel.alone(source(result.provenance, compute=compute))


def backfill_rates(result: Drawn) -> alt.VConcatChart:
    """Diverging bars: changes of sales by seller bloc over the fall in US sales, by product group (%)."""
    labels = [product_name(name) for name in ("tools", "subsystems", "wafers_materials")]
    panel = backfilling.rates(table_of(result, "backfilling"), result.name, result.reference, inner(labels))
    return panel.alone(source(result.provenance))


def flows(result: Drawn, group: str = "tools", period: str | None = None) -> alt.VConcatChart:
    """Heat map: the change of exports from each region (row) to each (column), policy against reference (USD).

    Args:
        result: a result.
        group: a product or group, such as ``"chips"``.
        period: one period, such as ``"2027"``; all together if None.

    Raises:
        ValueError: there is no such product or period.
    """
    panel = trade_flows.heat_map(table_of(result, "exports"), result.name, result.reference, group, period)
    return panel.alone(source(result.provenance))


def flow_bands(result: Drawn, group: str = "tools", period: str | None = None) -> alt.VConcatChart:
    """Bands from seller blocs to buyer blocs, reference beside policy on one scale.

    Arguments are as of `flows`.
    """
    panel = trade_flows.bands(table_of(result, "exports"), result.name, result.reference, group, period)
    return panel.alone(source(result.provenance))


def exports_map(
    result: Drawn, group: str = "tools", sellers: str = "us", period: str | None = None
) -> alt.VConcatChart:
    """Map: the change of exports by destination (USD).

    Args:
        result: a result over the benchmark's regions.
        group: a product or group.
        sellers: a bloc, a region, or ``"all"``.
        period: one period; all together if None.
    """
    table = table_of(result, "exports")
    panel = world_map.exports_map(table, result.name, result.reference, group, sellers, period)
    return panel.alone([*source(result.provenance), world_map.CREDIT])


def stocks(result: Drawn, bloc: str = "adversary", quantity: str = "accessible stock") -> alt.VConcatChart:
    """Lines: a bloc's stock of compute over time (H100e), with bands where ranges were computed.

    Args:
        result: a result.
        bloc: ``"us"``, ``"ally"``, ``"partner"`` or ``"adversary"``.
        quantity: ``"accessible stock"`` (rented and smuggled too) or ``"owned stock"``.
    """
    bands = over_time.bands_of(result.provenance)
    panel = over_time.stocks(table_of(result, "compute"), worlds_of(result), bloc, quantity, bands, FULL - 30)
    return panel.alone(source(result.provenance, compute=True))


def capacity(result: Drawn, group: str = "logic_advanced", bloc: str = "adversary") -> alt.VConcatChart:
    """Lines: a bloc's yearly capacity for a product or group over time (USD of 2022), with bands where ranges were computed.

    Args:
        result: a result.
        group: a planned product, or a group such as ``"tools"`` or ``"chips"``.
        bloc: as of `stocks`.

    Raises:
        ValueError: the bloc plans no such product.
    """
    bands = over_time.bands_of(result.provenance)
    panel = over_time.capacity(table_of(result, "capacity"), worlds_of(result), group, bloc, bands, FULL - 30)
    return panel.alone(source(result.provenance))


def welfare(result: Drawn) -> alt.VConcatChart:
    """Diverging bars: welfare by bloc, present value (USD), with ranges where they were computed."""
    return cost.welfare(result.summary, result.name, result.reference, inner(["Third countries"])).alone(
        source(result.provenance)
    )


def ranges_tornado(result: Drawn, quantity: str = "compute denied", where: str = "adversary") -> alt.VConcatChart:
    """Tornado: how far a headline number moves as each parameter takes the ends of its range.

    Args:
        result: a result that was run with ranges.
        quantity, where: a row of the summary.

    Raises:
        NothingToDraw: the result has no ranges, or no such number.
    """
    panel = swings.of_ranges(result.summary, result.provenance, result.name, result.reference, quantity, where)
    return panel.alone(source(result.provenance, compute="compute" in quantity))
