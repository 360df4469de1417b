"""A position as an experiment file that gives the same numbers in the command line."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backfill.errors import OutputError
from backfill.experiments.sweep.file import SweepTable
from backfill.experiments.toml_text import to_toml
from backfill.live.positions import Positions
from backfill.policy.library import find, read, shipped_folders
from backfill.policy.policy import Policy
from backfill.policy.superseding import among_themselves

if TYPE_CHECKING:
    from backfill.experiments.config import Experiment


def save(positions: Positions, values: tuple[float, ...], table: SweepTable, file: Path) -> Path:
    """Write a position as an experiment file.

    Of the coupled model the file is a plain experiment for ``backfill run``. Of the static one it also has a ``[sweep]`` of that
    one world, which ``backfill sweep`` solves.

    Args:
        positions: what may be moved.
        values: where it stands.
        table: the sweep as the panel solves it.
        file: where to; ``.toml`` is added.

    Raises:
        OutputError: there is such a file already, or it cannot be written.
    """
    place = file if file.suffix == ".toml" else file.with_name(f"{file.name}.toml")
    written = text(positions, values, table)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("x", encoding="utf-8") as out:
            out.write(written)
    except FileExistsError:
        raise OutputError(str(place), "", None, "is there already; choose another name") from None
    except OSError as error:
        raise OutputError(str(place), "", None, f"cannot be written ({error.strerror or error})") from None
    return place


def text(positions: Positions, values: tuple[float, ...], table: SweepTable) -> str:
    """The experiment at a position as TOML; measures that change nothing there are left out, as a file may not have them.

    Those that levers move stay beside a ``[sweep]``, where they may change nothing.
    """
    static = table.mode == "static"
    stay = {name for slide in positions.slides for name in slide.lever.measure} if static else set()
    moved = _acting(replace(positions.experiment, policy=positions.policy(values), sweep=None), stay)
    raw = _raw(positions, values)
    if raw is None:
        raw = {key: value for key, value in tomllib.loads(moved.resolved_toml()).items() if key != "name"}
    else:
        kept = {one.key for one in moved.policy.placed if one.file == _label(positions)}
        stays = [f"measures[{n + 1}]" in kept for n in range(len(raw["measures"]))]
        gone = {one.get("name") for one, left in zip(raw["measures"], stays, strict=True) if not left}
        raw["measures"] = [_without(one, gone) for one, left in zip(raw["measures"], stays, strict=True) if left]
    raw["purpose"] = _purpose(positions, values)
    if static:
        raw["sweep"] = _one_world(positions, values, table)
    return to_toml({key: value for key, value in raw.items() if value != []})


def _acting(experiment: Experiment, stay: Collection[str | None]) -> Experiment:
    """Without measures that change nothing, but for some that stay.

    One after the other goes: of two that do the same each seems to do nothing.
    """
    while still := [one for one in experiment.inert() if one.placed.measure.name not in stay]:
        gone = still[-1].placed
        rest = [one for one in experiment.policy.placed if one is not gone]
        experiment = replace(experiment, policy=Policy(among_themselves(rest)))
    return experiment


def _without(measure: dict[str, Any], gone: Collection[str | None]) -> dict[str, Any]:
    """The table of a measure that does not supersede those that are gone from the file."""
    ended = [name for name in measure.get("supersedes", ()) if name not in gone]
    return {key: value for key, value in {**measure, "supersedes": ended}.items() if (key, value) != ("supersedes", [])}


def _label(positions: Positions) -> str:
    """What the experiment's own measures call their file."""
    own = positions.experiment.policy.placed
    return own[-1].file if own else ""


def _raw(positions: Positions, values: tuple[float, ...]) -> dict[str, Any] | None:
    """The file itself with levers at their values; None if a lever is of a measure that it includes."""
    file = positions.experiment.file
    if file is None:
        return None
    raw = copy.deepcopy(dict(read(file).raw))
    own = {one.get("name") for one in raw.get("measures", [])}
    if any(name not in own for slide in positions.slides for name in slide.lever.measure):
        return None
    for slide, value in zip(positions.slides, values, strict=True):
        for measure in raw["measures"]:
            if measure.get("name") in slide.lever.measure:
                _set(measure, slide.lever.field, value)
    raw = {key: value for key, value in raw.items() if key not in ("name", "sweep")}
    beside = file.parent
    included = raw.get("include", [])
    if included:
        raw["include"] = [_reachable(one, beside) for one in ([included] if isinstance(included, str) else included)]
    if isinstance(raw.get("reference"), str):
        raw["reference"] = _reachable(raw["reference"], beside)
    for table, key in (("regions", "mapping"), ("economy", "tables")):
        if isinstance(raw.get(table), dict) and key in raw[table]:
            raw[table][key] = str((beside / raw[table][key]).absolute())
    order = [key for key in raw if key != "measures"]
    return {key: raw[key] for key in [*order, "measures"]}


def _set(measure: dict[str, Any], field: str, value: float) -> None:
    first, _, rest = field.partition(".")
    if rest:
        _set(measure.setdefault(first, {}), rest, value)
    else:
        measure[first] = float(value)


def _reachable(name: str, beside: Path) -> str:
    """The name of a shipped file; the whole path of any other."""
    place = find(name, beside)
    if place is None or place.parent in shipped_folders():
        return name
    return str(place.absolute())


def _purpose(positions: Positions, values: tuple[float, ...]) -> str:
    title = positions.experiment.title or positions.experiment.name
    stands = "; ".join(f"{slide.label}: {value:g}" for slide, value in zip(positions.slides, values, strict=True))
    return f"{title}, as the live panel stood. {stands}."


def _one_world(positions: Positions, values: tuple[float, ...], table: SweepTable) -> dict[str, Any]:
    """A sweep of the one world shown."""
    levers = [
        {"name": slide.label, "measure": list(slide.lever.measure), "field": slide.lever.field, "values": [float(value)]}
        for slide, value in zip(positions.slides, values, strict=True)
    ]
    sweep = {"mode": "static", "year": table.year, "levers": levers}
    return {key: value for key, value in sweep.items() if value is not None}
