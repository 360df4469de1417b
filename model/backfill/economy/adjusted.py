"""The benchmark's tables under other values of the parameters that act on them: paths without policy, costs, the quality index.

What was observed stays: trade of the first year in money, and so what was paid for accelerators. A factor on a path grows into
its value geometrically, ``factor ** ((year - from) / (2030 - from))``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from backfill.economy.priors import priors_of
from backfill.economy.tables import BaselineTables
from backfill.resources import data_dir
from backfill.units import quality

FIRST, OBSERVED, FULL = 2022, 2025, 2030
"""First year; last year in which world demand and prices are observed; year in which a factor on a path is reached in full."""

ADVERSARY_DESIGN = "accelerators_adversary"
EXPORT_GRADE_LINE, FRONTIER_LINE = "accelerators_export_grade", "accelerators_frontier"

EXPORT_GRADE = ("A800", "H800", "H20", "MI308X")
"""Models made to stay under a rule's line."""


def adjusted(tables: BaselineTables, parameters: Mapping[str, float]) -> BaselineTables:
    """The tables where parameters that act on them are set; others are passed over.

    Args:
        tables: the benchmark at central values.
        parameters: values by name.
    """
    central = {name: prior.central for name, prior in priors_of(tables).items()}
    for name, act in ACTS.items():
        value = parameters.get(name)
        if value is not None and value != central[name]:
            tables = act(tables, float(value))
    return tables


def _growing(factor: float, since: int) -> pl.Expr:
    share = ((pl.col("year") - since) / (FULL - since)).clip(0.0, 1.0)
    return (share * float(np.log(factor))).exp()


def _used(tables: BaselineTables, factor: float, since: int, which: pl.Expr | None = None) -> BaselineTables:
    use = tables.compute_use
    path = _growing(factor, since) if which is None else pl.when(which).then(_growing(factor, since)).otherwise(1.0)
    return dataclasses.replace(tables, compute_use=use.with_columns(pl.col("kh100e") * path))


def _by_adversaries(tables: BaselineTables) -> pl.Expr:
    return pl.col("user").is_in(tables.regions.filter(pl.col("bloc") == "adversary")["region"].to_list())


def _ai_demand(tables: BaselineTables, factor: float) -> BaselineTables:
    return _used(tables, factor, OBSERVED)


def _adversary_demand(tables: BaselineTables, factor: float) -> BaselineTables:
    return _used(tables, factor, FIRST, _by_adversaries(tables))


def _adversary_design(tables: BaselineTables, factor: float) -> BaselineTables:
    return _used(tables, factor, FIRST, pl.col("product") == ADVERSARY_DESIGN)


def _rented_demand(tables: BaselineTables, factor: float) -> BaselineTables:
    return _used(tables, factor, FIRST, _by_adversaries(tables) & (pl.col("channel") == "cloud"))


def _accelerator_cost(tables: BaselineTables, factor: float) -> BaselineTables:
    bill = tables.accelerator_bill.with_columns(pl.col("kusd_per_h100e") * _growing(factor, OBSERVED))
    return dataclasses.replace(tables, accelerator_bill=bill)


def _site_cost(tables: BaselineTables, factor: float) -> BaselineTables:
    other = tables.compute_other.with_columns(pl.col("kusd_per_h100e") * _growing(factor, FIRST))
    return dataclasses.replace(tables, compute_other=other)


def _mature_capacity(tables: BaselineTables, factor: float) -> BaselineTables:
    paths = tables.capacity_paths.with_columns(pl.col("index") * _growing(factor, FIRST))
    return dataclasses.replace(tables, capacity_paths=paths)


def _scarcity(tables: BaselineTables, odds: float) -> BaselineTables:
    """Odds of the rent share; mature capacity, whose rent carries its subsidy, is left alone."""
    from backfill.economy.economy import MATURE

    share = pl.col("rent_share")
    other = odds * share / (1 - share + odds * share)
    mature = pl.col("product").is_in(list(MATURE))
    return dataclasses.replace(
        tables,
        capacity=tables.capacity.with_columns(pl.when(mature).then(share).otherwise(other).alias("rent_share")),
        shares=tables.shares.with_columns(pl.when(mature).then(share).otherwise(other).alias("rent_share")),
    )


def _building_cost(tables: BaselineTables, factor: float) -> BaselineTables:
    return dataclasses.replace(tables, nodes=tables.nodes.with_columns(pl.col("adjustment") * factor))


def _tool_need(tables: BaselineTables, factor: float) -> BaselineTables:
    return dataclasses.replace(tables, tool_needs=tables.tool_needs.with_columns(pl.col("musd_per_musd") * factor))


