"""Write ``experiments/current-policy.structure.csv``, of which pages tell: ``python -m tests.experiments.structures``."""

from __future__ import annotations

import sys

import polars as pl

from backfill.commands.run import keep_compiled
from backfill.experiments.config import load_experiment
from backfill.experiments.run import run
from backfill.experiments.structure import headlines
from tests.docs.stored import RANGED, STRUCTURES


def found() -> pl.DataFrame:
    """Headline changes of the current policy under each structure, with 10 significant digits."""
    table = headlines(load_experiment(RANGED), run)
    return table.with_columns(pl.col("change").round_sig_figs(10))


def main() -> int:
    """Solve and rewrite."""
    keep_compiled()
    found().write_csv(STRUCTURES)
    print(f"wrote {STRUCTURES}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
