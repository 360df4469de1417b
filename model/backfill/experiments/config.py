"""Experiments: settings, parameters and a policy, read from TOML and checked as a whole."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from backfill.dimensions import Period, Vocabulary, periods
from backfill.economy.adjusted import ACTS, adjusted
from backfill.economy.mapping import apply_mapping
from backfill.economy.schema import DataError
from backfill.economy.tables import BaselineTables, load_tables, load_vocabulary
from backfill.errors import (
    Faults,
    MissingFileError,
    OtherRegionsError,
    SelfReferenceError,
    TableError,
    UserError,
)
from backfill.experiments.align.checks import game_of
from backfill.experiments.align.file import GameTable
from backfill.experiments.design.checks import design_of, threats, unfit_levers
from backfill.experiments.design.file import DesignTable
from backfill.experiments.file import NO_CONTROLS, ExperimentFile, Horizon, horizon, parse
from backfill.experiments.parameters import against_priors, without_priors
from backfill.experiments.structure import THETA, StructureTable
from backfill.experiments.sweep.checks import sweep_of, unfit_sweep
from backfill.experiments.sweep.file import SweepTable
from backfill.experiments.toml_text import to_toml
from backfill.hats.own import CLOSURES, OwnTables, read_own
from backfill.policy.benchmark import benchmark_flows
from backfill.policy.board import FlowExists
from backfill.policy.compile import check_policy
from backfill.policy.facts import Facts
from backfill.policy.inert import Inert, idle_measures, inert_measures
from backfill.policy.known import known_on
from backfill.policy.library import CHAINED, PolicyFile, called, find, missing, read, with_included
from backfill.policy.policy import Placed, Policy, duplicates
from backfill.policy.superseding import misplaced
from backfill.policy.technology import benchmark_facts

_NONE_ENDED = ("supersedes", ())
"""Left out of files."""


@dataclass(frozen=True)
class Experiment:
    """An experiment, checked and with everything included.

    Attributes:
        name: what results are called.
        policy: measures, included ones first.
        title, purpose: for people.
        horizon: reported periods.
        mapping: file that splits or merges regions, or None.
        own: a user's own economy instead of the benchmark, or None.
        parameters: priors set to another value, by name.
        foresight: ``"perfect"``, ``"myopic"`` or ``"fixed"``.
        structure: other switches of structure.
        reference: name or file of what it is compared with; a file where it was found beside the experiment.
        includes: names of the policies it builds on, directly or through others.
        ranges: whether headline numbers get their ranges.
        file: where it was read, or None.
        as_of: day on which what is in it was known; None for everything as it came about.
        withdrawn: measures withdrawn before they began, which do not count.
        left_out: labels of the measures that do not count because they were not known on that day.
        game: who may align with it, and what others threaten and offer, or None.
        design: levers, objective and limits of the best package looked for, or None.
        sweep: levers and parameters that it is solved at many values of, or None.
    """

    name: str
    policy: Policy = Policy()
    title: str = ""
    purpose: str = ""
    horizon: Horizon = Horizon()
    mapping: Path | None = None
    own: OwnTables | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    foresight: Literal["perfect", "myopic", "fixed"] = "perfect"
    structure: StructureTable = field(default_factory=StructureTable)
    reference: str = NO_CONTROLS
    includes: tuple[str, ...] = ()
    ranges: bool = False
    file: Path | None = None
    as_of: dt.date | None = None
    withdrawn: tuple[Placed, ...] = ()
    left_out: tuple[str, ...] = ()
    game: GameTable | None = None
    design: DesignTable | None = None
    sweep: SweepTable | None = None

    def known_on(self, day: dt.date) -> Experiment:
        """The experiment as far as it was known on a day (see `backfill.policy.known`)."""
        if day == self.as_of:
            return self
        policy, out = known_on(Policy((*self.policy.placed, *self.withdrawn)), day)
        title = f"{self.title or self.name}, as known on {day.isoformat()}"
        left_out = (*self.left_out, *(placed.label for placed in out))
        return replace(self, policy=policy, title=title, as_of=day, withdrawn=(), left_out=left_out)

    @property
    def periods(self) -> tuple[Period, ...]:
        """Reported periods."""
        return periods(self.horizon.first_year, self.horizon.last_year, self.horizon.per_year)

    def tables(self) -> BaselineTables:
        """The benchmark over the experiment's regions, with its parameters.

        Raises:
            DataError: a table, or the mapping, is missing or faulty.
        """
        tables = load_tables() if self.mapping is None else apply_mapping(load_tables(), self.mapping)
        return self.structure.tables(adjusted(tables, self.parameters))

    def vocabulary(self) -> Vocabulary:
        """Names a policy may use here.

        Raises:
            DataError: a table, or the mapping, is missing or faulty.
        """
        if self.own is not None:
            return self.own.vocabulary()
        return load_vocabulary() if self.mapping is None else self.tables().vocabulary()

    def flow_exists(self) -> FlowExists:
        """Whether a flow (product, origin, destination) is above zero in the base year.

        Raises:
            DataError: a table, or the mapping, is missing or faulty.
        """
        if self.own is not None:
            return self.own.flow_exists()
        return benchmark_flows(None if self.mapping is None else self.tables())

    def facts(self) -> Facts | None:
        """What measures ask of the benchmark; None of a user's own economy.

        Raises:
            DataError: a table, or the mapping, is missing or faulty.
        """
        if self.own is not None:
            return None
        if self.mapping is None and self.structure.central and not set(self.parameters) & set(ACTS):
            return benchmark_facts()
        theta = THETA.get(self.structure.quality, self.parameters.get("quality_theta"))
        return benchmark_facts(self.tables(), theta)

    def inert(self) -> tuple[Inert, ...]:
        """Measures, included ones too, that change nothing here, and why."""
        return inert_measures(
            self.policy, self.vocabulary(), self.periods, flow_exists=self.flow_exists(), facts=self.facts()
        )

    def resolved_toml(self) -> str:
        """The experiment as a file that needs no other: everything included, every default filled."""
        measures = [
            {"kind": m.kind} | {
                key: value
                for key, value in m.model_dump(by_alias=True).items()
                if value not in (None, "") and (key, value) != _NONE_ENDED
            }
            for m in (*self.policy.measures, *(placed.measure for placed in self.withdrawn))
        ]
        return to_toml(
            {
                "name": self.name,
                "title": self.title,
                "purpose": self.purpose,
                "reference": self.reference,
                "foresight": self.foresight,
                "as_of": self.as_of,
                "left_out": self.left_out or None,
                "horizon": self.horizon.model_dump(by_alias=True),
                "run": {"ranges": self.ranges},
                "regions": {"mapping": str(self.mapping)} if self.mapping else None,
                "economy": {"tables": str(self.own.folder), "closure": self.own.closure} if self.own else None,
                "structure": None if self.structure.central else self.structure.model_dump(),
                "parameters": dict(self.parameters) or None,
                "game": self.game.model_dump(by_alias=True, exclude_none=True) if self.game else None,
                "design": self.design.model_dump(by_alias=True, exclude_none=True) if self.design else None,
                "sweep": self.sweep.model_dump(by_alias=True, exclude_none=True) if self.sweep else None,
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
            parts = (fault.partition(": ") for fault in error.faults)
            wrong += [TableError(called(Path(table)), "", None, rest) for table, _, rest in parts]
    own, unusable = _own(file, compared_with)
    wrong += unusable
    names = None if wrong or _unclear(file) else _names(tables, own)
    names_in = _names_in(mapping, own)
    files, astray = with_included(file)
    words = _without_regions() if mapping is not None and wrong and not file.raw.get("economy") else names
    settings, placed, found = parse(file, words, names_in=names_in)
    before: list[Placed] = []
    included: list[UserError] = []
    for other in (one for one in files if one is not file):
        _, more, faulty = parse(other, words, included_by=file, names_in=names_in)
        before, included = before + more, faulty + included
    policy = Policy((*before, *placed))
    as_of = _as_of(file)
    acting, withdrawn = known_on(policy, None)
    twins = duplicates(policy)
    # Without a measure or a file that is at fault itself, or beside a twin, others may seem to change nothing or nobody.
    whole = len(policy.placed) == sum(_measure_count(one) for one in files) and not astray and not twins
    unnamed = misplaced(policy) if whole else []
    wrong += [*included, *astray, *found, *twins, *unnamed, *_reference(file, policy)]
    wrong += without_priors(file) if own is not None or unusable else against_priors(file)
    grid = None if (span := horizon(file)) is None else periods(span.first_year, span.last_year, span.per_year)
    game: GameTable | None = None
    design, unfit = design_of(file, names, grid, tables, own, names_in)
    if design is not None and names is not None and grid is not None and settings is not None and not wrong:
        unfit += unfit_levers(
            design, acting, file.label, names, grid, tables, own, settings.foresight, sound=not unfit
        )
    wrong += unfit
    sweep, unfit = sweep_of(file, grid, own is not None)
    wrong += unfit
    if sweep is not None and names is not None and grid is not None and settings is not None and not wrong:
        wrong += unfit_sweep(sweep, acting, file.label, names, grid, tables, own)
    checked = not inert_allowed and as_of is None
    if grid is not None and (checked or file.raw.get("game") is not None):
        exists = benchmark_flows(tables) if own is None else own.flow_exists()
        facts = None if own is not None else benchmark_facts(tables)
        game, unfit = game_of(file, acting, names, grid, exists, facts, names_in, sound=not wrong)
        wrong += unfit
        if names is not None and checked:
            moved = {name for lever in sweep.levers for name in lever.measure} if sweep else set()
            moved |= threats(design, acting) if design else set()
            wrong += _inert(acting, names, grid, exists, whole and not unnamed, facts, moved)
    if settings is None or wrong:
        raise Faults(wrong)
    experiment = _experiment(file, files, settings, acting, mapping, own)
    experiment = replace(experiment, withdrawn=withdrawn, game=game, design=design, sweep=sweep)
    return experiment if as_of is None else replace(experiment.known_on(as_of), title=settings.title)


def _as_of(file: PolicyFile) -> dt.date | None:
    given = file.raw.get("as_of")
    return given if type(given) is dt.date else None


def _unclear(file: PolicyFile) -> bool:
    """Whether a file asks for an economy in a way that cannot be read, so that its names are nobody's yet."""
    table = file.raw.get("economy", {})
    return not isinstance(table, Mapping) or (not isinstance(table.get("tables"), str) and bool(set(table) - {"closure"}))


