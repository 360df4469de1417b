"""Regions merge and split without losing a dollar or a chip."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backfill.economy.mapping import apply_mapping
from backfill.economy.schema import DataError
from backfill.economy.tables import BaselineTables, faults_of_tables


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mapping.csv"
    path.write_text(text)
    return path


def _frames(tables: BaselineTables) -> dict[str, pl.DataFrame]:
    return {field.name: getattr(tables, field.name) for field in fields(tables)}


def test_mapping_each_region_to_itself_changes_nothing(tables: BaselineTables, tmp_path: Path):
    same = apply_mapping(tables, _file(tmp_path, "region,new_region\nUSA,USA\nCHN,CHN\nSGP,SGP\n"))
    for name, frame in _frames(tables).items():
        order = [c for c, t in frame.schema.items() if t != pl.Float64]
        assert_frame_equal(_frames(same)[name].sort(order), frame.sort(order), rel_tol=1e-12, check_column_order=False)


def test_merging_sums_flows_and_averages_technology(tables: BaselineTables, tmp_path: Path):
    merged = apply_mapping(tables, _file(tmp_path, "region,new_region,share\nSGP,SEA,\nMYS,SEA,1\nASE,SEA,\n"))
    assert faults_of_tables(_frames(merged), tmp_path) == []
    old = ["SGP", "MYS", "ASE"]
    inside = pl.col("origin").is_in(old) & pl.col("destination").is_in(old) & (pl.col("product") == "electronics")
    new = merged.flows.filter((pl.col("origin") == "SEA") & (pl.col("destination") == "SEA"))
    assert new.filter(pl.col("product") == "electronics")["value_musd"].item() == pytest.approx(
        tables.flows.filter(inside)["value_musd"].sum(), rel=1e-12
    )

    def spent(t: BaselineTables, regions: list[str]) -> float:
        output = t.flows.group_by("product", pl.col("origin").alias("region")).agg(pl.col("value_musd").sum())
        rows = t.inputs.filter(pl.col("region").is_in(regions) & (pl.col("input") == "memory")).join(
            output, on=["product", "region"]
        )
        return (rows["share"] * rows["value_musd"]).sum()

    assert spent(merged, ["SEA"]) == pytest.approx(spent(tables, old), rel=1e-9)
    weight = merged.parameters.filter((pl.col("parameter") == "hub_weight") & (pl.col("region") == "SEA"))
    assert weight["central"].item() == pytest.approx(0.75)
    assert merged.vocabulary().hubs == ("SEA", "GLF", "TKC")


def test_splitting_keeps_totals_and_leaves_designers_whole(tables: BaselineTables, tmp_path: Path):
    split = apply_mapping(tables, _file(tmp_path, "region,new_region,share\nUSA,EAST,0.4\nUSA,WEST,0.6\n"))
    assert faults_of_tables(_frames(split), tmp_path) == []
    assert split.flows["value_musd"].sum() == pytest.approx(tables.flows["value_musd"].sum(), rel=1e-12)
    assert split.compute_use["kh100e"].sum() == pytest.approx(tables.compute_use["kh100e"].sum(), rel=1e-12)
    assert set(split.accelerator_bill["origin"]) == {"WEST", "CHN"}
    hbm = split.flows.filter(pl.col("product") == "hbm").group_by("destination").agg(pl.col("value_musd").sum())
    bought = dict(hbm.iter_rows())
    assert bought["WEST"] > 100 * bought.get("EAST", 0.0)
    made = split.flows.filter(pl.col("product") == "deposition_etch").group_by("origin").agg(pl.col("value_musd").sum())
    output = dict(made.iter_rows())
    assert output["EAST"] / output["WEST"] == pytest.approx(2 / 3, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("region,new_region\nUSA,BIG\nCHN,BIG\n", "new_region: BIG: merges two blocs (USA is us, CHN is adversary)"),
        ("region,new_region,share\nUSA,EAST,0.4\nUSA,WEST,0.5\n", "region: USA: its shares sum to 0.9"),
        ("region,new_region\nATL,SEA\n", "row 2: region: ATL: unknown region"),
        ("region,new_region\nSGP,MYS\n", "row 2: new_region: MYS: is a region left as it is"),
        ("region,new_region,share\nUSA,EAST,half\n", "row 2: share: half: give a number"),
        ("region,share\nUSA,1\n", "row 1: new_region: missing"),
    ],
)
def test_a_bad_mapping_says_what_to_do(tables: BaselineTables, tmp_path: Path, text: str, told: str):
    with pytest.raises(DataError) as raised:
        apply_mapping(tables, _file(tmp_path, text))
    assert any(told in fault for fault in raised.value.faults)


def test_all_faults_of_a_mapping_are_told_at_once(tables: BaselineTables, tmp_path: Path):
    text = "region,new_region,share\nEUR,DEU,0.4\nEUR,REU,0.7\nATL,SEA,1\nUSA,WEST,nan\n"
    with pytest.raises(DataError) as raised:
        apply_mapping(tables, _file(tmp_path, text))
    told = [fault.split(": ", 1)[1] for fault in raised.value.faults]
    assert [fault.split(":")[0] for fault in told] == ["row 5", "row 4", "region"]
    assert told[2].startswith("region: EUR: its shares sum to 1.1")


def test_a_missing_mapping_file_is_told(tables: BaselineTables, tmp_path: Path):
    with pytest.raises(DataError, match="missing file"):
        apply_mapping(tables, tmp_path / "none.csv")
