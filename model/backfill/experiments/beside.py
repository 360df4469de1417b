"""Several results side by side: their headline numbers in one table, if they are of one economy, horizon and reference."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import polars as pl

from backfill.errors import CommandError
from backfill.experiments.replace import check_replaceable, names_in, replace_folder
from backfill.experiments.results import REPORT, Result

KEYS = ("quantity", "where", "period", "unit")
OF_WORLD = {"level": "policy", "change": "change", "low": "low", "high": "high"}
"""Columns of each world in the table, ``NAME: change`` and so on, and whence they come in its summary."""

FILES = {"comparison.csv", "chart.html"}
_RECORD = "provenance.json"
SAME_LEVEL = 1e-6
"""Share of a level by which two solutions of one reference may differ."""

_SHOWN = 5


@dataclass(frozen=True)
class SideBySide:
    """Results beside each other.

    Attributes:
        reference: name of the reference they share.
        worlds: what the policies are called, in order.
        table: a row for each headline number (quantity, where, period, unit): its level in the reference, and for each world
            its level, its change from the reference and, where they were computed, low and high of the change. Empty where
            a number does not exist.
        provenance: reference, worlds, the dates on which they were solved, and under ``apart`` what else sets them apart
            besides their measures, a sentence each.
    """

    reference: str
    worlds: tuple[str, ...]
    table: pl.DataFrame
    provenance: Mapping[str, object] = field(default_factory=dict)

    def write(self, directory: str | os.PathLike[str]) -> Path:
        """Write table, provenance and a page of charts, whole or not at all, in the place of an earlier comparison.

        Raises:
            OutputError: the folder holds something else.
        """
        target = Path(directory).absolute()
        may_replace(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_folder(target, self._fill)
        return target

    def _fill(self, folder: Path) -> None:
        self.table.write_csv(folder / "comparison.csv")
        record = {"reference": self.reference, "worlds": self.worlds, **self.provenance}
        (folder / _RECORD).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        # The room above draws: named here, not imported, so that tables can be read without a chart library.
        (folder / "chart.html").write_text(import_module("backfill.charts.beside").page(self), encoding="utf-8")


def may_replace(directory: Path) -> None:
    """Check that a folder may be written: absent, empty, or an earlier comparison and nothing else.

    Raises:
        OutputError: a file, or a folder with something else in it.
    """
    check_replaceable(directory, "comparison", lambda folder: names_in(folder) >= FILES, {*FILES, _RECORD, *REPORT})


def load_comparison(directory: str | os.PathLike[str]) -> SideBySide:
    """Read a comparison that `SideBySide.write` wrote.

    Raises:
        FileNotFoundError: no comparison there, or one by a version that did not say what was compared.
    """
    folder = Path(directory)
    if not is_comparison(folder):
        raise FileNotFoundError(f"{folder} holds no comparison: there is no comparison.csv")
    table = pl.read_csv(folder / "comparison.csv", infer_schema=False)
    table = table.with_columns(pl.col(name).cast(pl.Float64) for name in table.columns if name not in KEYS)
    record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    return SideBySide(record.pop("reference"), tuple(record.pop("worlds")), table, record)


def is_comparison(directory: Path) -> bool:
    """Whether a folder holds a comparison."""
    return (directory / "comparison.csv").is_file()


def side_by_side(results: Mapping[str, Result]) -> SideBySide:
    """Results in one table.

    Args:
        results: at least two solved results, by what to call them.

    Raises:
        CommandError: they are of different economies, horizons or references.
    """
    apart = _differences(results)
    if apart:
        remedy = f"cannot stand side by side, as these differ: {'; '.join(apart)}; run them again with the same"
        raise CommandError("backfill compare", "", None, f"{', '.join(results)} {remedy}")
    names = tuple(results)
    table = pl.concat([one.summary.select(KEYS) for one in results.values()]).unique(maintain_order=True)
    levels = pl.concat([one.summary.select(*KEYS, "reference") for one in results.values()])
    levels = levels.group_by(KEYS).agg(pl.col("reference").drop_nulls().first())
    table = table.join(levels, on=KEYS, how="left", maintain_order="left")
    for name, one in results.items():
        ranged = one.summary["low"].is_not_null().any()
        taken = {column: source for column, source in OF_WORLD.items() if ranged or column in ("level", "change")}
        mine = one.summary.select(*KEYS, *(pl.col(source).alias(f"{name}: {c}") for c, source in taken.items()))
        table = table.join(mine, on=KEYS, how="left", maintain_order="left")
    about = {name: {key: one.provenance.get(key) for key in ("date", "packages")} for name, one in results.items()}
    return SideBySide(next(iter(results.values())).reference, names, table, {"of": about, "apart": _set_apart(results)})


def _differences(results: Mapping[str, Result]) -> list[str]:
    """Of economy, horizon and reference those in which results differ, each with who has which."""
    resolved = _resolved(results)
    about = {
        "economy": {name: _economy(resolved[name], one) for name, one in results.items()},
        "horizon": {name: _horizon(one) for name, one in resolved.items()},
        "reference": {name: one.reference for name, one in results.items()},
    }
    return _told(about) or _other_levels(results)


def _set_apart(results: Mapping[str, Result]) -> list[str]:
    """What results differ in besides their measures that does not keep them from standing side by side."""
    resolved = _resolved(results)
    versions = {name: one.provenance.get("packages") for name, one in results.items()}
    return _told(
        {
            "version": {name: str((of or {}).get("backfill")) for name, of in versions.items()},  # type: ignore[attr-defined]
            "foresight": {name: str(one.get("foresight", "perfect")) for name, one in resolved.items()},
            "known as of": {name: str(one.get("as_of", "the end")) for name, one in resolved.items()},
        }
    )


def _resolved(results: Mapping[str, Result]) -> dict[str, dict[str, object]]:
    return {name: tomllib.loads(one.resolved) for name, one in results.items()}


def _told(about: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Those in which results differ, each with who has which."""
    return [f"{what}: {_who(which)}" for what, which in about.items() if len(set(which.values())) > 1]


