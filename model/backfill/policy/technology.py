"""Technology content, origin of tools and chips of the benchmark, computed from its tables."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from backfill.dimensions import Vocabulary
from backfill.economy.adjusted import EXPORT_GRADE
from backfill.economy.tables import BaselineTables, load_tables
from backfill.policy.facts import Chip, Facts
from backfill.resources import data_dir
from backfill.units import THETA, quality

INTEREST = 0.05
"""Yearly return that tools must earn beside their depreciation (assumed)."""

CAPTIVE = ("TPU", "Trainium")
"""Models that their designers do not sell."""

_EIGHT_BIT = 8.0


def benchmark_facts(tables: BaselineTables | None = None, theta: float | None = None) -> Facts:
    """Facts of the benchmark; of the shipped one if no tables are given.

    Args:
        tables: the benchmark.
        theta: weight of operations in the quality of a chip; the central one if None.

    Raises:
        DataError: a table is missing or faulty.
    """
    if tables is None and theta is None:
        return _shipped()
    return _facts(load_tables() if tables is None else tables, theta)


@cache
def _shipped() -> Facts:
    return _facts(load_tables(), None)


def _facts(tables: BaselineTables, theta: float | None) -> Facts:
    vocabulary = tables.vocabulary()
    origins = _origins(tables, vocabulary)
    needs = _tool_needs(tables, vocabulary)
    spent = needs.sum(2, keepdims=True)
    shares = np.divide(needs, spent, out=np.zeros_like(needs), where=spent > 0)
    return Facts(
        content=technology_content(_inputs(tables, vocabulary) + _tool_costs(tables, vocabulary, needs), origins),
        tool_share=np.einsum("prt,tor->pro", shares, origins),
        planned=frozenset(tables.nodes.select("product", "region").iter_rows()),
        chips=chips(data_dir() / "sources" / "accelerators.csv", theta),
    )


def technology_content(inputs: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """Sender's technology in each product by where it is made, ``T = sum_s a_s sum_o pi_so (1 if o is the sender, else T_so)``.

    A sender's own products are wholly its technology.

    Args:
        inputs: ``[product, region, input]`` cost shares, tools included.
        origins: ``[product, origin, destination]`` shares of purchases.

    Returns:
        ``[product, region, sender]``, 0 to 1.
    """
    products, regions = inputs.shape[:2]
    content = np.zeros((products, regions, regions))
    own = np.eye(regions, dtype=bool)[None]
    content[:] = own
    for _ in range(200):
        arriving = np.einsum("sor,sox->srx", origins, content)
        new = np.where(own, 1.0, np.minimum(np.einsum("prs,srx->prx", inputs, arriving), 1.0))
        if np.abs(new - content).max() < 1e-12:
            break
        content = new
    return content


def _place(names: tuple[str, ...], column: pl.Series) -> list[int]:
    return [names.index(name) for name in column]


def _origins(tables: BaselineTables, vocabulary: Vocabulary) -> np.ndarray:
    """``[product, origin, destination]`` shares of what a destination buys."""
    products, regions = vocabulary.products, vocabulary.regions
    value = np.zeros((len(products), len(regions), len(regions)))
    flows = tables.flows
    place = (
        _place(products, flows["product"]), _place(regions, flows["origin"]), _place(regions, flows["destination"]),
    )  # fmt: skip
    np.add.at(value, place, flows["value_musd"].to_numpy())
    total = value.sum(1, keepdims=True)
    return np.divide(value, total, out=np.zeros_like(value), where=total > 0)


def _inputs(tables: BaselineTables, vocabulary: Vocabulary) -> np.ndarray:
    """``[product, region, input]`` shares of gross output; of accelerators, of their price in the first year."""
    products, regions = vocabulary.products, vocabulary.regions
    found = np.zeros((len(products), len(regions), len(products)))
    known = tables.inputs.filter(pl.col("product").is_in(products) & pl.col("input").is_in(products))
    place = (_place(products, known["product"]), _place(regions, known["region"]), _place(products, known["input"]))
    np.add.at(found, place, known["share"].to_numpy())
    bill = tables.accelerator_bill
    bill = bill.filter(pl.col("year") == pl.col("year").min())
    bill = bill.with_columns(pl.col("kusd_per_h100e") / pl.col("kusd_per_h100e").sum().over("product", "origin"))
    bill = bill.filter(pl.col("item").is_in(products))
    place = (_place(products, bill["product"]), _place(regions, bill["origin"]), _place(products, bill["item"]))
    np.add.at(found, place, bill["kusd_per_h100e"].to_numpy())
    return found


def _tool_needs(tables: BaselineTables, vocabulary: Vocabulary) -> np.ndarray:
    """``[product, region, tool]`` million USD per million USD of yearly output."""
    products, regions = vocabulary.products, vocabulary.regions
    found = np.zeros((len(products), len(regions), len(products)))
    needs = tables.tool_needs
    place = (_place(products, needs["product"]), _place(regions, needs["region"]), _place(products, needs["tool"]))
    np.add.at(found, place, needs["musd_per_musd"].to_numpy())
    return found


def _tool_costs(tables: BaselineTables, vocabulary: Vocabulary, needs: np.ndarray) -> np.ndarray:
    """Yearly cost of tools per unit of output, ``(interest + depreciation) need``."""
    products, regions = vocabulary.products, vocabulary.regions
    rate = np.zeros((len(products), len(regions), 1))
    nodes = tables.nodes
    place = (_place(products, nodes["product"]), _place(regions, nodes["region"]))
    rate[(*place, 0)] = INTEREST + nodes["depreciation"].to_numpy()
    return rate * needs


def chips(path: Path, theta: float | None = None) -> tuple[Chip, ...]:
    """Models of accelerators and memory with their specifications and volumes, from the source figures.

    Args:
        path: the source figures.
        theta: weight of operations in quality; the central one if None.
    """
    weight = THETA if theta is None else theta
    rows = pl.read_csv(path, infer_schema=False).with_columns(pl.col("value").cast(pl.Float64))

    def of(quantity: str) -> dict[str, float]:
        return dict(rows.filter(pl.col("quantity") == quantity).select("product", "value").iter_rows())

    operations, bandwidth = of("dense_ops"), of("memory_bandwidth")
    die, interconnect = of("die_area"), of("interconnect")
    sold = rows.filter(pl.col("quantity") == "chip_units").select("product", "period", "value")
    found = []
    for name in sorted(operations):
        q = quality(operations[name] / operations["H100"], bandwidth[name] / bandwidth["H100"], weight)
        tpp = _EIGHT_BIT * operations[name]
        found.append(
            Chip(
                name=name,
                product=_product(name),
                tpp=tpp,
                performance_density=tpp / die[name] if name in die else None,
                interconnect=interconnect.get(name),
                memory_bandwidth=bandwidth[name],
                captive=name.startswith(CAPTIVE),
                volume={int(year): units * q for chip, year, units in sold.iter_rows() if chip == name},
            )
        )
    for name, density in of("hbm_density").items():
        found.append(Chip(name, "hbm", None, None, None, None, density))
    return tuple(found)


def _product(name: str) -> str:
    if name in EXPORT_GRADE:
        return "accelerators_export_grade"
    return "accelerators_adversary" if name.startswith("Ascend") else "accelerators_frontier"
