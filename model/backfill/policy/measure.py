"""What every kind of measure shares: actor, dates, checked fields, and where it announces itself."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Annotated, Any, ClassVar, LiteralString, TypeVar

import numpy as np
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from backfill.dimensions import Vocabulary
from backfill.policy.board import Board
from backfill.policy.names import (
    hub_names,
    product_names,
    region_names,
    unknown_hub,
    unknown_product,
    unknown_region,
)


class Stage(IntEnum):
    """Order in which measures act: some answer to others."""

    CONTROLS = 0
    REDESIGN = 1
    ALIGNMENT = 2
    RESPONSES = 3


def listed(value: Any) -> Any:
    """One name, or a list of them as files have it, as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


class Measure(BaseModel):
    """One measure of a policy. It adds wedges and limits while in force and never edits the economy.

    A kind is one file in `backfill.policy.measures`: a subclass under the decorator `kind`, whose docstring opens with what
    it does, whose fields carry description, unit, bounds and default, and which implements `act` and `idle`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False)

    also: ClassVar[tuple[str, ...]] = ()
    """Other words for it, which no file may use but which tell what is meant."""
    stage: ClassVar[Stage] = Stage.CONTROLS
    example: ClassVar[str]
    """A measure of this kind as TOML, without the ``[[measures]]`` line."""
    beside: ClassVar[str] = ""
    """What the example answers to, as TOML with its ``[[measures]]`` line; empty if it stands alone."""
    sources: ClassVar[str]
    """Where the kind and its figures come from."""

    kind: str = Field(description="what the measure does")
    name: str = Field("", description="what results call it")
    announced: dt.date | None = Field(
        None, description="day it was made public, from which builders plan for it; the first day in force if left out"
    )
    begin: dt.date | None = Field(None, alias="from", description="first day in force; from the beginning if left out")
    until: dt.date | None = Field(None, description="first day no longer in force; for good if left out")
    until_announced: dt.date | None = Field(
        None, description="day the end was made public; that of the last day in force if left out"
    )
    withdrawn: dt.date | None = Field(
        None, description="day it was withdrawn before it came into force; it acts as of earlier days only"
    )
    supersedes: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        (), description="names of measures, included ones too, that end on this one's first day in force"
    )
    source: str = Field("", description="where the measure and its figures come from")
    included_from: str = Field("", description="files it was included from; written by the program in resolved.toml")

    @abstractmethod
    def act(self, board: Board) -> None:
        """Write wedges and limits on the board."""

    @abstractmethod
    def idle(self, board: Board) -> tuple[str, object, str] | None:
        """Why it can change nothing whatever else the policy does, as (key, value, remedy); None if it can."""

    def why_inert(self, board: Board) -> tuple[str, object, str] | None:
        """Why it changes nothing beside the board's other measures, as (key, value, remedy); None if nothing explains that."""
        return None

    @property
    def answers_behaviour(self) -> bool:
        """Whether what it does is found only when markets are solved."""
        return False

    def dates(self) -> list[dt.date]:
        """Days on which what it does may change."""
        return [day for day in (self.begin, self.until) if day is not None]

    def shut(self, board: Board) -> np.ndarray | None:
        """Boolean ``[product, origin, destination]`` of flows it closes to everybody; None if it closes none."""
        return None

    def counted_on(self, board: Board) -> np.ndarray | None:
        """Boolean ``[product, origin, destination]`` of flows without which it means nothing; None if there are none."""
        return None

    def names_among_several(self) -> Iterator[tuple[str, str]]:
        """Fields that name several regions or products, with each name; those left out of it apart."""
        for field in type(self).model_fields:
            value = getattr(self, field)
            if field not in ("exempt", "supersedes") and isinstance(value, tuple) and len(value) > 1:
                yield from ((field, name) for name in value if isinstance(name, str))

    def when(self, board: Board) -> np.ndarray:
        """Boolean ``[stretch]``: where it is in force."""
        return board.when(self.begin, self.until)

    def no_trade(
        self,
        board: Board,
        products: Sequence[int],
        origins: Sequence[int],
        destinations: Sequence[int],
        *,
        partner: str,
        key: str,
    ) -> tuple[str, object, str] | None:
        """Reason of a measure on flows the benchmark does not have; None if it has one.

        Args:
            partner: field with the regions on the other side.
            key: field to name where regions differ but do not trade.
        """
        if board.has_flow(products, origins, destinations):
            return None
        if len({*origins, *destinations}) == 1:
            return (
                partner,
                list(getattr(self, partner)),
                "is the region itself; a measure acts between regions: name another",
            )
        return key, list(getattr(self, key)), "the benchmark has no such flow; name products that these regions trade"

    def no_capacity(
        self, board: Board, products: Sequence[int], regions: Sequence[int], key: str
    ) -> tuple[str, object, str] | None:
        """Reason of a measure on planned capacities that the benchmark does not have; None if it has one."""
        if board.facts is None:
            return None
        names = board.vocabulary
        if any((names.products[p], names.regions[r]) in board.facts.planned for p in products for r in regions):
            return None
        planned = sorted({p for p, r in board.facts.planned if names.regions.index(r) in regions})
        remedy = f"planned there are {', '.join(planned)}" if planned else "no capacity is planned there"
        return key, list(getattr(self, key)), f"have no planned capacity in these regions; {remedy}"


