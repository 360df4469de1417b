"""Measure what pages state and no shipped summary holds: ``python -m tests.docs.measured`` writes ``docs/measured.csv``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from backfill.commands.run import keep_compiled
from backfill.dimensions import Vocabulary
from backfill.experiments.config import load_experiment
from backfill.experiments.hindcast import observed
from backfill.experiments.hindcast.moments import US_LINES
from backfill.experiments.setting import Setting
from backfill.experiments.worlds import batch
from tests.benchmark.policies import kept_by_designers
from tests.docs.stored import MEASURED

if TYPE_CHECKING:
    from backfill.accounts import Tables
    from backfill.economy.economy import Economy

YEARS = ("2024", "2025")
GROWTH = ("2023", "2024")
MATURE = ("logic_mature", "memory")


def measure() -> dict[str, float]:
    """Every number by name, from the economy and the worlds of the current policy and of none."""
    policy = load_experiment("current-policy")
    setting = Setting.of(policy)
    reference = load_experiment(policy.reference, compared_with=policy, inert_allowed=True)
    worlds = setting.solved(batch({one.name: setting.vintages(one.policy) for one in (policy, reference)}))
    for world in worlds.values():
        assert world.status.name == "SOLVED", world.message
    return dict(
        [
            *_diversion(worlds[policy.name].tables),
            *_tools(worlds[reference.name].tables, setting.vocabulary),
            *_sites(setting.economy),
        ]
    )


def _diversion(tables: Tables) -> Iterator[tuple[str, float]]:
    """Share of US accelerators sold outside China that end there, and what is paid on top of the mill price.

    What designers keep for machines of their own is not sold.
    """
    sold = tables.flows.filter(pl.col("product").is_in(US_LINES) & (pl.col("origin") == "USA"))
    for year in YEARS:
        here = sold.filter(pl.col("period") == year)
        diverted = here.filter((pl.col("channel") == "diversion") & (pl.col("user") == "CHN"))
        outside = here.filter(pl.col("destination") != "CHN")["shipped"].sum() - kept_by_designers(int(year))
        yield f"diverted share of US sales outside China, {year}", diverted["quantity"].sum() / outside
        yield f"{observed.PREMIUM}, {year}", diverted["premium"].sum() / diverted["fob_value"].sum()


def _tools(tables: Tables, vocabulary: Vocabulary) -> Iterator[tuple[str, float]]:
    """What toolmakers elsewhere sell to China without controls, over that of 2022, less one."""
    chosen = tables.flows.filter(
        pl.col("product").is_in(vocabulary.expand_products("tools")),
        pl.col("destination") == "CHN",
        pl.col("origin") != "CHN",
    )
    sold = dict(chosen.group_by("period").agg(pl.col("fob_value").sum()).iter_rows())
    for year in GROWTH:
        yield f"foreign tools sold to China without controls, over 2022, {year}", sold[year] / sold["2022"] - 1


def _sites(economy: Economy) -> Iterator[tuple[str, float]]:
    """What building a unit of yearly output costs at the reference, and grants a year; million USD."""
    capacity, nodes = economy.capacity, economy.structure.nodes
    base, slope, added = (
        np.asarray(x)[: economy.reported] for x in (capacity.site_cost, capacity.slope, capacity.additions)
    )
    tools = np.asarray(capacity.tool_need).sum(axis=1)
    last = base + slope * added
    years = np.array([period.years for period in economy.periods[: economy.reported]])
    plants = [n for n, (product, region) in enumerate(nodes) if product in MATURE and region == "CHN"]
    at, word = plants[0], "mature plants in China"
    yield f"{word}, discounted rents", float(last[0, at] + tools[at])
    yield f"{word}, tools", float(tools[at])
    yield f"{word}, site cost", float(base[0, at])
    yield f"{word}, last unit", float(last[0, at])
    yield f"{word}, share granted", float(-base[0, at] / (slope[0, at] * added[0, at]))
    granted = np.minimum(base[:, plants], 0.0) ** 2 / (2 * slope[:, plants])
    yearly = granted.sum(axis=1) / years
    yield f"{word}, grants, least", float(yearly.min())
    yield f"{word}, grants, most", float(yearly.max())
    for where, chosen in (("Taiwan", {"TWN"}), ("elsewhere", {region for _, region in nodes} - {"TWN"})):
        here = [n for n, (product, region) in enumerate(nodes) if product == "packaging" and region in chosen]
        yield f"site cost of packaging, {where}", float(base[0, here].mean())


if __name__ == "__main__":
    keep_compiled()
    found = pl.DataFrame(list(measure().items()), schema=["name", "value"], orient="row")
    found.with_columns(pl.col("value").round_sig_figs(10)).write_csv(MEASURED)
    print(f"wrote {MEASURED}")
