"""From baseline tables to the benchmark: shares, weights and deficits of the base year (exact accounting, no solving)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from backfill.economy.economy import MATURE
from backfill.economy.tables import BaselineTables

MATURE_CEILING = 0.25


@dataclass(frozen=True)
class Benchmark:
    """Base-year arrays in the order of ``products`` (core first, then suppliers before users) and ``regions``.

    Attributes:
        products: Armington products; ``core`` of them are core, ``levels`` cut the rest into supply levels.
        flow: FOB value at mill prices, ``[product, origin, destination]``.
        tariff: applied rates.
        inputs: input share of gross output, ``[input, product, region]``, tools of planned nodes excluded.
        margin, rent: shares of the mill price.
        output: gross output.
        purchases: composites bought at buyer prices.
    """

    products: tuple[str, ...]
    core: int
    levels: tuple[tuple[int, int], ...]
    regions: tuple[str, ...]
    flow: np.ndarray
    tariff: np.ndarray
    inputs: np.ndarray
    margin: np.ndarray
    rent: np.ndarray

    @property
    def output(self) -> np.ndarray:
        return self.flow.sum(2)

    @property
    def purchases(self) -> np.ndarray:
        return (self.flow * (1 + self.tariff)).sum(1)


def array(
    table: pl.DataFrame, columns: dict[str, tuple[str, ...]], value: str, *, fill: float = 0.0
) -> np.ndarray:
    """A dense array from a long table; rows whose labels are not on the axes are left out."""
    out = np.full([len(labels) for labels in columns.values()], fill)
    places = [{label: n for n, label in enumerate(labels)} for labels in columns.values()]
    for *labels, number in table.select(*columns, value).iter_rows():
        at = [place.get(label) for place, label in zip(places, labels, strict=True)]
        if None not in at:
            out[tuple(at)] = number
    return out


def supply_levels(core: list[str], stack: list[str], suppliers: dict[str, set[str]]) -> list[list[str]]:
    """Order the stack into levels so that every product's stack inputs lie in earlier levels.

    Raises:
        ValueError: if stack products buy from each other in a circle.
    """
    levels: list[list[str]] = []
    placed = set(core)
    while len(placed) < len(core) + len(stack):
        level = [p for p in stack if p not in placed and suppliers.get(p, set()) <= placed]
        if not level:
            left = sorted(set(stack) - placed)
            raise ValueError(f"inputs.csv: {', '.join(left)} buy from each other in a circle; make one of them core")
        levels.append(level)
        placed |= set(level)
    return levels


def benchmark(tables: BaselineTables) -> Benchmark:
    """Read the base year; tools bought by mature chip makers are added to their inputs by `mature_tools`."""
    products = tables.products
    core = products.filter(pl.col("nest") == "core")["product"].to_list()
    stack = products.filter(pl.col("nest") == "stack")["product"].to_list()
    tools = [p for p in stack if "tools" in _groups(products, p)]
    suppliers: dict[str, set[str]] = {}
    for product, item in tables.inputs.filter(pl.col("share") > 0).select("product", "input").unique().iter_rows():
        suppliers.setdefault(product, set()).add(item)
    for product in MATURE:
        suppliers.setdefault(product, set()).update(tools)
    levels = supply_levels(core, stack, {p: s & (set(core) | set(stack)) for p, s in suppliers.items()})
    order = (*core, *(p for level in levels for p in level))
    cuts = np.cumsum([len(core), *map(len, levels)])
    regions = tuple(tables.regions["region"].to_list())
    return Benchmark(
        products=order,
        core=len(core),
        levels=tuple(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)),
        regions=regions,
        flow=array(tables.flows, {"product": order, "origin": regions, "destination": regions}, "value_musd"),
        tariff=array(tables.tariffs, {"product": order, "origin": regions, "destination": regions}, "rate"),
        inputs=array(tables.inputs, {"input": order, "product": order, "region": regions}, "share"),
        margin=array(tables.shares, {"product": order, "region": regions}, "margin_share"),
        rent=np.zeros((len(order), len(regions))),
    )


def _groups(products: pl.DataFrame, product: str) -> list[str]:
    named: str | None = products.filter(pl.col("product") == product)["groups"].item()
    return (named or "").split(";")


def mature_tools(base: Benchmark, tools: tuple[int, ...], planned: np.ndarray) -> np.ndarray:
    """Input shares with the tools that planned builders leave, ``[input, product, region]``.

    Mature logic and memory replace their tools in proportion to output; what exceeds a quarter of their output stays in
    final use (research, pilot lines).

    Args:
        planned: tool composites bought by planned capacities, ``[product, region]``.
    """
    inputs = base.inputs.copy()
    mature = [base.products.index(p) for p in MATURE if p in base.products]
    output = base.output[mature].sum(0)
    left = np.maximum(base.purchases - planned, 0.0)
    for tool in tools:
        share = np.divide(left[tool], output, out=np.zeros_like(output), where=output > 0)
        for product in mature:
            inputs[tool, product] = np.minimum(share, MATURE_CEILING / len(tools))
    return inputs
