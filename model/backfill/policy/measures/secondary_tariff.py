"""Secondary tariff: a duty on third parties while they stay unaligned."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from backfill.dimensions import Period
from backfill.policy.board import Amount, Board, box
from backfill.policy.measure import Measure, Products, Rate, Regions, Share, Stage, kind

_EQUAL = 1e-9


def _pairs(value: Any) -> Any:
    """Lists, as files have them, as tuples."""
    return tuple(tuple(pair) if isinstance(pair, list) else pair for pair in value) if isinstance(value, list) else value


class Trigger(BaseModel):
    """What makes the tariff fall due."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    alignment_below: Share | None = Field(None, description="falls on targets whose alignment is below this level")
    backfill_above: float | None = Field(
        None,
        ge=0,
        le=10,
        description="falls on targets that backfilled more than this share of lost sales in the period before",
    )
    products: Products = Field(("all",), description="products whose alignment, or backfilling, counts")

    @model_validator(mode="after")
    def _one(self) -> Trigger:
        if (self.alignment_below is None) == (self.backfill_above is None):
            remedy = "give alignment_below or backfill_above" + (
                ", not both" if self.alignment_below is not None else ""
            )
            raise PydanticCustomError("missing_here", "one", {"key": "alignment_below", "remedy": remedy})
        return self


@kind("secondary_tariff")
class SecondaryTariff(Measure):
    """Adds a duty on goods of third parties while their controls fall short of the importer's own, or after they backfill.

    A target's alignment on a product is its coverage over the importer's, at most 1 and the least over destinations and end
    uses, whether its control is an `alignment` or its own `export_control`; over products the least counts. Products the
    importer does not control on that day, or the target does not sell there, do not count.

    On backfilling it falls due in periods after one in which the target's sales to adversaries rose by more than the
    share ``backfill_above`` of what the importer's fell, both against the reference. Suppliers foresee it, so that behaviour
    and duty are found together; where no schedule agrees with the behaviour it brings about the run says so. The duty
    lasts no longer than ``authority_days`` from the first day in force, if the law limits it.
    """

    also: ClassVar[tuple[str, ...]] = ("sanctions", "secondary_sanctions")
    stage: ClassVar[Stage] = Stage.RESPONSES
    beside: ClassVar[str] = """\
[[measures]]
kind = "export_control"
by = "USA"
products = "tools"
destinations = "CHN"
coverage = 0.6
from = 2024-01-01
"""
    sources: ClassVar[str] = (
        "Executive Order 14329 (6 August 2025): 25% on India; Learning Resources v. Trump (20 February 2026) "
        "ended tariffs under emergency powers."
    )
    example: ClassVar[str] = """\
kind = "secondary_tariff"
by = "USA"
targets = ["JPN", "KOR", "NLD"]
products = "all"                   # on which the duty is paid
rate = 0.25
trigger = { alignment_below = 1.0, products = "tools" }
credibility = 0.5
from = 2026-01-01
"""

    kind: Literal["secondary_tariff"] = "secondary_tariff"
    by: Regions = Field(description="importers that threaten")
    targets: Regions = Field(description="third parties it falls on while unaligned")
    products: Products = Field(("all",), description="goods on which it is paid")
    rate: Rate = Field(description="duty added")
    trigger: Trigger = Field(description="when it falls due")
    credibility: Share = Field(0.5, description="belief that the threat is carried out; used by alignment games only")
    authority_days: int | None = Field(
        None,
        ge=1,
        le=36500,
        description="days for which the law allows it, e.g. 150",
        json_schema_extra={"unit": "days"},
    )
    due: Annotated[tuple[tuple[str, str], ...], BeforeValidator(_pairs)] | None = Field(
        None, description="(target, period) in which it answers backfilling; written by the program"
    )
    authority_cap: Rate | None = Field(None, description="largest duty the law allows, e.g. 0.15 under section 122")

    def act(self, board: Board) -> None:
        rate = self._rate()
        products = board.products(self.products)
        if self.trigger.backfill_above is not None:
            labels = np.array([board.timeline.periods[n].label for n in board.timeline.period])
            for target, period in self.due or ():
                when = self.when(board) & (labels == period)
                board.add("tariff", when, products, board.regions([target]), board.regions(self.by), rate)
            return
        for importer in board.regions(self.by):
            for target in board.regions(self.targets):
                board.add("tariff", self._due(board, importer, target), products, [target], [importer], rate)

    def reaches(self, period: Period) -> bool:
        """Whether it is in force on a day of a period."""
        begun = self.begin is None or self.begin < period.end
        return begun and all(period.start < end for end in (self.until, self._lapse()) if end is not None)

    def when(self, board: Board) -> np.ndarray:
        if self.authority_days is None:
            return super().when(board)
        start = self.begin or board.timeline.periods[0].start
        return super().when(board) & board.when(start, start + dt.timedelta(days=self.authority_days))

    def dates(self) -> list[dt.date]:
        return [*super().dates(), *(day for day in [self._lapse()] if day is not None)]

    def _lapse(self) -> dt.date | None:
        """First day on which the law no longer allows it."""
        if self.begin is None or self.authority_days is None:
            return None
        return self.begin + dt.timedelta(days=self.authority_days)

    @property
    def answers_behaviour(self) -> bool:
        return self.trigger.backfill_above is not None and not self.due

    def idle(self, board: Board) -> tuple[str, object, str] | None:
        if self._rate() == 0:
            key = "rate" if self.rate == 0 else "authority_cap"
            return key, 0.0, "takes nothing; give a rate other than 0 or remove the measure"
        flows = board.products(self.products), board.regions(self.targets), board.regions(self.by)
        return self.no_trade(board, *flows, partner="targets", key="targets")

    def why_inert(self, board: Board) -> tuple[str, object, str] | None:
        importers, targets = board.regions(self.by), board.regions(self.targets)
        when = self.when(board)
        counted = board.products(self.trigger.products)
        if not board.closed(box(when, counted, importers), own_control=True, advanced_only=True).any():
            return "by", list(self.by), "has no control in force to align with; add an export_control"
        if not any(self._due(board, i, t).any() for i in importers for t in targets):
            level = self.trigger.alignment_below or 0.0
            remedy = "never fires: every target is at least as aligned; raise it or lower their alignment"
            return "trigger.alignment_below", level, remedy
        return None

    def _rate(self) -> Amount:
        return self.rate if self.authority_cap is None else np.minimum(self.rate, self.authority_cap)

    def _due(self, board: Board, importer: int, target: int) -> np.ndarray:
        """Boolean ``[stretch]``: in force and the target's alignment below the trigger."""
        products = board.products(self.trigger.products)
        ours, theirs = np.s_[:, products, importer], np.s_[:, products, target]
        asked = np.stack([board.closed(ours, own_control=True, advanced_only=x) for x in (False, True)], axis=1)
        given = np.stack([board.closed(theirs, advanced_only=x) for x in (False, True)], axis=1)
        counts = asked > 0
        counts[..., [importer, target]] = False
        if board.exists is not None:
            counts &= board.exists[products, target]
        level = np.where(counts, np.minimum(1.0, given / np.where(asked > 0, asked, 1.0)), 1.0)
        below = self.trigger.alignment_below
        unaligned = level.min(axis=(1, 2, 3)) < (0.0 if below is None else below) - _EQUAL
        return self.when(board) & counts.any(axis=(1, 2, 3)) & unaligned
