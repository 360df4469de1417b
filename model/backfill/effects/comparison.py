"""A policy beside its reference: what every measure of effect compares, and the shape of the tables they return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from backfill.dimensions import Period, Vocabulary

WHOLE = "all"
"""Label of the row that sums over all reported periods."""

WORLD = "world"
"""Label of the row that sums over all regions."""

MUSD = "million USD of 2022"
H100E = "H100e"

ROUTE = ("product", "origin", "destination", "channel")


class WorldTables(Protocol):
    """The long tables of a solved world, by name (`flows`, `prices`, `income`, `capacity`, `limits`, `stocks`, `terminal`)."""

    def __getitem__(self, name: str, /) -> pl.DataFrame: ...


@dataclass(frozen=True)
class Comparison:
    """One policy against one reference, with the same tastes and initial stocks (economics, section 11).

    Attributes:
        scenario: name of the policy.
        reference_name: name of what it is compared with.
        reference: tables of the reference (0).
        policy: tables with the policy (P).
        downstream: tables with the policy's measures on tools, subsystems and inputs replaced by the reference's (P_d);
            the policy's own where it has none.
        controlled: routes under control, one row each: product, origin, destination (where delivered), channel.
        vocabulary: regions with blocs, products with groups.
        periods: reported periods.
        discount: discount factor per period.
    """

    scenario: str
    reference_name: str
    reference: WorldTables
    policy: WorldTables
    downstream: WorldTables
    controlled: pl.DataFrame
    vocabulary: Vocabulary
    periods: tuple[Period, ...]
    discount: float

    def __post_init__(self) -> None:
        missing = [name for name in ROUTE if name not in self.controlled.columns]
        if missing:
            raise ValueError(f"controlled routes lack the column {', '.join(missing)}; they need {', '.join(ROUTE)}")

    @property
    def adversaries(self) -> tuple[str, ...]:
        """Regions of the adversary bloc."""
        return self.vocabulary.expand_regions("adversary")

    def weights(self) -> pl.DataFrame:
        """Discount weight of each reported period: ``beta**t`` with ``t = 0`` in the first; columns period, weight."""
        return pl.DataFrame(
            {
                "period": [period.label for period in self.periods],
                "weight": [self.discount**t for t in range(len(self.periods))],
            }
        )

    def label(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with the columns scenario and reference in front."""
        return frame.select(
            pl.lit(self.scenario).alias("scenario"), pl.lit(self.reference_name).alias("reference"), pl.all()
        )


def routes(rows: Iterable[tuple[str, str, str, str]]) -> pl.DataFrame:
    """A table of routes from (product, origin, destination, channel), sorted and without duplicates."""
    schema = dict.fromkeys(map(str, ROUTE), pl.String)
    return pl.DataFrame(sorted(set(rows)), schema=schema, orient="row")


def bloc_of(vocabulary: Vocabulary, column: str) -> pl.Expr:
    """Expression for the bloc of the region in ``column``."""
    return pl.col(column).replace_strict(dict(vocabulary.bloc), default=None, return_dtype=pl.String)


def with_whole(frame: pl.DataFrame, values: Iterable[str]) -> pl.DataFrame:
    """The frame and, below it, its sum over periods under the label ``"all"``.

    Args:
        frame: has the column period; every column besides it and ``values`` is a key.
        values: columns to add up.
    """
    names = list(values)
    keys = [name for name in frame.columns if name not in ("period", *names)]
    total = (
        frame.group_by(keys, maintain_order=True).agg(pl.col(names).sum())
        if keys
        else frame.select(pl.col(names).sum())
    )
    return pl.concat([frame, total.with_columns(period=pl.lit(WHOLE)).select(frame.columns)])


def with_blocs(
    frame: pl.DataFrame, vocabulary: Vocabulary, values: Iterable[str], column: str = "region"
) -> pl.DataFrame:
    """The frame by region and, below it, its sums by bloc and for the world, named in the same column."""
    names = list(values)
    keys = [name for name in frame.columns if name not in (column, *names)]

    def summed(place: pl.Expr) -> pl.DataFrame:
        named = frame.with_columns(place.alias(column))
        return named.group_by([*keys, column], maintain_order=True).agg(pl.col(names).sum()).select(frame.columns)

    return pl.concat([frame, summed(bloc_of(vocabulary, column)), summed(pl.lit(WORLD))])


def levels(worlds: Mapping[str, WorldTables], name: str) -> pl.DataFrame:
    """One table of several worlds, with the column scenario in front."""
    return pl.concat(
        [tables[name].select(pl.lit(scenario).alias("scenario"), pl.all()) for scenario, tables in worlds.items()]
    )


def changes(table: pl.DataFrame, scenario: str, reference: str) -> pl.DataFrame:
    """Level and change of every row of a level table: columns reference_value, policy_value, change.

    Rows that one of the two worlds lacks count as zero there.

    Raises:
        ValueError: a scenario that the table does not have.
    """
    known = table["scenario"].unique().sort().to_list()
    for name in (scenario, reference):
        if name not in known:
            raise ValueError(f"no scenario {name!r} in the table; it has {', '.join(known)}")
    keys = [name for name in table.columns if name not in ("scenario", "value")]
    before, after = (
        table.filter(pl.col("scenario") == name).select(*keys, pl.col("value").alias(as_))
        for name, as_ in ((reference, "reference_value"), (scenario, "policy_value"))
    )
    joined = before.join(after, on=keys, how="full", coalesce=True, nulls_equal=True)
    filled = joined.with_columns(pl.col("reference_value", "policy_value").fill_null(0.0))
    return filled.with_columns(change=pl.col("policy_value") - pl.col("reference_value"))
