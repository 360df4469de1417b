"""The 30-country sample of gegravity (Herman, gegravity: General Equilibrium Gravity Modeling in Python, USITC Economics Working
Paper 2021-04-B; package under the MIT licence), and the equations that the package solves.

`gegravity_countries.csv` has output and expenditure in 2006, million USD, from the data of Yotov, Piermartini, Monteiro and Larch
(An Advanced Guide to Trade Policy Analysis, WTO and UNCTAD 2016); `gegravity_pairs.csv` what trade costs depend on, the same both
ways, from the Dynamic Gravity Dataset (Gurevich and Herman, USITC 2018). Fitted trade follows from these and the coefficients
printed with the package.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

import backfill

HERE = Path(__file__).parent
COEFFICIENTS = {
    "log_distance": -0.3764,
    "contiguity": 0.8850,
    "common_language": 0.0392,
    "agreement": 0.4823,
    "international": -3.4224,
}
SIGMA = 5.0
REFERENCE = "DEU"
PARTIES = ("CAN", "JPN")
"""Who signs an agreement in the example."""


def pairs() -> pl.DataFrame:
    """One row an exporter and an importer, with what trade costs depend on."""
    given = pl.read_csv(HERE / "gegravity_pairs.csv").rename({"one": "exporter", "other": "importer"})
    back = given.filter(pl.col("exporter") != pl.col("importer")).rename(
        {"exporter": "importer", "importer": "exporter"}
    )
    both = pl.concat([given, back.select(given.columns)]).sort("exporter", "importer")
    return both.with_columns(international=(pl.col("exporter") != pl.col("importer")).cast(pl.Int64))


def between(table: pl.DataFrame) -> pl.Expr:
    """Rows of `table` whose two countries sign."""
    return pl.col("exporter").is_in(PARTIES) & pl.col("importer").is_in(PARTIES) & (pl.col("international") == 1)


@dataclass(frozen=True)
class Prices:
    """Factory-gate prices and consumers' prices after a change, over those before."""

    factory: np.ndarray
    consumer: np.ndarray


class Sample:
    """Countries, trade costs and fitted trade."""

    def __init__(self) -> None:
        countries = pl.read_csv(HERE / "gegravity_countries.csv")
        self.names = tuple(countries["country"])
        self.output = countries["output"].to_numpy().astype(float)
        self.expenditure = countries["expenditure"].to_numpy().astype(float)
        self.made = self.output / self.output.sum()
        self.spent = self.expenditure / self.expenditure.sum()

    def ease(self, agreement: bool = False) -> np.ndarray:
        """Ease of trade, ``t^(1 - sigma)`` up to a factor, by exporter and importer."""
        table = pairs()
        if agreement:
            table = table.with_columns(
                pl.when(between(table)).then(1).otherwise(pl.col("agreement")).alias("agreement")
            )
        size = len(self.names)
        logarithm = sum(beta * table[name].to_numpy() for name, beta in COEFFICIENTS.items())
        return np.exp(np.reshape(logarithm, (size, size)))

    @cached_property
    def base(self) -> tuple[np.ndarray, np.ndarray]:
        """Powers ``outward^(sigma - 1), inward^(sigma - 1)`` of multilateral resistances in the base."""
        return self._resistances(self.ease(), self.made, self.spent)

    def _resistances(self, ease: np.ndarray, made: np.ndarray, spent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inward = np.ones(len(made))
        for _ in range(5000):
            outward = 1 / (ease @ (spent * inward))
            before, inward = inward, 1 / (ease.T @ (made * outward))
            if np.abs(inward / before - 1).max() < 1e-15:
                break
        scale = inward[self.names.index(REFERENCE)]
        return outward * scale, inward / scale

    @cached_property
    def trade(self) -> np.ndarray:
        """Fitted trade, shares of the world's."""
        outward, inward = self.base
        return self.made[:, None] * self.spent * self.ease() * outward[:, None] * inward

    def prices(self, made: np.ndarray, spent: np.ndarray) -> Prices:
        """After the agreement, where shares in output and expenditure are those given: one pass of gegravity's equations."""
        outward, inward = self._resistances(self.ease(agreement=True), made, spent)
        factory = (self.made * self.base[0] / (made * outward)) ** (1 / (SIGMA - 1))
        return Prices(factory, (inward / self.base[1]) ** (1 / (SIGMA - 1)))

    def consistent(self) -> Prices:
        """After the agreement, with incomes moving as factory-gate prices do: passes repeated until nothing moves."""
        factory = np.ones(len(self.names))
        for _ in range(500):
            made, spent = self.made * factory, self.spent * factory
            found = self.prices(made / made.sum(), spent / spent.sum())
            if np.abs(found.factory / factory - 1).max() < 1e-14:
                break
            factory = found.factory
        return found


def economy(sample: Sample) -> backfill.Economy:
    """The sample as an economy of one product, in which expenditure keeps its ratio to income."""
    trade = routes(sample, sample.trade * sample.output.sum()).rename({"number": "value"})
    return backfill.Economy.from_tables(
        trade=trade,
        elasticities=pl.DataFrame({"product": ["goods"], "trade_elasticity": [SIGMA - 1]}),
        closure="proportional",
    )


def cheaper(sample: Sample) -> pl.DataFrame:
    """The agreement as hats on iceberg costs."""
    return routes(sample, (sample.ease(agreement=True) / sample.ease()) ** (-1 / (SIGMA - 1))).rename(
        {"number": "trade_cost"}
    )


def routes(sample: Sample, numbers: np.ndarray) -> pl.DataFrame:
    """A matrix by exporter and importer as rows."""
    rows = [
        (origin, destination, "goods", numbers[i, j])
        for i, origin in enumerate(sample.names)
        for j, destination in enumerate(sample.names)
    ]
    return pl.DataFrame(rows, schema=["origin", "destination", "product", "number"], orient="row")
