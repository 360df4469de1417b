"""Experiment files: settings, parameters and a policy, read from TOML and checked as a whole."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from backfill.dimensions import Period, Vocabulary, periods
from backfill.economy.mapping import apply_mapping
from backfill.economy.schema import DataError
from backfill.economy.tables import BaselineTables, load_tables, load_vocabulary
from backfill.errors import (
    Faults,
    IncludedSettingsError,
    MissingFileError,
    OutOfRangeError,
    TableError,
    TomlSyntaxError,
    UnknownParameterError,
    UnreadableFileError,
    UserError,
    WrongTypeError,
    did_you_mean,
)
from backfill.experiments.toml_text import to_toml
from backfill.policy.benchmark import benchmark_flows, priors
from backfill.policy.compile import Inert, compile_policy, inert_measures
from backfill.policy.faults import faults, path, unknown_keys
from backfill.policy.library import PolicyFile, called, find, missing, read, with_included
from backfill.policy.policy import Placed, Policy, duplicates, parse_measures

NO_CONTROLS = "no-controls"
FIRST_YEAR, LAST_YEAR = 2022, 2030

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False)


class Horizon(BaseModel):
    """Reported periods: years, or half-years."""

    model_config = _STRICT

    first_year: Annotated[int, Field(alias="first", ge=FIRST_YEAR, le=LAST_YEAR)] = FIRST_YEAR
    last_year: Annotated[int, Field(alias="last", ge=FIRST_YEAR, le=LAST_YEAR)] = LAST_YEAR
    per_year: Annotated[Literal[1, 2], Field(alias="periods_per_year")] = 1


class Regions(BaseModel):
    """A user's own regions."""

    model_config = _STRICT

    mapping: str | None = Field(default=None, description="file that splits or merges regions, beside the experiment")


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def _plain(name: str) -> str:
    if not name or name.startswith(".") or any(c in name for c in '/\\:*?"<>|') or not name.isprintable():
        raise PydanticCustomError(
            "bad_name", "name", {"key": "", "remedy": "is used for a folder; use letters, digits, - and _"}
        )
    return name


class ExperimentFile(BaseModel):
    """What an experiment file may say."""

    model_config = _STRICT

    name: Annotated[str, AfterValidator(_plain)] | None = Field(None, description="the file's name if left out")
    title: str = Field("", description="one line for people")
    purpose: str = Field("", description="a paragraph: what it asks and what would answer it")
    include: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field((), description="policies it builds on")
    reference: str = Field(NO_CONTROLS, description="what it is compared with")
    foresight: Literal["perfect", "myopic", "fixed"] = Field("perfect", description="what builders of capacity expect")
    horizon: Horizon = Horizon()
    regions: Regions = Regions()
    parameters: dict[str, float] = Field({}, description="priors set to another value")
    measures: list[Any] = Field([], description="the policy")


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
                "regions": {"mapping": str(self.mapping)} if self.mapping else None,
                "parameters": dict(self.parameters) or None,
                "measures": measures or None,
            }
        )


def load_experiment(
    file_or_name: str | os.PathLike[str],
    *,
    beside: Path | None = None,
    vocabulary: Vocabulary | None = None,
    inert_allowed: bool = False,
) -> Experiment:
    """Read an experiment by file or name, with the policies it includes, and check all of it.

    Args:
        file_or_name: a path; or a name, looked for beside, among shipped experiments, then by the ``name`` key.
        beside: folder to look in first; the working directory if None.
        vocabulary: regions and products; those of the shipped benchmark, or of the file's own mapping, if None.
        inert_allowed: let measures change nothing, as where a sweep or a game sets their level.

    Raises:
        Faults: everything wrong with the file and those it includes.
    """
    place = find(file_or_name, beside)
    if place is None:
        raise Faults([MissingFileError(os.fspath(file_or_name), "", None, missing(file_or_name, beside))])
    try:
        file = read(place, called(place))
    except UserError as error:
        raise Faults([error]) from None
    mapped, unmapped = _mapped_tables(file)
    names = vocabulary or (load_vocabulary() if mapped is None else mapped.vocabulary())
    checked = None if unmapped else names
    settings, placed, wrong = _parse(file, checked, included_by=None)
    wrong = unmapped + wrong
    files: tuple[PolicyFile, ...] = (file,)
    try:
        files = with_included(file)
    except Faults as error:
        wrong = [*error.faults, *wrong]
    before: list[Placed] = []
    for other in files:
        if other is not file:
            _, more, found = _parse(other, checked, included_by=file)
            before, wrong = before + more, found + wrong
    policy = Policy((*before, *placed))
    twins = duplicates(policy)
    wrong += twins
    wrong += _against_priors(file)
    if settings is not None:
        experiment, found = _experiment(file, files, settings, policy)
        wrong += found
        # Without a measure or a file that is at fault itself, or beside a twin, others may seem to change nothing.
        whole = len(policy.placed) == sum(_measure_count(one) for one in files) and not _lacks_included(wrong)
        if whole and not twins and not unmapped and not inert_allowed:
            try:
                compile_policy(policy, names, experiment.periods, flow_exists=benchmark_flows(mapped))
            except Faults as error:
                wrong += error.faults
        if not wrong:
            return experiment
    raise Faults(wrong)


def _mapping(file: PolicyFile) -> Path | None:
    """The mapping file an experiment names, if it exists."""
    regions = file.raw.get("regions")
    named = regions.get("mapping") if isinstance(regions, Mapping) else None
    place = (file.path.parent / named).resolve() if isinstance(named, str) and named else None
    return place if place is not None and place.is_file() else None


