"""gegravity beside the engine, for `make bench`: 30 countries, one agreement, the same figures in the same run."""

from __future__ import annotations

import contextlib
import functools
import io
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import gegravity
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.replications import gravity  # noqa: E402

NAMES = {
    "agreement": "pta",
    "contiguity": "contiguity",
    "common_language": "common_language",
    "log_distance": "lndist",
    "international": "international",
}


def model(sample: gravity.Sample) -> gegravity.OneSectorGE:
    """The sample in gegravity, its baseline built and the agreement defined."""
    table = pd.DataFrame(gravity.pairs().to_dict(as_series=False)).rename(columns=NAMES)
    table["trade"] = [sample.trade[i, j] for i in range(30) for j in range(30)]
    table["year"] = "2006"
    table["Y"] = table["exporter"].map(dict(zip(sample.names, sample.output, strict=True)))
    table["E"] = table["importer"].map(dict(zip(sample.names, sample.expenditure, strict=True)))
    baseline = gegravity.BaselineData(
        table,
        imp_var_name="importer",
        exp_var_name="exporter",
        year_var_name="year",
        trade_var_name="trade",
        expend_var_name="E",
        output_var_name="Y",
    )
    coefficients = pd.DataFrame(
        {"var": [NAMES[name] for name in gravity.COEFFICIENTS], "coeff": list(gravity.COEFFICIENTS.values())}
    )
    found = gegravity.OneSectorGE(
        baseline,
        year="2006",
        reference_importer=gravity.REFERENCE,
        sigma=gravity.SIGMA,
        cost_variables=list(NAMES.values()),
        cost_coeff_values=gegravity.CostCoeffs(estimates=coefficients, identifier_col="var", coeff_col="coeff"),
        quiet=True,
    )
    found.build_baseline(omr_rescale=10)
    after = found.baseline_data.copy()
    signs = after["importer"].isin(gravity.PARTIES) & after["exporter"].isin(gravity.PARTIES)
    after.loc[signs & (after["international"] == 1), "pta"] = 1
    found.define_experiment(after)
    return found


def simulated(sample: gravity.Sample) -> tuple[float, gegravity.OneSectorGE]:
    """Seconds that gegravity takes from a defined experiment to its results, and the model solved."""
    found = model(sample)
    begun = time.perf_counter()
    found.simulate()
    return time.perf_counter() - begun, found


def milliseconds(function: Callable[[], object], times: int = 15) -> float:
    """Median time of a call, after one that compiles."""
    function()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        function()
        taken.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(taken)


@functools.cache
def theirs() -> tuple[float, gegravity.OneSectorGE]:
    """Milliseconds that gegravity takes for one scenario, the median of three, and its model solved."""
    sample = gravity.Sample()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        runs = [simulated(sample) for _ in range(3)]
    return 1e3 * statistics.median(seconds for seconds, _ in runs), runs[0][1]


def rows() -> list[tuple[str, str, str]]:
    """Measure, value, and the ratio or the gap."""
    sample = gravity.Sample()
    taken, solved = theirs()
    factory = solved.country_results["factory gate price change (percent)"]
    once = sample.prices(sample.made, sample.spent).factory
    gap = np.abs(np.array([1 + factory[name] / 100 for name in sample.names]) - once).max()
    economy, costs = gravity.economy(sample), gravity.cheaper(sample)
    ours = milliseconds(lambda: economy.solve(trade_costs=costs).welfare)
    wages = dict(economy.solve(trade_costs=costs).real_wage.iter_rows())
    closed = sample.consistent()
    apart = np.abs([wages[name] for name in sample.names] - closed.factory / closed.consumer).max()
    return [
        (
            "gegravity, 30 countries, one agreement: simulate",
            f"{taken:.0f} ms",
            f"its prices and its equations: {gap:.0e} apart",
        ),
        (
            "the same, incomes following prices, table to welfare",
            f"{ours:.1f} ms",
            f"{taken / ours:.0f} x gegravity; {apart:.0e} from its equations closed",
        ),
    ]


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))
