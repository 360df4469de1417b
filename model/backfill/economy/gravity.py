"""Elasticities of trade to tariffs, estimated from the shipped trade and tariffs of 2022 by PPML with fixed effects.

    X_ijk = exp(e_ik + m_jk + d_{ij} - sigma log(1 + t_ijk)) u_ijk,        E[u] = 1

X is the exporter's value before duty, e and m are effects of exporter and importer in a sector, d one of the pair, the same in
both directions and all sectors, so that distance, language and whatever else a pair shares does not count. What identifies
sigma is that duties differ by sector and direction. Sales at home are left out; standard errors are clustered by pair.

Estimator: Poisson pseudo-maximum likelihood (Santos Silva and Tenreyro, 2006), by pyfixest, an optional extra (``[gravity]``).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from backfill.errors import CommandError
from backfill.resources import data_dir

POOLED = "pooled"
NO_TARIFF = ("services",)
"""Sectors without duties."""


@dataclass(frozen=True)
class Estimate:
    """An elasticity of trade to one plus the tariff.

    Attributes:
        sector: of the shipped input-output tables, or `POOLED`.
        effects: what is held fixed besides exporter and importer in a sector: ``"pair"``, ``"directed pair"`` or ``"none"``.
        elasticity: sigma, positive if duties lower trade.
        error: standard error, clustered by pair.
        cells: observations.
    """

    sector: str
    effects: str
    elasticity: float
    error: float
    cells: int


def shipped_trade() -> pl.DataFrame:
    """Trade between regions and its duties by sector, 2022: exporter, importer, sector, value (million USD), tariff (share)."""
    sources = data_dir() / "sources"

    def read(name: str, value: str) -> pl.DataFrame:
        table = pl.read_csv(sources / f"{name}.csv", infer_schema_length=None)
        return table.select(pl.col("region").alias("exporter"), pl.col("partner").alias("importer"),
                            pl.col("product").alias("sector"), pl.col("value").alias(value))  # fmt: skip

    flows, tariffs = read("icio_flows", "value"), read("icio_tariffs", "tariff")
    both = flows.join(tariffs, on=["exporter", "importer", "sector"], how="left").with_columns(pl.col("tariff").fill_null(0.0))
    abroad = pl.col("exporter") != pl.col("importer")
    return both.filter(abroad & ~pl.col("sector").is_in(list(NO_TARIFF))).sort("sector", "exporter", "importer")


def estimates(trade: pl.DataFrame) -> tuple[Estimate, ...]:
    """Pooled over sectors with each set of effects, and by sector with pair effects.

    Args:
        trade: exporter, importer, sector, value, tariff.

    Raises:
        CommandError: the estimator is not installed.
    """
    found = [ppml(trade, effects) for effects in ("pair", "directed pair", "none")]
    by_sector = [ppml(trade.filter(pl.col("sector") == name), "pair", name) for name in sorted(set(trade["sector"]))]
    return (*found, *by_sector)


def ppml(trade: pl.DataFrame, effects: str, sector: str = POOLED) -> Estimate:
    """One estimate (see the module).

    Raises:
        CommandError: the estimator is not installed.
    """
    try:
        import pandas
        import pyfixest
    except ImportError:
        remedy = "needs pyfixest; pip install 'backfill[gravity]'"
        raise CommandError("backfill data elasticities", "", None, remedy) from None
    first, second = pl.min_horizontal("exporter", "importer"), pl.max_horizontal("exporter", "importer")
    data = trade.with_columns(
        rate=pl.col("tariff").log1p(),
        seller=pl.concat_str("exporter", "sector", separator="|"),
        buyer=pl.concat_str("importer", "sector", separator="|"),
        pair=pl.concat_str(first, second, separator="|"),
        way=pl.concat_str("exporter", "importer", separator="|"),
    )
    fixed = {"pair": "seller + buyer + pair", "directed pair": "seller + buyer + way", "none": "seller + buyer"}[effects]
    frame = pandas.DataFrame(data.to_dict(as_series=False))
    with warnings.catch_warnings():  # the estimator's own use of pandas
        warnings.simplefilter("ignore", DeprecationWarning)
        fit = pyfixest.fepois(f"value ~ rate | {fixed}", frame, vcov={"CRV1": "pair"})
    return Estimate(sector, effects, -float(np.asarray(fit.coef())[0]), float(np.asarray(fit.se())[0]), len(frame))


def published(path: Path | None = None) -> pl.DataFrame:
    """Published values that the estimates stand beside: sector, quantity, value, source."""
    return pl.read_csv(path or data_dir() / "sources" / "published_elasticities.csv")


def report() -> list[str]:
    """Estimates with standard errors, what is published, and what the benchmark uses."""
    trade = shipped_trade()
    lines = [f"Elasticity of trade to one plus the tariff, PPML, {trade.height} cells of 2022 (standard error by pair):"]
    for one in estimates(trade):
        held = f"{one.effects} effects" if one.effects != "none" else "no pair effects"
        lines.append(f"  {one.sector}, {held}: {one.elasticity:.2f} ({one.error:.2f})")
    lines += ["", "Published (a trade elasticity is about the elasticity of substitution less one):"]
    lines += [f"  {sector}, {quantity}: {value:g}, {source}" for sector, quantity, value, source in published().iter_rows()]
    products = pl.read_csv(data_dir() / "sources" / "products.csv").filter(pl.col("nest") != "physical")
    used = ", ".join(f"{name} {value:g}" for name, value in products.select("product", "armington_elasticity").iter_rows())
    return [*lines, "", f"Elasticities of substitution between origins in the benchmark: {used}."]
