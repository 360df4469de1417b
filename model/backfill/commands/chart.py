"""``backfill chart``: one chart of a result, a comparison, a game or a design, as a file."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from pathlib import Path

import polars as pl

from backfill.commands.found import RESULTS, result_folder, solved_result
from backfill.errors import CommandError, MissingFileError, OutputError, did_you_mean

PROGRAM = "backfill chart"


def chart_of(named: str, name: str | None, out: Path | None, options: Mapping[str, str | None]) -> str:
    """Draw a chart into a file, or name the charts there are.

    Args:
        named: a folder, or the name of an experiment whose result lies under ``results``.
        name: of the chart; None to list them.
        out: the file, whose ending says the format; ``NAME.png`` in the working directory if None.
        options: of the chart, None where left out.

    Returns:
        what to print.

    Raises:
        UserError: no such folder or chart, nothing to draw, or a file that cannot be written.
    """
    folder, thing = loaded(named)
    from backfill.charts import draw, names, save
    from backfill.charts.catalogue import charts_of
    from backfill.charts.export import FORMATS

    known = charts_of(thing)
    if name is None:
        there = names(thing)
        wide = max(map(len, there), default=0) + 2
        told = {one: str(known[one].__doc__).split("\n")[0].rstrip(".") for one in there}
        return "\n".join([f"charts of {folder}", *(f"  {one.ljust(wide)}{words}" for one, words in told.items())])
    if name not in known:
        raise CommandError(PROGRAM, "", name, f"is no chart of it; {did_you_mean(name, list(known))}")
    given = {key: value for key, value in options.items() if value is not None}
    for key, value in given.items():
        if key not in signature(known[name]).parameters:
            raise CommandError(PROGRAM, f"--{key}", value, f"is nothing that {name} draws; leave it out")
    target = out or Path(f"{name}.png")
    if target.suffix.lower().removeprefix(".") not in FORMATS:
        raise OutputError(str(target), "", None, f"ends in none of {', '.join(f'.{one}' for one in FORMATS)}")
    if not target.parent.is_dir():
        raise OutputError(
            str(target), "", None, f"cannot be written (no folder {target.parent}); name a file in one there is"
        )
    try:
        drawn = draw(thing, name, **given)
    except ValueError as error:
        raise CommandError(PROGRAM, str(folder), name, f"cannot be drawn ({error})") from None
    try:
        save(drawn, target)
    except OSError as error:
        raise OutputError(
            str(target), "", None, f"cannot be written ({error.strerror}); name another file with --out"
        ) from None
    return f"wrote {target}"


def loaded(named: str) -> tuple[Path, object]:
    """What a folder holds: a result, a comparison, a game or a design.

    Raises:
        MissingFileError: none of them.
        OutputError: it cannot be read, or is of an experiment that could not be solved.
    """
    from backfill.experiments.align.result import is_game, load_game
    from backfill.experiments.beside import is_comparison, load_comparison
    from backfill.experiments.design.result import is_design, load_design

    kinds = ((is_game, load_game), (is_design, load_design), (is_comparison, load_comparison))
    for folder in (Path(named), RESULTS / named):
        for is_one, load in kinds if named and folder.is_dir() else ():
            if is_one(folder):
                try:
                    return folder, load(folder)
                except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
                    why = " ".join(str(error).split())
                    remedy = (
                        f"cannot be read (lacks {why}); run it again"
                        if isinstance(error, KeyError)
                        else f"cannot be read ({why}); run it again"
                    )
                    raise OutputError(str(folder), "", None, remedy) from None
    try:
        folder = result_folder(named)
    except MissingFileError as error:
        if named and Path(named).is_dir():
            remedy = (
                "holds nothing that is drawn; name a folder of `backfill run`, `compare --out`, `align` or `design`"
            )
            raise MissingFileError(named, "", None, remedy) from None
        raise error from None
    return folder, solved_result(folder)
