"""Assumptions of structure that a single number does not vary: each a switch of an experiment; headlines under each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from backfill.economy.adjusted import adjusted
from backfill.economy.tables import BaselineTables
from backfill.policy.measures.import_restraint import ImportRestraint
from backfill.policy.policy import Placed, Policy

if TYPE_CHECKING:
    from backfill.experiments.config import Experiment
    from backfill.experiments.results import Result

THETA = {"operations": 1.0, "memory": 0.44}
"""Weight of operations in quality: operations alone, as most sources count H100e; and the low end of its prior."""

FEW = 1e-3
"""Share of buyers that "none" leaves: rules on what others may buy would contradict a restraint that nobody escapes."""

SPARE = 0.7
"""Use of capacity in the reference where supply is bound by demand."""


class StructureTable(BaseModel):
    """Switches of structure."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    supply: Literal["capacity", "demand"] = Field(
        default="capacity",
        description="what binds in the reference: capacity, which earns a rent, or demand, with capacity to spare",
    )
    acceptance: Literal["written", "full", "none"] = Field(
        default="written",
        description="imports the adversary lets its buyers take: as its restraints say, all, or none of what they name",
    )
    quality: Literal["mixed", "operations", "memory"] = Field(
        default="mixed", description="what makes an accelerator's quality: both, operations alone, or more of bandwidth"
    )
    closure: Literal["fixed", "proportional", "balanced"] = Field(
        default="fixed",
        description="deficits: shares of world labour income, in proportion to a region's own income, or none",
    )

    @property
    def central(self) -> bool:
        """Whether nothing is switched."""
        return self == StructureTable()

    def tables(self, tables: BaselineTables) -> BaselineTables:
        """The benchmark's tables under the switches that act on them."""
        if self.quality != "mixed":
            tables = adjusted(tables, {"quality_theta": THETA[self.quality]})
        return _with_spare(tables) if self.supply == "demand" else tables

    def policy(self, policy: Policy) -> Policy:
        """A policy under the switches that act on measures."""
        if self.acceptance == "written":
            return policy
        kept = [self._restraint(placed) for placed in policy.placed]
        return Policy(tuple(placed for placed in kept if placed is not None))

    def _restraint(self, placed: Placed) -> Placed | None:
        measure = placed.measure
        if not isinstance(measure, ImportRestraint) or measure.accepted is None:
            return placed
        if self.acceptance == "full":
            return None
        return dataclasses.replace(placed, measure=measure.model_copy(update={"accepted": FEW}))


def _with_spare(tables: BaselineTables) -> BaselineTables:
    """Planned capacity used to `SPARE` and without a rent; mature capacity, whose rent carries its subsidy, is left alone."""
    from backfill.economy.economy import MATURE

    mature = pl.col("product").is_in(list(MATURE))
    capacity = tables.capacity.with_columns(
        utilisation=pl.when(mature).then(pl.col("utilisation")).otherwise(pl.lit(SPARE)),
        rent_share=pl.when(mature).then(pl.col("rent_share")).otherwise(pl.lit(0.0)),
    )
    shares = tables.shares.with_columns(rent_share=pl.when(mature).then(pl.col("rent_share")).otherwise(pl.lit(0.0)))
    return dataclasses.replace(tables, capacity=capacity, shares=shares)


VARIANTS: Mapping[str, Mapping[str, str]] = {
    "as the file says": {},
    "supply bound by demand": {"supply": "demand"},
    "adversary accepts all imports": {"acceptance": "full"},
    "adversary accepts none of what it restrains": {"acceptance": "none"},
    "quality by operations alone": {"quality": "operations"},
    "quality with more weight on memory": {"quality": "memory"},
    "deficits follow a region's income": {"closure": "proportional"},
    "no deficits": {"closure": "balanced"},
    "builders expect the reference (myopic)": {"foresight": "myopic"},
    "builders keep to the reference's plan (fixed)": {"foresight": "fixed"},
}
"""Experiments compared: switches that each sets; whatever else the file says stays."""

HEADLINES = (
    ("compute acquired", "adversary"),
    ("gross denial", "adversary"),
    ("compute denied", "adversary"),
    ("leakage rate", "adversary"),
    ("capacity, logic_advanced", "adversary"),
    ("welfare, present value", "US"),
    ("welfare, present value", "US allies"),
    ("welfare, present value", "adversary"),
    ("cost per unit denied", "US and allies"),
)
SCHEMA = {
    "structure": pl.String, "quantity": pl.String, "where": pl.String, "period": pl.String, "unit": pl.String,
    "change": pl.Float64, "note": pl.String,
}  # fmt: skip
"""Columns of ``structure.csv``: each headline change under each structure; the note says why one is missing."""


def switched(experiment: Experiment, switches: Mapping[str, str]) -> Experiment:
    """The experiment with some switches set."""
    structure = {name: value for name, value in switches.items() if name != "foresight"}
    changed = dataclasses.replace(experiment, structure=experiment.structure.model_copy(update=structure))
    return dataclasses.replace(changed, **{k: v for k, v in switches.items() if k == "foresight"})


def headlines(
    experiment: Experiment, solve: Callable[[Experiment], Result], names: Sequence[str] = tuple(VARIANTS)
) -> pl.DataFrame:
    """Headline changes under each structure (columns: `SCHEMA`), structures that are the file's own left out.

    Args:
        experiment: as written.
        solve: runs an experiment; its result may be one that failed.
        names: of `VARIANTS`.
    """
    from backfill.errors import Faults, UnsolvedError
    from backfill.experiments.results import Status

    rows: list[tuple[object, ...]] = []
    for name in names:
        other = switched(experiment, VARIANTS[name])
        if VARIANTS[name] and (other.structure, other.foresight) == (experiment.structure, experiment.foresight):
            continue
        try:
            result = solve(other)
            why = "" if result.status is Status.SOLVED else result.message
        except UnsolvedError as error:
            result, why = None, error.sentence
        except Faults as faults:
            result, why = None, "; ".join(faults.lines)
        if result is None or why:
            rows.append((name, "all", "", "", "", None, f"not solved: {' '.join(why.split())}"))
            continue
        for quantity, where in HEADLINES:
            chosen = result.summary.filter((pl.col("quantity") == quantity) & (pl.col("where") == where)).head(1)
            for row in chosen.iter_rows(named=True):
                rows.append((name, quantity, where, row["period"], row["unit"], row["change"], row["note"]))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
