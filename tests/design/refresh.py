"""Write what the shipped design finds beside it: ``python -m tests.design.refresh``, after a change that is meant."""

from __future__ import annotations

from backfill.commands.run import keep_compiled
from backfill.experiments.design.run import design
from backfill.resources import experiments_dir
from tests.design.test_shipped_design import NAME

if __name__ == "__main__":
    keep_compiled()
    found = design(NAME)
    found.summary.write_csv(experiments_dir() / f"{NAME}.best.csv")
    print(*found.sentences, sep="\n")
