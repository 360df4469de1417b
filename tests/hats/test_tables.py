"""Faults of tables: all at once, each with its table, row, value and remedy; nothing else is ever printed."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
import pytest

import backfill
from backfill.cli import main
from backfill.errors import Faults
from tests.hats.tables import random_tables


@pytest.fixture
def tables() -> dict[str, pl.DataFrame]:
    return random_tables(3, 2, 1)


def lines(tables: dict, **options) -> tuple[str, ...]:
    with pytest.raises(Faults) as caught:
        backfill.Economy.from_tables(**tables, **options)
    return caught.value.lines


def with_row(table: pl.DataFrame, row: int, **values) -> pl.DataFrame:
    """A table with other values in one row."""
    place = pl.int_range(pl.len()) == row
    return table.with_columns(pl.when(place).then(pl.lit(v)).otherwise(pl.col(k)).alias(k) for k, v in values.items())


def test_every_fault_of_every_table_at_once(tables):
    tables["trade"] = with_row(with_row(tables["trade"], 0, value=-1.0), 3, value=math.nan)
    tables["tariffs"] = with_row(with_row(tables["tariffs"], 1, rate=-1.5), 2, origin="r7")
    tables["inputs"] = with_row(tables["inputs"], 4, share=1.2)
    tables["elasticities"] = pl.concat([tables["elasticities"], tables["elasticities"].head(1)])
    said = lines(tables)
    assert "trade: row 1: value: -1.0: must be at least 0" in said
    assert (
        "trade: row 4: value: NaN: give a finite number" in said
        or "trade: row 4: value: nan: give a finite number" in said
    )
    assert "tariffs: row 2: rate: -1.5: must be greater than -1" in said
    assert any(line.startswith("inputs: row 5: share: 1.2: must lie between 0 and 1") for line in said)
    assert 'elasticities: row 3: "p0": given twice: keep one row' in said
    assert any(line.startswith('tariffs: row 3: origin: "r7": unknown region') for line in said)
    assert len(said) == 6


def test_unknown_names_come_with_the_nearest_known_one(tables):
    tables["tariffs"] = with_row(tables["tariffs"], 1, origin="R1", product="q1")
    said = lines(tables)
    assert any('row 2: origin: "R1": unknown region: did you mean "r1"?' in line for line in said)
    assert any('row 2: product: "q1": unknown product' in line for line in said)


def test_missing_columns_tables_and_elasticities(tables):
    renamed = tables | {"trade": tables["trade"].rename({"value": "values"})}
    assert 'trade: value: column missing: did you mean "values"?' in lines(renamed)
    said = lines(tables | {"elasticities": tables["elasticities"].head(1)})
    assert said == ('elasticities: product: "p1": no trade elasticity: add a row',)
    assert lines(tables | {"elasticities": None})[0].startswith("elasticities: table missing")


def test_value_added_cannot_be_negative(tables):
    tables["inputs"] = tables["inputs"].with_columns(share=pl.lit(0.6))
    tables["tariffs"] = with_row(tables["tariffs"], 0, rate=-1.5)
    said = lines(tables)
    assert "tariffs: row 1: rate: -1.5: must be greater than -1" in said
    assert 'inputs: rows 1, 7: "r0/p0": input shares sum to 1.2, more than 1: value added is negative' in said


def test_final_demand_cannot_be_negative(tables):
    own = pl.col("origin") == pl.col("destination")
    tables["trade"] = tables["trade"].with_columns(value=pl.when(own).then(pl.col("value") * 0.02).otherwise("value"))
    assert any("final demand would be negative" in line for line in lines(tables))


def test_final_demand_that_disagrees_is_a_fault_unless_the_base_is_balanced(tables):
    shares = pl.DataFrame(
        [(f"r{n}", f"p{k}", 0.5) for n in range(3) for k in range(2)],
        schema=["region", "product", "share"],
        orient="row",
    )
    assert any(
        "differ by more than a millionth of world income" in line for line in lines(tables | {"final_demand": shares})
    )
    economy = backfill.Economy.from_tables(**tables, final_demand=shares, closure="balanced")
    residual = economy.accounts.spending - economy.accounts.intermediate
    assert (abs(residual / residual.sum(0) - 0.5) < 1e-7).all()
    assert "final_demand: region r0: 1.5: shares must sum to 1" in lines(
        tables | {"final_demand": with_row(shares, 0, share=1.0)}, closure="balanced"
    )


def test_final_demand_that_agrees_changes_nothing(tables):
    plain = backfill.Economy.from_tables(**tables)
    final = plain.accounts.final
    shares = pl.DataFrame(
        [(f"r{n}", f"p{k}", final[k, n]) for n in range(3) for k in range(2)],
        schema=["region", "product", "share"],
        orient="row",
    )
    given = backfill.Economy.from_tables(**tables, final_demand=shares)
    assert abs(given.accounts.final - final).max() < 1e-12


@pytest.mark.parametrize("closure", ["fixd", "", None])
def test_an_unknown_closure(tables, closure):
    with pytest.raises(backfill.errors.UserError, match="use fixed, proportional, balanced"):
        backfill.Economy.from_tables(**tables, closure=closure)


def test_shocks_are_checked_like_the_base(tables):
    economy = backfill.Economy.from_tables(**tables)
    wrong = pl.DataFrame(
        {"origin": ["r0", "r9"], "destination": ["r1", "r1"], "product": ["p0"] * 2, "availability": [2.0, 0.5]}
    )
    with pytest.raises(Faults) as caught:
        economy.solve(export_controls=wrong, trade_costs=wrong)
    said = caught.value.lines
    assert "export_controls: row 1: availability: 2.0: must lie between 0 and 1" in said
    assert any(line.startswith('export_controls: row 2: origin: "r9": unknown region') for line in said)
    assert any(line.startswith("trade_costs: trade_cost: column missing") for line in said)


def write(tables: dict[str, pl.DataFrame], folder: Path, kind: str = "csv") -> None:
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        getattr(table, f"write_{kind}")(folder / f"{name}.{kind}")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_check_describes_a_sound_folder(tables, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str):
    write(tables, tmp_path, kind)
    assert main(["economy", "check", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{tmp_path}: ok\n3 regions, 2 products")


def test_check_tells_every_fault_by_file_and_row(tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    tables["tariffs"] = with_row(tables["tariffs"], 0, rate=-2.0)
    write(tables, tmp_path)
    (tmp_path / "tarifs.csv").write_text("a,b\n1,2\n")
    (tmp_path / "trade.parquet").write_bytes(b"not parquet")
    assert main(["economy", "check", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert 'tarifs.csv: unknown table: did you mean "tariffs"?' in said.err
    assert "trade.csv holds the same table: keep one" in said.err
    (tmp_path / "tarifs.csv").unlink()
    (tmp_path / "trade.parquet").unlink()
    assert main(["economy", "check", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.err == f"{tmp_path / 'tariffs.csv'}: row 2: rate: -2.0: must be greater than -1\n"


@pytest.mark.parametrize("make", [False, True])
def test_check_of_no_folder_or_an_empty_one(tmp_path: Path, capsys: pytest.CaptureFixture[str], make: bool):
    folder = tmp_path / "mine"
    if make:
        folder.mkdir()
    assert main(["economy", "check", str(folder)]) == 2
    assert ("holds no tables" if make else "no such folder") in capsys.readouterr().err


def test_check_looks_at_blocs_as_experiments_do(tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    write(tables, tmp_path)
    names = sorted(set(tables["trade"]["origin"]))
    assert main(["economy", "check", str(tmp_path)]) == 0
    assert "no regions.csv: experiments need one" in capsys.readouterr().out
    regions = tmp_path / "regions.csv"
    rows = [f"{name},{bloc}" for name, bloc in zip(names, ("us", "ally", "adversary"), strict=True)]
    regions.write_text("\n".join(["region,bloc", *rows, ""]))
    assert main(["economy", "check", str(tmp_path)]) == 0
    assert f"blocs: us {names[0]}; ally {names[1]}; adversary {names[2]}" in capsys.readouterr().out
    regions.write_text("\n".join(["region,bloc", *rows, f"{names[0]},friend", "Nowhere,ally", ""]))
    assert main(["economy", "check", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert [line.removeprefix(f"{regions}: ") for line in said.err.splitlines()] == [
        f'row 5: "{names[0]}": given twice: keep one row',
        'row 5: bloc: "friend": use us, ally, partner, adversary',
        f'row 6: region: "Nowhere": unknown region: known are {", ".join(dict.fromkeys(tables["trade"]["origin"]))}',
    ]
    regions.write_text("region,block\n")
    assert main(["economy", "check", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{regions}: has columns region, block: give region, bloc\n"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_no_table(tables, kind: type):
    with pytest.raises(Faults) as caught:
        backfill.Economy.from_tables(**(tables | {"trade": kind("trade.csv")}))
    assert caught.value.lines == ('trade: "trade.csv": is a name: give the table, such as polars.read_csv of it',)
