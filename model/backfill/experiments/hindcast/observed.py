"""What was seen after the base year, in the model's units.

Sources count accelerators in H100e of operations; the model in units of quality (`backfill.units.quality`). Where the chip is
known a figure is multiplied by ``q / o``, its quality over its operations, both relative to an H100. Where a source gives units
``n`` and H100e ``h`` of a mixture, the two neighbouring chips of `LADDERS` that reproduce ``h / n`` stand for it:

    x = (h/n - o_1) / (o_2 - o_1),        q = (1 - x) q_1 + x q_2,        figure = n q
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import polars as pl

from backfill.economy.compile.accelerators import quality, volumes
from backfill.economy.compile.sources import Sources
from backfill.economy.schema import DataError

LEGAL = "US-designed compute sold legally to China"
REDESIGNED = "of it A800, H800, H20 and MI308X"
SHARE = "its share of US-designed compute shipped"
SMUGGLED = "compute smuggled to China"
PREMIUM = "premium of smuggled over US price"
MADE = "compute of China's own design"
BILLINGS, WORLD_BILLINGS = "equipment bought in China", "equipment bought in the world"
ASML = "China's share of Dutch lithography"
TOOLMAKERS = "equipment sold to China by the US, Japan and the Netherlands"
OWN_TOOLS = "China's own share of its equipment"
CAPACITY = "advanced logic capacity in China"
STACKS = "HBM stacks sold to China since 2022"

KH100E, BUSD = "thousand H100e", "billion USD"
UNITS = {
    LEGAL: KH100E, REDESIGNED: KH100E, SHARE: "share", SMUGGLED: KH100E, PREMIUM: "share", MADE: KH100E, BILLINGS: BUSD,
    WORLD_BILLINGS: BUSD, ASML: "share", TOOLMAKERS: BUSD, OWN_TOOLS: "share", CAPACITY: "thousand wafers a month",
    STACKS: "million stacks",
}  # fmt: skip
"""Every series and its unit, in the order in which they are told."""

FRONTIER_CHIPS = ("A100",)
LADDERS = {"nvidia": ("A100", "H100", "B200"), "ascend": ("Ascend 910B", "Ascend 910C")}
ROUNDED = 0.1
"""Least standard error of the logarithm of a figure: press figures are rounded and their years are not the calendar's."""

NINETY = 1.6449
"""Standard errors from the middle to the 5th or 95th percentile."""


@dataclass(frozen=True)
class Figure:
    """One observed figure of one year.

    Attributes:
        series: one of `UNITS`.
        year: calendar year.
        value, low, high: in the series' unit; low and high are None where the source gives no range.
        published: as the source has it, in its own unit, where that differs.
        use: ``"benchmark"``, ``"fits"``, ``"judges"`` or ``"shown"``.
        grade: ``"derived"`` where it was converted.
        sources: keys of the bibliography.
    """

    series: str
    year: int
    value: float
    low: float | None
    high: float | None
    published: float | None
    use: str
    grade: str
    sources: tuple[str, ...]

    @property
    def error(self) -> float:
        """Standard error of its logarithm: low and high are taken for the 5th and 95th percentiles."""
        if self.low is None or self.high is None or not 0 < self.low < self.high:
            return ROUNDED
        return max((math.log(self.high) - math.log(self.low)) / (2 * NINETY), ROUNDED)


def figures(sources: Sources) -> tuple[Figure, ...]:
    """Every observed figure, in the order of `UNITS` and of years.

    Raises:
        DataError: a figure that is needed to convert another is missing.
    """
    world = dict(zip(range(2022, 2026), volumes(sources)[0][:4], strict=True))
    found = [
        *_sold(sources, world),
        *_mixtures(sources),
        *_plain(sources, PREMIUM, "smuggling_premium"),
        *_plain(sources, BILLINGS, "tool_billings", region="CHN"),
        *_plain(sources, WORLD_BILLINGS, "tool_billings", region="all"),
        *_plain(sources, ASML, "toolmaker_share"),
        *_plain(sources, TOOLMAKERS, "toolmaker_sales"),
        *_plain(sources, OWN_TOOLS, "tool_self_sufficiency"),
        *(_by_wafers(sources, figure) for figure in _plain(sources, CAPACITY, "advanced_capacity")),
        *_plain(sources, STACKS, "hbm_stacks"),
    ]
    order = list(UNITS)
    return tuple(sorted(found, key=lambda figure: (order.index(figure.series), figure.year)))


def conversion(sources: Sources, quantity: str) -> tuple[float, float | None, float | None]:
    """Value, low and high of a figure that turns one unit into another.

    Raises:
        DataError: there is none.
    """
    row = _rows(sources, quantity).row(0, named=True)
    return row["value"], row["low"], row["high"]


def operations(sources: Sources) -> dict[str, float]:
    """Operations of each chip relative to an H100."""
    dense = sources.by("product", "dense_ops")
    return {chip: ops / dense["H100"] for chip, ops in dense.items()}


