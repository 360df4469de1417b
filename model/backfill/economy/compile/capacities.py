"""Planned capacities: which there are, who owns their rent, how full they are, what adding to them takes."""

from __future__ import annotations

import numpy as np
import polars as pl

from backfill.economy.compile.accelerators import YEARS
from backfill.economy.compile.demand import TOOLS
from backfill.economy.compile.sources import Sources


def planned_nodes(sources: Sources, output: dict[str, np.ndarray]) -> list[tuple[str, str]]:
    """Product and region of every planned capacity: a least share of world output, China always, and every given path."""
    planned = sources.products.filter(pl.col("planned") == 1)["product"].to_list()
    least = sources.value("least_node_share")
    nodes = []
    for product in planned:
        for r, region in enumerate(sources.codes):
            made = output[product][r]
            if made > 0 and (made >= least * output[product].sum() or region == "CHN"):
                nodes.append((product, region))
    return sorted({*nodes, *paths_given(sources)})


def paths_given(sources: Sources) -> list[tuple[str, str]]:
    """Product and region of the capacities whose path is given."""
    return sorted(set(sources.rows("capacity_index").select("product", "region").iter_rows()))


def _own_or_all(sources: Sources, quantity: str, product: str, region: str) -> np.ndarray:
    """Path of a figure given for one region, else for all."""
    table = sources.rows(quantity, product=product)
    where = region if region in table["region"].to_list() else "all"
    return sources.path(YEARS, quantity, product=product, region=where)


def nodes_table(sources: Sources, nodes: list[tuple[str, str]]) -> list[tuple]:
    """Rows of ``nodes.csv``."""
    owners = {(p, r): o for p, r, o in sources.rows("rent_owner").select("product", "region", "partner").iter_rows()}
    return [
        (
            p,
            r,
            owners.get((p, r), r),
            sources.value("depreciation", product=p),
            sources.value("lag", product=p),
            sources.value("adjustment", product=p),
            "assumed",
            "backfill_assumption",
        )
        for p, r in nodes
    ]


def capacity_table(sources: Sources, nodes: list[tuple[str, str]]) -> list[tuple]:
    """Rows of ``capacity.csv``."""
    rows = []
    for p, r in nodes:
        rents = _own_or_all(sources, "rent_share", p, r)
        for n, year in enumerate(YEARS):
            rows.append((year, p, r, 1.0, float(rents[n]), "assumed", "backfill_assumption"))
    return rows


def rents_of_2022(sources: Sources, nodes: list[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Scarcity rent of 2022 as a share of the mill price."""
    return {(p, r): float(_own_or_all(sources, "rent_share", p, r)[0]) for p, r in nodes}


def capacity_paths_table(sources: Sources) -> list[tuple]:
    """Rows of ``capacity_paths.csv``: years given as they are, straight lines between."""
    rows = []
    for p, r in paths_given(sources):
        given = sources.rows("capacity_index", product=p, region=r).select("period", "grade", "source").sort("period").rows()
        years = range(YEARS[0], int(given[-1][0]) + 1)
        for year, index in zip(years, sources.path(years, "capacity_index", product=p, region=r), strict=True):
            _, grade, source = next(row for row in given if int(row[0]) >= year)
            rows.append((year, p, r, float(index), grade, source))
    return rows


def tool_needs_table(
    sources: Sources, nodes: list[tuple[str, str]], output: dict[str, np.ndarray], bought: dict[str, np.ndarray]
) -> list[tuple]:
    """Rows of ``tool_needs.csv``.

    Capacities without a need of their own are those with a given path: what they add in 2022 takes every tool their region
    bought, ``need = bought / sum(I)`` with ``I = K' - (1 - delta) K``. Calibration leaves them what advanced builders leave.

    Args:
        output, bought: output of 2022, and purchases at buyer prices, by product, ``[region]``.
    """
    needs = sources.rows("tool_need").select("product", "partner", "value").rows()
    own = {product for product, _, _ in needs}
    rows = [
        (p, r, tool, value, "assumed", "backfill_assumption")
        for product, tool, value in needs
        for p, r in nodes
        if p == product
    ]
    for region in sorted({r for p, r in paths_given(sources) if p not in own}):
        place = sources.codes.index(region)
        builders = [p for p, r in paths_given(sources) if r == region and p not in own]
        added = sum(_added(sources, p, region) * output[p][place] for p in builders)
        for tool in TOOLS:
            need = float(bought[tool][place] / added)
            rows += [(p, region, tool, need, "derived", "semi_billings") for p in builders]
    return rows


def _added(sources: Sources, product: str, region: str) -> float:
    """Addition decided in 2022, share of capacity: growth after the lag, and replacement."""
    start = YEARS[0] + int(sources.value("lag", product=product))
    before, after = sources.path(range(start, start + 2), "capacity_index", product=product, region=region)
    return float(after - (1 - sources.value("depreciation", product=product)) * before)


def labour_table(sources: Sources) -> list[tuple]:
    """Rows of ``labour.csv``: compound growth of effective labour."""
    growth = sources.by("region", "labour_growth")
    return [
        (year, region, (1 + growth[region]) ** (year - YEARS[0]), "assumed", "backfill_assumption")
        for year in YEARS
        for region in sources.codes
    ]
