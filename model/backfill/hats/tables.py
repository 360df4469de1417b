"""Reading a person's tables: long frames to `Accounts`, and shocks to arrays; all faults at once, with their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np
import polars as pl

from backfill.errors import Faults, TableError, UserError, did_you_mean
from backfill.hats.accounts import Accounts

ROUTE = ("origin", "destination", "product")
BALANCED = 1e-6
"""Largest imbalance, as a share of world value added, that is taken for rounding."""


@dataclass(frozen=True)
class Column:
    """A column of numbers: what it may hold."""

    name: str
    least: float | None = None
    most: float | None = None
    above: float | None = None

    def remedy(self) -> str:
        """What to write where a number is out of bounds."""
        if self.above is not None:
            return f"must be greater than {self.above:g}"
        if self.most is not None:
            return f"must lie between {self.least:g} and {self.most:g}"
        return f"must be at least {self.least:g}"

    def wrong(self) -> pl.Expr:
        """Rows out of bounds."""
        value, bad = pl.col(self.name), pl.lit(False)
        if self.least is not None:
            bad = bad | (value < self.least)
        if self.most is not None:
            bad = bad | (value > self.most)
        if self.above is not None:
            bad = bad | (value <= self.above)
        return bad


@dataclass(frozen=True)
class Layout:
    """A table: its name, key columns (each with what it names) and its column of numbers."""

    name: str
    keys: Mapping[str, str]
    number: Column

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.keys, self.number.name)


def _route(name: str, number: Column) -> Layout:
    return Layout(name, {"origin": "region", "destination": "region", "product": "product"}, number)


TRADE = _route("trade", Column("value", least=0.0))
TARIFFS = _route("tariffs", Column("rate", above=-1.0))
INPUTS = Layout(
    "inputs",
    {"region": "region", "product": "product", "input": "product"},
    Column("share", least=0.0, most=1.0),
)
ELASTICITIES = Layout("elasticities", {"product": "product"}, Column("trade_elasticity", above=0.0))
FINAL_DEMAND = Layout("final_demand", {"region": "region", "product": "product"}, Column("share", least=0.0, most=1.0))
TRADE_COSTS = _route("trade_costs", Column("trade_cost", above=0.0))
PRODUCTIVITY = Layout("productivity", {"region": "region", "product": "product"}, Column("productivity", above=0.0))
EXPORT_CONTROLS = _route("export_controls", Column("availability", least=0.0, most=1.0))

BASE = (TRADE, TARIFFS, INPUTS, ELASTICITIES, FINAL_DEMAND)
SHOCKS = (TARIFFS, TRADE_COSTS, PRODUCTIVITY, EXPORT_CONTROLS)


@dataclass
class Reader:
    """Reads tables one after the other and keeps what is wrong with them.

    Attributes:
        regions, products: known names, empty until `trade` is read.
        faults: everything wrong so far.
        seen: every table with the right columns, faulty rows among them, by name of its layout.
    """

    regions: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    faults: list[UserError] = field(default_factory=list)
    seen: dict[str, pl.DataFrame] = field(default_factory=dict)

    def say(self, table: str, key: str, value: object, remedy: str) -> None:
        """Note a fault."""
        self.faults.append(TableError(table, key, value, remedy))

    def stop(self) -> None:
        """Raise what is wrong, if anything."""
        if self.faults:
            raise Faults(self.faults)

    def frame(self, layout: Layout, table: Any, name: str | None = None, header: int = 0) -> pl.DataFrame | None:
        """A table with the columns of its layout, checked by itself; None if it cannot be used.

        Args:
            table: anything that ``polars.DataFrame`` takes.
            name: what faults call it.
            header: lines before its first row.
        """
        said, before = name or layout.name, len(self.faults)
        if isinstance(table, str | PathLike):
            self.say(said, "", str(table), "is a name: give the table, such as polars.read_csv of it")
            return None
        try:
            table = table.collect() if isinstance(table, pl.LazyFrame) else table
            frame = table if isinstance(table, pl.DataFrame) else pl.DataFrame(table)
        except Exception:
            self.say(said, "", type(table).__name__, f"give a table with columns {', '.join(layout.columns)}")
            return None
        for column in layout.columns:
            if column not in frame.columns:
                near = did_you_mean(column, [c for c in frame.columns if c not in layout.columns], "add it")
                self.say(said, column, None, f"column missing: {near}")
        for column in frame.columns:
            if column not in layout.columns:
                self.say(said, column, None, f"unknown column: the table has {', '.join(layout.columns)}")
        if len(self.faults) > before:
            return None
        number = layout.number
        frame = frame.select(*layout.columns).with_row_index("_row", offset=1 + header)
        typed = frame.with_columns(
            *(pl.col(key).cast(pl.String) for key in layout.keys), pl.col(number.name).cast(pl.Float64, strict=False)
        )
        self.seen[layout.name] = typed
        for key in layout.keys:
            self._rows(said, typed.filter(pl.col(key).is_null() | (pl.col(key) == "")), key, "give a name")
        unread = typed[number.name].is_null() | typed[number.name].is_nan() | typed[number.name].is_infinite()
        self._rows(said, frame.filter(unread), number.name, "give a finite number")
        good = typed.filter(~unread)
        self._rows(said, good.filter(number.wrong()), number.name, number.remedy())
        twice = typed.filter(pl.struct(list(layout.keys)).is_duplicated()).unique(
            list(layout.keys), keep="last", maintain_order=True
        )
        for row in twice.iter_rows(named=True):
            self.say(
                said, f"row {row['_row']}", "/".join(str(row[key]) for key in layout.keys), "given twice: keep one row"
            )
        if self.regions:
            for key, kind in layout.keys.items():
                known = self.regions if kind == "region" else self.products
                for row in typed.filter(~pl.col(key).is_in(known) & (pl.col(key) != "")).iter_rows(named=True):
                    remedy = did_you_mean(str(row[key]), known, see="names are those of the trade table")
                    self.say(said, f"row {row['_row']}: {key}", row[key], f"unknown {kind}: {remedy}")
        return typed if len(self.faults) == before else None

    def _rows(self, table: str, rows: pl.DataFrame, column: str, remedy: str) -> None:
        for row in rows.iter_rows(named=True):
            self.say(table, f"row {row['_row']}: {column}", row[column], remedy)

    def dense(self, layout: Layout, frame: pl.DataFrame, otherwise: float) -> np.ndarray:
        """A checked table as an array over its keys, in their order."""
        found = self.at_once(layout, frame, otherwise)
        assert found is not None
        return found

    def at_once(self, layout: Layout, frame: pl.DataFrame, otherwise: float) -> np.ndarray | None:
        """A table as an array over its keys; None if anything is wrong with it."""
        if not set(layout.columns) <= set(frame.columns):
            return None
        axes = [self.regions if kind == "region" else self.products for kind in layout.keys.values()]
        codes = [
            pl.col(key).cast(pl.String).cast(pl.Enum(axis), strict=False).to_physical().cast(pl.Int64).fill_null(-1)
            for key, axis in zip(layout.keys, axes, strict=True)
        ]
        number = layout.number
        value = pl.col(number.name).cast(pl.Float64, strict=False)
        columns = frame.select(*codes, value.fill_null(float("nan")), bad=number.wrong().fill_null(True))
        *places, values, bad = (column.to_numpy() for column in columns.iter_columns())
        if bad.any() or not np.isfinite(values).all() or any((place < 0).any() for place in places):
            return None
        shape = tuple(len(axis) for axis in axes)
        flat = np.ravel_multi_index(places, shape)
        array = np.full(int(np.prod(shape)), otherwise)
        array[flat] = values
        count = np.zeros(array.shape, bool)
        count[flat] = True
        return array.reshape(shape) if count.sum() == len(flat) else None

    def routes(self, layout: Layout, frame: pl.DataFrame, otherwise: float) -> np.ndarray:
        """A checked table over routes as ``[product, origin, destination]``."""
        return np.ascontiguousarray(self.dense(layout, frame, otherwise).transpose(2, 0, 1))


def read_accounts(
    tables: Mapping[str, Any], closure: str, named: Mapping[str, tuple[str, int]] | None = None
) -> Accounts:
    """Accounts from tables by name (see `BASE`); ``named`` gives what faults call each and its lines before the first row.

    Raises:
        Faults: everything wrong with the tables.
    """
    reader, said = Reader(), dict(named or {})

    def read(layout: Layout) -> pl.DataFrame | None:
        table = tables.get(layout.name)
        return None if table is None else reader.frame(layout, table, *said.get(layout.name, (None, 0)))

    for layout in (TRADE, ELASTICITIES):
        if tables.get(layout.name) is None:
            reader.say(layout.name, "", None, f"table missing: give {', '.join(layout.columns)}")
    trade = read(TRADE)
    names = {layout.name: said.get(layout.name, (layout.name, 0))[0] for layout in BASE}
    if (rows := reader.seen.get(TRADE.name)) is not None:
        reader.regions = _named(pl.concat([rows["origin"], rows["destination"]]))
        reader.products = _named(rows["product"])
        if rows.is_empty():
            reader.say(names[TRADE.name], "", None, "no rows: give the value of every flow, own use included")
    frames = {layout.name: read(layout) for layout in BASE[1:]}
    elasticities = frames[ELASTICITIES.name]
    if (rows := reader.seen.get(ELASTICITIES.name)) is not None:
        for product in reader.products:
            if product not in set(rows["product"]):
                reader.say(names[ELASTICITIES.name], "product", product, "no trade elasticity: add a row")
    if (rows := reader.seen.get(INPUTS.name)) is not None:
        _check_value_added(reader, names[INPUTS.name], rows)
    reader.stop()
    assert trade is not None
    assert elasticities is not None

    def optional(layout: Layout) -> np.ndarray:
        frame = frames[layout.name]
        if frame is None:
            sizes = {"region": len(reader.regions), "product": len(reader.products)}
            return np.zeros([sizes[kind] for kind in layout.keys.values()])
        return reader.dense(layout, frame, 0.0)

    flow = reader.routes(TRADE, trade, 0.0)
    tariff = np.ascontiguousarray(optional(TARIFFS).transpose(2, 0, 1))
    inputs = np.ascontiguousarray(optional(INPUTS).transpose(2, 1, 0))
    final = None if frames[FINAL_DEMAND.name] is None else optional(FINAL_DEMAND).T
    theta = reader.dense(ELASTICITIES, elasticities, np.nan)
    return balanced_accounts(reader, flow, tariff, inputs, theta, final, closure, names)


def _named(column: pl.Series) -> tuple[str, ...]:
    """The names in a column of keys, in their order."""
    return tuple(name for name in column.unique(maintain_order=True) if name)


def _check_value_added(reader: Reader, table: str, inputs: pl.DataFrame) -> None:
    """Note producers whose input shares, each possible by itself, sum to more than one."""
    used = inputs.group_by("region", "product", maintain_order=True).agg("_row", "share")
    for row in used.iter_rows(named=True):
        shares = [float("nan") if share is None else share for share in row["share"]]
        if all(0 <= share <= 1 for share in shares) and sum(shares) > 1 + 1e-9:
            rows = f"row{'s' if len(shares) > 1 else ''} {', '.join(map(str, row['_row']))}"
            remedy = f"input shares sum to {sum(shares):.6g}, more than 1: value added is negative"
            reader.say(table, rows, f"{row['region']}/{row['product']}", remedy)


def balanced_accounts(
    reader: Reader,
    flow: np.ndarray,
    tariff: np.ndarray,
    inputs: np.ndarray,
    theta: np.ndarray,
    final: np.ndarray | None,
    closure: str,
    names: Mapping[str, str],
) -> Accounts:
    """Accounts that add up, in shares of world value added.

    Raises:
        Faults: value added, final demand or income that is negative, and accounts that do not balance.
    """
    regions, products = reader.regions, reader.products
    raw = Accounts(regions, products, flow, tariff, inputs, theta, np.zeros(flow.shape[::2]))
    world = float(raw.value_added.sum())
    for n in np.flatnonzero(raw.value_added <= 0):
        reader.say(
            names["trade"],
            "origin",
            regions[n],
            "earns nothing: give its sales, own use included, or leave the region out",
        )
    reader.stop()
    residual = raw.spending - raw.intermediate
    tolerance = BALANCED * world
    for k, n in np.argwhere((raw.spending <= 0) & (raw.intermediate > tolerance)):
        reader.say(
            names["inputs"],
            f"{regions[n]}/{products[k]}",
            None,
            "is bought by producers there, but the trade table has no sales of it",
        )
    if final is None:
        for k, n in np.argwhere((residual < -tolerance) & (raw.spending > 0)):
            remedy = (
                f"producers buy {raw.intermediate[k, n]:.6g} of it, more than the {raw.spending[k, n]:.6g} sold there, "
                "so that final demand would be negative; correct the shares or the trade"
            )
            reader.say(names["inputs"], f"{regions[n]}/{products[k]}", None, remedy)
        for n in np.flatnonzero(raw.income <= 0):
            reader.say(
                names["trade"], "destination", regions[n], "spends nothing finally: its surplus exceeds its income"
            )
        reader.stop()
        residual = np.maximum(residual, 0.0)
        final = residual / residual.sum(0)
    else:
        total = final.sum(0)
        for n in np.flatnonzero(np.abs(total - 1) > 1e-6):
            reader.say(names["final_demand"], f"region {regions[n]}", float(total[n]), "shares must sum to 1")
        for k, n in np.argwhere((final > 0) & (raw.spending <= 0)):
            reader.say(
                names["final_demand"],
                f"{regions[n]}/{products[k]}",
                float(final[k, n]),
                "the trade table has no sales of it there",
            )
        reader.stop()
        final = np.asarray(final / total)
        if closure != "balanced":
            gap = residual - final * raw.income
            for k, n in np.argwhere(np.abs(gap) > tolerance):
                remedy = (
                    f"final demand of {final[k, n] * raw.income[n]:.6g} and what the other tables leave, {residual[k, n]:.6g}, "
                    "differ by more than a millionth of world income; correct a table, leave final_demand out, or use "
                    'closure = "balanced"'
                )
                reader.say(names["final_demand"], f"{regions[n]}/{products[k]}", None, remedy)
    reader.stop()
    assert final is not None
    return Accounts(regions, products, flow / world, tariff, inputs, theta, final, world)


def read_shocks(accounts: Accounts, tables: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Shocks as arrays, by name of the table: complete schedules; None leaves the base as it is.

    Raises:
        Faults: everything wrong with the tables.
    """
    reader = Reader(accounts.regions, accounts.products)
    absent = {"tariffs": 0.0, "trade_costs": 1.0, "productivity": 1.0, "export_controls": 1.0}
    found: dict[str, np.ndarray] = {}
    for layout in SHOCKS:
        table = tables.get(layout.name)
        if table is None:
            continue
        plain = isinstance(table, pl.DataFrame) and set(table.columns) == set(layout.columns)
        dense = reader.at_once(layout, table, absent[layout.name]) if plain else None
        if dense is None:
            frame = reader.frame(layout, table)
            dense = None if frame is None else reader.dense(layout, frame, absent[layout.name])
        if dense is not None:
            found[layout.name] = np.ascontiguousarray(np.moveaxis(dense, -1, 0))
    reader.stop()
    return found
