"""One experiment from file to effects: compile, solve all worlds in one batch, measure."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING

import polars as pl

from backfill.dimensions import Period, Vocabulary
from backfill.errors import UnsolvedError
from backfill.experiments.assemble import Pair, comparisons, effect_tables, joint_checks
from backfill.experiments.provenance import provenance
from backfill.experiments.results import EffectTables, Result, Status
from backfill.experiments.summary import summary
from backfill.experiments.worlds import Batch, batch, routes_under_control, without_upstream

if TYPE_CHECKING:
    from backfill.economy.economy import Economy
    from backfill.experiments.config import Experiment
    from backfill.policy.wedges import Wedges
    from backfill.world import World

CURRENT_POLICY = "current-policy"
"""The shipped experiment that stands as a second reference beside whatever builds on it."""

Progress = Callable[[str, float], None]


def run(
    experiment: Experiment | str | PathLike[str],
    *,
    reference: Experiment | str | PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Result:
    """Solve an experiment and its references together and measure what the policy changes.

    Args:
        experiment: an experiment, or the file or name of one.
        reference: what to compare with; None takes the experiment's own, ``no-controls`` unless it names another.
        progress: called with a message and the share done.

    Returns:
        the result; if a world could not be solved, one whose status says so and whose tables are empty.

    Raises:
        Faults: faults in files, all at once, measures that cannot act included.
    """
    from backfill.experiments.config import load_experiment
    from backfill.policy.benchmark import benchmark_flows
    from backfill.policy.compile import compile_policy

    chosen = load_experiment(experiment) if isinstance(experiment, str | PathLike) else experiment
    named = chosen.reference if reference is None else reference
    beside = chosen.file.parent if chosen.file and reference is None else None
    base = load_experiment(named, beside=beside, inert_allowed=True) if isinstance(named, str | PathLike) else named
    builds_on_current = CURRENT_POLICY in chosen.includes and CURRENT_POLICY not in (chosen.name, base.name)
    current = load_experiment(CURRENT_POLICY, inert_allowed=True) if builds_on_current else None
    economy, vocabulary = _economy(chosen, progress)
    exists = benchmark_flows() if chosen.mapping is None else None

    def compiled(one: Experiment) -> Wedges:
        return compile_policy(
            one.policy, vocabulary, economy.periods, flow_exists=exists, inert_allowed=one is not chosen
        )

    scenario, against = chosen.name, _other_name(base.name, chosen.name)
    policy = compiled(chosen)
    references = {against: compiled(base)} | ({current.name: compiled(current)} if current else {})
    before = included_only(chosen)
    past = compiled(before) if before else references[against]
    needed = worlds_needed(
        scenario, policy, references, vocabulary, past if _unaware(chosen, economy.periods) else None
    )

    begun = time.perf_counter()
    solved = _solved(needed, economy, chosen, progress)
    seconds = time.perf_counter() - begun
    return result_of(
        {name: solved[at] for name, at in needed.position.items() if name not in needed.histories},
        scenario=scenario,
        references=references,
        policy=policy,
        vocabulary=vocabulary,
        resolved=chosen.resolved_toml(),
        parameters=economy.grades,
        seconds=seconds,
    )


def _solved(needed: Batch, economy: Economy, experiment: Experiment, progress: Progress | None) -> dict[int, World]:
    """Worlds by place: first those in which nothing is announced on the way, then those that depart from one of them."""
    from backfill.world import solve_world

    unaware = _unaware(experiment, economy.periods)
    solved: dict[int, World] = {}
    for history, places in needed.groups():
        start = None if history is None else (solved[history], unaware)
        worlds = solve_world(
            economy,
            [needed.wedges[at] for at in places],
            foresight=experiment.foresight,
            history=start,
            progress=progress,
        )
        solved |= dict(zip(places, worlds, strict=True))
    return solved


def included_only(experiment: Experiment) -> Experiment | None:
    """The experiment as its authors found the world: included measures without its own; None if it includes none."""
    from backfill.policy.policy import Policy

    included = [m for m in experiment.policy.measures if m.included_from]
    return dataclasses.replace(experiment, policy=Policy.of(included)) if included else None


def _unaware(experiment: Experiment, periods: Sequence[Period]) -> int:
    """Periods that end before any of the experiment's own measures is announced: until then suppliers do not plan for them."""
    own = [m.announced or m.begin for m in experiment.policy.measures if not m.included_from]
    first = min((date or periods[0].start for date in own), default=periods[0].start)
    return sum(period.end <= first for period in periods)


