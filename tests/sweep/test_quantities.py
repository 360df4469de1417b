"""Effects of many worlds at once are those of the tables of each."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest

from backfill.coupling import Coupling
from backfill.effects.backfilling import backfilling
from backfill.effects.comparison import Comparison
from backfill.effects.compute import acquisitions
from backfill.effects.exports import exports
from backfill.effects.leakage import leakage
from backfill.effects.welfare import welfare
from backfill.experiments.setting import Setting
from backfill.experiments.sweep.coupled import _worlds
from backfill.experiments.sweep.quantities import Measures, Worlds
from backfill.experiments.sweep.solved import controlled
from backfill.experiments.worlds import routes_under_control, without_upstream
from backfill.policy.wedges import Wedges
from backfill.reference import economy as calibrate
from backfill.supply.foresight import foresight_named
from backfill.world import solve_world
from tests.design.policies import chain
from tests.support import small

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def solved():
    """Two policies and no policy on the small economy, as tables and as arrays."""
    names = small.vocabulary()
    economy = calibrate(small.tables(), names, last_year=2024)
    none = Wedges.none(names, economy.periods)
    policies = [chain(economy, 0.7, 0.6, 0.3, 0.08, 1.8, 0.0, 0.0)[1], chain(economy, 0.2, 0.9, 0.9, 0.3, 1.0, 0.0, 0.0)[1]]
    policies = [dataclasses.replace(one, foreseen=none.foreseen) for one in policies]
    downstream = [without_upstream(one, none, names) for one in policies]
    tables = solve_world(economy, [none, *policies, *downstream])
    coupling = Coupling(economy, [none, *policies], foresight_named("perfect", 1.0))
    coupling.solve()
    setting = Setting(economy, names, "perfect", lambda *_: True, None)
    held = _worlds(setting, [(coupling, n) for n in range(3)])

    def part(which: slice) -> Worlds:
        seen = type(held.seen)(*(x[which] for x in held.seen))
        shut = controlled(names, [none, *policies][which], none)
        assert held.capacity is not None
        assert held.terminal is not None
        return Worlds(seen, shut, held.capacity[which], held.terminal[which])

    measures = Measures(economy, economy.reported)
    found = measures.measured(part(slice(1, 3)), part(slice(0, 1)))
    rows = []
    for key, values in zip(found.keys, found.values, strict=True):
        for world in range(2):
            for label, value in zip(measures.labels, values[world], strict=True):
                rows.append((world, label, *key[:3], float(value)))
    columns = ["world", "period", "quantity", "where", "product", "value"]
    frame = pl.DataFrame(rows, schema=columns, orient="row").filter(pl.col("value").is_finite())
    comparisons = [
        Comparison(
            f"{n}", "none", tables[0].tables, tables[1 + n].tables, tables[3 + n].tables,
            routes_under_control(names, policies[n], none), names, economy.periods[: economy.reported],
            float(economy.capacity.discount),
        )
        for n in range(2)
    ]  # fmt: skip
    return frame, comparisons


def matched(frame: pl.DataFrame, world: int, quantity: str, other: pl.DataFrame, keys: list[str], least: int) -> None:
    mine = frame.filter((pl.col("world") == world) & (pl.col("quantity") == quantity))
    both = mine.join(other.drop_nulls("value"), on=keys, how="inner", suffix="_table")
    assert both.height >= least, f"{quantity}: {both.height} rows in common"
    scale = np.maximum(both["value_table"].abs().to_numpy(), 1e-3 * both["value_table"].abs().max())
    assert (np.abs(both["value"].to_numpy() - both["value_table"].to_numpy()) / scale).max() < 1e-5


@pytest.mark.parametrize("world", [0, 1])
def test_they_are_those_of_the_tables(solved, world: int):
    frame, comparisons = solved
    one = comparisons[world]
    names = one.vocabulary
    table = welfare(one).rename({"region": "where"})
    for quantity, least in (
        ("equivalent variation", 15), ("welfare, present value", 5), ("welfare, share of absorption", 5), ("rents lost", 6),
        ("change in fiscal revenue", 6),
    ):  # fmt: skip
        own = table.filter((pl.col("quantity") == quantity) & (pl.col("product") == "all"))
        matched(frame, world, quantity, own.select("period", "where", "value"), ["period", "where"], least)
    sold = backfilling(one).rename({"origin": "where"}).filter(pl.col("destination") == "adversary")
    for mine, its in (
        ("change in sales to the adversary", "change in sales, current value"),
        ("backfill rate", "backfill rate, current value"),
    ):
        own = sold.filter(pl.col("quantity") == its).select("period", "where", "product", "value")
        matched(frame, world, mine, own, ["period", "where", "product"], 6)
    lost = leakage(one)
    denied = lost.filter(pl.col("quantity") == "compute denied").select("period", "value")
    matched(frame, world, "compute denied", denied, ["period"], 4)
    direct = lost.filter((pl.col("quantity") == "gross denial") & (pl.col("channel") == "controlled routes"))
    matched(frame, world, "gross denial, controlled routes", direct.select("period", "value"), ["period"], 4)
    for channel in ("third country", "diversion", "cloud", "other tier"):
        own = lost.filter((pl.col("quantity") == "leakage") & (pl.col("channel") == channel)).select("period", "value")
        if own["value"].abs().max() > 1.0:
            matched(frame, world, f"leakage, {channel}", own, ["period"], 4)
    traded = exports({"0": one.reference, "1": one.policy}, names).filter(pl.col("quantity") == "FOB value")
    levels = (
        traded.filter(pl.col("scenario") == "1")
        .group_by("period", pl.col("origin_bloc").alias("where"))
        .agg(pl.col("value").sum())
    )
    whole = frame.filter(pl.col("product") == "all")
    matched(whole, world, "exports", levels, ["period", "where"], 6)
    got = acquisitions(one.policy["flows"], names).filter(pl.col("user").is_in(one.adversaries))
    for route in ("diverted", "own bloc"):
        own = got.filter(pl.col("route") == route).group_by("period").agg(pl.col("value").sum())
        mine = frame.filter(pl.col("where") == "adversary")
        matched(mine, world, f"compute acquired, {route}", own, ["period"], 3)


def test_capacity_moves(solved):
    frame, _ = solved
    assert frame.filter(pl.col("quantity") == "change in capacity")["value"].abs().max() > 0
