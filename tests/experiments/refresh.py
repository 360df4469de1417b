"""Rewrite the expected summaries of the shipped experiments: ``python -m tests.experiments.refresh [NAME ...]``.

Look at the difference before committing it: it is what changed in the answers.
"""

from __future__ import annotations

import sys

from backfill.commands.run import keep_compiled
from backfill.experiments.results import Status
from backfill.experiments.run import run
from tests.experiments.expected import NAMES, expected_file, text


def main(names: list[str]) -> int:
    """Solve and rewrite; 1 if an experiment could not be solved, whose file stays as it was."""
    keep_compiled()
    failed = False
    for name in names or NAMES:
        result = run(name)
        if result.status is not Status.SOLVED:
            print(f"{name}: {result.message}", file=sys.stderr)
            failed = True
            continue
        expected_file(name).write_text(text(result), encoding="utf-8")
        print(f"wrote {expected_file(name)}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
