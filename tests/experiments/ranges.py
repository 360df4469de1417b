"""Write ``experiments/current-policy.ranges.csv``, of which the README tells: ``python -m tests.experiments.ranges``."""

from __future__ import annotations

import sys

import polars as pl

from backfill.commands.run import keep_compiled
from backfill.experiments.ranges import HEADLINES
from backfill.experiments.results import Result, Status
from backfill.experiments.run import run
from tests.docs.stored import RANGE_COLUMNS, RANGED, RANGES

KEYS = ["quantity", "where", "period", "unit"]


def headlines(result: Result) -> pl.DataFrame:
    """Headline changes of a result with ranges, and every parameter's part in them, with 10 significant digits."""
    told = [(pl.col("quantity") == quantity) & (pl.col("where") == where) for quantity, where in HEADLINES]
    central = result.summary.select(*KEYS, pl.col("change").alias("central"), "low", "high")
    found = result.drivers.filter(pl.any_horizontal(told)).join(central, on=KEYS, maintain_order="left")
    return found.select(*RANGE_COLUMNS).with_columns(pl.col(pl.Float64).round_sig_figs(10))


def main() -> int:
    """Solve and rewrite; 1 if some of it could not be solved, and the file stays as it was."""
    keep_compiled()
    result = run(RANGED, ranges=True)
    if result.status is not Status.SOLVED:
        print(f"{RANGED}: {result.message}", file=sys.stderr)
        return 1
    headlines(result).write_csv(RANGES)
    print(f"wrote {RANGES}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
