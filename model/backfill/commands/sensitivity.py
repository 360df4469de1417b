"""``backfill sensitivity``: what matters in a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from backfill.commands.folder import put
from backfill.errors import CommandError, Faults, UserError

HEADLINES = (
    ("compute denied", "adversary"), ("equivalent variation", "us"), ("equivalent variation", "ally"),
    ("welfare, present value", "us"), ("welfare, present value", "ally"), ("backfill rate", "all but the US"),
)  # fmt: skip
SHOWN = 24


def analyse(
    directory: Path, quantities: Sequence[str], conditions: Sequence[str], lever: str | None, quiet: bool
) -> dict[str, pl.DataFrame]:
    """Sobol indices, swings and thresholds of the sweep in a folder, written beside it and printed.

    Raises:
        Faults: what the command line asks for that the sweep does not have.
        OutputError: the folder cannot be written.
    """
    from backfill.experiments.config import load_experiment
    from backfill.experiments.sweep import sensitivity
    from backfill.experiments.sweep.folder import FILE, place_bytes
    from backfill.experiments.sweep.load import load_sweep
    from backfill.experiments.sweep.plan import Plan

    try:
        sweep = load_sweep(directory)
    except FileNotFoundError as error:
        raise CommandError("backfill sensitivity", "", str(directory), str(error)) from None
    wrong: list[UserError] = []
    wanted = []
    for text in conditions:
        try:
            wanted.append(sensitivity.Condition.of(text))
        except UserError as error:
            wrong.append(error)
    if conditions and lever is None:
        wrong.append(
            CommandError("backfill sensitivity", "--lever", None, f"says of which lever: {', '.join(sweep.axes)}")
        )
    if lever is not None and not conditions:
        remedy = 'is read beside --threshold, a condition such as "compute denied of adversary in 2027 >= 100000"'
        wrong.append(CommandError("backfill sensitivity", "--lever", lever, remedy))
    if wrong:
        raise Faults(wrong)
    experiment = load_experiment(directory / FILE, inert_allowed=True)
    assert experiment.sweep is not None
    plan = Plan.of(experiment.sweep)
    found = sensitivity.matrix(sweep, quantities)
    tables = {"tornado": sensitivity.tornado(found, sweep.axes)}
    tables["sobol"] = sensitivity.sobol(found, plan, sweep.axes)
    if wanted and lever is not None:
        whole = sensitivity.matrix(sweep) if quantities else found
        tables["thresholds"] = pl.concat([sensitivity.threshold(whole, sweep.axes, one, lever) for one in wanted])

    def write(folder: Path) -> Path:
        for name, table in tables.items():
            place_bytes(folder / f"{name}.csv", table.write_csv().encode())
        return folder

    put(directory, write)
    if not quiet:
        if len(found.numbers) < len(plan):
            print(f"of {len(found.numbers):,} of {len(plan):,} scenarios: the others are not done, or not solved")
        for line in lines(tables, sweep.axes, every=bool(quantities)):
            print(line)
        if tables["sobol"].is_empty() and len(found.numbers) < sensitivity.FEWEST:
            print(f"no Sobol indices: of drawn scenarios they need at least {sensitivity.FEWEST}")
        print(f"tables in {directory}: {', '.join(f'{name}.csv' for name in tables)}")
    return tables


def lines(tables: dict[str, pl.DataFrame], axes: Sequence[str], *, every: bool) -> list[str]:
    """The headline effects' indices and swings, then thresholds."""
    from backfill.commands.report import short, tabulated

    keys = ["quantity", "where", "product", "period"]
    both = tables["tornado"].join(tables["sobol"], on=[*keys, "axis"], how="left", maintain_order="left")
    chosen = (
        both
        if every
        else both.filter(pl.any_horizontal([(pl.col("quantity") == q) & (pl.col("where") == w) for q, w in HEADLINES]))
    )
    ordered = chosen.sort(*keys, pl.col("swing").abs(), descending=[False] * 4 + [True], maintain_order=True)
    rows = [
        [*(str(row[key]) for key in keys), row["unit"], row["axis"], short(row["low"]), short(row["high"]), short(row["swing"]),
         _index(row["first"]), _index(row["total"])]
        for row in ordered.iter_rows(named=True)
    ]  # fmt: skip
    words = [*keys, "unit", "moved"]
    found = tabulated(words, ["low", "high", "swing", "first index", "total index"], rows[:SHOWN])
    if len(rows) > SHOWN:
        found.append(f"{len(rows) - SHOWN} more rows in tornado.csv and sobol.csv")
    if tables["sobol"].height:
        found.append(f"Sobol indices: {tables['sobol']['method'][0]}")
    if "thresholds" in tables:
        rows = [
            [
                row["condition"],
                row["lever"],
                row["others"],
                "never" if row["threshold"] is None else short(row["threshold"]),
            ]
            for row in tables["thresholds"].iter_rows(named=True)
        ]
        found += tabulated(["condition", "lever", "where the others are"], ["lowest value"], rows[: 2 * SHOWN])
        if len(rows) > 2 * SHOWN:
            found.append(f"{len(rows) - 2 * SHOWN} more rows in thresholds.csv")
    return found


def _index(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