def _other_levels(results: Mapping[str, Result]) -> list[str]:
    """Where references of one name are different worlds, as when they changed between two runs."""
    (first, one), *others = results.items()
    before = one.summary.select(*KEYS, "reference")
    for name, other in others:
        both = before.join(other.summary.select(*KEYS, "reference"), on=KEYS, suffix="_other").drop_nulls()
        gap = (pl.col("reference") - pl.col("reference_other")).abs()
        wide = both.filter(gap > SAME_LEVEL * pl.max_horizontal(pl.col("reference", "reference_other").abs()))
        if not wide.is_empty():
            row = wide.row(0, named=True)
            return [
                f"reference: {one.reference} is another world in each, with {row['quantity']}, {row['where']}, "
                f"{row['period']} of {row['reference']:.6g} in {first} and {row['reference_other']:.6g} in {name}"
            ]
    return []


def _economy(resolved: Mapping[str, object], result: Result) -> str:
    """An economy in a few words that tell it from others."""
    own, regions = resolved.get("economy"), resolved.get("regions")
    if isinstance(own, Mapping):
        return f"tables in {own.get('tables')}, deficits {own.get('closure')}"
    told = f"benchmark {str(result.provenance.get('data_sha256'))[:8]}"
    if isinstance(regions, Mapping) and regions.get("mapping"):
        told += f" over the regions of {regions['mapping']}"
    switches = resolved.get("structure")
    if isinstance(switches, Mapping) and switches:
        told += " with " + ", ".join(f'structure.{name} = "{value}"' for name, value in sorted(switches.items()))
    set_ = resolved.get("parameters")
    if isinstance(set_, Mapping) and set_:
        told += " with " + ", ".join(f"{name} = {value:g}" for name, value in sorted(set_.items()))
    return told


def _horizon(resolved: Mapping[str, object]) -> str:
    span = resolved.get("horizon")
    given = span if isinstance(span, Mapping) else {}
    halves = " in half-years" if given.get("periods_per_year") == 2 else ""
    return f"{given.get('first')}-{given.get('last')}{halves}"


def _who(which: Mapping[str, str]) -> str:
    told = [
        f"{value} ({', '.join(name for name, other in which.items() if other == value)})"
        for value in dict.fromkeys(which.values())
    ]
    return ", ".join(told[:_SHOWN]) + (f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else "")
