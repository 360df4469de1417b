"""The command line: what can be typed, and which exit code follows.

0: done. 2: a mistake in a file, on the command line or in the place to write to; one line each on stderr, nothing written.
3: an experiment that cannot be solved. 130: interrupted, nothing written.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from backfill.commands import interrupt

with interrupt.at_once(alone=True):
    from cyclopts import App, CycloptsError, Parameter

    from backfill.errors import CommandError, UnsolvedError, UserError

DONE, MISTAKE, UNSOLVED, INTERRUPTED = 0, 2, 3, 130

app = App(
    name="backfill",
    help="Who fills the gap when compute exports are controlled, at what price, and to whom is it a cost?",
    help_epilogue="`backfill list` names the shipped experiments and rules, `backfill measures` the kinds of measure.",
    help_format="plaintext",
    version=lambda: _version(),
    suppress_keyboard_interrupt=False,
)
data = App(name="data", help="Build or describe the benchmark.", help_format="plaintext")
app.command(data)
economy = App(name="economy", help="Economies from your own tables.", help_format="plaintext")
app.command(economy)


@app.command
def run(
    file_or_name: Annotated[str, Parameter(help="An experiment file, or the name of a shipped one.")],
    /,
    *,
    out: Annotated[Path | None, Parameter(help="Folder for the result; results/NAME if left out.")] = None,
    reference: Annotated[str | None, Parameter(help="Compare with this experiment instead of the file's own.")] = None,
    tables: Annotated[Literal["csv", "parquet"], Parameter(help="Format of the long tables.")] = "parquet",
    ranges: Annotated[
        bool | None,
        Parameter(help="Give headline numbers their ranges (some dozen solves); as the file says if left out."),
    ] = None,
    as_of: Annotated[
        str | None, Parameter(help="Take every policy as it was known on this day, such as 2025-06-30.")
    ] = None,
    quiet: Annotated[bool, Parameter(help="Print mistakes only.", negative="")] = False,
) -> int:
    """Solve an experiment and its reference; write tables, checks and a chart."""
    with interrupt.at_once():
        from backfill.commands.run import run_experiment

    day = _day(as_of)
    return DONE if run_experiment(file_or_name, out, reference, tables, ranges, quiet, day) else UNSOLVED


@app.command
def structure(
    file_or_name: Annotated[str, Parameter(help="An experiment file, or the name of a shipped one.")],
    /,
    *,
    out: Annotated[Path | None, Parameter(help="Table to write; results/NAME.structure.csv if left out.")] = None,
    quiet: Annotated[bool, Parameter(help="Print nothing.")] = False,
) -> int:
    """Solve an experiment under other structural assumptions and put its headline results side by side."""
    from backfill.commands.structure import structure_table

    structure_table(file_or_name, out, quiet)
    return DONE


@app.command
def validate(file: Annotated[str, Parameter(help="An experiment file.")], /) -> int:
    """Check an experiment file without solving it."""
    from backfill.commands.validate import check, notes, verdict

    experiment, base = check(file)
    _say(notes(experiment), DONE)
    print(f"{file}: {verdict(experiment, base)}")
    return DONE


@app.command
def new(name: Annotated[str, Parameter(help="What to call it; written to NAME.toml.")], /) -> int:
    """Write a commented experiment file to start from."""
    from backfill.commands.new import write_starter

    print(f"wrote {write_starter(name)}")
    return DONE


@app.command(name="list")
def list_shipped() -> int:
    """Name the shipped experiments and dated rules, each with its title."""
    from backfill.commands.shipped import listing

    print(listing())
    return DONE


@app.command
def measures(
    kind: Annotated[str | None, Parameter(help="A kind, to have it explained with an example.")] = None, /
) -> int:
    """List the kinds of measure, or explain one with an example that runs."""
    from backfill.commands.measures import explained, listing

    print(listing() if kind is None else explained(kind))
    return DONE


@app.command
def compare(
    *results: Annotated[str, Parameter(help="Folders of results, or names of experiments run before; two or more.")],
    out: Annotated[Path | None, Parameter(help="Folder for the table and a page of charts.")] = None,
    quiet: Annotated[bool, Parameter(help="Print mistakes only.", negative="")] = False,
) -> int:
    """Show several results side by side."""
    from backfill.commands.compare import compare_results

    compare_results(results, out, quiet)
    return DONE


@app.command
def chart(
    result: Annotated[str, Parameter(help="Folder of a result, comparison, game or design, or the name of one run before.")],
    name: Annotated[str | None, Parameter(help="Which chart; left out, they are listed.")] = None,
    /,
    *,
    out: Annotated[Path | None, Parameter(help="File, ending in .png, .svg, .pdf or .html; NAME.png if left out.")] = None,
    group: Annotated[str | None, Parameter(help="A product or group, such as chips, for charts that draw one.")] = None,
    period: Annotated[str | None, Parameter(help="A period, such as 2027, for charts that draw one.")] = None,
) -> int:
    """Draw one chart into a file, or list the charts there are."""
    from backfill.commands.chart import chart_of

    print(chart_of(result, name, out, {"group": group, "period": period}))
    return DONE


@app.command
def explain(
    result: Annotated[str, Parameter(help="Folder of a result, or the name of an experiment run before.")],
    /,
    *,
    by: Annotated[
        Literal["principle", "kind", "measure"],
        Parameter(help="What is told apart: principles of the Action Plan, kinds of measure, single measures."),
    ] = "principle",
    orders: Annotated[
        int, Parameter(help="Random orders where there are more than 8 groups; an even number, at least 4.")
    ] = 16,
    quiet: Annotated[bool, Parameter(help="Print mistakes only.", negative="")] = False,
) -> int:
    """Say which measure moved what: the change shared among measures, which adds up; solves many worlds."""
    with interrupt.at_once():
        from backfill.commands.explain import explain_result

    if orders < 4 or orders % 2:
        raise CommandError("backfill explain", "--orders", orders, "is an even number, at least 4")
    explain_result(result, by, orders, quiet)
    return DONE


@app.command
def align(
    file_or_name: Annotated[str, Parameter(help="An experiment file with a [game], or the name of a shipped one.")],
    /,
    *,
    out: Annotated[Path | None, Parameter(help="Folder for the result; results/NAME-game if left out.")] = None,
    mode: Annotated[
        Literal["static", "coupled"] | None,
        Parameter(help="One year at the reference's supply plan, or all years with suppliers' answer; as the file says."),
    ] = None,
    ranges: Annotated[bool, Parameter(help="Give deterring tariffs and offers their ranges (some dozen calibrations).")] = True,
    confirm: Annotated[bool, Parameter(help="Solve coupled worlds again at the deterring tariffs.", negative="")] = False,
    quiet: Annotated[bool, Parameter(help="Print mistakes only.", negative="")] = False,
) -> int:
    """Say who aligns, and which secondary tariff or offer makes them; solves a world for every profile."""
    from backfill.commands.align import align_experiment

    return DONE if align_experiment(file_or_name, out, mode, ranges, confirm, quiet) else UNSOLVED


@app.command
def design(
    file_or_name: Annotated[str, Parameter(help="An experiment file with a [design], or the name of a shipped one.")],
    /,
    *,
    out: Annotated[Path | None, Parameter(help="Folder for the result; results/NAME-design if left out.")] = None,
    ranges: Annotated[
        bool, Parameter(help="Give the best packages their ranges: solves them again under sixteen calibrations.")
    ] = False,
    quiet: Annotated[bool, Parameter(help="Print mistakes only.", negative="")] = False,
) -> int:
    """Find the package of measures that is best within limits, and how it changes along one of them."""
    with interrupt.at_once():
        from backfill.commands.design import design_experiment

    return DONE if design_experiment(file_or_name, out, ranges, quiet) else UNSOLVED


@app.command
def report(
    *results: Annotated[
        str, Parameter(help="Folder of a result, comparison, sweep, game or design, or the name of one; several are compared.")
    ],
    out: Annotated[Path | None, Parameter(help="The page to write; report.html in the folder if left out.")] = None,
    pdf: Annotated[bool, Parameter(help="Print it as PDF too, by an installed Chromium or Chrome.", negative="")] = False,
    quiet: Annotated[bool, Parameter(help="Print mistakes only.", negative="")] = False,
) -> int:
    """Write one page that answers: the question, five sentences, numbers, charts, assumptions, checks."""
    from backfill.commands.written import report_results

    report_results(results, out, pdf, quiet)
    return DONE


@app.command
def hindcast(
    *,
    out: Annotated[Path | None, Parameter(help="Folder for tables and a page of charts; none if left out.")] = None,
    tables: Annotated[Literal["csv", "parquet"], Parameter(help="Format of the tables.")] = "parquet",
    quiet: Annotated[bool, Parameter(help="Print mistakes only.", negative="")] = False,
) -> int:
    """Say what the model makes of 2022 to 2025 and how far off it is, beside two naive forecasts; solves some dozen worlds."""
    from backfill.commands.hindcast import hindcast_rules

    hindcast_rules("hindcast", out, tables, quiet)
    return DONE


@app.command
def sweep(
    file_or_name: Annotated[
        str | None, Parameter(help="An experiment file with a [sweep], or the name of a shipped one.")
    ] = None,
    /,
    *,
    out: Annotated[Path | None, Parameter(help="Folder for the result; results/NAME-sweep if left out.")] = None,
    part: Annotated[str | None, Parameter(help="Solve a part of it, such as 1/4; all parts share a folder.")] = None,
    workers: Annotated[int | None, Parameter(help="Processes; one for each core if left out.")] = None,
    keep: Annotated[Literal["effects", "flows"], Parameter(help="What is kept: effects by bloc, or all flows too.")] = "effects",
    scheduler: Annotated[str | None, Parameter(help="Address of a Dask scheduler whose workers solve it.")] = None,
    retry: Annotated[bool, Parameter(help="Solve again what failed, each scenario alone.", negative="")] = False,
    dry_run: Annotated[bool, Parameter(help="Print size, time and disk from a short trial.", negative="")] = False,
    status: Annotated[Path | None, Parameter(help="Print how far the sweep in this folder is.")] = None,
    quiet: Annotated[bool, Parameter(help="Print mistakes only.", negative="")] = False,
) -> int:
    """Solve an experiment at many levers and parameters; goes on where it was left."""
    from backfill.commands.sweep import status_lines, sweep_experiment

    if status is not None:
        print("\n".join(status_lines(status)))
        return DONE
    if file_or_name is None:
        raise CommandError("backfill sweep", "", None, "name an experiment file, or a folder with --status")
    options = {"part": part, "workers": workers, "keep": keep, "retry": retry, "dry_run": dry_run, "scheduler": scheduler}
    return DONE if sweep_experiment(file_or_name, out, **options, quiet=quiet) else UNSOLVED


@app.command
def sensitivity(
    directory: Annotated[Path, Parameter(help="Folder of a sweep.")],
    /,
    *,
    quantity: Annotated[tuple[str, ...], Parameter(help="Effects to look at; all if left out.")] = (),
    threshold: Annotated[
        tuple[str, ...], Parameter(help='A condition such as "compute denied of adversary in 2027 >= 100000".')
    ] = (),
    lever: Annotated[str | None, Parameter(help="Lever of which the lowest value is wanted at which conditions hold.")] = None,
    quiet: Annotated[bool, Parameter(help="Print mistakes only.", negative="")] = False,
) -> int:
    """Say what matters in a sweep: Sobol indices, swings, thresholds."""
    from backfill.commands.sensitivity import analyse

    analyse(directory, quantity, threshold, lever, quiet)
    return DONE


@app.command
def identify(
    *,
    out: Annotated[Path | None, Parameter(help="Folder for tables and a page of charts; none if left out.")] = None,
    tables: Annotated[Literal["csv", "parquet"], Parameter(help="Format of the tables.")] = "parquet",
    quiet: Annotated[bool, Parameter(help="Print mistakes only.", negative="")] = False,
) -> int:
    """Say which parameters the figures of 2022 to 2025 pin down and which rest on their priors."""
    from backfill.commands.hindcast import hindcast_rules

    hindcast_rules("identify", out, tables, quiet)
    return DONE


@economy.command(name="check")
def check_economy(
    folder: Annotated[
        Path, Parameter(help="A folder with trade.csv, elasticities.csv and, if wanted, the other tables.")
    ],
    /,
    *,
    closure: Annotated[
        Literal["fixed", "proportional", "balanced"], Parameter(help="What happens to deficits; see the documentation.")
    ] = "fixed",
) -> int:
    """Check the tables of an economy: every fault at once, with its row."""
    from backfill.commands.economy import check_tables

    print(check_tables(folder, closure))
    return DONE


@data.command
def build(
    *,
    sources: Annotated[Path | None, Parameter(help="Folder of source figures; the shipped ones if left out.")] = None,
    out: Annotated[Path | None, Parameter(help="Folder for the tables; the shipped baseline if left out.")] = None,
) -> int:
    """Compile the benchmark from its source figures."""
    from backfill.commands.data import build_baseline

    print(f"wrote {build_baseline(sources, out)}")
    return DONE


@data.command
def describe() -> int:
    """Print coverage, grades and the largest balancing adjustments of the benchmark."""
    from backfill.commands.data import description

    print(description())
    return DONE


@data.command
def elasticities() -> int:
    """Estimate trade elasticities from the shipped trade and tariffs, beside published ones; needs the extra [gravity]."""
    from backfill.economy.gravity import report

    print("\n".join(report()))
    return DONE


@data.command
def priors() -> int:
    """List every uncertain parameter with its central value, 80% range, distribution, grade and meaning."""
    from backfill.commands import data as tables

    print(tables.priors())
    return DONE


@data.command
def names(
    *,
    mapping: Annotated[Path | None, Parameter(help="A file that splits or merges regions.")] = None,
) -> int:
    """List regions, products and parameters by the names that experiment files use."""
    from backfill.commands.data import known_names

    print(known_names(mapping))
    return DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Args:
        arguments: words after ``backfill``; those of the process if None, which then ends if it is interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    alone = arguments is None
    if alone:
        _spare()
    try:
        with interrupt.heard(alone=alone):
            return _answered(arguments)
    except KeyboardInterrupt as interruption:
        line = f"interrupted: {interruption}" if interruption.args else interrupt.NOTHING
        return interrupt.leave(line) if alone else _say([line], INTERRUPTED)


def _spare() -> None:
    """Keep jsonschema, behind the charts, from compiling a grammar of addresses, a second in which nobody asks for one."""
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def _answered(arguments: Sequence[str] | None) -> int:
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
        return code if isinstance(code, int) else DONE
    except CycloptsError as error:
        return _say([f"backfill: {_one_line(str(error))} See `backfill --help`."], MISTAKE)
    except UserError as error:
        return _say(error.lines, MISTAKE)
    except UnsolvedError as error:
        return _say([_one_line(error.sentence)], UNSOLVED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except ValueError as error:
        faults = getattr(error, "faults", None)
        if faults is None:
            raise
        return _say([_one_line(str(fault)) for fault in faults], MISTAKE)


def _day(text: str | None) -> dt.date | None:
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        raise CommandError("backfill run", "--as-of", text, "must be a day, written 2025-06-30") from None


def _say(lines: Iterable[str], code: int) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return code


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _version() -> str:
    from backfill.resources import version

    return version()


if __name__ == "__main__":
    sys.exit(main())
