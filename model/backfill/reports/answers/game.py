"""An alignment game in five sentences: equilibria, the way from today, tariffs, offers, and whether the threat is carried out."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from backfill.reports.answers.result import unknown
from backfill.reports.names import place, places
from backfill.reports.sentence import Cell, Lookup, Part, Sentence, in_table, joined, level, sentence, size

OTHERS = {"others as asked": "if the others align as asked", "others as today": "if the others stay as they are today"}
PACKAGE = "cost of the package"
NO_THREAT = "threat carried out at "
NET = "the same without terms of trade, at "
MOST = 3


class Answered(Protocol):
    """What is told of a game."""

    @property
    def players(self) -> tuple[str, ...]: ...

    @property
    def profiles(self) -> tuple[str, str]: ...

    @property
    def summary(self) -> pl.DataFrame: ...


def answer(game: Answered) -> tuple[Sentence, ...]:
    """Five sentences."""
    find = in_table("summary", game.summary)
    return (equilibria(game, find), path(game, find), tariffs(game, find), offers(game, find), threat(game, find))


def who_does_what(profile: str, game: Answered) -> str:
    """A profile such as ``NLD 0, JPN 1`` in words, against what is asked and what holds today."""
    ends = [_levels(one) for one in game.profiles]
    groups: dict[str, list[str]] = {}
    for player, at in _levels(profile).items():
        today, asked = ends[0].get(player), ends[1].get(player)
        kind = "in full" if at == asked else "today" if at == today else "in part"
        groups.setdefault(kind, []).append(player)
    if set(groups) == {"in full"}:
        return "everybody aligns as asked"
    if set(groups) == {"today"}:
        return "everybody stays as today"
    told = {"in full": ("aligns as asked", "align as asked"), "in part": ("aligns in part", "align in part"),
            "today": ("stays as today", "stay as today")}  # fmt: skip
    parts = [f"{places(who)} {told[kind][len(who) > 1]}" for kind in told if (who := groups.get(kind))]
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]


def _levels(profile: str) -> dict[str, str]:
    return dict(one.rsplit(" ", 1) for one in profile.split(", ")) if profile else {}


def _note(game: Answered, quantity: str) -> str:
    found = game.summary.filter(pl.col("quantity") == quantity)["note"].to_list()
    return found[0] or "" if found else ""


def equilibria(game: Answered, find: Lookup) -> Sentence:
    """At which profiles nobody wants to move."""
    count = find("value", quantity="equilibria")
    if count.value is None:
        return unknown("Where nobody wants to move", count)
    if count.value == 0:
        return sentence("There is no choice of levels at which nobody wants to move")
    stable = [who_does_what(one, game) for one in _note(game, "equilibria").split("; ") if one]
    if not stable:
        return sentence("At ", level(count), " choices of levels nobody wants to move; the tables name them")
    if len(stable) == 1:
        return sentence(f"There is one equilibrium, at which nobody wants to move: {stable[0]}")
    told = "; or ".join(stable[:MOST]) + (" (the others are in the table)" if len(stable) > MOST else "")
    return sentence("There are ", level(count), f" equilibria, at which nobody wants to move: {told}")


def path(game: Answered, find: Lookup) -> Sentence:
    """Where play goes from today."""
    moves = find("value", quantity="moves from today")
    end, _, how = _note(game, "moves from today").partition(": ")
    if moves.value is None or not end:
        return unknown("Where play goes from today", moves)
    settled = how.startswith("Nobody")
    if moves.value == 0 and settled:
        return sentence("From today nobody moves")
    steps: list[Part] = ["one move" if moves.value == 1 else level(moves), "" if moves.value == 1 else " moves"]
    if settled:
        return sentence("From today ", steps, f" lead to where {who_does_what(end, game)}" if moves.value != 1
                        else f" leads to where {who_does_what(end, game)}")  # fmt: skip
    return sentence("From today play does not settle: after ", steps, f", {how[:1].lower()}{how[1:]}")


def tariffs(game: Answered, find: Lookup) -> Sentence:
    """The threatened duty that makes each align, with its range."""
    parts: list[Part] = []
    for others, told in OTHERS.items():
        cells = {player: find("value", quantity=f"deterring tariff, {others}", where=player) for player in game.players}
        listed = joined([[f"{place(player)} ", *_rate(find, others, player, cell)] for player, cell in cells.items()])
        if any(cell.value is not None or cell.note for cell in cells.values()):
            parts += ["; " if parts else "The threatened duty that makes each align is, ", f"{told}: ", *listed]
    return sentence(parts) if parts else sentence("Which duty would make each align is not known")


def _rate(find: Lookup, others: str, player: str, cell: Cell) -> list[Part]:
    if cell.value is None:
        return ["none" if cell.note.startswith("none") else "not known"]
    if cell.value == 0:
        return ["none needed"]
    keys = {"quantity": f"deterring tariff, {others}", "where": player}
    low, high = find("low", **keys), find("high", **keys)
    if low.value is not None and high.value is not None:
        return [size(cell), " (range: ", size(low), " to ", size(high), ")"]
    open_end = (
        [" (range: ", size(low), " to none)"] if low.value is not None and "at the high end none" in cell.note else []
    )
    return [size(cell), *open_end]


def offers(game: Answered, find: Lookup) -> Sentence:
    """What it would take without a threat, and what the cheapest package costs."""
    quantity = "deterring offer, others as asked"
    cells = {player: find("value", quantity=quantity, where=player) for player in game.players}
    known = {player: cell for player, cell in cells.items() if cell.value is not None}
    if not known:
        return unknown("What offer it would take", next(iter(cells.values())))
    asking = {player: cell for player, cell in known.items() if cell.value}
    parts: list[Part] = []
    if not asking:
        parts = ["Without a threat, if the others align as asked, no offer is needed"]
    else:
        told = joined(
            [[size(cell), f" to {place(player)}", *_between(find, quantity, player)] for player, cell in asking.items()]
        )
        parts = ["Without a threat, if the others align as asked, it would take an offer of ", *told]
    cost = find("value", quantity=PACKAGE, where="all")
    asked = who_does_what(game.profiles[1], game)
    if cost.value is not None:
        parts += [f"; the cheapest package of threats and offers by which {asked} costs ", size(cost)]
    elif _note(game, PACKAGE):
        parts += [f"; no package of threats and offers is found by which {asked}"]
    return sentence(parts)


def _between(find: Lookup, quantity: str, player: str) -> list[Part]:
    low, high = (find(end, quantity=quantity, where=player) for end in ("low", "high"))
    return [] if low.value is None or high.value is None else [" (range: ", size(low), " to ", size(high), ")"]


def threat(game: Answered, find: Lookup) -> Sentence:
    """Whether carrying the threat out pays who makes it, if nobody aligns or else where it is carried out first."""
    at = [row for row in game.summary["quantity"].to_list() if row.startswith(NO_THREAT)]
    if not at:
        return sentence("Whether carrying the threat out would pay is not known")
    wanted = NO_THREAT + game.profiles[0]
    chosen = wanted if wanted in at else at[0]
    profile = chosen.removeprefix(NO_THREAT)
    who = game.summary.filter(pl.col("quantity") == chosen)["where"].to_list()[0]
    net = find("value", quantity=NET + profile, where=who)
    whole = find("value", quantity=chosen, where=who)
    if net.value is None:
        return unknown("Whether carrying the threat out would pay", whole)
    when = "If nobody aligns" if chosen == wanted else f"Where {who_does_what(profile, game)}"
    verb = "costs" if net.value < 0 else "brings" if net.value > 0 else "costs"
    figure = size(net) if net.value else "nothing"
    parts: list[Part] = [
        f"{when}, carrying the threat out {verb} {place(who)} ",
        figure,
        ", gains in the terms of trade left out",
    ]
    if whole.value is not None and whole.value != net.value:
        if whole.value < 0:
            parts += [" (", size(whole), " with them)"]
        else:
            parts += [" (with them it brings ", size(whole), ")"] if whole.value > 0 else [" (nothing with them)"]
    return sentence(parts)
