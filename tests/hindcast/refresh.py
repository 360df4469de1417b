"""Rewrite the computed part of ``docs/hindcast.md`` and the table behind it: ``python -m tests.hindcast.refresh``.

Look at the difference before committing it: it is what changed in the answers.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from backfill.commands.run import keep_compiled
from backfill.experiments.hindcast.page import computed, replaced
from backfill.experiments.hindcast.run import hindcast, identification
from backfill.resources import experiments_dir

PAGE = Path(__file__).parent.parent.parent / "docs" / "hindcast.md"
TABLE = experiments_dir() / "current-policy.hindcast.csv"
KEPT = ("series", "year", "unit", "use", "observed", "before_fit", "model", "last_value", "constant_share")
"""Columns of ``hindcast.csv`` that are kept in `TABLE`."""


def shortened(table: pl.DataFrame) -> pl.DataFrame:
    """What is kept of the table, with 6 significant digits."""
    return table.select(pl.col(KEPT)).with_columns(pl.col(pl.Float64).round_sig_figs(6))


def main() -> int:
    """Solve and rewrite."""
    keep_compiled()
    found = hindcast()
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), computed(found, identification())), encoding="utf-8")
    shortened(found.tables["hindcast"]).write_csv(TABLE)
    print(f"wrote {PAGE} and {TABLE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
