"""Experiments: settings, parameters and a policy, read from TOML and checked as a whole."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from backfill.dimensions import Period, Vocabulary, periods
from backfill.economy.mapping import apply_mapping
from backfill.economy.schema import DataError
from backfill.economy.tables import BaselineTables, load_tables, load_vocabulary
from backfill.errors import (
    Faults,
    MissingFileError,
    OtherRegionsError,
    OutOfRangeError,
    SelfReferenceError,
    TableError,
    UnknownParameterError,
    UserError,
    did_you_mean,
)
from backfill.experiments.file import NO_CONTROLS, ExperimentFile, Horizon, horizon, parse
from backfill.experiments.toml_text import to_toml
from backfill.policy.benchmark import BUILT_IN, benchmark_flows, priors
from backfill.policy.compile import Inert, compile_policy, idle_measures, inert_measures
from backfill.policy.faults import path
from backfill.policy.library import PolicyFile, called, find, missing, read, with_included
from backfill.policy.policy import Placed, Policy, duplicates


@dataclass(frozen=True)
class Experiment:
    """An experiment, checked and with everything included.

    Attributes:
        name: what results are called.
        policy: measures, included ones first.
        title, purpose: for people.
        horizon: reported periods.
        mapping: file that splits or merges regions, or None.
        parameters: priors set to another value, by name.
        foresight: ``"perfect"``, ``"myopic"`` or ``"fixed"``.
        reference: name or file of what it is compared with; a file where it was found beside the experiment.
        includes: names of the policies it builds on, directly or through others.
        ranges: whether headline numbers get their ranges.
        file: where it was read, or None.
    """

    name: str
    policy: Policy = Policy()
    title: str = ""
    purpose: str = ""
    horizon: Horizon = Horizon()
    mapping: Path | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    foresight: Literal["perfect", "myopic", "fixed"] = "perfect"
    reference: str = NO_CONTROLS
    includes: tuple[str, ...] = ()
    ranges: bool = False
    file: Path | None = None

    @property
    def periods(self) -> tuple[Period, ...]:
        """Reported periods."""
        return periods(self.horizon.first_year, self.horizon.last_year, self.horizon.per_year)

    def tables(self) -> BaselineTables:
        """The benchmark over the experiment's regions.

        Raises:
            DataError: a table, or the mapping, is missing or faulty.
        """
        return load_tables() if self.mapping is None else apply_mapping(load_tables(), self.mapping)

    def vocabulary(self) -> Vocabulary:
        """Names a policy may use here.

        Raises:
            DataError: a table, or the mapping, is missing or faulty.
        """
        return load_vocabulary() if self.mapping is None else self.tables().vocabulary()

    def inert(self) -> tuple[Inert, ...]:
        """Measures, included ones too, that change nothing here, and why."""
        tables = self.tables()
        return inert_measures(self.policy, tables.vocabulary(), self.periods, flow_exists=benchmark_flows(tables))

    def resolved_toml(self) -> str:
        """The experiment as a file that needs no other: everything included, every default filled."""
        measures = [
            {"kind": m.kind} | {k: v for k, v in m.model_dump(by_alias=True).items() if v is not None and v != ""}
            for m in self.policy.measures
        ]
        return to_toml(
            {
                "name": self.name,
                "title": self.title,
                "purpose": self.purpose,
                "reference": self.reference,
                "foresight": self.foresight,
                "horizon": self.horizon.model_dump(by_alias=True),
                "run": {"ranges": self.ranges},
                "regions": {"mapping": str(self.mapping)} if self.mapping else None,
                "parameters": dict(self.parameters) or None,
                "measures": measures or None,
            }
        )


def load_experiment(
    file_or_name: str | os.PathLike[str],
    *,
    beside: Path | None = None,
    compared_with: Experiment | None = None,
    inert_allowed: bool = False,
) -> Experiment:
    """Read an experiment by file or name, with the policies it includes, and check all of it.

    Args:
        file_or_name: a path; or a name, looked for beside, among shipped experiments, then by the ``name`` key.
        beside: folder to look in first; the working directory if None.
        compared_with: the experiment to which this one is the reference, over whose regions it is read.
        inert_allowed: let measures change nothing, as where a sweep or a game sets their level.

    Raises:
        Faults: everything wrong with the file and those it includes.
    """
    place = find(file_or_name, beside)
    if place is None:
        label = os.fspath(file_or_name) or '""'
        raise Faults([MissingFileError(label, "", None, missing(file_or_name, beside))])
    try:
        file = read(place, called(place))
    except UserError as error:
        raise Faults([error]) from None
    mapping, wrong = _mapping(file, compared_with)
    tables = None
    if mapping is not None and not wrong:
        try:
            tables = apply_mapping(load_tables(), mapping)
        except DataError as error:
            wrong += [TableError(table, "", None, rest) for table, _, rest in (f.partition(": ") for f in error.faults)]
    names = None if wrong else load_vocabulary() if tables is None else tables.vocabulary()
    names_in = "`backfill data names` lists all" if mapping is None else (
        f"`backfill data names --mapping {called(mapping)}` lists all"
    )  # fmt: skip
    files, astray = with_included(file)
    settings, placed, found = parse(file, names, names_in=names_in)
    before: list[Placed] = []
    included: list[UserError] = []
    for other in files:
        if other is not file:
            _, more, faulty = parse(other, names, included_by=file, names_in=names_in)
            before, included = before + more, faulty + included
    policy = Policy((*before, *placed))
    twins = duplicates(policy)
    wrong += included + astray + found + twins + _reference(file, policy) + _against_priors(file)
    span = horizon(file)
    if names is not None and not inert_allowed and span is not None:
        # Without a measure or a file that is at fault itself, or beside a twin, others may seem to change nothing.
        whole = len(policy.placed) == sum(_measure_count(one) for one in files) and not astray and not twins
        wrong += _inert(policy, names, span, tables, whole)
    if settings is None or wrong:
        raise Faults(wrong)
    return _experiment(file, files, settings, policy, mapping)


def _mapping(file: PolicyFile, compared_with: Experiment | None) -> tuple[Path | None, list[UserError]]:
    """The mapping file to read an experiment with, and what is wrong with the choice of it."""
    regions = file.raw.get("regions")
    named = regions.get("mapping") if isinstance(regions, Mapping) else None
    if not isinstance(named, str):
        return None if compared_with is None else compared_with.mapping, []
    place = (file.path.parent / named).resolve()
    if compared_with is not None and place != compared_with.mapping:
        told = "the benchmark's own" if compared_with.mapping is None else f"those of {called(compared_with.mapping)}"
        remedy = f"are other regions than {told}, over which {compared_with.name} is; use the same in both"
        return place, [OtherRegionsError(file.label, "regions.mapping", named, remedy)]
    if not place.is_file():
        return place, [MissingFileError(file.label, "regions.mapping", named, "no such file beside the experiment")]
    return place, []


def _measure_count(file: PolicyFile) -> int:
    measures = file.raw.get("measures")
    return len(measures) if isinstance(measures, list) else 0


def _inert(
    policy: Policy, names: Vocabulary, span: Horizon, tables: BaselineTables | None, whole: bool
) -> tuple[UserError, ...]:
    """Measures that change nothing: beside each other if the policy is whole, else each for itself."""
    grid = periods(span.first_year, span.last_year, span.per_year)
    exists = benchmark_flows(tables)
    if not whole:
        return tuple(one.error() for one in idle_measures(policy, names, grid, flow_exists=exists))
    try:
        compile_policy(policy, names, grid, flow_exists=exists)
    except Faults as error:
        return error.faults
    return ()


def _reference(file: PolicyFile, policy: Policy) -> list[UserError]:
    """What is wrong with the reference a file names."""
    named = file.raw.get("reference", NO_CONTROLS)
    if not isinstance(named, str):
        return []
    found = find(named, file.path.parent)
    if found is None:
        return [MissingFileError(file.label, "reference", named, missing(named, file.path.parent))]
    if found.resolve() == file.path.resolve() and policy.placed:
        return [SelfReferenceError(file.label, "reference", named, SAME)]
    return []


SAME = "is the policy itself, so that every change would be zero; name another, such as no-controls"


def _against_priors(file: PolicyFile) -> list[UserError]:
    """Parameters without a prior or outside its range; what is not a finite number is reported by its type."""
    parameters = file.raw.get("parameters")
    if not isinstance(parameters, Mapping) or not parameters:
        return []
    wrong: list[UserError] = []
    known = {name: ends for name, ends in priors().items() if name not in BUILT_IN}
    for name, value in parameters.items():
        key = path("parameters", name)
        if name in BUILT_IN:
            remedy = "is built into the benchmark; change it in data/sources and build that anew"
            wrong.append(UnknownParameterError(file.label, key, value, remedy))
            continue
        if name not in known:
            remedy = did_you_mean(name, known, see="`backfill data names` lists all")
            wrong.append(UnknownParameterError(file.label, key, value, remedy))
            continue
        low, high = known[name]
        number = type(value) in (int, float) and math.isfinite(value)
        if number and low < high and not low <= value <= high:
            remedy = f"is outside its prior's range, {low:g} to {high:g}"
            wrong.append(OutOfRangeError(file.label, key, value, remedy))
    return wrong


def _experiment(
    file: PolicyFile, files: tuple[PolicyFile, ...], settings: ExperimentFile, policy: Policy, mapping: Path | None
) -> Experiment:
    reference = settings.reference
    found, elsewhere = find(reference, file.path.parent), find(reference)
    if found is not None and (elsewhere is None or found.resolve() != elsewhere.resolve()):
        reference = str(found.resolve())
    includes = [
        *(other.name for other in files if other is not file),
        *(m.included_from for m in policy.measures if m.included_from),
    ]
    return Experiment(
        name=settings.name or file.path.stem,
        policy=policy,
        title=settings.title,
        purpose=settings.purpose,
        horizon=settings.horizon,
        mapping=mapping,
        parameters=settings.parameters,
        foresight=settings.foresight,
        reference=reference,
        includes=tuple(dict.fromkeys(includes)),
        ranges=settings.run.ranges,
        file=file.path,
    )
