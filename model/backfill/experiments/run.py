"""One experiment from file to effects: compile, solve all worlds in one batch, measure."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING

import polars as pl

from backfill.dimensions import Vocabulary
from backfill.errors import CommandError, UnsolvedError
from backfill.experiments.assemble import Pair, comparisons, effect_tables, joint_checks
from backfill.experiments.behaviour import conditional, fixed_point, told
from backfill.experiments.groups import CURRENT_POLICY
from backfill.experiments.provenance import provenance
from backfill.experiments.ranges import Variant, ranged, variants
from backfill.experiments.results import EffectTables, Result, Status
from backfill.experiments.setting import Progress, Setting
from backfill.experiments.summary import summary
from backfill.experiments.vintages import Vintages, last
from backfill.experiments.worlds import Batch, batch, downstream, routes_under_control

if TYPE_CHECKING:
    from backfill.experiments.config import Experiment
    from backfill.policy.policy import Policy
    from backfill.policy.wedges import Wedges
    from backfill.world import World


def run(
    experiment: Experiment | str | PathLike[str],
    *,
    reference: Experiment | str | PathLike[str] | None = None,
    ranges: bool | None = None,
    as_of: dt.date | None = None,
    progress: Progress | None = None,
) -> Result:
    """Solve an experiment and its references together and measure what the policy changes.

    Args:
        experiment: an experiment, or the file or name of one.
        reference: what to compare with; None takes the experiment's own, ``no-controls`` unless it names another.
        ranges: give headline numbers their ranges (see `backfill.experiments.ranges`), which takes sixteen solves more;
            None does as the experiment says.
        as_of: take every policy as it was known on this day (see `backfill.policy.known`); None does as the experiment says.
        progress: called with a message and the share done.

    Returns:
        the result; if a world could not be solved, one whose status says so and whose tables are empty.

    Raises:
        Faults: faults in files, all at once, measures that cannot act included.
    """
    from backfill.experiments.config import load_experiment

    chosen = load_experiment(experiment) if isinstance(experiment, str | PathLike) else experiment
    named = chosen.reference if reference is None else reference
    beside = chosen.file.parent if chosen.file and reference is None else None
    if isinstance(named, str | PathLike):
        named = load_experiment(named, beside=beside, compared_with=chosen, inert_allowed=True)
    builds_on_current = CURRENT_POLICY in chosen.includes and CURRENT_POLICY not in (chosen.name, named.name)
    current = load_experiment(CURRENT_POLICY, compared_with=chosen, inert_allowed=True) if builds_on_current else None
    as_of = as_of or chosen.as_of
    if as_of is not None:
        chosen, named = chosen.known_on(as_of), named.known_on(as_of)
        current = current and current.known_on(as_of)
    if ranges is not None:
        chosen = replace(chosen, ranges=ranges)
    if chosen.ranges and chosen.own is not None:
        raise CommandError(
            "backfill run", "--ranges", None, "come from the benchmark's priors; leave it out with own tables"
        )
    result = _compared(chosen, named, current, progress)
    ranged_too = chosen.ranges and result.status is Status.SOLVED
    return _ranged(result, chosen, named, current, progress) if ranged_too else result


def _ranged(
    central: Result, chosen: Experiment, base: Experiment, current: Experiment | None, progress: Progress | None
) -> Result:
    """The result with ranges: the same comparison once more for both ends of each parameter that matters."""
    from backfill.economy.priors import load_priors

    varied = variants(load_priors(), chosen.parameters)

    def solve(variant: Variant) -> Result | None:
        def told(message: str, share: float) -> None:
            if progress:
                progress(f"{variant.parameter} {variant.end}: {message}", (varied.index(variant) + share) / len(varied))

        parameters = {**chosen.parameters, variant.parameter: variant.value}
        try:
            found = _compared(replace(chosen, parameters=parameters), base, current, told, keep=False)
        except UnsolvedError:
            return None
        return found if found.status is Status.SOLVED else None

    return ranged(central, varied, solve)


def _compared(
    chosen: Experiment, base: Experiment, current: Experiment | None, progress: Progress | None, *, keep: bool = True
) -> Result:
    """One experiment beside its references, whose worlds are kept where anything is, or not."""
    setting = Setting.of(chosen, progress)
    setting = setting if keep else replace(setting, identity=())
    vocabulary = setting.vocabulary
    setting.compiled(chosen.policy, strict=chosen.as_of is None)
    scenario, against = chosen.name, _other_name(base.name, chosen.name)
    references = {against: setting.vintages(base.policy)}
    if current:
        references[current.name] = setting.vintages(current.policy)
    common = shared_worlds(references, vocabulary)

    def with_reference(measures: Policy) -> tuple[World, World]:
        needed = batch({against: references[against], scenario: setting.vintages(measures)})
        worlds = setting.solved(needed, progress, common)
        return worlds[scenario], worlds[against]

    begun = time.perf_counter()
    if conditional(chosen.policy):
        chosen = replace(chosen, policy=fixed_point(chosen.policy, with_reference, vocabulary)[0])
    policy = setting.vintages(chosen.policy)
    worlds = setting.solved(worlds_needed(scenario, policy, references, vocabulary), progress, common)
    seconds = time.perf_counter() - begun
    result = result_of(
        worlds,
        scenario=scenario,
        references={name: last(known) for name, known in references.items()},
        policy=last(policy),
        vocabulary=vocabulary,
        resolved=chosen.resolved_toml(),
        parameters=setting.grades,
        seconds=seconds,
    )
    answers = told(chosen.policy)
    return replace(result, provenance={**result.provenance, "answers": answers}) if answers else result


def _other_name(reference: str, scenario: str) -> str:
    """The reference's label, told apart from the policy's where an experiment is its own reference."""
    return f"{reference} (reference)" if reference == scenario else reference


def downstream_name(reference: str) -> str:
    """Name of the world with the policy but the reference's upstream measures."""
    return f"with the upstream measures of {reference}"


