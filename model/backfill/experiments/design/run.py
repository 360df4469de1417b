"""A best package from an experiment to its result."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike

import numpy as np

from backfill.errors import CommandError, Faults, MissingKeyError, UnsolvedError
from backfill.experiments.config import Experiment, load_experiment
from backfill.experiments.design import tables
from backfill.experiments.design.levers import Levers
from backfill.experiments.design.result import DesignResult
from backfill.experiments.design.sentences import objective_of, sentences, unranged
from backfill.experiments.design.solve import Outcome, solve
from backfill.experiments.design.worlds import Found, Worlds
from backfill.experiments.provenance import provenance
from backfill.experiments.ranges import METHOD, Variant, bounds, variants
from backfill.experiments.setting import Progress, Setting
from backfill.experiments.worlds import fingerprint
from backfill.governments.package import Package
from backfill.policy.policy import Policy
from backfill.policy.superseding import among_themselves
from backfill.threads import single_threaded_algebra


def design(
    experiment: Experiment | str | PathLike[str], *, ranges: bool = False, progress: Progress | None = None
) -> DesignResult:
    """Find the best package of an experiment with a ``[design]``, its certificate and its frontier.

    Args:
        experiment: an experiment, or the file or name of one.
        ranges: solve the best package, and those along the frontier, at both ends of every parameter's range too, which
            calibrates the benchmark sixteen times more; packages stay as they are.
        progress: called with a message and the share done.

    Raises:
        Faults: faults in files, all at once; an experiment without a design.
        UnsolvedError: there is no world to start from.
    """
    chosen = load_experiment(experiment) if isinstance(experiment, str | PathLike) else experiment
    if chosen.design is None:
        raise Faults(
            [MissingKeyError(chosen.name, "design", None, "is missing; add a [design] table (see docs/design.md)")]
        )
    if ranges and chosen.own is not None:
        raise CommandError(
            "backfill design", "--ranges", None, "come from the benchmark's priors; leave it out with own tables"
        )
    beside = chosen.file.parent if chosen.file else None
    base = load_experiment(chosen.reference, beside=beside, compared_with=chosen, inert_allowed=True)
    if chosen.as_of is not None:
        base = base.known_on(chosen.as_of)
    begun = time.perf_counter()
    setting = Setting.of(chosen, progress)
    levers = Levers(chosen.design, chosen.policy)
    worlds = Worlds(setting, levers, base.policy, progress)
    outcome = solve(worlds)
    spread, varied = _ranges(chosen, base.policy, outcome, progress) if ranges else (None, None)
    return _result(chosen, base.name, outcome, spread, varied, time.perf_counter() - begun)


def _result(
    chosen: Experiment,
    reference: str,
    outcome: Outcome,
    spread: tables.Ranges | None,
    varied: dict[str, object] | None,
    seconds: float,
) -> DesignResult:
    worlds = outcome.problem.worlds
    packages = {tables.WRITTEN: outcome.start, tables.BEST: outcome.optimum}
    found = {
        "design": tables.design_rows(worlds, packages),
        "effects": tables.effect_rows(worlds, packages, spread),
        "limits": tables.limit_rows(outcome),
        "marginals": tables.marginal_rows(outcome),
        "frontier": tables.frontier_rows(outcome, spread),
        "certificates": tables.certificate_rows(outcome),
        "samples": tables.sample_rows(outcome),
    }
    resolved = best_experiment(chosen, outcome).resolved_toml()
    record = provenance(
        experiment=chosen.name,
        resolved=chosen.resolved_toml(),
        reference=reference,
        parameters=worlds.setting.grades,
        seconds=seconds,
    )
    assert chosen.design is not None
    record |= {"design": chosen.design.model_dump(by_alias=True, exclude_none=True)}
    record |= {"worlds_solved": worlds.solved, "derivatives": worlds.steps}
    if varied is not None:
        record |= {"ranges": varied}
    return DesignResult(
        name=chosen.name,
        title=chosen.title,
        objective=objective_of(outcome),
        tables=found,
        summary=tables.summary(outcome, found, spread),
        sentences=(*sentences(outcome, spread, reference), *unranged(chosen, spread, varied)),
        checks=_checks(outcome),
        provenance=record,
        resolved=resolved,
    )


def best_experiment(chosen: Experiment, outcome: Outcome) -> Experiment:
    """The experiment with the best package and without a design; measures of levers that change nothing are left out."""
    worlds = outcome.problem.worlds
    policy = worlds.levers.policy_at(outcome.optimum.package)

    def without(*names: str) -> Policy:
        return Policy(among_themselves([one for one in policy.placed if one.measure.name not in names]))

    with single_threaded_algebra():
        whole = fingerprint(worlds.setting.compiled(policy))
        moved = dict.fromkeys(name for lever in worlds.levers.table.levers for name in lever.measure)
        idle = [name for name in moved if fingerprint(worlds.setting.compiled(without(name))) == whole]
    kept = without(*idle)
    title = f"{chosen.title or chosen.name}: the best package"
    return replace(chosen, name=f"{chosen.name}-best", title=title, policy=kept, design=None)


def _checks(outcome: Outcome) -> dict[str, float]:
    """Residuals and counts; ``converged`` is 1 if the optimality conditions hold and every limit is kept."""
    worlds = outcome.problem.worlds
    slopes = worlds.slopes(worlds.inside(outcome.best.point))
    over = outcome.problem.scaled(outcome.optimum.values)[1:]
    return {
        "converged": float(outcome.best.feasible and outcome.best.verdict.name == "OPTIMAL"),
        "optimality": outcome.best.residual,
        "limits_passed": float(np.maximum(over, 0.0).max(initial=0.0)),
        "derivative_residual": slopes.left,
        "limits_undecided": float(slopes.degenerate),
        "coupling_optimality": max(
            one.residual for one in (outcome.optimum, *(found for _, _, found in outcome.frontier))
        ),
        "worlds": float(worlds.solved),
        "derivatives": float(worlds.steps),
        "frontier_optimal": _share(outcome),
    }


def _share(outcome: Outcome) -> float:
    """Share of the frontier's points at which the optimality conditions hold."""
    if not outcome.frontier:
        return float("nan")
    return float(np.mean([one.verdict.name == "OPTIMAL" for _, one, _ in outcome.frontier]))


