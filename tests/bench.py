"""How fast the model is: ``make bench`` prints a table and writes it to docs/benchmarks.md.

Every figure is a median of repetitions after warming up, with the spread of the middle half; rates count markets (one
world, one period) solved to 1e-8 from the reference.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

START = time.perf_counter()
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".pytest_cache" / "compiled"))

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from backfill.economy.economy import Economy, Structure  # noqa: E402
from backfill.economy.tables import load_tables, load_vocabulary  # noqa: E402
from backfill.policy.wedges import Limit, Wedges, stacked  # noqa: E402
from backfill.reference import economy as calibrate  # noqa: E402
from backfill.static import StaticPeriod  # noqa: E402
from backfill.static.compiled import maps  # noqa: E402
from backfill.threads import single_threaded_algebra  # noqa: E402
from backfill.trade.buyers import buyers  # noqa: E402
from backfill.trade.equilibrium import CHUNK, Lane, outcomes, solve  # noqa: E402
from backfill.trade.factors import Used, factors, used_in  # noqa: E402
from backfill.trade.market import NO_SWEEPS, Outcome, market  # noqa: E402
from backfill.trade.sensitivity import plan_slopes  # noqa: E402
from backfill.world import solve_world  # noqa: E402
from tests.bench_engine import rows as engine  # noqa: E402
from tests.bench_gravity import rows as gravity  # noqa: E402
from tests.bench_gravity import theirs  # noqa: E402
from tests.bench_sweep import rows as sweeps  # noqa: E402
from tests.trade.worlds import YEAR, lane_at, lanes_of, no_policy, policy  # noqa: E402

TOLERANCE = 1e-8
BATCH, MANY = 256, 1024
REPEATED = 30
Row = tuple[str, str, str]


def median(run: Callable[[], object], repetitions: int = 5) -> tuple[float, float]:
    """Median time of a call in seconds and half the interquartile range, after one warm-up."""
    run()
    times = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    low, middle, high = np.percentile(times, [25, 50, 75])
    return float(middle), float(high - low) / 2


def spread(middle: float, half: float) -> str:
    return f"±{100 * half / middle:.0f}%"


def random_policies(economy: Economy, count: int) -> list[Wedges]:
    """A duty on one country's imports, two closed flows and partial coverage of accelerators, all drawn."""
    draw, shape = np.random.default_rng(1), economy.structure
    goods = [p for p in shape.products if shape.position(p) not in shape.tools]
    worlds = []
    for _ in range(count):
        closed = {("accelerators_frontier", "USA", "CHN"): float(draw.choice([0.0, 0.5, 1.0]))}
        for _ in range(2):
            i, j = draw.choice(len(shape.regions), 2, replace=False)
            closed[goods[draw.integers(len(goods))], shape.regions[i], shape.regions[j]] = 1.0
        duty = {(None, None, shape.regions[draw.integers(len(shape.regions))]): float(draw.uniform(0, 0.5))}
        worlds.append(policy(economy, coverage=closed, tariff=duty))
    return worlds


def with_quotas(economy: Economy, count: int, binding: bool) -> list[Wedges]:
    """The same with two quotas in every fourth world (elsewhere they are infinite), or in none."""
    shape = economy.structure
    lane, start = lanes_of(economy, [no_policy(economy)])
    flow = outcomes(shape, lane, start).flows.quantity[0]
    worlds = []
    for n, wedges in enumerate(random_policies(economy, count)):
        limits = []
        for name, (product, origin, destination) in {
            "one": ("electronics", "CHN", "USA"), "two": ("logic_advanced", "TWN", "USA"),
        }.items():  # fmt: skip
            amount = flow[shape.position(product), shape.region(origin), shape.region(destination)]
            quantity = 0.5 * amount if binding and n % 4 == 0 else np.inf
            limits.append(
                Limit(name, origin, "exporter", ((product, origin, destination, 1.0),), np.array([quantity]), "musd")
            )
        worlds.append(Wedges(wedges.coverage, wedges.tariff, wedges.levy, wedges.real_cost, wedges.enforcement, tuple(limits)))
    return worlds


