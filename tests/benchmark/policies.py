"""Policies against CHN on the shipped benchmark, and what to read from the worlds they lead to."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl

from backfill.dimensions import Vocabulary
from backfill.economy.compile.accelerators import YEARS, volumes
from backfill.economy.compile.sources import read_sources
from backfill.policy.wedges import Wedges
from backfill.resources import data_dir

TOOLS = ("lithography", "deposition_etch", "process_control_test")
TOOLS_AND_SUBSYSTEMS = (*TOOLS, "subsystems")
ALLIES = ("JPN", "NLD", "KOR")


def closed(
    names: Vocabulary, periods, routes: dict[tuple[str, str], float], start: int = 1, *, advanced: bool = False
) -> Wedges:
    """Flows of (product, origin) to CHN closed to a share of buyers from period ``start`` on.

    Args:
        advanced: to a share of the builders of advanced capacity only.
    """
    wedges = Wedges.none(names, periods)
    coverage = wedges.coverage.copy()
    for (product, origin), share in routes.items():
        coverage[start:, names.products.index(product), names.regions.index(origin), names.regions.index("CHN")] = share
    return dataclasses.replace(wedges, **{"advanced" if advanced else "coverage": coverage})


def tools(origins: tuple[str, ...], share: float = 0.8) -> dict[tuple[str, str], float]:
    """Tools and subsystems of some origins closed to a share."""
    return {(tool, origin): share for tool in TOOLS_AND_SUBSYSTEMS for origin in origins}


def sales(world, products: tuple[str, ...], origins: tuple[str, ...], user: str = "CHN", after: str = "2023") -> float:
    """Sales to a user in the periods after one, million USD."""
    flows = world.tables.flows
    chosen = (
        pl.col("product").is_in(products) & pl.col("origin").is_in(origins) & (pl.col("user") == user)
        & (pl.col("period") > after)
    )
    return flows.filter(chosen)["fob_value"].sum()


def kept_by_designers(year: int) -> float:
    """US-designed compute of a year that its designers keep for machines of their own and do not sell, thousand H100e."""
    made, for_sale = volumes(read_sources(data_dir() / "sources"))
    return float((made - for_sale)[YEARS.index(year)])


def capacity(world, product: str = "logic_advanced", region: str = "CHN") -> np.ndarray:
    """A capacity by period."""
    table = world.tables.capacity.filter((pl.col("product") == product) & (pl.col("region") == region))
    return table.sort("period")["capacity"].to_numpy()
