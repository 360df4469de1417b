"""What an experiment file may say, read and checked for itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from backfill.dimensions import Vocabulary
from backfill.errors import IncludedSettingsError, UserError, WrongTypeError
from backfill.experiments.structure import StructureTable
from backfill.policy.faults import faults, unknown_keys
from backfill.policy.library import PolicyFile
from backfill.policy.policy import Placed, parse_measures

NO_CONTROLS = "no-controls"
FIRST_YEAR, LAST_YEAR = 2022, 2030

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False)


def _benchmark_year(year: int) -> int:
    if year != FIRST_YEAR:
        remedy = f"must be {FIRST_YEAR}, the year of the benchmark, from which the model starts"
        raise PydanticCustomError("out_of_range", "year", {"key": "", "remedy": remedy})
    return year


class Horizon(BaseModel):
    """Reported periods: years, or half-years."""

    model_config = _STRICT

    first_year: Annotated[int, Field(alias="first"), AfterValidator(_benchmark_year)] = FIRST_YEAR
    last_year: Annotated[int, Field(alias="last", ge=FIRST_YEAR, le=LAST_YEAR)] = LAST_YEAR
    per_year: Annotated[Literal[1, 2], Field(alias="periods_per_year")] = 1


class Run(BaseModel):
    """How an experiment is run."""

    model_config = _STRICT

    ranges: bool = Field(default=False, description="give headline numbers their ranges; takes some dozen solves")


class Regions(BaseModel):
    """A user's own regions."""

    model_config = _STRICT

    mapping: str | None = Field(default=None, description="file that splits or merges regions, beside the experiment")


class OwnEconomy(BaseModel):
    """A user's own economy."""

    model_config = _STRICT

    tables: str | None = Field(default=None, description="folder of tables, beside the experiment")
    closure: Literal["fixed", "balanced"] = Field(default="fixed", description="what happens to deficits")


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
    status: Literal["in force", "ended", "suspended", "withdrawn", "enacted", "reported", "proposed"] | None = Field(
        None,
        description="of a rule: what became of it; what is enacted and not yet in force, reported and not published, or proposed "
        "is no part of current policy",
    )
    include: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field((), description="policies it builds on")
    reference: str = Field(NO_CONTROLS, description="what it is compared with")
    foresight: Literal["perfect", "myopic", "fixed"] = Field("perfect", description="what builders of capacity expect")
    horizon: Horizon = Horizon()
    regions: Regions = Regions()
    economy: OwnEconomy = OwnEconomy()
    run: Run = Run()
    as_of: dt.date | None = Field(None, description="day on which what it builds on was known; everything if left out")
    left_out: tuple[str, ...] = Field(
        (), strict=False, description="what was not known or withdrawn by then; written by the program in resolved.toml"
    )
    structure: StructureTable = StructureTable()
    parameters: dict[str, float] = Field({}, description="priors set to another value")
    game: Any = Field(None, description="who may align, and what others threaten and offer; see `backfill align`")
    design: Any = Field(None, description="the best package to look for; see `backfill design`")
    sweep: Any = Field(None, description="what to solve it at; see `backfill sweep`")
    measures: list[Any] = Field([], description="the policy")


_TABLES: dict[str, type[BaseModel]] = {
    "horizon": Horizon,
    "regions": Regions,
    "economy": OwnEconomy,
    "run": Run,
    "structure": StructureTable,
}


def parse(
    file: PolicyFile, vocabulary: Vocabulary | None, included_by: PolicyFile | None = None, names_in: str = ""
) -> tuple[ExperimentFile | None, list[Placed], list[UserError]]:
    """Settings and measures of one file, and what is wrong with it.

    Args:
        file: the file as read.
        vocabulary: names that exist; None leaves names unchecked.
        included_by: the file that includes it.
        names_in: where all names are listed, for remedies.
    """
    known = list(ExperimentFile.model_fields)
    wrong: list[UserError] = unknown_keys(file.raw, known, file.label)
    for table, model in _TABLES.items():
        if isinstance(file.raw.get(table), Mapping):
            wrong += unknown_keys(file.raw[table], _keys(model), file.label, table)
    settings: ExperimentFile | None = None
    try:
        settings = ExperimentFile.model_validate(_without_unknown(file.raw, known))
    except ValidationError as error:
        wrong += faults(error, file.label, keys=known)
    if included_by is not None:
        wrong += [
            IncludedSettingsError(
                file.label,
                table,
                None,
                f"is not taken over by {included_by.label}, which includes this file; move it there",
            )
            for table in ("parameters", "structure", "regions", "economy", "as_of", "game", "design", "sweep")
            if file.raw.get(table)
        ]
    raw = file.raw.get("measures")
    if isinstance(raw, Mapping):
        wrong = [one for one in wrong if one.key != "measures"]
        wrong.append(WrongTypeError(file.label, "measures", None, "must be a list of tables; write [[measures]] above each"))
    placed, found = parse_measures(
        raw if isinstance(raw, list) else [],
        file.label,
        vocabulary,
        file.chain,
        names_in,
    )
    return settings, placed, wrong + found


def _without_unknown(raw: Mapping[str, Any], known: list[str]) -> dict[str, Any]:
    """The keys pydantic is to check: unknown ones are reported apart, with what may have been meant."""
    kept = {key: value for key, value in raw.items() if key in known}
    for table, model in _TABLES.items():
        if isinstance(kept.get(table), Mapping):
            kept[table] = {key: value for key, value in kept[table].items() if key in _keys(model)}
    return kept


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def horizon(file: PolicyFile) -> Horizon | None:
    """The horizon a file asks for, whatever else it says; None if that is at fault."""
    table = file.raw.get("horizon", {})
    try:
        return Horizon.model_validate(table)
    except ValidationError:
        return None
