"""The shipped benchmark adds up and keeps to the figures it was given."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from backfill.economy.compile.accelerators import quality
from backfill.economy.compile.sectors import SECTOR
from backfill.economy.compile.sources import read_sources
from backfill.economy.tables import BaselineTables

TOOLS = ("lithography", "deposition_etch", "process_control_test")
FIRST = 2022


def _output(tables: BaselineTables) -> pl.DataFrame:
    return tables.flows.group_by("product", pl.col("origin").alias("region")).agg(
        pl.col("value_musd").sum().alias("output")
    )


def _bought(tables: BaselineTables) -> pl.DataFrame:
    key = ["product", "origin", "destination"]
    paid = pl.col("value_musd") * (1 + pl.col("rate").fill_null(0.0))
    return (
        tables.flows.join(tables.tariffs.select(*key, "rate"), on=key, how="left")
        .group_by("product", pl.col("destination").alias("region"))
        .agg(paid.sum().alias("bought"))
    )


def _designers(tables: BaselineTables) -> pl.DataFrame:
    made = tables.compute_use.filter(pl.col("year") == FIRST).group_by("product").agg(pl.col("kh100e").sum())
    return (
        tables.accelerator_bill.filter(pl.col("year") == FIRST)
        .join(made, on="product")
        .group_by(pl.col("item").alias("product"), pl.col("origin").alias("region"))
        .agg((pl.col("kusd_per_h100e") * pl.col("kh100e")).sum().alias("designers"))
    )


def test_value_added_is_above_a_twentieth_everywhere(tables: BaselineTables):
    spent = tables.inputs.group_by("product", "region").agg(pl.col("share").sum().alias("spent"))
    rents = tables.capacity.filter(pl.col("year") == FIRST).select(
        "product", "region", pl.col("rent_share").alias("rent")
    )
    added = (
        _output(tables)
        .join(spent, on=["product", "region"], how="left")
        .join(tables.shares, on=["product", "region"], how="left")
        .join(rents, on=["product", "region"], how="left")
        .fill_null(0.0)
        .with_columns((1 - pl.col("spent") - pl.col("margin_share") - pl.col("rent")).alias("added"))
    )
    assert added["added"].min() > 0.05
    assert (added["rent_share"] - added["rent"]).abs().max() == pytest.approx(0, abs=1e-12)


def test_nothing_is_used_that_was_not_bought(tables: BaselineTables):
    used = (
        tables.inputs.join(_output(tables), on=["product", "region"])
        .group_by(pl.col("input").alias("product"), "region")
        .agg((pl.col("share") * pl.col("output")).sum().alias("used"))
    )
    users = (
        tables.compute_use.filter(pl.col("year") == FIRST)
        .group_by(pl.col("user").alias("region"))
        .agg(pl.col("kh100e").sum())
    )
    other = (
        tables.compute_other.filter(pl.col("year") == FIRST)
        .join(users, how="cross")
        .select(pl.col("item").alias("product"), "region", (pl.col("kusd_per_h100e") * pl.col("kh100e")).alias("sites"))
    )
    key = ["product", "region"]
    final = (
        _bought(tables).join(used, on=key, how="left").join(_designers(tables), on=key, how="left")
        .join(other, on=key, how="left").fill_null(0.0)
        .with_columns((pl.col("bought") - pl.col("used") - pl.col("designers") - pl.col("sites")).alias("final"))
    )  # fmt: skip
    assert (final["final"] / final["bought"]).min() >= -1e-9
    intermediate = final.filter(pl.col("product").is_in(["logic_advanced", "memory", "hbm", "packaging", "subsystems"]))
    assert (intermediate["final"] / intermediate["bought"]).max() < 0.01
    core = final.filter(pl.col("product").is_in(["electronics", "other_goods", "services"]))
    assert (core["final"] / core["bought"]).min() > 0.09


def test_equipment_bought_equals_what_semi_billed(tables: BaselineTables):
    bought = tables.flows.filter(pl.col("product").is_in(TOOLS)).group_by("destination").agg(pl.col("value_musd").sum())
    by_region = dict(bought.iter_rows())
    assert by_region["CHN"] == pytest.approx(28_300, rel=1e-5)
    assert by_region["KOR"] == pytest.approx(21_500, rel=1e-5)
    assert by_region["TWN"] == pytest.approx(26_800, rel=1e-5)
    assert sum(by_region.values()) == pytest.approx(107_600, rel=1e-5)


def test_lithography_comes_from_where_it_is_made(tables: BaselineTables):
    made = _output(tables).filter(pl.col("product") == "lithography")
    share = dict(made.select("region", pl.col("output") / pl.col("output").sum()).iter_rows())
    assert set(share) == {"NLD", "JPN", "EUR", "USA", "CHN", "KOR"}
    assert share["NLD"] == pytest.approx(0.80, abs=1e-3)
    assert share["CHN"] < 0.01


def test_every_icio_output_is_kept_and_a_twentieth_of_each_cell_stays(tables: BaselineTables, repository: Path):
    """Broad goods plus what was carved out of them equal ICIO, by exporter."""
    icio = pl.read_csv(repository / "data" / "sources" / "icio_flows.csv")
    broad = pl.col("product").replace_strict(
        {"electronics": "electronics", "services": "services"}, default="other_goods"
    )
    given = icio.group_by(broad.alias("broad"), pl.col("region")).agg(pl.col("value").sum().alias("icio"))
    home = {p: s if s in ("electronics", "services") else "other_goods" for p, s in SECTOR.items()}
    ours = (
        tables.flows.group_by(pl.col("product").replace(home).alias("broad"), pl.col("origin").alias("region"))
        .agg(pl.col("value_musd").sum().alias("ours"))
    )  # fmt: skip
    both = given.join(ours, on=["broad", "region"])
    goods = both.filter(pl.col("broad") != "electronics")
    assert ((goods["ours"] - goods["icio"]).abs() / goods["icio"]).max() < 1e-6
    designers = both.filter((pl.col("broad") == "electronics") & pl.col("region").is_in(["USA", "CHN"]))
    others = both.filter((pl.col("broad") == "electronics") & ~pl.col("region").is_in(["USA", "CHN"]))
    assert ((others["ours"] - others["icio"]).abs() / others["icio"]).max() < 1e-6
    carved = (designers["icio"] - designers["ours"]).sum()
    mill = (
        tables.accelerator_bill.filter(pl.col("year") == FIRST).group_by("product").agg(pl.col("kusd_per_h100e").sum())
    )
    sold = tables.compute_use.filter(pl.col("year") == FIRST).join(mill, on="product")
    assert carved == pytest.approx((sold["kh100e"] * sold["kusd_per_h100e"]).sum(), rel=1e-4)

    cells = icio.filter(pl.col("product").is_in(["electronics", "services"])).rename(
        {"region": "origin", "partner": "destination"}
    )
    left = cells.join(tables.flows, on=["product", "origin", "destination"])
    assert left.height == cells.filter(pl.col("value") > 0).height
    rounding = 0.005 * len(SECTOR)
    assert (left["value_musd"] - 0.05 * left["value"]).min() > -rounding


def test_sizes_are_those_of_2022(tables: BaselineTables):
    world = dict(_output(tables).group_by("product").agg(pl.col("output").sum()).iter_rows())
    assert 60_000 <= world["logic_advanced"] <= 80_000
    assert 120_000 <= world["memory"] <= 140_000
    assert 900 <= world["hbm"] <= 1_500
    assert world["packaging"] < 2_500
    chips = sum(world[p] for p in ("logic_advanced", "logic_mature", "hbm", "memory"))
    assert chips < 574_000


def test_china_buys_its_share_of_what_is_for_sale_before_the_rules(tables: BaselineTables, repository: Path):
    us = tables.compute_use.filter(
        (pl.col("year") == FIRST)
        & (pl.col("channel") == "direct")
        & pl.col("product").is_in(["accelerators_frontier", "accelerators_export_grade"])
    )
    china = us.filter(pl.col("user") == "CHN")["kh100e"].sum()
    remote = tables.compute_use.filter((pl.col("year") == FIRST) & (pl.col("channel") == "cloud"))["kh100e"].sum()
    sources = read_sources(repository / "data" / "sources")
    worth, sold = quality(sources), dict(sources.rows("chip_units", period=str(FIRST)).select("product", "value").rows())
    made = {chip: units * worth[chip] for chip, units in sold.items()}
    captive = sum(volume for chip, volume in made.items() if chip.startswith(("TPU", "Trainium"))) / sum(made.values())
    assert 0.04 < captive < 0.06
    assert china / us["kh100e"].sum() == pytest.approx(0.225 * (1 - captive), abs=1e-9)
    assert remote / tables.compute_use.filter((pl.col("year") == FIRST) & (pl.col("user") == "CHN"))[
        "kh100e"
    ].sum() == pytest.approx(0.05, abs=1e-9)


def test_frontier_accelerators_earn_seventy_two_percent_of_which_some_is_scarcity(tables: BaselineTables):
    bill = dict(
        tables.accelerator_bill.filter((pl.col("year") == FIRST) & (pl.col("product") == "accelerators_frontier"))
        .select("item", "kusd_per_h100e")
        .iter_rows()
    )
    price = sum(bill.values())
    rent = tables.capacity.filter(
        (pl.col("year") == FIRST) & (pl.col("product") == "packaging") & (pl.col("region") == "TWN")
    )["rent_share"].item()
    assert bill["margin"] / price <= 0.60 + 1e-12
    assert (bill["margin"] + rent * bill["packaging"]) / price == pytest.approx(0.72, abs=0.015)
    assert (
        tables.nodes.filter((pl.col("product") == "packaging") & (pl.col("region") == "TWN"))["owner"].item() == "USA"
    )


def test_rent_only_where_capacity_is_full(tables: BaselineTables):
    slack = tables.capacity.filter(pl.col("utilisation") < 1)
    assert slack["rent_share"].sum() == 0
    binding = tables.capacity.filter(pl.col("product").is_in(["hbm", "packaging"]) & (pl.col("year") == FIRST))
    assert (binding["rent_share"] > 0).all()


def test_every_buyer_has_a_seller_and_every_region_its_own_goods(tables: BaselineTables):
    own = tables.flows.filter(pl.col("origin") == pl.col("destination"))
    for product in ("electronics", "other_goods", "services"):
        assert own.filter(pl.col("product") == product)["origin"].n_unique() == 18
    users = set(tables.inputs.select("input", "region").unique().iter_rows())
    sold = set(tables.flows.select("product", "destination").unique().iter_rows())
    assert users <= sold
