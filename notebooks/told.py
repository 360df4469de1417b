"""What the notebooks share: results solved once, figures in words, and sentences that fail when numbers no longer say so."""

from __future__ import annotations

from functools import cache

import polars as pl
from IPython.display import SVG, Markdown, display

import backfill
from backfill.charts import draw as drawn
from backfill.charts.words import people

backfill.keep_compiled()

WHOLE = "2022-2030"

UNSETTLED = (
    "*Central values: even the sign of US welfare is not settled (see [what we do not know](08_what_we_do_not_know.ipynb)).*"
)
"""What stands with every sentence about US welfare."""


class Figure(float):
    """A number with its unit, written as people write it: ``f"{figure}"`` is "43 million H100e"."""

    unit: str

    def __new__(cls, value: float, unit: str) -> Figure:
        made = super().__new__(cls, value)
        made.unit = unit
        return made

    def __str__(self) -> str:
        return people(float(self), self.unit)

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else str(self)

    def __abs__(self) -> Figure:
        return Figure(abs(float(self)), self.unit)

    def __sub__(self, other: float) -> Figure:
        return Figure(float(self) - float(other), self.unit)

    def __add__(self, other: float) -> Figure:
        return Figure(float(self) + float(other), self.unit)


def result(name: str) -> backfill.Result:
    """The result of a shipped experiment, solved once for all notebooks: kept where compiled programs are."""
    from backfill.kept import kept, source

    chosen = backfill.load_experiment(name)
    others = [backfill.load_experiment(other, inert_allowed=True) for other in (chosen.reference, "current-policy")]
    about = [one.resolved_toml() for one in (chosen, *others)]
    return kept(lambda: backfill.run(chosen), source(), chosen.tables().digest(), *about)


def figure(of: backfill.Result, quantity: str, where: str, column: str = "change", period: str = WHOLE) -> Figure:
    """A cell of a result's summary.

    Args:
        of: the result.
        quantity, where, period: which row.
        column: ``reference``, ``policy``, ``change``, ``current_policy`` or ``against_current_policy``.
    """
    rows = of.summary.rows(named=True)
    found = [row for row in rows if (row["quantity"], row["where"], row["period"]) == (quantity, where, period)]
    if not found:
        raise KeyError(
            f"no {quantity!r} of {where!r} in {period!r}; there are {sorted({row['quantity'] for row in rows})}"
        )
    return Figure(found[0][column], found[0]["unit"])


def channel(of: backfill.Result, name: str) -> Figure:
    """What comes back by a channel of leakage over all years, H100e: the channels are what is between gross and net denial."""
    table = of.tables.leakage
    row = table.filter(
        scenario=of.name, reference=of.reference, period="all", quantity="leakage", channel=name
    )
    return Figure(row["value"].item(), "H100e")


@cache
def _ranges() -> pl.DataFrame:
    from backfill.resources import experiments_dir

    return pl.read_csv(experiments_dir() / "current-policy.ranges.csv")


def drivers(quantity: str, where: str) -> pl.DataFrame:
    """What moves a headline change of the current policy, the largest first, as ``backfill run current-policy --ranges`` found."""
    return _ranges().filter(quantity=quantity, where=where).sort("rank")


def ends(quantity: str, where: str) -> tuple[Figure, Figure]:
    """The 80% range of a headline change of the current policy."""
    row = drivers(quantity, where).row(0, named=True)
    return Figure(row["low"], row["unit"]), Figure(row["high"], row["unit"])


def within(quantity: str, where: str) -> str:
    """That range in words, to stand behind the central value."""
    low, high = ends(quantity, where)
    return f"(80% range {low} to {high})"


@cache
def names() -> dict[str, str]:
    """Regions by their codes, in words."""
    from backfill.resources import data_dir

    return dict(pl.read_csv(data_dir() / "baseline" / "regions.csv").select("region", "name").iter_rows())


def share(value: float) -> Figure:
    """A share, written in per cent."""
    return Figure(value, "share")


def money(value: float) -> Figure:
    """Million USD, written in a unit that people read."""
    return Figure(value, "million USD")


def compute(value: float) -> Figure:
    """H100e, written in a unit that people read."""
    return Figure(value, "H100e")


def says(holds: bool, sentence: str) -> None:
    """Show a sentence, if it holds.

    Raises:
        AssertionError: it does not hold any more: the text has to change.
    """
    if not holds:
        raise AssertionError(f"no longer so: {sentence}")
    display(Markdown(sentence))


def draw(thing: object, name: str, **options: object) -> None:
    """Show a chart of a result as a drawing that needs no network."""
    show(drawn(thing, name, **options))


def show(chart: object) -> None:
    """Show any Altair chart as a drawing that needs no network."""
    from backfill.charts.export import svg

    display(SVG(svg(chart.to_dict())))  # type: ignore[attr-defined]
