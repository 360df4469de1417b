"""Rewrite everything that is stored of the model's answers: ``python -m tests.refresh [PART ...]``.

Parts run one after another, each in a process of its own; those named, or all, in the order of `PARTS`, since later ones read
what earlier ones write. Where one fails the others go on; the last line names those to run again. Look at the differences
before committing them: they are what changed in the answers.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from backfill.errors import did_you_mean

PARTS = {
    "experiments": "tests.experiments.refresh",
    "sweeps": "tests.sweep.test_shipped_sweep",
    "games": "tests.experiments.align.refresh",
    "designs": "tests.design.refresh",
    "ranges": "tests.experiments.ranges",
    "structures": "tests.experiments.structures",
    "measured": "tests.docs.measured",
    "hindcast": "tests.hindcast.refresh",
    "pictures": "tests.docs.pictures",
    "notebooks": "tests.notebooks.pair",
    "stated": "tests.docs.refresh",
}
"""What is rewritten, and the module that does it."""


def main(names: list[str]) -> int:
    """Rewrite; 1 if a part failed, 2 if there is no such part."""
    unknown = [name for name in names if name not in PARTS]
    for name in unknown:
        print(f"tests.refresh: {name}: no such part; {did_you_mean(name, list(PARTS))}", file=sys.stderr)
    if unknown:
        return 2
    failed = []
    for name, module in PARTS.items():
        if names and name not in names:
            continue
        print(f"{name}: python -m {module}", flush=True)
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", module], cwd=Path(__file__).parents[1])
        print(f"{name}: {time.perf_counter() - began:.0f} s" + (" (failed)" if done.returncode else ""), flush=True)
        failed += [name] * (done.returncode != 0)
    if failed:
        print(f"to run again: python -m tests.refresh {' '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
