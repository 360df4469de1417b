"""``backfill align``: who aligns, and which threat or offer makes them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import polars as pl

from backfill.commands.folder import check_folder, put
from backfill.commands.interrupt import at_once
from backfill.commands.run import keep_compiled
from backfill.commands.validate import check
from backfill.errors import Faults, MissingKeyError, UnsolvedError, UserError
from backfill.experiments.align.result import AlignResult, may_replace, percent
from backfill.experiments.config import Experiment


def align_experiment(
    file_or_name: str,
    out: Path | None,
    mode: Literal["static", "coupled"] | None,
    ranges: bool,
    confirm: bool,
    quiet: bool,
) -> bool:
    """Solve an experiment's game and write it; True if there was something to compare with.

    Raises:
        Faults: everything wrong with the files and with the folder, before anything is solved.
        OutputError: the result cannot be written.
    """
    experiment, folder = _checked(file_or_name, out)
    with at_once():
        keep_compiled()
        from backfill import programs

        programs.prepare("align", experiment.name)
        from backfill.commands.report import progress_bar
        from backfill.experiments.align.run import align

        try:
            with progress_bar(quiet) as progress:
                result = align(experiment, mode=mode, ranges=ranges, confirm=confirm, progress=progress)
        except UnsolvedError as error:
            print(f"{experiment.name}: {' '.join(error.sentence.split())}", file=sys.stderr)
            return False
    programs.remember("align", experiment.name)
    put(folder, result.write)
    if not quiet:
        try:
            for line in report(result, folder):
                print(line)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"the result is in {folder}") from None
    return True


def _checked(file_or_name: str, out: Path | None) -> tuple[Experiment, Path]:
    wrong: list[UserError] = []
    experiment, folder = None, out
    try:
        experiment, _ = check(file_or_name)
        folder = out or Path("results") / f"{experiment.name}-game"
        if experiment.game is None:
            remedy = "is missing; add a [game] table: who may align, on what, under which threat (see docs/games.md)"
            wrong.append(MissingKeyError(file_or_name, "game", None, remedy))
    except UserError as error:
        wrong.append(error)
    if folder is not None:
        try:
            check_folder(folder, may_replace)
        except UserError as error:
            wrong.append(error)
    if wrong or experiment is None or folder is None:
        raise Faults(wrong)
    return experiment, folder


def report(result: AlignResult, folder: Path) -> list[str]:
    """What came out, as text: pay-offs where everybody is as today, as asked and in equilibrium, then sentences."""
    from backfill.commands.report import short, tabulated

    payoffs, (today, asked) = result.tables["payoffs"], result.profiles
    shown = dict.fromkeys([today, asked, *result.tables["equilibria"]["profile"].to_list()])
    rows = []
    for profile in shown:
        here = payoffs.filter(pl.col("profile") == profile)
        for player in result.players:
            values = dict(here.filter(pl.col("player") == player).select("part", "value").iter_rows())
            rows.append([profile, player, *(_small(value, short) for value in values.values())])
    parts = list(dict.fromkeys(payoffs["part"].to_list()))
    counted = result.provenance["game"]["counted"]  # type: ignore[index]
    lines = [result.title or result.name, f"pay-offs in ten-thousandths of GDP, {counted}"]
    lines += tabulated(["profile", "player"], parts, rows)
    lines += ["deterring tariffs by belief that the threat is carried out", *_by_belief(result)]
    lines += result.sentences
    lines.append(f"files in {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")
    lines.append(f"open {folder / 'chart.html'} in a browser")
    return lines


def _by_belief(result: AlignResult) -> list[str]:
    """A row for each player and standing of the others, a column for each belief."""
    from backfill.commands.report import tabulated

    table = result.tables["deterrence"].filter(pl.col("quantity") == "deterring tariff")
    beliefs = sorted(table["credibility"].unique().to_list())
    rows = []
    for (player, others), part in table.group_by(["player", "others"], maintain_order=True):
        found = {c: (value, note) for c, value, note in part.select("credibility", "value", "note").iter_rows()}
        cells = [_percent(*found[belief]) for belief in beliefs]
        rows.append([str(player), f"others {others}", *cells])
    return tabulated(["player", "beside"], [f"{belief:.0%}" for belief in beliefs], rows)


def _percent(value: float | None, note: str) -> str:
    if value is None:
        return "none" if note.startswith("none") else "not known"
    return percent(value)


def _small(value: float | None, short) -> str:
    return "not known" if value is None else short(round(1e4 * value, 3) + 0.0)
