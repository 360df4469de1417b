"""What the ``[game]`` of an experiment file may say, read and checked for itself and against the rest of the file."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from backfill.dimensions import Period, Vocabulary
from backfill.errors import DuplicateMeasureError, OutOfRangeError, UnknownRegionError, UserError, did_you_mean
from backfill.games.payoffs import Game
from backfill.policy.faults import faults, known_only, path, rows
from backfill.policy.measure import Products, Regions, Share

MOST_PROFILES = {"static": 6561, "coupled": 243}
"""Profiles of which every world is kept until the pay-offs are known, some 100 kB each; coupled ones take half a second each."""

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, allow_inf_nan=False)
Money = Annotated[float, Field(ge=0, json_schema_extra={"unit": "million USD of 2022 a year"})]
Duty = Annotated[float, Field(gt=0, le=10, json_schema_extra={"unit": "share of the price, 0.25 is 25%"})]


Worth = Annotated[float, Field(ge=0, le=1)]


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _pair(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) != 2:
        raise PydanticCustomError("out_of_range", "must be two numbers, low and high, such as [0.0, 0.01]")
    return _listed(value)


class Player(BaseModel):
    """Somebody who may align."""

    model_config = _STRICT

    region: Regions = Field(description="who it is")
    today: Share = Field(0.0, description="level today")
    asked: Share = Field(1.0, description="level asked for; below it the threat falls on the player")
    security: Worth = Field(0.0, description="worth of denying the adversary all compute, share of GDP")
    security_range: Annotated[tuple[Worth, Worth], BeforeValidator(_pair)] | None = Field(
        None, description="low and high of that worth, for the range of deterring tariffs"
    )
    offer: Money = Field(0.0, description="what it gets for the level asked or more")


class Threat(BaseModel):
    """A tariff on everybody who is not aligned as asked, carried out on all of them together."""

    model_config = _STRICT

    rate: Duty = Field(description="duty threatened")
    cap: Duty = Field(description="largest duty considered where the deterring one is looked for")
    products: Products = Field(("all",), description="goods on which it is paid")
    credibility: Share = Field(0.5, description="belief that the threat is carried out")
    answered: Share = Field(0.0, description="share of the duty with which targets answer on the sender's goods")
    steps: int = Field(8, ge=2, le=40, description="duties between none and the cap at which worlds are solved")


class Retaliation(BaseModel):
    """Exports closed to those who align further."""

    model_config = _STRICT

    by: Regions = Field(description="who retaliates")
    products: Products = Field(description="products closed")
    coverage: Share = Field(gt=0, description="share of buyers for whom they are")
    above: Share = Field(0.0, description="level above which it falls on a player")


class Incentives(BaseModel):
    """The package looked for: secondary tariffs and offers that make a wanted profile an equilibrium."""

    model_config = _STRICT

    wanted: dict[str, Share] = Field({}, description="level wanted of each player; as asked if left out")
    only: bool = Field(False, description="whether it is to be the only equilibrium, whatever the order of moves")
    largest_offer: Money = Field(description="largest offer to any player")
    execution: Share = Field(
        0.1,
        description="chance that a threat has to be carried out all the same, by which its cost to the sender counts",
    )


class GameTable(BaseModel):
    """What ``[game]`` may say."""

    model_config = _STRICT

    players: Annotated[tuple[Player, ...], BeforeValidator(_listed)] = Field(min_length=1, description="who may align")
    sender: Regions = Field(("USA",), alias="with", description="whose controls they adopt, and who threatens")
    products: Products = Field(("all",), description="products on which they align")
    levels: Annotated[tuple[Share, ...], BeforeValidator(_listed)] = Field(
        (0.0, 0.5, 1.0), description="levels open to all"
    )
    begin: dt.date = Field(
        alias="from", description="day from which they align, threats are carried out and offers paid"
    )
    announced: dt.date | None = Field(None, description="day it becomes known; the first day if left out")
    mode: Literal["coupled", "static"] = Field(
        "coupled", description="whether suppliers answer, over the years, or not"
    )
    year: int | None = Field(None, description="year of static worlds; the first whole one of the game if left out")
    threat: Threat = Field(description="what those face who do not align")
    retaliation: Retaliation | None = Field(None, description="what those face who do")
    incentives: Incentives | None = Field(None, description="the package to look for")

    @property
    def names(self) -> tuple[str, ...]:
        """Players by region code."""
        return tuple(player.region[0] for player in self.players)

    @property
    def game(self) -> Game:
        """Players and levels."""
        levels = tuple(sorted(self.levels))
        today = tuple(levels.index(player.today) for player in self.players)
        asked = tuple(levels.index(player.asked) for player in self.players)
        return Game(self.names, levels, today, asked)

    def known(self) -> dt.date:
        """Day from which builders plan for it."""
        return self.announced or self.begin

    def static_year(self, periods: Sequence[Period]) -> int:
        """Place of the period of static worlds: the chosen year, else the first that begins with the game or after."""
        if self.year is not None:
            return next(n for n, period in enumerate(periods) if period.start.year == self.year)
        whole = (n for n, period in enumerate(periods) if period.start >= self.begin)
        return next(whole, len(periods) - 1)


_TABLES: dict[str, type[BaseModel]] = {"threat": Threat, "retaliation": Retaliation, "incentives": Incentives}


def read_game(
    raw: Any, file: str, vocabulary: Vocabulary | None, periods: Sequence[Period], names_in: str = ""
) -> tuple[GameTable | None, list[UserError]]:
    """The game of a file, and everything wrong with it.

    Args:
        raw: the ``[game]`` table as read; None if there is none.
        file: file to name in faults.
        vocabulary: names that exist; None leaves names unchecked.
        periods: reported periods.
        names_in: where all names are listed, for remedies.
    """
    if raw is None:
        return None, []
    wrong: list[UserError] = []
    table, found = None, known_only(raw, "game", GameTable, _TABLES, {"players": Player}, file, wrong)
    try:
        table = GameTable.model_validate(found, context={"vocabulary": vocabulary, "names_in": names_in})
    except ValidationError as error:
        wrong += faults(error, file, "game")
    if isinstance(raw, Mapping):
        wrong += _players(found, file, vocabulary)
        wrong += [one for check in (_levels, _threat, _size) for one in check(found, file)]
        if vocabulary is not None:
            wrong += _sides(found, file, vocabulary)
    if table is not None:
        wrong += _dates(table, file, periods)
    return (None if wrong else table), wrong


def _region(value: Any) -> str | None:
    """The one region a value names; None if it names several, or is of another type."""
    if isinstance(value, list | tuple):
        value = value[0] if len(value) == 1 else None
    return value if isinstance(value, str) else None


def _players(raw: Mapping[str, Any], file: str, vocabulary: Vocabulary | None) -> Iterator[UserError]:
    """Players that are named twice, or are the sender, and wishes for somebody who does not play."""
    sender, seen = _region(raw.get("with", "USA")), []
    if sender is None and isinstance(raw.get("with"), list):
        yield OutOfRangeError(file, "game.with", raw["with"], "name one region: who threatens")
    for n, one in rows(raw, "players"):
        where, region = path("game", "players", n, "region"), _region(one.get("region"))
        if region is None:
            if isinstance(one.get("region"), list):
                yield OutOfRangeError(
                    file, where, one["region"], "name one region; give every player a table of its own"
                )
            continue
        if region in seen:
            yield DuplicateMeasureError(file, where, region, "is a player already; remove one")
        if region == sender:
            yield OutOfRangeError(file, where, region, "is the one whose controls are adopted; name somebody else")
        seen.append(region)
    table = raw.get("incentives")
    wanted = table.get("wanted") if isinstance(table, Mapping) else None
    near = f"players are {', '.join(dict.fromkeys(seen))}" if seen else "name players first"
    misspelt = [name for name in seen if vocabulary is not None and not vocabulary.expand_regions(name)]
    for name, level in wanted.items() if isinstance(wanted, Mapping) else ():
        # Whoever is wanted may be the player whose name is misspelt, which is told by itself.
        if name not in seen and not difflib.get_close_matches(name, misspelt):
            remedy = f"does not play; {did_you_mean(name, seen, near)}"
            yield UnknownRegionError(file, path("game", "incentives", "wanted", name), level, remedy)


def _levels(raw: Mapping[str, Any], file: str) -> Iterator[UserError]:
    """Levels given twice or alone, and levels of players that are not among them."""
    levels = raw.get("levels", [0.0, 0.5, 1.0])
    if not isinstance(levels, list) or not all(type(one) in (int, float) for one in levels):
        return
    if len(set(levels)) < max(len(levels), 2):
        yield OutOfRangeError(file, "game.levels", levels, "must be at least two different levels, such as [0.0, 0.5, 1.0]")
    told = f"is not among the levels {', '.join(f'{one:g}' for one in sorted(levels))}; choose one of them"
    for n, one in rows(raw, "players"):
        level = {key: one.get(key, default) for key, default in (("today", 0.0), ("asked", 1.0))}
        for key, value in level.items():
            if type(value) in (int, float) and value not in levels:
                yield OutOfRangeError(file, path("game", "players", n, key), value, told)
        if all(type(value) in (int, float) for value in level.values()) and level["asked"] <= level["today"]:
            remedy = f"is not above the level today ({level['today']:g}), so that nothing is asked"
            yield OutOfRangeError(file, path("game", "players", n, "asked"), level["asked"], remedy)
    table = raw.get("incentives")
    wanted = table.get("wanted") if isinstance(table, Mapping) else None
    for name, value in wanted.items() if isinstance(wanted, Mapping) else ():
        if type(value) in (int, float) and value not in levels:
            yield OutOfRangeError(file, path("game", "incentives", "wanted", name), value, told)


def _threat(raw: Mapping[str, Any], file: str) -> Iterator[UserError]:
    table = raw.get("threat")
    if not isinstance(table, Mapping):
        return
    rate, cap = table.get("rate"), table.get("cap")
    if type(rate) in (int, float) and type(cap) in (int, float) and rate > cap:  # type: ignore[operator]
        yield OutOfRangeError(file, "game.threat.rate", rate, f"is above the largest duty considered, cap = {cap:g}")


def _size(raw: Mapping[str, Any], file: str) -> Iterator[UserError]:
    levels, mode = raw.get("levels", [0.0, 0.5, 1.0]), raw.get("mode", "coupled")
    if not isinstance(levels, list) or mode not in MOST_PROFILES:
        return
    yield from too_many(levels, sum(1 for _ in rows(raw, "players")), mode, file)


def too_many(levels: Sequence[float], players: int, mode: str, file: str) -> Iterator[UserError]:
    """More profiles than can be held in a mode."""
    count, most = len(levels) ** players, MOST_PROFILES[mode]
    if count > most:
        remedy = (
            f"{players} players make {count:,} profiles, of which {most:,} can be held; name fewer levels or players"
        )
        if mode == "coupled" and count <= MOST_PROFILES["static"]:
            remedy += ', or set mode = "static"'
        yield OutOfRangeError(file, "game.levels", list(levels), remedy)


def _sides(raw: Mapping[str, Any], file: str, vocabulary: Vocabulary) -> Iterator[UserError]:
    for n, one in rows(raw, "players"):
        region = _region(one.get("region"))
        where = path("game", "players", n, "region")
        if region is None or region in vocabulary.regions:
            if region and vocabulary.bloc[region] == "adversary":
                yield OutOfRangeError(
                    file, where, region, "is one that the controls fall on; name somebody who may align"
                )
        elif vocabulary.expand_regions(region):
            yield OutOfRangeError(
                file, where, region, "stands for several regions; give every player a table of its own"
            )


def _dates(table: GameTable, file: str, periods: Sequence[Period]) -> Iterator[UserError]:
    first, last = periods[0].start, periods[-1].end
    if not first <= table.begin < last:
        remedy = f"is outside the horizon {first.isoformat()} to {last.isoformat()}; change it or the horizon"
        yield OutOfRangeError(file, "game.from", table.begin, remedy)
    elif table.announced is not None and not first <= table.announced <= table.begin:
        yield OutOfRangeError(file, "game.announced", table.announced, f"must be between {first.isoformat()} and from")
    years = sorted({period.start.year for period in periods})
    if table.year is not None and (table.year not in years or table.year < table.begin.year):
        yield OutOfRangeError(
            file, "game.year", table.year, f"must be a year of the game, {table.begin.year} to {years[-1]}"
        )
    for n, player in enumerate(table.players):
        if player.security_range and not player.security_range[0] <= player.security <= player.security_range[1]:
            where = path("game", "players", n, "security_range")
            yield OutOfRangeError(
                file, where, player.security_range, f"does not hold {player.security:g}, the central one"
            )