KINDS: dict[str, type[Measure]] = {}

M = TypeVar("M", bound=type[Measure])


def kind(name: str) -> Callable[[M], M]:
    """Make a class the kind of measure called ``name`` in policy files."""

    def announce(cls: M) -> M:
        KINDS[name] = cls
        return cls

    return announce


def kind_meant(word: str, known: Iterable[str]) -> str:
    """What to write instead of a word that is no kind of measure: the kinds also called so, else those called nearly so.

    Args:
        word: what was written.
        known: kinds that can be meant, all of which are told where nothing is near.
    """
    kinds = list(known)
    called: dict[str, list[str]] = {}
    for name in kinds:
        for said in (name, *KINDS[name].also):
            called.setdefault(said, []).append(name)
    plain = "_".join(re.split(r"[\s_-]+", word.strip().lower()))
    misspelt = difflib.get_close_matches(plain, called, n=1, cutoff=_MISSPELT)
    said = misspelt or difflib.get_close_matches(plain, called, n=2, cutoff=_NEAR)
    meant = dict.fromkeys(name for one in said for name in called[one])
    if meant:
        return "did you mean " + " or ".join(f'"{name}"' for name in meant) + "?"
    return f"is no kind of measure; there are {', '.join(kinds)}"


_NEAR, _MISSPELT = 0.6, 0.9
"""Likeness of words from which one may be meant for the other, and from which nothing else is meant."""


def _check(
    names: tuple[str, ...],
    error: LiteralString,
    known: Callable[[Vocabulary], Iterable[str]],
    remedy: Callable[[str, Vocabulary, str], str],
    info: ValidationInfo,
):
    context = info.context or {}
    vocabulary = context.get("vocabulary")
    if not names:
        raise PydanticCustomError("empty_list", "name at least one")
    if vocabulary is not None and (vocabulary.regions or known is product_names):
        choices = list(known(vocabulary))
        wrong = [name for name in names if name not in choices]
        if wrong:
            told = [(name, remedy(name, vocabulary, context.get("names_in", ""))) for name in wrong]
            raise PydanticCustomError(error, "unknown", {"faults": told})
    return names


def _regions(names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    return _check(names, "unknown_region", region_names, unknown_region, info)


def _hubs(names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    return _check(names, "unknown_region", hub_names, unknown_hub, info)


def _products(names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    return _check(names, "unknown_product", product_names, unknown_product, info)


Regions = Annotated[tuple[str, ...], BeforeValidator(listed), AfterValidator(_regions)]
"""One name or a list: regions, blocs, ``"hubs"``, ``"all"``."""

Hubs = Annotated[tuple[str, ...], BeforeValidator(listed), AfterValidator(_hubs)]
"""One name or a list: hubs, or ``"hubs"`` for all."""

Products = Annotated[tuple[str, ...], BeforeValidator(listed), AfterValidator(_products)]
"""One name or a list: products, product groups, ``"all"``."""

Share = Annotated[float, Field(ge=0, le=1, json_schema_extra={"unit": "share, 0 to 1"})]

LockIn = Annotated[
    float,
    Field(
        ge=0,
        le=0.3,
        description="saved by owners who buy from the same designer again",
        json_schema_extra={"unit": "share of the price"},
    ),
]

Rate = Annotated[float, Field(gt=-1, le=10, json_schema_extra={"unit": "share of the price, 0.25 is 25%"})]
