"""The hindcast from rules to table: the surface of moments, the fit, what it predicts, and what the figures pin down."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from backfill.errors import UnsolvedError
from backfill.experiments.hindcast import observed as seen
from backfill.experiments.hindcast.identify import identify
from backfill.experiments.hindcast.naive import constant_share, last_value
from backfill.experiments.hindcast.posterior import Refined, refine
from backfill.experiments.hindcast.result import HindcastResult
from backfill.experiments.hindcast.sentences import sentences, told_of
from backfill.experiments.hindcast.surface import FARTHEST, Surface, surface
from backfill.experiments.hindcast.table import scores, table
from backfill.experiments.hindcast.worlds import FIRST_YEAR, Hindcast, Seen
from backfill.experiments.provenance import provenance
from backfill.kept import kept, source

Progress = Callable[[str, float], None]

MODEL_ERROR = 0.1
"""Standard error of the logarithm of what the model says at the right parameters (assumed): it leaves things out."""

FITS = "fits"
DRAWS, SEED = 4000, 20221007
VERIFIED = 6
"""Parameters drawn from the posterior at which worlds are solved, to see what the surface is worth."""


@dataclass(frozen=True)
class Fitted:
    """What solving worlds gave.

    Attributes:
        surface: moments as a function of the parameters that can be solved at both ends, at central values.
        centre: the world at central values.
        refined: the fit, with the surface through the world solved at it.
        off: by how much the surface misses worlds solved at parameters drawn from the posterior, ``[draw, figure]``.
        seconds: taken.
    """

    surface: Surface
    centre: Seen
    refined: Refined
    off: np.ndarray
    seconds: float


def hindcast(progress: Progress | None = None) -> HindcastResult:
    """Solve the rules of 2022 to 2025 at many parameters, fit those that figures of the time inform, and judge by the others.

    Raises:
        UnsolvedError: the rules cannot be solved at central values.
    """
    given = Hindcast.shipped()
    fitted = _fitted(given, progress)
    return _judged(given.only(fitted.surface.names), fitted)


def identification(progress: Progress | None = None) -> HindcastResult:
    """Solve the same worlds and say which parameters their observed moments pin down.

    Raises:
        UnsolvedError: the rules cannot be solved at central values.
    """
    given = Hindcast.shipped()
    fitted = _fitted(given, progress)
    given = given.only(fitted.surface.names)
    chosen, y, s = _data(given)
    refined = fitted.refined
    found = identify(refined.surface.of(chosen), y, s, given.centre, refined.posterior.mode)
    tables = {
        "identified": found.parameters, "directions": found.directions, "weights": found.weights, "profiles": found.profiles,
    }  # fmt: skip
    return _written("identify", given, fitted, tables, told_of(found), {})


def _fitted(given: Hindcast, progress: Progress | None) -> Fitted:
    """Worlds solved, or what is kept of them."""
    tables = given.experiment.tables().digest()
    about = (given.experiment.resolved_toml(), tables, given.figures, given.names)
    return kept(lambda: _solve(given, progress), source(), "hindcast", about)


def _solve(given: Hindcast, progress: Progress | None) -> Fitted:
    begun = time.perf_counter()
    centre, whole = _explored(given, progress)
    given, whole = given.only(whole.solvable().names), whole.solvable()

    def solved(distance: np.ndarray) -> np.ndarray | None:
        found = given.solved(given.values(distance))
        return None if found is None else given.logs(found)

    chosen, y, s = _data(given)
    refined = refine(whole, chosen, y, s, given.centre, solved)
    if progress:
        progress("worlds drawn", 0.95)
    drawn = refined.posterior.draws(VERIFIED, SEED + 2)
    worlds = [(d, found) for d in drawn if (found := solved(np.clip(d, -FARTHEST, FARTHEST))) is not None]
    off = np.array([refined.surface.at(d) - found for d, found in worlds]).reshape(len(worlds), len(given.told))
    return Fitted(whole, centre, refined, off, time.perf_counter() - begun)


def _explored(given: Hindcast, progress: Progress | None) -> tuple[Seen, Surface]:
    """The world at central values, and how moments move with every parameter.

    Raises:
        UnsolvedError: the rules cannot be solved at central values.
    """
    central: list[Seen] = []

    def solved(moved: dict[str, float]) -> np.ndarray | None:
        found = given.solved(given.values(given.distances(moved)))
        if found is not None and not moved:
            central.append(found)
        return None if found is None else given.logs(found)

    said = progress and (lambda share: progress("worlds", 0.9 * share))
    try:
        whole = surface(given.names, solved, said)
    except ValueError as error:
        raise UnsolvedError(f"the rules of {FIRST_YEAR} and after: {error}") from error
    return central[0], whole


def _data(given: Hindcast) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of the figures that set parameters, their logarithms and standard errors, the model's own among them."""
    chosen = given.of_use([FITS])
    figures = [given.figures[given.told[k]] for k in chosen]
    y = np.log([figure.value for figure in figures])
    return chosen, y, np.hypot([figure.error for figure in figures], MODEL_ERROR)