def _economy(experiment: Experiment, progress: Progress | None) -> tuple[Economy, Vocabulary]:
    """The shipped benchmark over the experiment's regions and horizon, with its parameters."""
    from backfill.economy.mapping import apply_mapping
    from backfill.economy.tables import load_tables
    from backfill.reference import economy

    tables = load_tables() if experiment.mapping is None else apply_mapping(load_tables(), experiment.mapping)
    vocabulary, horizon = tables.vocabulary(), experiment.horizon
    try:
        calibrated = economy(
            tables,
            vocabulary,
            first_year=horizon.first_year,
            last_year=horizon.last_year,
            per_year=horizon.per_year,
            overrides=experiment.parameters,
            progress=progress,
        )
    except ValueError as error:
        raise UnsolvedError(f"the benchmark cannot be calibrated for this experiment: {error}") from error
    return calibrated, vocabulary


def _other_name(reference: str, scenario: str) -> str:
    """The reference's label, told apart from the policy's where an experiment is its own reference."""
    return f"{reference} (reference)" if reference == scenario else reference


def downstream_name(reference: str) -> str:
    """Name of the world with the policy but the reference's upstream measures."""
    return f"with the upstream measures of {reference}"


def worlds_needed(
    scenario: str, policy: Wedges, references: Mapping[str, Wedges], vocabulary: Vocabulary, past: Wedges | None = None
) -> Batch:
    """References, the policy, and for each reference the policy without its upstream measures; what acts alike once.

    Args:
        scenario: name of the policy.
        policy: its wedges.
        references: wedges of what it is compared with, by name.
        vocabulary: blocs and product groups.
        past: wedges of what suppliers believed before the policy was announced, None if that is before the first period.
            The policy without its upstream measures departs from the same past without them.
    """
    downstream = {
        downstream_name(name): without_upstream(policy, other, vocabulary) for name, other in references.items()
    }
    if past is None:
        return batch({**references, scenario: policy, **downstream})
    histories = {scenario: past} | {
        downstream_name(name): without_upstream(past, other, vocabulary) for name, other in references.items()
    }
    return batch({**references, scenario: policy, **downstream}, histories)


def result_of(
    worlds: Mapping[str, World],
    *,
    scenario: str,
    references: Mapping[str, Wedges],
    policy: Wedges,
    vocabulary: Vocabulary,
    resolved: str,
    parameters: Mapping[str, tuple[float, str, str]],
    seconds: float | None = None,
) -> Result:
    """The result of solved worlds (see `worlds_needed`); the first reference is the main one, a second stands beside it."""
    names = list(references)
    second = names[1] if len(names) > 1 else None
    failed = [(name, world) for name, world in worlds.items() if world.status.name != "SOLVED"]
    facts = {name: {"rounds": world.rounds, "verdict": world.message} for name, world in worlds.items()}
    record = provenance(
        experiment=scenario, resolved=resolved, reference=names[0], parameters=parameters, worlds=facts, seconds=seconds
    )
    if failed:
        return Result(
            scenario,
            names[0],
            second,
            EffectTables.empty(),
            pl.DataFrame(),
            Status.FAILED,
            _failure(failed),
            joint_checks(list(worlds.values()), []),
            record,
            resolved,
        )
    pairs = [
        Pair(name, downstream_name(name), routes_under_control(vocabulary, policy, other))
        for name, other in references.items()
    ]
    measured = comparisons(worlds, scenario, pairs, vocabulary)
    tables = effect_tables(measured, vocabulary)
    labels = [period.label for period in measured[0].periods]
    return Result(
        name=scenario,
        reference=names[0],
        also_against=second,
        tables=tables,
        summary=summary(tables, scenario, names[0], second, labels),
        status=Status.SOLVED,
        message=Status.SOLVED.value,
        checks=joint_checks(list(worlds.values()), measured),
        provenance=record,
        resolved=resolved,
    )


def _failure(failed: Sequence[tuple[str, World]]) -> str:
    return " ".join(f"{name}: {world.message}" for name, world in failed)