def _names(tables: BaselineTables | None, own: OwnTables | None) -> Vocabulary:
    if own is not None:
        return own.vocabulary()
    return load_vocabulary() if tables is None else tables.vocabulary()


def _without_regions() -> Vocabulary:
    """Names where the mapping is at fault: products are the benchmark's over any regions."""
    return replace(load_vocabulary(), regions=(), bloc={}, hubs=())


def _names_in(mapping: Path | None, own: OwnTables | None) -> str:
    """Where all names are listed."""
    if own is not None:
        return f"names are those of {called(own.folder)}"
    return f"`backfill data names{f' --mapping {called(mapping)}' if mapping else ''}` lists all"


def _own(file: PolicyFile, compared_with: Experiment | None) -> tuple[OwnTables | None, list[UserError]]:
    """The economy of a user's own that an experiment is about, and what is wrong with it."""
    table = file.raw.get("economy")
    given = table if isinstance(table, Mapping) else {}
    named, closure = given.get("tables"), given.get("closure")
    if not isinstance(named, str):
        return None if compared_with is None else compared_with.own, []
    if closure not in CLOSURES:  # reported by its type; the names are those of the tables under any
        closure = CLOSURES[0]
    place = (file.path.parent / named).resolve()
    if isinstance(file.raw.get("regions"), Mapping) and file.raw["regions"].get("mapping") is not None:
        return None, [
            OtherRegionsError(file.label, "regions.mapping", None, "maps the benchmark's regions; leave it out")
        ]
    if compared_with is not None:
        if compared_with.own is None or (compared_with.own.folder, compared_with.own.closure) != (place, closure):
            remedy = f"is another economy than that of {compared_with.name}; use the same in both"
            return None, [OtherRegionsError(file.label, "economy.tables", named, remedy)]
        return compared_with.own, []
    if not place.is_dir():
        return None, [MissingFileError(file.label, "economy.tables", named, "no such folder beside the experiment")]
    try:
        return read_own(place, closure), []
    except UserError as error:
        return None, [error]


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
    return len(measures) if isinstance(measures := file.raw.get("measures"), list) else 0