def evaluation_time(economy: Economy, lane: Lane, vectors: np.ndarray) -> tuple[float, float]:
    """Seconds for one evaluation of `market` in a full chunk on one thread, one after the other within one program as solving
    does them, and for its two contractions alone."""
    shape = economy.structure
    with jax.enable_x64(True), single_threaded_algebra():
        piece = jax.tree.map(lambda leaf: jnp.asarray(leaf[:CHUNK]), lane)
        points = jnp.asarray(vectors[:CHUNK])

        def prepare(x):
            walls = factors(shape, x.parameters, x.barriers, Used(False, False))
            return walls, buyers(shape, x.barriers, x.plan.purchases)

        def one(x, point, walls, groups):
            return market(shape, x.parameters, x.barriers, x.plan, x.demand, point, walls, groups)[0]

        walls, groups = jax.jit(jax.vmap(prepare))(piece)
        weights = [table.value for table in walls.goods]

        def contracted(prices, weights):
            spread = [(weight * price[..., None]).sum(2) for weight, price in zip(weights, prices, strict=True)]
            per = [(weight * (1 / per)[:, :, None]).sum(3) for weight, per in zip(weights, spread, strict=True)]
            return [price + 1e-9 * part for price, part in zip(prices, per, strict=True)]

        full = repeated(lambda x, *made: lambda points: jax.vmap(one)(x, points, *made), points, piece, walls, groups)
        prices = [jnp.ones(weight.shape[:3]) for weight in weights]
        return full, repeated(lambda weights: lambda prices: contracted(prices, weights), prices, weights)


def repeated(ready: Callable[..., Callable], start: object, *given: object) -> float:
    """Median seconds of one of many evaluations of ``ready(*given)``, each of what the last one gave, in one program."""

    @jax.jit
    def run(start: object, *given: object) -> object:
        evaluate = ready(*given)
        return jax.lax.fori_loop(0, REPEATED, lambda _, x: evaluate(x), start)

    return median(lambda: jax.block_until_ready(run(start, *given)), 10)[0] / REPEATED


def markets(economy: Economy) -> list[Row]:
    """Rates of solving markets, and how far they are from what one evaluation allows."""
    shape, cores = economy.structure, os.cpu_count() or 1
    rows: list[Row] = []
    lane, start = lanes_of(economy, random_policies(economy, BATCH))
    found = solve(shape, lane, start, tolerance=TOLERANCE)
    batch = median(lambda: solve(shape, lane, start, tolerance=TOLERANCE))
    one = lane_at(lane, slice(0, 1))
    single = median(lambda: solve(shape, one, start[:1], tolerance=TOLERANCE))
    full, bare = evaluation_time(economy, lane, found.vector)
    steps = float(found.steps.mean())
    chunk_steps = np.mean([found.steps[n : n + CHUNK].max() for n in range(0, BATCH, CHUNK)])
    floor = cores * CHUNK / (steps * full)
    rate = BATCH / batch[0]
    rows += [
        ("markets solved, batch of 256", f"{rate:,.0f} per second", spread(*batch)),
        ("markets solved, one at a time", f"{1 / single[0]:,.0f} per second", spread(*single)),
        ("steps per market (mean; mean of the slowest in each chunk)", f"{steps:.1f}; {chunk_steps:.1f}", ""),
        ("converged", f"{found.converged.sum()} of {BATCH}", ""),
        ("one evaluation of a market, in a chunk", f"{1e6 * full / CHUNK:,.0f} microseconds", ""),
        ("its two contractions alone", f"{1e6 * bare / CHUNK:,.0f} microseconds", f"{full / bare:.1f} x less"),
        ("floor: evaluations only, every lane stopping by itself", f"{floor:,.0f} per second", f"{rate / floor:.0%} reached"),
        ("floor: contractions only", f"{cores * CHUNK / (steps * bare):,.0f} per second", ""),
    ]
    for label, binding in (("quotas present, none in force", False), ("quotas in force in every fourth", True)):
        quota_lane, quota_start = lanes_of(economy, with_quotas(economy, BATCH, binding))
        done = solve(shape, quota_lane, quota_start, tolerance=TOLERANCE)
        taken = median(lambda a=quota_lane, b=quota_start: solve(shape, a, b, tolerance=TOLERANCE), 3)
        rows.append((f"batch of 256, {label}", f"{BATCH / taken[0]:,.0f} per second", f"{done.converged.sum()} converged"))
    need = np.asarray(economy.capacity.tool_need)
    slopes = median(lambda: plan_slopes(shape, lane_at(lane, slice(0, 14)), found.vector[:14], need), 3)
    rows.append(("exact Jacobian of use of capacities, one market", f"{1e3 * slopes[0] / 14:,.0f} ms", spread(*slopes)))
    return rows