def of_mixture(per_unit: float, ladder: Sequence[str], ops: dict[str, float], q: dict[str, float]) -> float:
    """Quality per unit of a mixture with that many H100e of operations per unit, of two neighbours on a ladder of chips.

    Raises:
        DataError: outside the ladder.
    """
    for worse, better in pairwise(ladder):
        if ops[worse] <= per_unit <= ops[better]:
            share = (per_unit - ops[worse]) / (ops[better] - ops[worse])
            return (1 - share) * q[worse] + share * q[better]
    told = f"{per_unit:.3g} H100e a unit is not between {ladder[0]} and {ladder[-1]}: correct it or add a chip"
    raise DataError([f"data/sources/observations.csv: {told}"])


def _rows(sources: Sources, quantity: str, **where: str) -> pl.DataFrame:
    found = sources.observations.filter(pl.col("quantity") == quantity)
    for column, value in where.items():
        found = found.filter(pl.col(column) == value)
    if found.is_empty():
        raise DataError([f"data/sources/observations.csv: no row for {quantity}: add the figure with its source"])
    return found


def _plain(sources: Sources, series: str, quantity: str, **where: str) -> list[Figure]:
    return [
        Figure(series, int(r["period"]), r["value"], r["low"], r["high"], None, r["use"], r["grade"], (r["source"],))
        for r in _rows(sources, quantity, **where).iter_rows(named=True)
    ]


def _by_wafers(sources: Sources, figure: Figure) -> Figure:
    """With the range of what a wafer is worth, by which the model's capacity becomes wafers."""
    worth, low, high = conversion(sources, "wafer_value")
    range_ = [None if end is None else figure.value * end / worth for end in (low, high)]
    return replace(figure, low=range_[0], high=range_[1])


def _sold(sources: Sources, world: dict[int, float]) -> list[Figure]:
    """Sales by chip, summed; low and high too, as if chips erred together."""
    rows, q, ops = _rows(sources, "compute_sold"), quality(sources), operations(sources)
    factor = pl.col("product").replace_strict({chip: q[chip] / ops[chip] for chip in rows["product"].unique()})
    rows = rows.with_columns(pl.col("value").alias("published"), pl.col("value", "low", "high") * factor)
    shares = dict(_rows(sources, "share_of_shipments").select("period", "value").iter_rows())
    found = []
    for series, chosen in ((LEGAL, rows), (REDESIGNED, rows.filter(~pl.col("product").is_in(FRONTIER_CHIPS)))):
        total = chosen.group_by("period", maintain_order=True).agg(
            pl.col("value", "low", "high", "published").sum(), pl.col("use", "source").first()
        )
        for r in total.iter_rows(named=True):
            use = r["use"] if series == LEGAL else "shown"
            about = (r["published"], use, "derived", (r["source"],))
            found.append(Figure(series, int(r["period"]), r["value"], r["low"], r["high"], *about))
            if series == LEGAL:
                all_of_it = world[int(r["period"])]
                range_ = (r["value"] / all_of_it, r["low"] / all_of_it, r["high"] / all_of_it)
                about = (shares.get(r["period"]), "shown", "derived", (r["source"],))
                found.append(Figure(SHARE, int(r["period"]), *range_, *about))
    return found


def _mixtures(sources: Sources) -> list[Figure]:
    """Smuggled compute and China's own: units times the quality of the mixture, what has no units as it stands."""
    q, ops = quality(sources), operations(sources)
    found: dict[tuple[str, int], Figure] = {}
    for series, compute, units in (
        (SMUGGLED, "compute_smuggled", "units_smuggled"),
        (MADE, "compute_made", "units_made"),
    ):
        for r in _rows(sources, compute).iter_rows(named=True):
            count = sources.observations.filter(
                (pl.col("quantity") == units) & (pl.col("product") == r["product"]) & (pl.col("period") == r["period"])
            )
            factor = 1.0
            if count.height:
                per_unit = r["value"] / count["value"][0]
                factor = of_mixture(per_unit, LADDERS[r["product"]], ops, q) / per_unit
            year = int(r["period"])
            range_ = [r[c] if r[c] is not None else r["value"] for c in ("low", "high")]
            new = Figure(
                series, year, r["value"] * factor, range_[0] * factor, range_[1] * factor, r["value"], r["use"], "derived",
                (r["source"],),
            )  # fmt: skip
            old = found.get((series, year))
            found[series, year] = new if old is None else _sum(old, new)
    return list(found.values())


def _sum(one: Figure, other: Figure) -> Figure:
    def plus(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else a + b

    return Figure(
        one.series, one.year, one.value + other.value, plus(one.low, other.low), plus(one.high, other.high),
        plus(one.published, other.published), one.use, one.grade, tuple(dict.fromkeys((*one.sources, *other.sources))),
    )  # fmt: skip
