"""Planned capacities: which there are, who owns their rent, how full they are, what adding to them takes."""

from __future__ import annotations

import numpy as np
import polars as pl

from backfill.economy.compile.accelerators import YEARS
from backfill.economy.compile.sources import Sources


def planned_nodes(sources: Sources, output: dict[str, np.ndarray]) -> list[tuple[str, str]]:
    """Product and region of every planned capacity: a least share of world output, China always."""
    planned = sources.products.filter(pl.col("planned") == 1)["product"].to_list()
    least = sources.value("least_node_share")
    nodes = []
    for product in planned:
        for r, region in enumerate(sources.codes):
            made = output[product][r]
            if made > 0 and (made >= least * output[product].sum() or region == "CHN"):
                nodes.append((product, region))
    return sorted(nodes)


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


def tool_needs_table(sources: Sources, nodes: list[tuple[str, str]]) -> list[tuple]:
    """Rows of ``tool_needs.csv``."""
    needs = sources.rows("tool_need").select("product", "partner", "value").iter_rows()
    return [
        (p, r, tool, value, "assumed", "backfill_assumption")
        for product, tool, value in needs
        for p, r in nodes
        if p == product
    ]


def labour_table(sources: Sources) -> list[tuple]:
    """Rows of ``labour.csv``: compound growth of effective labour."""
    growth = sources.by("region", "labour_growth")
    return [
        (year, region, (1 + growth[region]) ** (year - YEARS[0]), "assumed", "backfill_assumption")
        for year in YEARS
        for region in sources.codes
    ]