def worlds_needed(scenario: str, policy: Vintages, references: Mapping[str, Vintages], vocabulary: Vocabulary) -> Batch:
    """References, the policy, and for each reference the policy without its upstream measures; what acts alike once.

    Args:
        scenario: name of the policy.
        policy: its wedges, whenever something became known.
        references: the same of what it is compared with, by name.
        vocabulary: blocs and product groups.
    """
    without = {downstream_name(name): downstream(policy, other, vocabulary) for name, other in references.items()}
    return batch({**references, scenario: policy, **without})


def shared_worlds(references: Mapping[str, Vintages], vocabulary: Vocabulary) -> Batch:
    """Worlds that do not depend on the policy: references, and the second as the first compares with it."""
    main, *further = references.items()
    without = {downstream_name(name): downstream(known, main[1], vocabulary) for name, known in further}
    return batch({**references, **without})


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
    pairs = [
        Pair(name, downstream_name(name), routes_under_control(vocabulary, policy, other))
        for name, other in references.items()
    ]
    measured = comparisons(worlds, scenario, pairs, vocabulary)
    checks = joint_checks(list(worlds.values()), measured)
    if failed:
        return Result(
            scenario,
            names[0],
            second,
            EffectTables.empty(),
            pl.DataFrame(),
            Status.FAILED,
            _failure(failed),
            checks,
            record,
            resolved,
        )
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
        checks=checks,
        provenance=record,
        resolved=resolved,
    )


def _failure(failed: Sequence[tuple[str, World]]) -> str:
    """What failed, each reason once."""
    by_message: dict[str, list[str]] = {}
    for name, world in failed:
        by_message.setdefault(world.message, []).append(name)
    return " ".join(f"{', '.join(names)}: {message}" for message, names in by_message.items())
