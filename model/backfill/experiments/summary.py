"""The headline rows of a result, for people."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from backfill.effects.backfilling import GROUPS, OTHERS
from backfill.effects.comparison import WHOLE
from backfill.effects.compute import DIVERTED, OWN, REMOTE
from backfill.experiments.results import EffectTables

SCHEMA = {
    "quantity": pl.String,
    "where": pl.String,
    "period": pl.String,
    "unit": pl.String,
    "reference": pl.Float64,
    "policy": pl.Float64,
    "change": pl.Float64,
    "current_policy": pl.Float64,
    "against_current_policy": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "note": pl.String,
}
"""Columns of ``summary.csv``. ``change`` is against the reference, ``against_current_policy`` against current policy: the
difference of a level, or what is defined between two worlds (see `summary`). ``low`` and ``high`` bound the change (see
`backfill.experiments.ranges`), empty unless asked for; ``note`` says why a number is missing, or how to read it."""

ROUTE_NAMES = {
    "from us": "from the US",
    "from ally": "from US allies",
    "from partner": "from third countries",
    OWN: "own makers",
    DIVERTED: "smuggled through hubs",
    REMOTE: "rented abroad",
}

BLOCS = {"us": "US", "ally": "US allies", "partner": "third countries", "adversary": "adversary", "world": "world"}
"""Names of blocs, and of all regions together."""


def summary(
    tables: EffectTables, scenario: str, reference: str, second: str | None, periods: Sequence[str]
) -> pl.DataFrame:
    """About thirty headline rows with the columns of `SCHEMA`.

    Rows about a level hold its value with and without the policy. Rows that are defined between two worlds (denial, rates,
    costs) hold what is found between the policy and the reference, and between the policy and the second reference: two
    rates, each for itself, not the change of one. Backfill rates are in value at current prices. The first reported period
    to the last is meant by ``"2022-2030"``.

    Args:
        tables: the long tables.
        scenario: the policy.
        reference: what it is compared with.
        second: the second reference, or None.
        periods: labels of the reported periods.
    """
    last, span = periods[-1], f"{periods[0]}-{periods[-1]}"
    rows = _Rows(tables, scenario, reference, second, span)
    user = (pl.col("quantity") == "acquired") & (pl.col("bloc") == "adversary")
    rows.level("compute acquired", "adversary", WHOLE, tables.compute, user)
    for route, name in ROUTE_NAMES.items():
        rows.level(f"compute acquired, {name}", "adversary", WHOLE, tables.compute, user & (pl.col("route") == route))
    rows.level("compute acquired", "adversary", last, tables.compute, user)
    for quantity in ("flow", "owned stock", "accessible stock"):
        rows.level(
            f"US to adversary compute, {quantity}",
            "world",
            last,
            tables.compute,
            pl.col("quantity") == f"{quantity} ratio",
        )
    for product in ("logic_advanced", "hbm"):
        place = (pl.col("product") == product) & (pl.col("bloc") == "adversary")
        rows.level(
            f"capacity, {product}", "adversary", last, tables.capacity, place & (pl.col("quantity") == "capacity")
        )
    rows.change(
        "gross denial",
        "adversary",
        tables.leakage,
        (pl.col("quantity") == "gross denial") & (pl.col("channel") == WHOLE),
    )
    rows.change("compute denied", "adversary", tables.leakage, pl.col("quantity") == "compute denied")
    rows.change(
        "leakage rate",
        "adversary",
        tables.leakage,
        (pl.col("quantity") == "leakage rate") & (pl.col("channel") == WHOLE),
    )
    for product in _sold(tables.backfilling):
        for seller in ("ally", "adversary", OTHERS):
            name = BLOCS.get(seller, seller)
            rows.change(
                f"backfill rate of {product} by {name}",
                "adversary",
                tables.backfilling,
                (pl.col("quantity") == "backfill rate, current value")
                & (pl.col("product") == product)
                & (pl.col("origin") == seller)
                & (pl.col("destination") == "adversary"),
            )
    welfare = tables.welfare
    for bloc, name in BLOCS.items():
        place = (pl.col("region") == bloc) & (pl.col("product") == WHOLE)
        rows.change("welfare, present value", name, welfare, place & (pl.col("quantity") == "welfare, present value"))
    rows.change("cost per unit denied", "US and allies", welfare, pl.col("quantity") == "cost per unit denied")
    for quantity in ("revenue lost, gross", "revenue lost, net of resale", "rents lost", "change in fiscal revenue"):
        place = (pl.col("region") == "us") & (pl.col("product") == WHOLE)
        rows.change(quantity, "US", welfare, place & (pl.col("quantity") == quantity))
    return rows.frame()


def _sold(backfilling: pl.DataFrame) -> Sequence[str]:
    """What rates are told of: the groups under control or, where there is none, as with a person's own tables, each product."""
    products = set(backfilling["product"]) if backfilling.height else set()
    return [group for group in GROUPS if group in products] or sorted(products)


class _Rows:
    """Rows in the making."""

    def __init__(self, tables: EffectTables, scenario: str, reference: str, second: str | None, span: str) -> None:
        self.tables, self.scenario, self.reference, self.second, self.span = tables, scenario, reference, second, span
        self.rows: list[tuple[object, ...]] = []

    def level(self, quantity: str, where: str, period: str, table: pl.DataFrame, which: pl.Expr) -> None:
        """A row about a level: its sum over the rows chosen, by scenario."""
        chosen = table.filter(which if period == WHOLE else which & (pl.col("period") == period))
        if chosen.is_empty():
            return
        sums = dict(chosen.group_by("scenario").agg(pl.col("value").sum()).iter_rows())
        empty = chosen.filter(pl.col("value").is_null())["scenario"].to_list()
        value = {name: None if name in empty else sums.get(name, 0.0) for name in self._scenarios()}
        before, after = value[self.reference], value[self.scenario]
        now = value.get(self.second) if self.second else None
        unit = chosen["unit"][0]
        self.rows.append(
            (
                quantity,
                where,
                self._when(period),
                unit,
                before,
                after,
                _less(after, before),
                now,
                _less(after, now) if self.second else None,
                None,
                None,
                "",
            )
        )

    def change(self, quantity: str, where: str, table: pl.DataFrame, which: pl.Expr) -> None:
        """A row about what is a change by definition, over all periods, against each reference."""
        chosen = table.filter(which & (pl.col("period") == WHOLE) & (pl.col("scenario") == self.scenario))
        if chosen.is_empty():
            return
        value = dict(chosen.select("reference", "value").iter_rows())
        note = dict(chosen.select("reference", "note").iter_rows())
        also = value.get(self.second) if self.second else None
        notes = [
            note[name] if name == self.reference else f"from {name} {note[name]}"
            for name in self._scenarios()[1:]
            if note.get(name)
        ]
        self.rows.append(
            (
                quantity,
                where,
                self.span,
                chosen["unit"][0],
                None,
                None,
                value.get(self.reference),
                None,
                also,
                None,
                None,
                "; ".join(notes),
            )
        )

    def frame(self) -> pl.DataFrame:
        return pl.DataFrame(self.rows, schema=SCHEMA, orient="row")

    def _scenarios(self) -> list[str]:
        return [self.scenario, self.reference, *([self.second] if self.second else [])]

    def _when(self, period: str) -> str:
        return self.span if period == WHOLE else period


def _less(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before