def _judged(given: Hindcast, fitted: Fitted) -> HindcastResult:
    refined, told = fitted.refined, given.told
    posterior = refined.posterior
    draws = refined.surface.at(posterior.draws(DRAWS, SEED))
    errors = np.hypot([given.figures[n].error for n in told], MODEL_ERROR)
    noise = np.random.default_rng(SEED + 1).normal(size=draws.shape) * errors
    benchmark = {s: fitted.centre.moments[s, FIRST_YEAR] for s in seen.UNITS if s != seen.PREMIUM}
    world = dict(fitted.centre.totals)
    billings = {f.year: f.value for f in given.figures if f.series == seen.WORLD_BILLINGS}
    for series in (seen.BILLINGS, seen.TOOLMAKERS):
        world[series] = billings
    found = table(
        given.figures,
        told,
        fitted.surface.level,
        refined.surface.at(posterior.mode),
        draws,
        noise,
        last_value(given.figures, benchmark),
        constant_share(given.figures, benchmark, world),
    )
    marks = scores(found)
    parameters = _parameters(given, fitted)
    learned = [(name, spread) for name, spread in parameters.select("parameter", "spread").iter_rows()]
    tables = {"hindcast": found, "parameters": parameters}
    return _written("hindcast", given, fitted, tables, sentences(found, marks, learned, fitted.surface.unsolved), marks)


def _written(
    kind: str,
    given: Hindcast,
    fitted: Fitted,
    tables: Mapping[str, pl.DataFrame],
    told: tuple[str, ...],
    marks: Mapping[str, float],
) -> HindcastResult:
    refined = fitted.refined
    checks = {
        **marks,
        **{f"world at central values: {name}": value for name, value in fitted.centre.checks.items()},
        "worlds solved": float(fitted.surface.solved + refined.worlds + len(fitted.off)),
        "ends of parameters not solved": float(len(fitted.surface.unsolved)),
        "last move of a score": refined.moved,
        "surface off at the fit, logarithm": float(np.abs(refined.surface.correction).max()),
        "surface off at draws, logarithm, mean": float(np.abs(fitted.off).mean()),
        "surface off at draws, logarithm, largest": float(np.abs(fitted.off).max()),
        "sum of squares, figures": refined.posterior.misfit,
        "sum of squares, scores": refined.posterior.penalty,
        "figures that set parameters": float(len(given.of_use([FITS]))),
    }
    resolved = given.experiment.resolved_toml()
    record = provenance(
        experiment=kind,
        resolved=resolved,
        reference="observations",
        parameters={prior.name: (prior.central, prior.grade, prior.source) for prior in given.priors},
        seconds=fitted.seconds,
    )
    record["ends_not_solved"] = list(fitted.surface.unsolved)
    return HindcastResult(kind, tables, told, checks, record, resolved)


def _parameters(given: Hindcast, fitted: Fitted) -> pl.DataFrame:
    """Each parameter before and after the fit, with 80% ranges."""
    from scipy.stats import norm

    posterior = fitted.refined.posterior
    wide = float(norm.ppf(0.9))
    rows = []
    for k, prior in enumerate(given.priors):
        score = float(given.centre[k] + posterior.mode[k])
        spread = float(posterior.spread[k])
        ends = (float(prior.quantile(norm.cdf(score + side * wide * spread))) for side in (-1, 1))
        fitted_value = float(prior.quantile(norm.cdf(score)))
        low, high = prior.eighty
        rows.append(
            (
                prior.name,
                prior.central,
                low,
                high,
                fitted_value,
                *ends,
                spread,
                float(posterior.mode[k]),
                prior.grade,
                prior.meaning,
            )
        )
    names = [
        "parameter",
        "central",
        "low",
        "high",
        "fitted",
        "fitted_low",
        "fitted_high",
        "spread",
        "moved",
        "grade",
        "meaning",
    ]
    return pl.DataFrame(rows, schema=names, orient="row").sort("spread")
