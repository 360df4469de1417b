"""``backfill report``: results of earlier runs as a page that people open without help, and as PDF."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from backfill.commands.compare import compare
from backfill.commands.found import RESULTS, result_folder, solved_result
from backfill.errors import CommandError, Faults, MissingFileError, OutputError, UserError, did_you_mean
from backfill.experiments.align.result import is_game, load_game
from backfill.experiments.beside import is_comparison, load_comparison
from backfill.experiments.design.result import is_design, load_design
from backfill.experiments.results import EXPLANATION, is_result

PAGE = "report.html"


def report_results(named: Sequence[str], out: Path | None, pdf: bool, quiet: bool) -> None:
    """Write the report of a result, a comparison, a sweep, a game or a design, or of several results side by side.

    Args:
        named: one folder or more.
        out: the page to write; ``report.html`` in the folder if None, in the working directory for several.
        pdf: print it as PDF too, beside the page.
        quiet: say nothing.

    Raises:
        UserError: folders that hold nothing to report, all at once; a place that cannot be written; no browser to print with.
    """
    if not named:
        raise CommandError(
            "backfill report", "", None, "takes the folder of a result, a comparison, a sweep, a game or a design"
        )
    if pdf:
        from backfill.reports.pdf import check_browser

        check_browser()
    folders = _folders(named)
    target = out or (folders[0] / PAGE if len(folders) == 1 else Path(PAGE))
    _check_target(target)
    from backfill.commands.report import progress_bar

    with progress_bar(quiet) as progress:
        text = _page(folders, named, progress)
    _write(target, text)
    written = [target]
    if pdf:
        from backfill.reports.pdf import print_page

        written.append(target.with_suffix(".pdf"))
        print_page(target, written[-1])
    if not quiet:
        for one in written:
            print(f"wrote {one}")
        print(f"open {target} in a browser")


def _folders(named: Sequence[str]) -> list[Path]:
    found: list[Path] = []
    wrong: list[UserError] = []
    for name in named:
        try:
            found.append(_folder(name, alone=len(named) == 1))
        except UserError as error:
            wrong.append(error)
    if wrong:
        raise Faults(wrong)
    return found


def _folder(name: str, *, alone: bool) -> Path:
    """The folder of something to report.

    Raises:
        MissingFileError: there is none, or it holds nothing of the kind.
    """
    if not alone:
        return result_folder(name)
    for folder in (Path(name), RESULTS / name):
        if name and folder.is_dir() and (_kind(folder) is not None):
            return folder
    if name and Path(name).is_dir():
        remedy = "holds nothing to report; name a folder that `backfill run`, compare, align, design or sweep wrote"
        raise MissingFileError(name, "", None, remedy)
    known = sorted(one.name for one in RESULTS.iterdir() if one.is_dir()) if RESULTS.is_dir() else []
    remedy = did_you_mean(name, known) if known else "`backfill run EXPERIMENT` writes one"
    raise MissingFileError(name or '""', "", None, f"no such folder, nor a result under {RESULTS}; {remedy}")


def _kind(folder: Path) -> str | None:
    for kind, holds in (
        ("game", is_game),
        ("design", is_design),
        ("comparison", is_comparison),
        ("sweep", _is_sweep),
        ("result", is_result),
    ):
        if holds(folder):
            return kind
    return None


def _is_sweep(folder: Path) -> bool:
    return (folder / "sweep.json").is_file()


def _page(folders: Sequence[Path], named: Sequence[str], progress: Any) -> str:
    from backfill.reports import make
    from backfill.reports.page import page

    if len(folders) > 1:
        results = {one.name: one for one in map(solved_result, folders)}
        return page(make.of_comparison(compare(*map(str, folders)), results, named, progress))
    folder = folders[0]
    place, kind = str(folder), _kind(folder)
    if kind == "result":
        explained = folder / EXPLANATION
        table = pl.read_csv(explained) if explained.is_file() else None
        return page(make.of_result(solved_result(folder), place, explained=table, progress=progress))
    try:
        if kind == "comparison":
            return page(make.of_comparison(load_comparison(folder), {}, named, progress))
        if kind == "game":
            return page(make.of_game(load_game(folder), place, progress))
        if kind == "design":
            return page(make.of_design(load_design(folder), place, progress))
        from backfill.experiments.sweep.load import load_sweep

        return page(make.of_sweep(load_sweep(folder), place, progress))
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
        why = " ".join(str(error).split())
        raise OutputError(place, "", None, f"cannot be read ({why}); run it again") from None


def _check_target(target: Path) -> None:
    """See that the page may be written: in a folder that exists, in nobody else's place.

    Raises:
        OutputError: it may not.
    """
    from backfill.reports.page import is_report

    if target.suffix.lower() not in (".html", ".htm"):
        raise OutputError(str(target), "", None, "is no name of a page; end it with .html")
    if not target.parent.is_dir():
        raise OutputError(
            str(target), "", None, "is in a folder that does not exist; make it, or name another with --out"
        )
    if target.is_dir():
        raise OutputError(str(target), "", None, "is a folder; name a file")
    if target.exists() and not is_report(_head(target)):
        raise OutputError(str(target), "", None, "exists and is no report; name another file with --out")


def _head(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(4000)


def _write(target: Path, text: str) -> None:
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(
            str(target), "", None, f"cannot be written ({error.strerror}); name another file with --out"
        ) from None
    except BaseException:
        part.unlink(missing_ok=True)
        print(f"nothing written to {target}", file=sys.stderr)
        raise