def few(structure: Structure, outcome: Outcome) -> tuple[jax.Array, ...]:
    """What effects by bloc are made of."""
    return outcome.leaf, outcome.income.absorption(), outcome.absorption.index


def static(economy: Economy) -> list[Row]:
    """Static worlds, builders' answer included: batches, one by one, with quotas; from wedges stacked beforehand."""
    chips = ("accelerators_frontier", "USA", "CHN")
    period = StaticPeriod(economy, YEAR, [policy(economy, coverage={chips: share}) for share in (0.5, 1.0)])
    rows: list[Row] = []
    for label, worlds in (
        ("", random_policies(economy, MANY)),
        (", quotas present, none in force", with_quotas(economy, MANY, False)),
        (", quotas in force in every fourth", with_quotas(economy, MANY, True)),
    ):
        wedges = stacked(worlds)
        done = period.solve(wedges, tolerance=TOLERANCE, seen=few)
        taken = median(lambda w=wedges: period.solve(w, tolerance=TOLERANCE, seen=few))
        made = median(lambda w=wedges: period.barriers(w))
        rows += [
            (f"static worlds, batch of {MANY}{label}", f"{MANY / taken[0]:,.0f} per second", spread(*taken)),
            ("evaluations a world; converged", f"{done.steps.mean():.1f}; {done.converged.sum()} of {MANY}", ""),
            ("barriers from stacked wedges, on one core", f"{1e6 * made[0] / MANY:,.0f} microseconds a world", ""),
        ]
        if not label:
            full = static_evaluation_time(period, wedges)
            floor = (os.cpu_count() or 1) / (done.steps.mean() * full)
            rows += [
                ("one evaluation of a static world, in a chunk", f"{1e6 * full:,.0f} microseconds", ""),
                ("floor: evaluations only", f"{floor:,.0f} per second", f"{MANY / taken[0] / floor:.0%} reached"),
            ]
    one = random_policies(economy, 1)
    taken = median(lambda: period.solve(one, tolerance=TOLERANCE, seen=few))
    rows.append(("static worlds, one at a time", f"{1 / taken[0]:,.0f} per second", spread(*taken)))
    return rows


def static_evaluation_time(period: StaticPeriod, wedges: Wedges) -> float:
    """Seconds for one evaluation of a static world's map, in a full chunk on one thread."""
    shape = period.structure
    walls = jax.tree.map(lambda leaf: leaf[:CHUNK], period.barriers(wedges))
    used, start = used_in(shape, walls), np.tile(period.anchors[0].state, (CHUNK, 1))

    def ready(*given):
        evaluate = maps(shape, used, NO_SWEEPS, *given)
        return lambda points: evaluate(points)[0]

    with jax.enable_x64(True), single_threaded_algebra():
        given = jax.tree.map(jnp.asarray, (start, walls, period.share(walls), period.shared))
        return repeated(ready, *given) / CHUNK


