"""Speed and memory of sweeps, for `make bench`: static and coupled, beside gegravity, from a hundred scenarios on."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

STATIC = """
title = "Static scenarios of the benchmark"
include = ["current-policy"]
reference = "current-policy"

[[measures]]
kind = "export_control"
name = "Tools"
by = "USA"
products = "tools_and_subsystems"
destinations = ["CHN", "RUS"]
coverage = 0.8
from = 2026-01-01

[[measures]]
kind = "alignment"
name = "Allies"
region = ["JPN", "KOR", "NLD"]
with = "USA"
products = "tools_and_subsystems"
level = 0.5
from = 2026-01-01

[[measures]]
kind = "secondary_tariff"
name = "Duty"
by = "USA"
targets = ["JPN", "KOR", "NLD"]
products = ["other_goods", "electronics", "chips"]
rate = 0.25
trigger = { alignment_below = 1.0, products = "tools_and_subsystems" }
from = 2026-07-01

[sweep]
mode = "static"
year = 2027

[sweep.policy]
by = "latin_hypercube"
samples = 1000

[[sweep.levers]]
measure = "Tools"
field = "coverage"
low = 0.3
high = 0.95

[[sweep.levers]]
measure = "Allies"
field = "level"
low = 0.0
high = 0.95

[[sweep.levers]]
measure = "Duty"
field = "rate"
low = 0.0
high = 0.5
"""
COUPLED = STATIC.replace('mode = "static"\nyear = 2027', 'mode = "coupled"')
Row = tuple[str, str, str]


@dataclass(frozen=True)
class Run:
    """One sweep.

    Attributes:
        scenarios: how many.
        seconds: wall-clock time, starting included.
        rate: scenarios a second after the first chunk.
        memory: largest resident memory of all its processes together, bytes.
        disk: bytes written.
        lost: scenarios without an answer.
    """

    scenarios: int
    seconds: float
    rate: float
    memory: int
    disk: int
    lost: int = 0


def resident(root: int) -> int:
    """Resident memory of a process and its children, shared pages counted in proportion."""
    total = 0
    for pid in [root, *_children(root)]:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
    return total


def _children(pid: int) -> list[int]:
    try:
        own = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*own, *(other for child in own for other in _children(child))]


def run(text: str, count: int, folder: Path) -> Run:
    """Sweep so many scenarios by the command and watch it."""
    file, out = folder / f"bench{count}.toml", folder / f"out{count}"
    file.write_text(text.replace("samples = 1000", f"samples = {count}"))
    line = [sys.executable, "-m", "backfill.cli", "sweep", str(file), "--out", str(out)]
    begun = time.perf_counter()
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    most = [0]

    def watch() -> None:
        while process.poll() is None:
            most[0] = max(most[0], resident(process.pid))
            time.sleep(0.25)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    said = process.communicate()[0]
    watcher.join()
    assert process.returncode in (0, 3), said
    lost = next((int(line.split()[0]) for line in said.splitlines() if "are not solved" in line), 0)
    rate = float(
        next(line for line in said.splitlines() if line.startswith("this run"))
        .split(", ")[-1]
        .split()[0]
        .replace(",", "")
    )
    disk = sum(path.stat().st_size for path in out.rglob("*.parquet"))
    return Run(count, time.perf_counter() - begun, rate, most[0], disk, lost)


def rows(counts: tuple[int, ...] = (100, 1_000, 10_000), coupled: int = 48, theirs: float | None = None) -> Iterator[Row]:
    """Measure, value, and the ratio or the spread, each as soon as it is known.

    Args:
        counts: numbers of static scenarios.
        coupled: number of coupled ones.
        theirs: milliseconds that gegravity takes for one scenario of 30 countries, measured in the same run.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        before = folder / "before"
        before.mkdir()
        for count in counts[:2]:  # programs for few worlds to start from, and for many
            run(STATIC, count, before)
        static: list[Run] = []
        for count in counts:
            static.append(one := run(STATIC, count, folder))
            told = f"{one.rate:,.0f} a second after the first chunk; {one.memory / 1e6:,.0f} MB"
            told += f"; {one.disk / one.scenarios:,.0f} bytes each"
            yield f"static sweep of {one.scenarios:,} scenarios", f"{one.seconds:.1f} s", told
        few, many = static[-2:]
        slope = (many.seconds - few.seconds) / (many.scenarios - few.scenarios)
        yield "static scenarios, each further one", f"{1e3 * slope:.2f} ms", f"{1 / slope:,.0f} a second"
        if theirs is not None:
            ratio = f"{theirs / (1e3 * slope):,.0f} x gegravity's {theirs:.0f} ms for 30 countries and one good"
            yield "the same beside gegravity, per scenario", f"{1e3 * slope:.2f} ms", ratio
        one = run(COUPLED, coupled, folder)
        told = f"{one.rate:.2f} a second after the first chunk; {one.memory / 1e6:,.0f} MB; {one.lost} without an answer"
        yield f"coupled sweep 2022-2030 of {coupled} scenarios", f"{one.seconds:.0f} s", told


if __name__ == "__main__":
    chosen = tuple(int(word) for word in sys.argv[1:]) or (100, 1_000, 10_000, 100_000)
    for row in rows(chosen):
        print(" | ".join(row), flush=True)