def _inert(
    policy: Policy, names: Vocabulary, grid: tuple[Period, ...], exists: FlowExists, whole: bool, facts: Facts | None,
    moved: Collection[str] = (),
) -> tuple[UserError, ...]:  # fmt: skip
    """Measures that change nothing: beside each other if the policy is whole, else each for itself.

    Those that a sweep moves, or that an ally would meet only if it did not align, may change nothing where the file leaves them.
    """
    if moved:
        policy = Policy(tuple(_included(one) if one.measure.name in moved else one for one in policy.placed))
    try:
        if not whole:
            return tuple(one.error() for one in idle_measures(policy, names, grid, flow_exists=exists, facts=facts))
        check_policy(policy, names, grid, flow_exists=exists, facts=facts)
    except UserError as error:
        return error.faults if isinstance(error, Faults) else (error,)
    return ()


def _included(placed: Placed) -> Placed:
    """A measure as if it were included, of which nobody asks whether it changes anything."""
    return replace(placed, measure=placed.measure.model_copy(update={"included_from": "sweep"}))


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


def _experiment(
    file: PolicyFile, files: tuple[PolicyFile, ...], settings: ExperimentFile, policy: Policy, mapping: Path | None,
    own: OwnTables | None,
) -> Experiment:  # fmt: skip
    reference = settings.reference
    found, elsewhere = find(reference, file.path.parent), find(reference)
    if found is not None and (elsewhere is None or found.resolve() != elsewhere.resolve()):
        reference = str(found.resolve())
    includes = [
        *(other.name for other in files if other is not file),
        *(name for m in policy.measures if m.included_from for name in m.included_from.split(CHAINED)),
    ]
    return Experiment(
        name=settings.name or file.path.stem,
        policy=policy,
        title=settings.title,
        purpose=settings.purpose,
        horizon=settings.horizon,
        mapping=mapping,
        own=own,
        parameters=settings.parameters,
        foresight=settings.foresight,
        structure=settings.structure,
        reference=reference,
        includes=tuple(dict.fromkeys(includes)),
        ranges=settings.run.ranges,
        left_out=settings.left_out,
        file=file.path,
    )
