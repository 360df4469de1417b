"""A folder of tables as the economy of an experiment: names a policy may use, flows that exist, the economy itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from backfill.dimensions import BLOCS, Vocabulary
from backfill.errors import Faults, TableError, UserError, did_you_mean
from backfill.hats.accounts import Accounts
from backfill.hats.folder import read_folder
from backfill.hats.tables import read_accounts

if TYPE_CHECKING:
    from backfill.economy.economy import Economy

CLOSURES = ("fixed", "balanced")
"""Closures that worlds with policies know."""
REGIONS = "regions"


@dataclass(frozen=True)
class OwnTables:
    """Checked tables of a folder.

    Attributes:
        folder: where they were read.
        closure: ``"fixed"`` or ``"balanced"``.
        accounts: what they say.
        bloc: bloc by region.
    """

    folder: Path
    closure: str
    accounts: Accounts
    bloc: Mapping[str, str]

    def vocabulary(self) -> Vocabulary:
        """Names a policy may use: the tables' own, and blocs."""
        return vocabulary_of(self.accounts, self.bloc)

    def flow_exists(self) -> Callable[[str, str, str], bool]:
        """Whether the trade table has a flow (product, origin, destination)."""
        accounts = self.accounts
        product = {name: k for k, name in enumerate(accounts.products)}
        region = {name: n for n, name in enumerate(accounts.regions)}
        return lambda p, i, j: bool(accounts.flow[product[p], region[i], region[j]] > 0)

    def economy(self, first_year: int, last_year: int, per_year: int) -> Economy:
        """The economy over a horizon, the same in every period.

        Raises:
            UnsolvedError: the base cannot be balanced, where the closure asks for that.
        """
        from backfill.economy.economy import Economy
        from backfill.hats.balance import without_deficits
        from backfill.hats.calibrate import as_economy

        accounts = without_deficits(self.accounts) if self.closure == "balanced" else self.accounts
        return as_economy(
            Economy, accounts, first_year=first_year, last_year=last_year, per_year=per_year, bloc=dict(self.bloc)
        )


def vocabulary_of(accounts: Accounts, bloc: Mapping[str, str]) -> Vocabulary:
    """The names of the accounts; regions without a bloc are partners, and nothing is an accelerator."""
    return Vocabulary(
        regions=accounts.regions,
        bloc={region: bloc.get(region, "partner") for region in accounts.regions},
        hubs=(),
        products=accounts.products,
        groups={"accelerators": ()},
    )


def read_own(folder: Path, closure: str) -> OwnTables:
    """Read and check the tables of a folder, ``regions`` with the bloc of each region among them.

    Raises:
        Faults: everything wrong with them.
    """
    return OwnTables(folder, closure, *read_checked(folder, closure, for_experiments=True))


def read_checked(folder: Path, closure: str, *, for_experiments: bool) -> tuple[Accounts, dict[str, str]]:
    """What the tables of a folder say, and the bloc of each region; no blocs where ``regions`` is absent and may be.

    Args:
        for_experiments: whether ``regions`` must be there.

    Raises:
        Faults: everything wrong with them.
    """
    tables, named = read_folder(folder)
    blocs = tables.pop(REGIONS, None)
    wrong: list[UserError] = []
    accounts = None
    try:
        accounts = read_accounts(tables, closure, named)
    except UserError as error:
        wrong.append(error)
    label, header = named.get(REGIONS, (str(folder), 0))
    bloc: dict[str, str] = {}
    if blocs is not None:
        bloc, found = _blocs(blocs, label, header, accounts)
        wrong += found
    elif for_experiments:
        wrong.append(
            TableError(label, "", None, f"no regions.csv: an experiment needs region, bloc ({', '.join(BLOCS)})")
        )
    if wrong or accounts is None:
        raise Faults(wrong)
    return accounts, bloc


def _blocs(
    table: pl.DataFrame, label: str, header: int, accounts: Accounts | None
) -> tuple[dict[str, str], list[UserError]]:
    """Bloc by region, and what is wrong with the table."""
    if set(table.columns) != {"region", "bloc"}:
        return {}, [TableError(label, "", None, f"has columns {', '.join(table.columns)}: give region, bloc")]
    bloc: dict[str, str] = {}
    wrong: list[UserError] = []
    for row, (region, named) in enumerate(table.select("region", "bloc").iter_rows(), start=1 + header):
        region = str(region)
        if region in bloc:
            wrong.append(TableError(label, f"row {row}", region, "given twice: keep one row"))
        if named not in BLOCS:
            wrong.append(TableError(label, f"row {row}: bloc", named, f"use {', '.join(BLOCS)}"))
        if accounts is not None and region not in accounts.regions:
            remedy = did_you_mean(region, accounts.regions, see="names are those of the trade table")
            wrong.append(TableError(label, f"row {row}: region", region, f"unknown region: {remedy}"))
        bloc.setdefault(region, str(named))
    if accounts is not None:
        for region in accounts.regions:
            if region not in bloc:
                wrong.append(TableError(label, "region", region, "no bloc: add a row"))
    for needed in ("us", "adversary"):
        if needed not in bloc.values():
            wrong.append(
                TableError(label, "bloc", None, f"no region is {needed}: effects are measured against that bloc")
            )
    return bloc, wrong