def _ranges(
    chosen: Experiment, reference: Policy, outcome: Outcome, progress: Progress | None
) -> tuple[tables.Ranges | None, dict[str, object]]:
    """Effects of the best package, and of those along the frontier, as one parameter at a time takes the ends of its range."""
    from backfill.economy.priors import load_priors

    every = variants(load_priors(), chosen.parameters)
    points = [outcome.optimum, *(one for _, _, one in outcome.frontier)]
    found: dict[Variant, list[Told]] = {}
    for n, variant in enumerate(every):
        if progress:
            progress(f"{variant.parameter} {variant.end}", n / len(every))
        values = _varied(chosen, reference, [one.package for one in points], outcome.problem.worlds.levers, variant)
        if values is not None:
            found[variant] = values
    unsolved = [f"{v.parameter} {v.end}" for v in every if v not in found]
    record = {"method": METHOD, "parameters": sorted({v.parameter for v in every}), "unsolved": unsolved}
    if unsolved:
        return None, record
    central = [_told(outcome.problem.worlds, point) for point in points]
    best = {
        key: bounds(value, {v: rows[0][0][key] for v, rows in found.items()}) for key, value in central[0][0].items()
    }
    along = [
        [bounds(value, {v: rows[n][1][m] for v, rows in found.items()}) for m, value in enumerate(values)]
        for n, (_, values) in enumerate(central)
        if n
    ]
    return tables.Ranges(best, along), record


Told = tuple[dict[tuple[str, str, str], float], list[float]]
"""Effects that are reported, by quantity, where and period; objective and limits."""


def _varied(
    chosen: Experiment, reference: Policy, packages: Sequence[Package], levers: Levers, variant: Variant
) -> list[Told] | None:
    parameters = {**chosen.parameters, variant.parameter: variant.value}
    try:
        worlds = Worlds(Setting.of(replace(chosen, parameters=parameters)), levers, reference)
    except UnsolvedError:
        return None
    found = worlds.found(packages, keep=False)
    return None if any(one is None for one in found) else [_told(worlds, one) for one in found if one is not None]


def _told(worlds: Worlds, found: Found) -> Told:
    effects = {key: one.value(found.worlds, worlds.reference) for key, one in tables.effects(worlds)}
    return effects, found.values.tolist()