def _mapped_tables(file: PolicyFile) -> tuple[BaselineTables | None, list[UserError]]:
    """The benchmark over the file's own regions, None if it has none; and what is wrong with its mapping."""
    place = _mapping(file)
    if place is None:
        return None, []
    try:
        return apply_mapping(load_tables(), place), []
    except DataError as error:
        told = [fault.partition(": ") for fault in error.faults]
        return None, [TableError(table, "", None, rest) for table, _, rest in told]


def _measure_count(file: PolicyFile) -> int:
    measures = file.raw.get("measures")
    return len(measures) if isinstance(measures, list) else 0


def _lacks_included(wrong: list[UserError]) -> bool:
    return any(
        fault.key.startswith("include[") or isinstance(fault, TomlSyntaxError | UnreadableFileError) for fault in wrong
    )


def _parse(
    file: PolicyFile, vocabulary: Vocabulary | None, included_by: PolicyFile | None
) -> tuple[ExperimentFile | None, list[Placed], list[UserError]]:
    """Settings and measures of one file, and what is wrong with it."""
    known = list(ExperimentFile.model_fields)
    wrong: list[UserError] = unknown_keys(file.raw, known, file.label)
    for table, model in (("horizon", Horizon), ("regions", Regions)):
        if isinstance(file.raw.get(table), Mapping):
            keys = [field.alias or name for name, field in model.model_fields.items()]
            wrong += unknown_keys(file.raw[table], keys, file.label, table)
    settings: ExperimentFile | None = None
    try:
        settings = ExperimentFile.model_validate(_without_unknown(file.raw, known))
    except ValidationError as error:
        wrong += faults(error, file.label, keys=known)
    wrong += _horizon_order(file)
    if included_by is not None:
        wrong += [
            IncludedSettingsError(
                file.label,
                table,
                None,
                f"is not taken over by {included_by.label}, which includes this file; move it there",
            )
            for table in ("parameters", "regions")
            if file.raw.get(table)
        ]
    raw = file.raw.get("measures")
    if isinstance(raw, Mapping):
        wrong = [one for one in wrong if one.key != "measures"]
        wrong.append(WrongTypeError(file.label, "measures", None, "is a list of tables; write [[measures]] above each"))
    placed, found = parse_measures(
        raw if isinstance(raw, list) else [], file.label, vocabulary, file.name if included_by is not None else ""
    )
    return settings, placed, wrong + found


def _without_unknown(raw: Mapping[str, Any], known: list[str]) -> dict[str, Any]:
    """The keys pydantic is to check: unknown ones are reported apart, with what may have been meant."""
    kept = {key: value for key, value in raw.items() if key in known}
    for table, model in (("horizon", Horizon), ("regions", Regions)):
        if isinstance(kept.get(table), Mapping):
            keys = [field.alias or name for name, field in model.model_fields.items()]
            kept[table] = {key: value for key, value in kept[table].items() if key in keys}
    return kept


def _horizon_order(file: PolicyFile) -> list[UserError]:
    table = file.raw.get("horizon")
    if not isinstance(table, Mapping):
        return []
    first, last = table.get("first", FIRST_YEAR), table.get("last", LAST_YEAR)
    if type(first) is not int or type(last) is not int or last >= first:
        return []
    key = "last" if "last" in table else "first"
    remedy = f"is the first year ({first}) or later" if key == "last" else f"is the last year ({last}) or earlier"
    return [OutOfRangeError(file.label, path("horizon", key), table[key], remedy)]


def _against_priors(file: PolicyFile) -> list[UserError]:
    """Parameters without a prior or outside its range; what is not a finite number is reported by its type."""
    parameters = file.raw.get("parameters")
    if not isinstance(parameters, Mapping) or not parameters:
        return []
    wrong: list[UserError] = []
    known = priors()
    for name, value in parameters.items():
        key = path("parameters", name)
        if name not in known:
            wrong.append(UnknownParameterError(file.label, key, value, did_you_mean(name, known)))
            continue
        low, high = known[name]
        number = type(value) in (int, float) and math.isfinite(value)
        if number and low < high and not low <= value <= high:
            remedy = f"is outside its prior's range, {low:g} to {high:g}"
            wrong.append(OutOfRangeError(file.label, key, value, remedy))
    return wrong


def _experiment(
    file: PolicyFile, files: tuple[PolicyFile, ...], settings: ExperimentFile, policy: Policy
) -> tuple[Experiment, list[UserError]]:
    wrong: list[UserError] = []
    folder = file.path.parent
    reference = settings.reference
    found = find(reference, folder)
    if found is None:
        wrong.append(MissingFileError(file.label, "reference", reference, missing(reference, folder)))
    elif (elsewhere := find(reference)) is None or found.resolve() != elsewhere.resolve():
        reference = str(found.resolve())
    mapping = None if settings.regions.mapping is None else (folder / settings.regions.mapping).resolve()
    if mapping is not None and not mapping.is_file():
        wrong.append(
            MissingFileError(
                file.label, "regions.mapping", settings.regions.mapping, "no such file beside the experiment"
            )
        )
    experiment = Experiment(
        name=settings.name or file.path.stem,
        policy=policy,
        title=settings.title,
        purpose=settings.purpose,
        horizon=settings.horizon,
        mapping=mapping,
        parameters=settings.parameters,
        foresight=settings.foresight,
        reference=reference,
        includes=tuple(
            dict.fromkeys(
                [
                    *(other.name for other in files if other is not file),
                    *(m.included_from for m in policy.measures if m.included_from),
                ]
            )
        ),
        file=file.path,
    )
    return experiment, wrong
