"""What a solved world says of the series that were observed, in their units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from backfill.economy.compile.demand import TOOLS
from backfill.economy.compile.sources import Sources
from backfill.experiments.hindcast import observed as seen

if TYPE_CHECKING:
    from backfill.accounts import Tables

FRONTIER, EXPORT = "accelerators_frontier", "accelerators_export_grade"
US_LINES = (FRONTIER, EXPORT)
OWN_LINE = "accelerators_adversary"
TOOLMAKERS = ("USA", "JPN", "NLD")

Moments = Mapping[tuple[str, int], float]
"""Values by series and year."""


def moments(tables: Tables, sources: Sources) -> dict[tuple[str, int], float]:
    """Every series of `observed.UNITS` in every year of a world.

    Money is at current prices in the numeraire; stacks are purchases of HBM over what a stack costs in an Ascend 910C by its
    bill of materials; wafers are advanced logic over the value of a wafer.
    """
    flows = tables.flows
    china = flows.filter(pl.col("user") == "CHN")
    us = china.filter(pl.col("product").is_in(US_LINES) & (pl.col("origin") == "USA"))
    legal, diverted = (us.filter(pl.col("channel") == channel) for channel in ("direct", "diversion"))
    made = china.filter((pl.col("product") == OWN_LINE) & (pl.col("origin") == "CHN"))
    shipped = flows.filter(pl.col("product").is_in(US_LINES) & (pl.col("origin") == "USA"))
    tools = flows.filter(pl.col("product").is_in(TOOLS))
    bought = tools.filter(pl.col("destination") == "CHN")
    printers = tools.filter((pl.col("product") == "lithography") & (pl.col("origin") == "NLD"))
    memory = flows.filter((pl.col("product") == "hbm") & (pl.col("destination") == "CHN") & (pl.col("origin") != "CHN"))
    logic = tables.capacity.filter((pl.col("product") == "logic_advanced") & (pl.col("region") == "CHN"))

    found = {
        seen.LEGAL: _by_year(legal, pl.col("quantity")),
        seen.REDESIGNED: _by_year(legal.filter(pl.col("product") == EXPORT), pl.col("quantity")),
        seen.SMUGGLED: _by_year(diverted, pl.col("quantity")),
        seen.MADE: _by_year(made, pl.col("quantity")),
        seen.BILLINGS: _by_year(bought, pl.col("fob_value") * 1e-3),
        seen.WORLD_BILLINGS: _by_year(tools, pl.col("fob_value") * 1e-3),
        seen.TOOLMAKERS: _by_year(bought.filter(pl.col("origin").is_in(TOOLMAKERS)), pl.col("fob_value") * 1e-3),
        seen.CAPACITY: _by_year(logic, pl.col("capacity") / _wafers(sources)),
    }
    found[seen.SHARE] = _over(found[seen.LEGAL], _by_year(shipped, pl.col("shipped")))
    spent = _by_year(diverted, pl.col("premium"))
    found[seen.PREMIUM] = _over(spent, _by_year(diverted, pl.col("quantity") * pl.col("mill_price")))
    found[seen.OWN_TOOLS] = _over(
        _by_year(bought.filter(pl.col("origin") == "CHN"), pl.col("fob_value") * 1e-3), found[seen.BILLINGS]
    )
    to_china = _by_year(printers.filter(pl.col("destination") == "CHN"), pl.col("fob_value"))
    found[seen.ASML] = _over(to_china, _by_year(printers, pl.col("fob_value")))
    found[seen.STACKS] = _cumulated(_by_year(memory, pl.col("fob_value") / _stack(sources)))
    return {(series, year): value for series in seen.UNITS for year, value in found[series].items()}


def world_totals(tables: Tables) -> dict[str, dict[int, float]]:
    """World totals of which a constant share is a naive forecast, by name of the series."""
    us = tables.flows.filter(pl.col("product").is_in(US_LINES))
    logic = tables.capacity.filter(pl.col("product") == "logic_advanced")
    compute = _by_year(us, pl.col("shipped"))
    by_series = dict.fromkeys((seen.LEGAL, seen.REDESIGNED, seen.SMUGGLED, seen.MADE, seen.STACKS), compute)
    return {**by_series, seen.CAPACITY: _by_year(logic, pl.col("capacity"))}


def _by_year(rows: pl.DataFrame, amount: pl.Expr) -> dict[int, float]:
    total = rows.group_by("period").agg(amount.sum().alias("amount")).sort("period")
    return {int(period): value for period, value in total.iter_rows()}


def _over(part: Mapping[int, float], whole: Mapping[int, float]) -> dict[int, float]:
    return {year: part.get(year, 0.0) / whole[year] for year in whole if whole[year] > 0}


def _cumulated(flow: Mapping[int, float]) -> dict[int, float]:
    years = sorted(flow)
    return {year: sum(flow[y] for y in years if y <= year) for year in years}


def _wafers(sources: Sources) -> float:
    """Million USD a year of a thousand wafers a month."""
    return 12 * seen.conversion(sources, "wafer_value")[0]


def _stack(sources: Sources) -> float:
    """Million USD of a million stacks: the HBM of an Ascend 910C, by its bill of materials of 2024, over its stacks."""
    from backfill.economy.compile.accelerators import quality

    chip = "Ascend 910C"
    bill = sources.value("bill", region="CHN", partner="hbm", product=OWN_LINE, period="2024")
    return 1e3 * bill * quality(sources)[chip] / seen.conversion(sources, "stacks_per_chip")[0]