def coupled(economy: Economy) -> list[Row]:
    """A whole world, reference path to policy, with everything compiled."""
    shape = economy.structure
    worlds = []
    for closed in (0.0, 0.9):
        wedges = Wedges.none(shape.vocabulary, economy.periods)
        k, i, j = (shape.vocabulary.products.index("accelerators_frontier"), shape.region("USA"), shape.region("CHN"))
        wedges.coverage[1:, k, i, j] = closed
        worlds.append(wedges)
    solved = solve_world(economy, worlds)
    taken = median(lambda: solve_world(economy, worlds), 3)
    return [
        ("coupled worlds, reference and a ban of 90%, warm", f"{taken[0]:.2f} s", spread(*taken)),
        ("rounds; verdicts", "; ".join([str(max(w.rounds for w in solved)), *(w.status.name for w in solved)]), ""),
    ]


def command() -> list[Row]:
    """Starting the command and the package; the cold run compiles everything."""

    def call(*arguments: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT)

    rows: list[Row] = []
    for label, run in (
        ("python -c pass", call("-c", "pass")),
        ("import backfill", call("-c", "import backfill")),
        ("backfill --help", call("-m", "backfill.cli", "--help")),
        ("backfill validate", call("-m", "backfill.cli", "validate", "experiments/current-policy.toml")),
    ):
        taken = median(run, 3)
        rows.append((label, f"{taken[0]:.2f} s", spread(*taken)))
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": f"{folder}/compiled"}
        for label in ("backfill run no-controls, nothing compiled", "the same again"):
            begin = time.perf_counter()
            arguments = ["run", "experiments/no-controls.toml", "--out", f"{folder}/{label}", "--quiet"]
            line = [sys.executable, "-m", "backfill.cli", *arguments]
            subprocess.run(line, check=True, capture_output=True, cwd=ROOT, env=environment)
            rows.append((label, f"{time.perf_counter() - begin:.1f} s", ""))
    return rows


def measure(rows: list[Row]) -> str:
    """How long this machine takes for what any machine can be measured by."""
    return next(value for name, value, _ in rows if name.startswith("31 regions x 40 products, a plain implementation"))


def table(rows: list[Row]) -> str:
    head = [("measure", "value", "spread or ratio"), ("---", "---", "---")]
    return "\n".join(f"| {' | '.join(row)} |" for row in [*head, *rows])


def main() -> None:
    """Measure, print, write."""
    load = f"{os.getloadavg()[0]:.1f} before the start" if hasattr(os, "getloadavg") else "unknown"
    economy = calibrate(load_tables(), load_vocabulary())
    begin = time.perf_counter()
    calibrate(load_tables(), load_vocabulary())
    calibrated = time.perf_counter() - begin
    shape = economy.structure
    size = f"{len(shape.regions)} regions, {len(shape.products)} traded products, {len(shape.leaves)} ways to acquire compute"
    size += f", {len(shape.nodes)} planned capacities, {len(economy.periods)} periods"
    rows = [("load of the machine by others", load, ""), ("calibration of the benchmark, warm", f"{calibrated:.1f} s", "")]
    worlds = (lambda: coupled(economy), lambda: markets(economy), lambda: static(economy))
    for part in (command, *worlds, engine, gravity, lambda: sweeps(theirs=theirs()[0])):
        for row in part():
            rows.append(row)
            print(" | ".join(row), flush=True)
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, JAX {jax.__version__} on CPU"
    text = f"""# Benchmarks

Written by `make bench` on {date.today()}. Machine: {machine}. Model: {size}. Medians after a warm-up; rates are markets (one
world in one period) solved to {TOLERANCE:g} from the reference under a drawn policy: a duty on one country's imports, two closed
flows, partial coverage of accelerators.

A machine is measured by the plain implementation of 31 regions and 40 products below: {measure(rows)} here. The times
aimed at were set where it takes 5 to 6 ms; elsewhere they scale with it.

{table(rows)}
"""
    (ROOT / "docs" / "benchmarks.md").write_text(text)
    print(f"written to docs/benchmarks.md after {time.perf_counter() - START:.0f} s")


if __name__ == "__main__":
    main()