def _wear(tables: BaselineTables, factor: float) -> BaselineTables:
    return dataclasses.replace(tables, nodes=tables.nodes.with_columns((pl.col("depreciation") * factor).clip(0.0, 1.0)))


def _origin_elasticity(tables: BaselineTables, factor: float) -> BaselineTables:
    sigma = pl.col("armington_elasticity")
    changed = pl.when(sigma > 1).then(1 + (sigma - 1) * factor).otherwise(sigma)
    return dataclasses.replace(tables, products=tables.products.with_columns(changed.alias("armington_elasticity")))


def _quality_theta(tables: BaselineTables, theta: float) -> BaselineTables:
    """Compute counted with another index: units of chips and what was paid for them stay.

    With ``g`` the mean quality of a line's chips under the other index over that under the central one, volumes are multiplied
    by ``g``, cost items per unit of quality divided by it, and what else a unit of compute takes by the mean of ``g`` over all
    that is used in a year.
    """
    gain = _gains(tables, theta)
    factor = pl.struct("year", "product").map_elements(lambda row: gain(row["product"], row["year"]), return_dtype=pl.Float64)
    use = tables.compute_use.with_columns(factor.alias("_gain"))
    mean = use.group_by("year").agg(((pl.col("kh100e") * pl.col("_gain")).sum() / pl.col("kh100e").sum()).alias("_mean"))
    other = tables.compute_other.join(mean, on="year", how="left", maintain_order="left")
    return dataclasses.replace(
        tables,
        compute_use=use.with_columns(pl.col("kh100e") * pl.col("_gain")).drop("_gain"),
        accelerator_bill=tables.accelerator_bill.with_columns(pl.col("kusd_per_h100e") / factor),
        compute_other=other.with_columns(pl.col("kusd_per_h100e") / pl.col("_mean").fill_null(1.0)).drop("_mean"),
    )


def _gains(tables: BaselineTables, theta: float) -> Callable[[str, int], float]:
    """Mean quality of a line's chips of a year with ``theta`` over that with the central one.

    Export-grade models are those of `EXPORT_GRADE` sold in the year; adversary designs, whose sales by model are not in the
    sources, the plain mean of those listed; all other models are frontier. The last year with sales holds afterwards.
    """
    central = priors_of(tables)["quality_theta"].central
    rows = pl.read_csv(data_dir() / "sources" / "accelerators.csv", infer_schema=False)
    rows = rows.with_columns(pl.col("value").cast(pl.Float64))

    def of(quantity: str) -> dict[str, float]:
        return dict(rows.filter(pl.col("quantity") == quantity).select("product", "value").iter_rows())

    operations, bandwidth = of("dense_ops"), of("memory_bandwidth")

    def q(chip: str, weight: float) -> float:
        return quality(operations[chip] / operations["H100"], bandwidth[chip] / bandwidth["H100"], weight)

    sold = rows.filter(pl.col("quantity") == "chip_units").select("product", "period", "value").rows()
    by_line: dict[tuple[str, int], tuple[float, float]] = {}
    for chip, year, units in sold:
        line = EXPORT_GRADE_LINE if chip in EXPORT_GRADE else FRONTIER_LINE
        new, old = by_line.get((line, int(year)), (0.0, 0.0))
        by_line[line, int(year)] = new + units * q(chip, theta), old + units * q(chip, central)
    own = [chip for chip in operations if chip.startswith("Ascend")]
    of_own = sum(q(chip, theta) for chip in own) / sum(q(chip, central) for chip in own)

    def gain(line: str, year: int) -> float:
        if line == ADVERSARY_DESIGN:
            return of_own
        known = [y for made, y in by_line if made == line and y <= year]
        if not known:
            return 1.0
        new, old = by_line[line, max(known)]
        return new / old

    return gain


ACTS: Mapping[str, Callable[[BaselineTables, float], BaselineTables]] = {
    "quality_theta": _quality_theta,
    "ai_demand": _ai_demand,
    "adversary_demand": _adversary_demand,
    "adversary_design": _adversary_design,
    "rented_demand": _rented_demand,
    "accelerator_cost": _accelerator_cost,
    "site_cost": _site_cost,
    "mature_capacity": _mature_capacity,
    "scarcity": _scarcity,
    "building_cost": _building_cost,
    "tool_need": _tool_need,
    "wear": _wear,
    "origin_elasticity": _origin_elasticity,
}
"""What each parameter that acts on tables does to them."""
